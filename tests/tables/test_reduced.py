"""Selected columns, read into an array or written to a file: whole, within a budget, by threads."""

import io
import re
import warnings

import h5py
import numpy as np
import pytest
from containers import KINDS, opened, write_hdf5, write_hdfstore, write_npy, write_transposed
from numpy.testing import assert_array_equal
from recorded import RecordedMatrix

from skpar_select import ParallelMutualInfoSelector, cli, open_matrix
from skpar_select.execution import SerialExecutor, ThreadsExecutor
from skpar_select.matrices import ConcatenatedMatrix, LazyMatrix
from skpar_select.matrices._labels import Labels
from skpar_select.planning import with_overhead
from skpar_select.scoring import ProgressLine
from skpar_select.tables import read_columns, write_matrix

N_SAMPLES, N_FEATURES = 30, 17
COLUMNS = np.array([0, 3, 4, 5, 9, 11, 16])
ROWS = {
    "all": np.s_[:],
    "shuffled": np.random.default_rng(0).permutation(N_SAMPLES),
    "repeated": np.array([7, 7, 0, 29, 7, 3]),
    "backwards": np.s_[25:3:-2],
    "none": np.s_[:0],
}
GZIP = {"compression": "gzip", "shuffle": True}


@pytest.fixture
def values():
    values = np.random.default_rng(4).normal(size=(N_SAMPLES, N_FEATURES)).astype(np.float32)
    values[np.abs(values) < 0.5] = 0  # so that sparse files have gaps
    return values


def read(matrix, columns=COLUMNS, *, n_workers=2, memory_budget=10**7, **options):
    executor = ThreadsExecutor(n_workers) if n_workers > 1 else SerialExecutor()
    return read_columns(matrix, columns, executor, memory_budget=memory_budget, **options)


def write(path, matrix, columns=COLUMNS, *, n_workers=2, memory_budget=10**7):
    executor = ThreadsExecutor(n_workers) if n_workers > 1 else SerialExecutor()
    names = [f"f{column}" for column in columns]
    write_matrix(path, matrix, columns, names, executor, memory_budget=memory_budget)


def needed(call, *arguments, **options):
    """Return the bytes that a call says it needs, when it is given one."""
    with pytest.raises(ValueError, match="too small") as error:
        call(*arguments, memory_budget=1, **options)
    return int(re.search(r" need (\d+) bytes", str(error.value))[1])


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("kind", KINDS)
def test_read_columns__of_every_container(kind, rows, values, tmp_path):
    X = opened(kind, tmp_path, values)[ROWS[rows]]
    got = read(X)
    assert got.dtype == np.float32
    assert_array_equal(got, values[ROWS[rows]][:, COLUMNS])


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("kind", KINDS)
def test_write_matrix__of_every_container_is_read_back(kind, rows, values, tmp_path):
    X = opened(kind, tmp_path, values)[ROWS[rows]]
    write(tmp_path / "reduced.h5", X)
    with h5py.File(tmp_path / "reduced.h5") as file:
        assert sorted(file) == ["data", "features", "samples"]
        assert file["data"].dtype == np.float32
        assert_array_equal(file["data"][:], values[ROWS[rows]][:, COLUMNS])
        assert list(file["features"].asstr()[:]) == [f"f{column}" for column in COLUMNS]
        assert list(file["samples"].asstr()[:]) == list(X.sample_ids)


def test_write_matrix__keeps_names_in_any_script_and_no_ids_where_there_are_none(tmp_path):
    path = tmp_path / "reduced.h5"
    matrix = RecordedMatrix(np.arange(30, dtype=np.float32).reshape(6, 5))
    columns = np.array([0, 2, 4])
    names = ["a", "ç", "e"]
    write_matrix(path, matrix, columns, names, SerialExecutor(), memory_budget=10**6)
    with h5py.File(path) as file:
        assert sorted(file) == ["data", "features"]
    X = open_matrix(path)
    assert list(X.feature_names) == names
    assert X.sample_ids is None
    assert_array_equal(np.asarray(X), matrix.values[:, columns])


