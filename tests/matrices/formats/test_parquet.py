import numpy as np
import pytest
from containers import values_of, write_parquet
from numpy.testing import assert_array_equal

from skpar_select import ParallelMutualInfoSelector, open_matrix
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.io._parquet_footer import read_footer
from skpar_select.testing import MatrixConformance

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

KINDS = {
    "row groups": {},
    "one row group": {"rows": 100},
    "rows": {"rows": 1},
    "without ids": {"ids": False},
    "folder": {"parts": 3, "rows": 4},
    "gzip": {"compression": "gzip"},
    "plain": {"compression": "none", "use_dictionary": False},
    "version 1": {"version": "1.0", "data_page_version": "2.0"},
    "without statistics": {"write_statistics": False},
}


@pytest.fixture
def values():
    return values_of()


@pytest.fixture
def path(tmp_path, values):
    return write_parquet(tmp_path / "x.parquet", values)


@pytest.fixture
def write(tmp_path):
    def write(columns, **options):
        table = columns if isinstance(columns, pa.Table) else pa.table(columns)
        pq.write_table(table, tmp_path / "x.parquet", **options)
        return tmp_path / "x.parquet"

    return write


class TestParquet(MatrixConformance):
    @pytest.fixture(params=KINDS)
    def case(self, tmp_path, values, request):
        return open_matrix(write_parquet(tmp_path / "x.pq", values, **KINDS[request.param])), values


class TestTransposed(MatrixConformance):
    @pytest.fixture
    def case(self, path, values):
        return open_matrix(path, orientation="features_by_samples"), values.T


@pytest.mark.parametrize("kind", ["row groups", "folder"])
def test_names__are_the_columns_and_ids_the_only_text(kind, tmp_path, values):
    path = write_parquet(tmp_path / "x.pq", values, **KINDS[kind])
    X = open_matrix(path)
    assert list(X.feature_names) == [f"f{i}" for i in range(23)]
    assert list(X.sample_ids) == [f"s{i}" for i in range(19)]
    assert open_matrix(path, sample_ids="sample").sample_ids[18] == "s18"
    turned = open_matrix(path, orientation="features_by_samples")
    assert (turned.feature_names[18], turned.sample_ids[22]) == ("s18", "f22")
    bare = open_matrix(path, sample_ids=None, feature_names=None)
    assert bare.sample_ids is None
    assert bare.shape == (19, 23)


def test_ids__may_be_absent(tmp_path, values):
    assert open_matrix(write_parquet(tmp_path / "x.pq", values, ids=False)).sample_ids is None


@pytest.mark.parametrize("index", ["text", "named", "numbers", "range", "levels"])
def test_index_of_pandas__is_the_ids(index, tmp_path, values):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(values, columns=[f"f{i}" for i in range(23)])
    texts = [f"s{i}" for i in range(19)]
    if index == "text":
        frame.index = texts
    elif index == "named":
        frame.index = pd.Index(texts, name="geo [accession]")
    elif index == "numbers":
        frame.index = np.arange(100, 119)
    elif index == "levels":
        frame.index = pd.MultiIndex.from_arrays([texts, texts])
    frame.to_parquet(tmp_path / "x.parquet")
    X = open_matrix(tmp_path / "x.parquet")
    assert_array_equal(np.asarray(X), values)
    if index in ("range", "levels"):
        assert X.sample_ids is None
    else:
        assert X.sample_ids[18] == ("118" if index == "numbers" else "s18")


def test_several_columns_that_are_no_numbers__are_refused_in_one_message(write):
    columns = {
        "age": [1.0, 2.0],
        "sex": ["f", "m"],
        "site": ["a", "b"],
        "when": pa.array([1, 2], pa.timestamp("s")),
        "batch": pa.array(["x", "y"]).dictionary_encode(),
        "price": pa.array([1, 2]).cast(pa.decimal128(21, 2)),
    }
    path = write(columns)
    with pytest.raises(
        ValueError, match=r"no numbers \(text: 'sex', 'site', 'batch'; timestamp"
    ) as error:
        open_matrix(path)
    assert "decimal128(21, 2): 'price'" in str(error.value)
    pd = pytest.importorskip("pandas")
    kept = pd.read_parquet(path).drop(columns=["site", "when", "batch", "price"])
    kept.set_index("sex").to_parquet(path)
    assert list(open_matrix(path).sample_ids) == ["f", "m"]