@pytest.mark.parametrize("blocks", [2, 3])
def test_columns__that_alternate_between_the_blocks_of_a_frame(blocks, values, tmp_path):
    X = open_matrix(write_hdfstore(tmp_path / "x.h5", values, blocks=blocks))
    for columns in (
        np.arange(N_FEATURES),
        COLUMNS,
        np.array([1]),
        np.arange(0, N_FEATURES, blocks),
    ):
        assert_array_equal(read(X, columns), values[:, columns])
        write(tmp_path / "reduced.h5", X, columns)
        assert_array_equal(np.asarray(open_matrix(tmp_path / "reduced.h5")), values[:, columns])


def test_columns__of_one_of_several_files_leave_the_others_alone(values):
    parts = [RecordedMatrix(values[:, :8]), RecordedMatrix(values[:, 8:])]
    matrix = ConcatenatedMatrix(parts, "two", "two parts")
    assert_array_equal(read(matrix, np.array([9, 16])), values[:, [9, 16]])
    assert parts[0].reads == []
    assert {read.columns for read in parts[1].reads} == {(1, 8)}


@pytest.mark.parametrize("columns", [np.array([], dtype=np.intp), np.arange(N_FEATURES)])
def test_columns__none_and_all(columns, values, tmp_path):
    X = open_matrix(write_hdf5(tmp_path / "x.h5", values))
    assert_array_equal(read(X, columns), values[:, columns])
    write(tmp_path / "reduced.h5", X, columns)
    with h5py.File(tmp_path / "reduced.h5") as file:
        assert_array_equal(file["data"][:], values[:, columns])