def test_nested_columns__are_refused(write):
    with pytest.raises(ValueError, match=r"columns of lists or structs"):
        open_matrix(write({"a": [[1], [2]]}))
    with pytest.raises(ValueError, match=r"columns of lists or structs"):
        open_matrix(write({"a": [1.0], "b": pa.array([{"x": 1}])}))


def test_table_without_numbers__is_refused(write):
    with pytest.raises(ValueError, match="no column of numbers"):
        open_matrix(write({"a": ["x"]}))


def test_sample_ids__that_are_not_the_ids(path):
    with pytest.raises(ValueError, match=r"'f3'.*a feature.*here the column 'sample'"):
        open_matrix(path, sample_ids="f3")
    with pytest.raises(ValueError, match=r"'no'.*not a column"):
        open_matrix(path, sample_ids="no")
    with pytest.raises(ValueError, match=r"dataset='a' is not in"):
        open_matrix(path, "a")


def test_ids__that_are_missing_or_repeated(write):
    with pytest.raises(ValueError, match="misses 1 of 2 ids"):
        assert open_matrix(write({"id": ["a", None], "x": [1.0, 2.0]})).sample_ids
    # They are refused where rows are joined by them.
    path = write({"id": ["a", "a"], "x": [1.0, 2.0]})
    assert list(open_matrix(path).sample_ids) == ["a", "a"]
    with pytest.raises(ValueError, match="repeats 1 sample id"):
        open_matrix([path, path])


def test_nulls__beside_numbers_that_a_float_rounds_are_refused(write):
    X = open_matrix(write({"large": pa.array([2**64 - 1, None, 3], pa.uint64())}))
    with pytest.raises(ValueError, match=r"beyond 2\*\*53"):
        np.asarray(X)


@pytest.mark.parametrize("statistics", [True, False])
def test_nulls__are_nan(write, statistics):
    columns = {
        "real": pa.array([1.5, None, 2.5], pa.float32()),
        "whole": pa.array([1, 2, None], pa.int64()),
        "all": pa.array([None, None, None], pa.null()),
        "flag": pa.array([True, None, False]),
        "sound": pa.array([7, 8, 9], pa.int16()),
        "large": pa.array([2**53, None, 3], pa.uint64()),
    }
    X = open_matrix(write(columns, row_group_size=2, write_statistics=statistics))
    assert X.dtype == np.float64
    nan = np.nan
    expected = np.array(
        [[1.5, nan, 2.5], [1, 2, nan], [nan, nan, nan], [1, nan, 0], [7, 8, 9], [2.0**53, nan, 3]]
    ).T
    assert_array_equal(np.asarray(X), expected)


def test_types__are_joined_as_those_of_a_frame(write):
    def dtype(**columns):
        arrays = {name: pa.array([1, 0], kind) for name, kind in columns.items()}
        return open_matrix(write(arrays)).dtype

    assert dtype(a=pa.int8()) == np.int8
    assert dtype(a=pa.uint16(), b=pa.int16()) == np.int32
    assert dtype(a=pa.float32(), b=pa.int16()) == np.float32
    assert dtype(a=pa.float32(), b=pa.int64()) == np.float64
    assert open_matrix(write({"a": [True, False]})).dtype == bool
    assert open_matrix(write({"a": pa.array(np.array([1, 2], "f2"))})).dtype == np.float16