LAYOUTS = {
    "row-major": {},
    "chunk rows": {"chunks": (4, N_FEATURES), **GZIP},
    "chunks": {"chunks": (8, 5), **GZIP},
    "one column a chunk": {"chunks": (N_SAMPLES, 1)},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("call", [read, write])
@pytest.mark.parametrize("n_workers", [1, 2])
def test_budget__exactly_as_the_message_names_it_is_enough(
    call, layout, transposed, n_workers, values, tmp_path
):
    options = dict(LAYOUTS[layout])
    how = {}
    if transposed:
        how = {"orientation": "features_by_samples"}
        if "chunks" in options:
            options["chunks"] = options["chunks"][::-1]
    writer = write_transposed if transposed else write_hdf5
    X = open_matrix(writer(tmp_path / "x.h5", values, **options), "data", **how)
    X = X[ROWS["shuffled"]]
    where = [tmp_path / "reduced.h5"] if call is write else []
    n_bytes = needed(call, *where, X, n_workers=n_workers)
    expected = values[ROWS["shuffled"]][:, COLUMNS]
    assert call is write or n_bytes > expected.nbytes
    with pytest.raises(ValueError, match="too small"):
        call(*where, X, n_workers=n_workers, memory_budget=n_bytes - 1)
    got = call(*where, X, n_workers=n_workers, memory_budget=n_bytes)
    if call is write:
        got = np.asarray(open_matrix(*where))
    assert_array_equal(got, expected)


def test_budget__of_several_parts_names_what_all_of_them_need(values, tmp_path):
    small = RecordedMatrix(values[:, :8])
    large = RecordedMatrix(values[:, 8:], read_bytes=5000)
    matrix = ConcatenatedMatrix([small, large], "two", "two parts")
    n_bytes = needed(read, matrix)
    assert_array_equal(read(matrix, memory_budget=n_bytes), values[:, COLUMNS])


def test_read_columns__says_what_the_result_takes(values, tmp_path):
    X = open_matrix(write_npy(tmp_path / "x.npy", values))
    with pytest.raises(ValueError, match="too small") as error:
        read(X, memory_budget=900)
    n_bytes = N_SAMPLES * len(COLUMNS) * 4
    text = str(error.value)
    assert text.startswith("memory_budget=900 bytes is too small: 7 columns of '")
    assert n_bytes == 840
    assert ", of which the result is 840 B. All that is held at a time must fit." in text
    assert re.search(r"Set memory_budget to at least [\d.]+ k?B, or select fewer columns\.$", text)


@pytest.mark.parametrize(
    ("layout", "tiles"),
    [
        # Two copies of at most twelve values are held.
        ({"order": "row-major"}, [(2, 5), (2, 5), (2, 5)]),
        ({"order": "chunked", "chunks": (2, 5)}, [(2, 5), (2, 5), (2, 5)]),
        ({"order": "chunked", "chunks": (6, 1)}, [(6, 2), (6, 2), (6, 1)]),
        ({"order": "column-major"}, [(6, 2), (6, 2), (6, 1)]),
    ],
)
def test_write_matrix__reads_no_more_at_a_time_than_the_budget(tmp_path, layout, tiles):
    matrix = RecordedMatrix(np.ones((6, 5), dtype=np.float32), **layout)
    write(
        tmp_path / "x.h5",
        matrix,
        np.arange(5),
        n_workers=1,
        memory_budget=with_overhead(2 * 6 * 4 * 2),
    )
    assert [(len(read.rows), len(read.columns)) for read in matrix.reads] == tiles
    assert {column for read in matrix.reads for column in read.columns} == set(range(5))


def test_read_columns__reads_no_more_at_a_time_than_the_budget():
    matrix = RecordedMatrix(np.ones((6, 5), dtype=np.float32))
    read(matrix, np.arange(5), n_workers=1, memory_budget=with_overhead(6 * 5 * 4 + 2 * 5 * 4))
    assert [len(read.rows) for read in matrix.reads] == [2, 2, 2]


@pytest.mark.parametrize("call", [read, write])
def test_threads__read_at_a_time(call, values, tmp_path):
    matrix = RecordedMatrix(np.ones((8, 2**20), dtype=np.float32), together=2)
    where = [tmp_path / "x.h5"] if call is write else []
    call(*where, matrix, np.arange(2**20), n_workers=2, memory_budget=2**30)
    assert len(matrix.reads) >= 4
    assert len({read.thread for read in matrix.reads}) >= 2


def test_transform__reads_by_the_threads_of_n_jobs(values):
    n_features = 2**20
    matrix = RecordedMatrix(np.ones((8, n_features), dtype=np.float32), together=2)
    selector = ParallelMutualInfoSelector(k="all", n_jobs=2, memory_budget="1GB")
    selector.n_features_in_, selector.scores_ = n_features, np.ones(n_features)
    selector.log_pvalues_ = None
    assert selector.transform(LazyMatrix(matrix)).shape == (8, n_features)
    assert len({read.thread for read in matrix.reads}) >= 2


def test_transform__obeys_the_memory_budget(values, tmp_path):
    X = open_matrix(write_hdf5(tmp_path / "x.h5", values), feature_names=None)
    selector = ParallelMutualInfoSelector(k=5, random_state=0).fit(X, values[:, 3])
    expected = selector.transform(values)
    for n_bytes in (1, 5 * N_SAMPLES * 4):
        selector.set_params(memory_budget=n_bytes)
        with pytest.raises(
            ValueError, match=rf"^memory_budget={n_bytes} bytes is too small: 5 col"
        ) as e:
            selector.transform(X)
    selector.set_params(memory_budget=int(re.search(r" need (\d+) bytes", str(e.value))[1]))
    assert_array_equal(selector.transform(X), expected)
    # An array is taken as it is: it is in memory already.
    assert_array_equal(selector.set_params(memory_budget=1).transform(values), expected)


def test_transform__says_how_far_it_is_where_it_is_asked_to(values, tmp_path, capsys):
    X = open_matrix(write_hdf5(tmp_path / "x.h5", values))
    selector = ParallelMutualInfoSelector(k=5, random_state=0).fit(X, values[:, 3])
    selector.transform(X)
    assert capsys.readouterr().err == ""
    selector.set_params(verbose=1).transform(X)
    assert capsys.readouterr().err == "100 %: 1 of 1 tiles\n"


def test_read_columns__counts_the_tiles_of_all_parts(values, tmp_path):
    stream = io.StringIO()
    X = open_matrix(write_hdfstore(tmp_path / "x.h5", values, blocks=3))
    read(X, progress=ProgressLine(stream))
    lines = stream.getvalue().split("\r")[1:]
    assert len(lines) == 3
    assert lines[-1].startswith(f"[{'#' * 30}] 3 of 3 tiles")


def test_transform__gives_a_frame_with_names_and_of_the_type_of_the_file(values, tmp_path):
    pd = pytest.importorskip("pandas")
    X = open_matrix(write_hdf5(tmp_path / "x.h5", values, chunks=(8, 5), **GZIP))
    selector = ParallelMutualInfoSelector(k=4, random_state=0).set_output(transform="pandas")
    got = selector.fit(X, values[:, 3]).transform(X[5:])
    assert isinstance(got, pd.DataFrame)
    columns = selector.get_support(indices=True)
    assert list(got.columns) == [f"f{column}" for column in columns]
    assert set(got.dtypes) == {np.dtype(np.float32)}
    assert_array_equal(got.to_numpy(), values[5:, columns])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_read_columns__names_a_column_that_is_not_finite(bad, values, tmp_path):
    values[3, 4], values[5, 1] = bad, bad  # column 1 is not selected
    X = open_matrix(write_hdf5(tmp_path / "x.h5", values))
    kind = "NaN" if np.isnan(bad) else "infinity"
    message = rf"x\.h5', dataset 'data' contains {kind}: 1 value in 1 column, 'f4' \(1 {kind}\)"
    with pytest.raises(ValueError, match=message):
        read(X)


@pytest.mark.parametrize("call", [read, write])
def test_error__of_a_read_is_raised_and_leaves_the_old_file(call, tmp_path):
    path = tmp_path / "reduced.h5"
    path.write_text("before")
    matrix = RecordedMatrix(np.ones((2, 2)), error=OSError("the disk is gone"))
    where = [path] if call is write else []
    with pytest.raises(OSError, match="the disk is gone"):
        call(*where, matrix, np.arange(2))
    assert path.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["reduced.h5"]


def test_write_matrix__that_is_refused_leaves_the_old_file(values, tmp_path):
    path = tmp_path / "reduced.h5"
    path.write_text("before")
    with pytest.raises(ValueError, match="too small"):
        write(path, RecordedMatrix(values), memory_budget=1)
    assert path.read_text() == "before"


@pytest.mark.parametrize("call", [read, write])
def test_file__that_changes_meanwhile_is_noticed(call, values, tmp_path):
    X = open_matrix(write_hdf5(tmp_path / "x.h5", values))
    write_hdf5(tmp_path / "x.h5", values + 1, chunks=(8, 5), **GZIP)
    where = [tmp_path / "reduced.h5"] if call is write else []
    with pytest.raises(OSError, match="changed"):
        call(*where, X)
    assert [path.name for path in tmp_path.iterdir()] == ["x.h5"]


@pytest.mark.parametrize("options", LAYOUTS.values(), ids=LAYOUTS)
def test_select__on_the_command_line_writes_the_bits_of_transform(
    options, values, tmp_path, capsys
):
    path, output, ages = tmp_path / "x.h5", tmp_path / "reduced.h5", tmp_path / "ages.csv"
    X = open_matrix(write_hdf5(path, values, **options))
    y = values[:, 3] + values[:, 9]
    rows = [f"{name},{age!r}" for name, age in zip(X.sample_ids, y.tolist(), strict=True)]
    ages.write_text("\n".join(["sample,age", *rows[::-1]]))
    call = ["select", path, "--target", ages, "--target-column", "age", "--output", output, "-k", 6]
    assert cli.main([str(argument) for argument in call]) == 0
    selector = ParallelMutualInfoSelector(k=6, random_state=0).fit(X, y.astype(float))
    with h5py.File(output) as file:
        written = file["data"][:]
    assert written.dtype == np.float32
    assert written.tobytes() == selector.transform(X).tobytes()
    assert "6 of 17 features written" in capsys.readouterr().out


TABLES = {".csv": ",", ".tsv": "\t", ".csv.gz": ",", ".tsv.gz": "\t", ".parquet": None}


def table_of(path):
    pd = pytest.importorskip("pandas")
    suffix = path.name.removeprefix("reduced")
    if suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, sep=TABLES[suffix], float_precision="round_trip")