def test_names__with_dots_and_repeats(write):
    X = open_matrix(write({"a.b": [1.0], "a": [2.0], "ä %": [3.0]}))
    assert list(X.feature_names) == ["a.b", "a", "ä %"]
    assert_array_equal(X.read(np.array([1, 2])), [[2, 3]])
    twice = pa.table([[1.0], [2.0]], names=["a", "a"])
    X = open_matrix(write(twice), feature_names=None)
    assert_array_equal(np.asarray(X), [[1, 2]])


def test_folder__of_other_columns_is_refused(tmp_path, values):
    folder = write_parquet(tmp_path / "x", values, parts=2)
    pq.write_table(pa.table({"sample": ["s"], "f0": [1.0]}), folder / "part-9.parquet")
    with pytest.raises(ValueError, match=r"part-9\.parquet' has other columns than .*\(2 and 24"):
        open_matrix(folder)


def test_folder__in_partitions_is_refused(tmp_path, values):
    folder = write_parquet(tmp_path / "x", values, parts=2)
    (folder / "sex=f").mkdir()
    with pytest.raises(ValueError, match=r"has folders in it, 'sex=f'.*without partitions"):
        open_matrix(folder)


def test_folder__skips_what_is_hidden(tmp_path, values):
    folder = write_parquet(tmp_path / "x", values, parts=2)
    (folder / "_SUCCESS").write_text("")
    (folder / "._x.parquet").write_text("")
    assert_array_equal(np.asarray(open_matrix(folder)), values)


def test_part__that_changed_is_noticed(tmp_path, values):
    folder = write_parquet(tmp_path / "x", values, parts=2)
    X = open_matrix(folder)
    pq.write_table(
        pq.read_table(folder / "part-1.parquet"), folder / "part-1.parquet", version="1.0"
    )
    with pytest.raises(OSError, match=r"part-1\.parquet' has changed"):
        X.read(range(3))


class TestDamage:
    def test_file__cut_short_at_any_place(self, path, values):
        whole = path.read_bytes()
        for length in [*range(0, 60, 7), *range(60, len(whole), 997), len(whole) - 1]:
            path.write_bytes(whole[:length])
            with pytest.raises((OSError, ValueError), match=r"x\.parquet'"):
                open_matrix(path)

    def test_footer__with_a_flipped_byte_gives_an_error_or_the_values(self, path, values):
        whole = path.read_bytes()
        start = read_footer(str(path), FileSnapshot(path).stamp).start
        rng = np.random.default_rng(0)
        for place in rng.integers(start, len(whole) - 8, size=150):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(damaged)
            read_footer.cache_clear()
            try:
                read = np.asarray(open_matrix(path))
            except (OSError, ValueError, MemoryError):
                continue
            # A name, a statistic or a length that is not used may be another one.
            assert read.ndim == 2

    def test_page__that_is_damaged_is_an_error(self, tmp_path, values):
        path = write_parquet(tmp_path / "x.parquet", values, compression="gzip")
        whole = bytearray(path.read_bytes())
        whole[200:2000] = bytes(1800)
        path.write_bytes(whole)
        X = open_matrix(path)
        with pytest.raises(OSError, match=r"columns .* cannot be read"):
            X.read(range(23))


def test_footer__of_columns_is_what_pyarrow_reads(path):
    footer = read_footer(str(path), FileSnapshot(path).stamp)
    assert footer.n_columns == 24
    assert [group.n_rows for group in footer.groups] == [8, 8, 3]
    assert footer.n_bytes < path.stat().st_size


def test_fit__of_a_wide_table_is_that_of_the_array(tmp_path):
    values = np.random.default_rng(0).random((50, 400), dtype=np.float32)
    y = values[:, 17]
    selector = ParallelMutualInfoSelector(3, random_state=0, n_jobs=2, memory_budget="30MB")
    expected = selector.fit(values, y).scores_.copy()
    X = open_matrix(write_parquet(tmp_path / "x.parquet", values, rows=20))
    assert_array_equal(selector.fit(X, y).scores_, expected)