@pytest.mark.parametrize("suffix", TABLES)
@pytest.mark.parametrize("dtype", ["f2", "f4", ">f8", "i2", "u8", "?"])
def test_write_matrix__as_a_table_keeps_every_value(suffix, dtype, values, tmp_path):
    # F2, G15: whatever the name, it was HDF5.
    values = (values * 1000).astype(dtype)
    X = open_matrix(write_hdf5(tmp_path / "x.h5", values), sample_ids="auto")[::-1]
    file = tmp_path / f"reduced{suffix}"
    write(file, X)
    frame = table_of(file)
    assert list(frame.columns) == ["sample", *(f"f{column}" for column in COLUMNS)]
    assert list(frame["sample"]) == list(X.sample_ids)
    got = frame.drop(columns="sample").to_numpy()
    assert_array_equal(got.astype(dtype), values[::-1][:, COLUMNS])


@pytest.mark.parametrize("suffix", TABLES)
def test_write_matrix__as_a_table_writes_nan_and_names_of_every_kind(suffix, tmp_path):
    values = np.array([[1.5, np.nan], [np.nan, 2.5]])
    names = ["sample", 'a,"b"\tc']
    X = LazyMatrix(RecordedMatrix(values), sample_ids=Labels.of(["s,0", "NA"]))
    write_matrix(
        tmp_path / f"reduced{suffix}",
        X,
        np.arange(2),
        names,
        SerialExecutor(),
        memory_budget=10**6,
    )
    frame = table_of(tmp_path / f"reduced{suffix}")
    assert list(frame.columns) == ["_sample", *names]
    assert_array_equal(frame[names].to_numpy(), values)
    if suffix.startswith(".csv") and not suffix.endswith(".gz"):
        lines = (tmp_path / f"reduced{suffix}").read_text().splitlines()
        assert lines[1:] == ['"s,0",1.5,NaN', "NA,NaN,2.5"]


@pytest.mark.parametrize("suffix", TABLES)
def test_write_matrix__as_a_table_has_no_ids_where_there_are_none(suffix, tmp_path):
    write(tmp_path / f"reduced{suffix}", RecordedMatrix(np.ones((2, 17))))
    assert list(table_of(tmp_path / f"reduced{suffix}").columns) == [f"f{one}" for one in COLUMNS]


@pytest.mark.parametrize("suffix", TABLES)
def test_write_matrix__as_a_table_counts_what_it_holds(suffix, values, tmp_path):
    X = open_matrix(write_hdf5(tmp_path / "x.h5", values))
    n_bytes = needed(write, tmp_path / f"reduced{suffix}", X)
    result = N_SAMPLES * len(COLUMNS) * 4
    assert n_bytes > (2 * result if suffix == ".parquet" else result)
    with pytest.raises(ValueError, match="too small"):
        write(tmp_path / f"reduced{suffix}", X, memory_budget=n_bytes - 1)
    write(tmp_path / f"reduced{suffix}", X, memory_budget=n_bytes)


def test_write_matrix__refuses_more_text_than_anyone_reads(tmp_path):
    matrix = RecordedMatrix(np.broadcast_to(np.float32(1), (10_000, 5_001)))
    message = r"would hold 50010000 values as text, 10000 rows of 5001 columns\. .*Write \.h5, "
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "reduced.csv", matrix, np.arange(5_001))
    assert matrix.reads == []


@pytest.mark.parametrize("rows", ROWS)
def test_write_matrix__as_anndata_is_opened_by_anndata(rows, values, tmp_path):
    anndata = pytest.importorskip("anndata")
    values[2, 3] = np.nan
    X = open_matrix(write_hdf5(tmp_path / "x.h5", values), sample_ids="auto")[ROWS[rows]]
    write(tmp_path / "reduced.h5ad", X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of ids that a view repeats
        adata = anndata.read_h5ad(tmp_path / "reduced.h5ad")
    assert adata.X.dtype == np.float32
    assert_array_equal(adata.X, values[ROWS[rows]][:, COLUMNS])
    assert list(adata.obs_names) == list(X.sample_ids)
    assert list(adata.var_names) == [f"f{column}" for column in COLUMNS]
    assert adata.obs.shape[1] == adata.var.shape[1] == len(adata.layers) == len(adata.uns) == 0
    adata.write_h5ad(tmp_path / "again.h5ad")


def test_write_matrix__as_anndata_is_opened_again(values, tmp_path):
    write(tmp_path / "reduced.h5ad", RecordedMatrix(values))
    X = open_matrix(tmp_path / "reduced.h5ad", sample_ids="auto", feature_names="auto")
    assert_array_equal(np.asarray(X), values[:, COLUMNS])
    assert list(X.sample_ids) == [str(row) for row in range(N_SAMPLES)]
    assert list(X.feature_names) == [f"f{column}" for column in COLUMNS]


def test_write_matrix__refuses_another_format_before_it_reads(values, tmp_path):
    matrix = RecordedMatrix(values)
    with pytest.raises(
        ValueError, match=r"x\.npy' ends in '\.npy'\. .*: \.h5, .*, \.parquet\. Give"
    ):
        write(tmp_path / "x.npy", matrix)
    assert matrix.reads == []
