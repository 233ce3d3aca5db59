"""One suite for all sources: a container is admitted by passing `Conforms`."""

import os
import pickle
import threading
from contextlib import contextmanager

import h5py
import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.utils import indexable
from sklearn.utils.validation import check_array

from skpar_select import open_matrix
from skpar_select.sources import (
    LazyMatrix,
    Source,
    _contiguous,
    _file,
    _lazy,
    _rectangles,
    as_source,
)
from skpar_select.sources._hdf5 import HDF5Container

N_SAMPLES, N_FEATURES = 19, 23


def values_of(dtype=np.float32):
    values = np.random.default_rng(3).normal(size=(N_SAMPLES, N_FEATURES)) * 50
    values[values < -40] = 0
    return values.astype(dtype)


def frozen(values):
    values.flags.writeable = False
    return values


MEMORY = {
    "array": lambda v: v,
    "fortran": np.asfortranarray,
    "read-only": frozen,
    "strided": lambda v: np.repeat(v, 2, axis=1)[:, ::2],
    "frame": lambda v: check_array(pd.DataFrame(v)),
    "csc": sparse.csc_array,
    "csr": sparse.csr_array,
    "csc matrix": sparse.csc_matrix,
}
LAYOUTS = {
    "contiguous": {},
    "rows": {"chunks": (1, N_FEATURES), "compression": "gzip"},
    "row panels": {"chunks": (8, N_FEATURES), "compression": "lzf"},
    "squares": {"chunks": (5, 4), "compression": "gzip", "shuffle": True},
    "columns": {"chunks": (N_SAMPLES, 1), "fletcher32": True},
}
VIEWS = {
    "slice": np.s_[3:17],
    "steps": np.s_[1:18:3],
    "reversed": np.s_[::-1],
    "shuffled": np.random.default_rng(0).permutation(N_SAMPLES),
    "repeated": np.array([5, 5, 0, -1, 5, 18, 0]),
    "mask": np.arange(N_SAMPLES) % 3 == 0,
}
DTYPES = ["f2", "f4", "f8", ">f2", ">f4", ">f8", "i1", "u2", ">i4", "i8", "u8", "?"]


class Conforms:
    """What every source promises; `expected` is what it holds."""

    @pytest.fixture
    def case(self):
        raise NotImplementedError

    def test_source__knows_its_shape_and_type(self, case):
        source, expected = case
        assert isinstance(source, Source)
        assert source.shape == expected.shape
        assert source.dtype == expected.dtype
        assert source.storage.kind in ("memory", "rows", "columns", "chunks")
        assert (source.storage.kind == "memory") == source.in_memory

    @pytest.mark.parametrize("columns", [np.s_[:], np.s_[0:1], np.s_[5:12], np.s_[20:23]])
    def test_read__gives_a_slice_of_columns(self, case, columns):
        source, expected = case
        block = source.read(columns)
        assert block.dtype == expected.dtype
        assert_array_equal(block, expected[:, columns])

    @pytest.mark.parametrize("columns", [[], [4], [22, 0], [3, 4, 5], [7, 7, 1, 20, 7], range(23)])
    def test_read__gives_columns_in_the_order_asked_for(self, case, columns):
        source, expected = case
        columns = np.asarray(columns, dtype=np.intp)
        assert_array_equal(source.read(columns), expected[:, columns])

    def test_part__holds_its_columns_alone(self, case):
        source, expected = case
        part = source.part(slice(5, 12))
        assert part.shape == (expected.shape[0], 7)
        assert_array_equal(part.read(np.s_[:]), expected[:, 5:12])
        assert_array_equal(part.part(slice(2, 4)).read(np.s_[:]), expected[:, 7:9])
        assert_array_equal(part.read(np.array([6, 0])), expected[:, [11, 5]])
        assert part.feature_names is None or list(part.feature_names) == [
            f"f{i}" for i in range(5, 12)
        ]

    def test_part__pickles_small(self, case):
        source, expected = case
        part = source.part(slice(5, 12))
        state = pickle.dumps(part)
        assert len(state) < 3000
        assert_array_equal(pickle.loads(state).read(np.s_[:]), expected[:, 5:12])

    def test_native__is_the_matrix_for_a_score_function(self, case):
        source, expected = case
        native = source.native()
        dense = native.toarray() if sparse.issparse(native) else native
        assert_array_equal(dense, expected)

    def test_read__leaves_the_source_as_it_was(self, case):
        source, expected = case
        before = joblib.hash(source)
        block = source.read(np.array([1, 2]))
        block[...] = 0
        assert_array_equal(source.read(np.s_[:]), expected)
        assert joblib.hash(source) == before

    def test_read__may_be_done_by_threads_at_once(self, case):
        source, expected = case
        wrong = []

        def read(columns):
            for _ in range(5):
                if not np.array_equal(source.read(columns), expected[:, columns]):
                    wrong.append(columns)

        blocks = [slice(0, 9), slice(9, 23), np.array([22, 1])]
        threads = [threading.Thread(target=read, args=[block]) for block in blocks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong


class TestMemory(Conforms):
    @pytest.fixture(params=MEMORY)
    def case(self, request):
        values = values_of()
        names = np.array([f"f{i}" for i in range(N_FEATURES)], dtype=object)
        return as_source(MEMORY[request.param](values), names), values

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_as_source__keeps_the_type(self, dtype):
        assert as_source(values_of(dtype)).read(np.s_[2:4]).dtype == np.dtype(dtype)

    def test_as_source__makes_no_copy(self):
        values = values_of()
        assert np.shares_memory(as_source(values).part(slice(3, 9)).read(np.s_[:]), values)

    def test_as_source__gives_a_source_itself(self):
        source = as_source(values_of())
        assert as_source(source) is source


class TestHDF5(Conforms):
    @pytest.fixture(params=LAYOUTS)
    def case(self, request, write_h5):
        values = values_of()
        path = write_h5(values, **LAYOUTS[request.param])
        return open_matrix(path, "data", feature_names="features", sample_ids="samples"), values


class TestHDF5Rows(Conforms):
    @pytest.fixture(params=[(layout, view) for layout in LAYOUTS for view in VIEWS], ids="-".join)
    def case(self, request, write_h5):
        layout, view = request.param
        values = values_of()
        path = write_h5(values, **LAYOUTS[layout])
        matrix = open_matrix(path, feature_names="features", sample_ids="samples")
        return matrix[VIEWS[view]], values[VIEWS[view]]


class TestHDF5SmallPieces(TestHDF5Rows):
    """The same with buffers of a few values, so that every read is cut."""

    @pytest.fixture(autouse=True)
    def small(self, monkeypatch):
        for module in (_contiguous, _rectangles):
            monkeypatch.setattr(module, "PIECE_BYTES", 64)
            monkeypatch.setattr(module, "NEAR_BYTES", 8)
        monkeypatch.setattr(_rectangles, "NEAR_ROWS", 1)


class TestHDF5Rectangles(TestHDF5SmallPieces):
    """The same by h5py, as containers read that do no more than open."""

    @pytest.fixture(autouse=True)
    def indirect(self, monkeypatch):
        monkeypatch.setattr(HDF5Container, "_direct", lambda *args: None)


@pytest.fixture
def matrix(write_h5):
    path = write_h5(values_of())
    return open_matrix(path, feature_names="features", sample_ids="samples")


@pytest.mark.parametrize("dtype", DTYPES)
def test_open_matrix__keeps_the_type(write_h5, dtype):
    values = values_of(dtype)
    matrix = open_matrix(write_h5(values))
    assert matrix.dtype == np.dtype(dtype)
    assert_array_equal(matrix.read(np.array([5, 1])), values[:, [5, 1]])


@pytest.mark.parametrize("view", VIEWS)
def test_rows__of_a_view_are_composed_and_read_nothing(matrix, view, monkeypatch):
    monkeypatch.setattr(LazyMatrix, "read", None)
    rows = matrix[VIEWS[view]]
    assert isinstance(rows, LazyMatrix)
    assert rows[1:].shape == values_of()[VIEWS[view]][1:].shape
    monkeypatch.undo()
    for again in ([0, 2, 2], np.s_[::-2], np.arange(len(rows)) > 2):
        assert_array_equal(rows[again], values_of()[VIEWS[view]][again])
        assert list(rows[again].sample_ids) == list(matrix.sample_ids[VIEWS[view]][again])


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_rows_and_columns__in_any_order_are_those_of_the_array(matrix, data):
    rows = data.draw(st.lists(st.integers(-N_SAMPLES, N_SAMPLES - 1), max_size=30))
    columns = data.draw(st.lists(st.integers(0, N_FEATURES - 1), max_size=30))
    got = matrix[np.array(rows, dtype=int)].read(np.array(columns, dtype=np.intp))
    assert_array_equal(got, values_of()[np.ix_(rows, columns)])


def test_rows__repeated_beside_a_gap_are_not_taken_for_a_run(matrix):
    # As many rows as from the first to the last, but not all of these.
    assert_array_equal(matrix[[3, 5, 5]], values_of()[[3, 5, 5]])
    assert_array_equal(matrix.read(np.array([3, 5, 5])), values_of()[:, [3, 5, 5]])


def test_rows__of_a_slice_stay_a_slice(matrix):
    assert len(pickle.dumps(matrix[2:][1:9:2])) < len(pickle.dumps(matrix[2:])) + 20
    assert isinstance(matrix[2:][1:9:2]._rows, range)


def test_rows__beside_an_ellipsis_are_rows(matrix):
    assert_array_equal(matrix[[3, 1], ...], values_of()[[3, 1]])
    assert_array_equal(matrix[[3, 1], :], values_of()[[3, 1]])


def test_rows__by_one_integer_is_an_array(matrix):
    assert_array_equal(matrix[-2], values_of()[-2])
    assert matrix[4].shape == (N_FEATURES,)


def test_matrix__iterates_over_its_rows(matrix):
    assert_array_equal(list(matrix), values_of())


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (N_SAMPLES, "row 19 is out of range: the matrix has 19 samples"),
        ([0, -20], "row -20 is out of range: the matrix has 19 samples"),
        ([True, False], "boolean mask has 2 entries, but the matrix has 19 samples"),
        ([0.5], "no selection of rows"),
        ("f0", "no selection of rows"),
        ([[0, 1]], "no selection of rows"),
        (True, r"X\[True\] is no selection of rows"),
        (np.s_[:, 3], r"selects columns.*X\.read\(columns\)"),
    ],
)
def test_rows__wrong_ones_raise(matrix, key, message):
    with pytest.raises(IndexError, match=message):
        matrix[key]


@pytest.mark.parametrize("columns", [[23], [-1], [0, 400]])
def test_read__wrong_columns_raise(matrix, columns):
    with pytest.raises(IndexError, match=r"column .* is out of range.*has 23 features"):
        matrix.read(np.array(columns))


def test_array__loads_the_whole(matrix):
    assert_array_equal(np.asarray(matrix), values_of())
    assert np.asarray(matrix, dtype=np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="copy=False"):
        matrix.__array__(copy=False)


def test_array__refuses_what_does_not_fit(matrix, monkeypatch):
    monkeypatch.setattr(_lazy, "parse_memory", lambda budget: 1000)
    with pytest.raises(ValueError, match=r"takes 1\.8 kB; at most 1 kB are allowed.*X\[rows\]"):
        np.asarray(matrix)
    assert np.asarray(matrix[:5]).shape == (5, N_FEATURES)


def test_repr__tells_file_dataset_shape_type_and_layout(write_h5):
    matrix = open_matrix(write_h5(values_of(), name="g/x", chunks=(5, 4), compression="gzip"))
    text = repr(matrix[:4])
    for part in ("matrix.h5", "g/x", "4 samples x 23 features", "float32", "5 x 4, gzip"):
        assert part in text


def test_matrix__is_indexable_for_model_selection(matrix):
    assert indexable(matrix, np.arange(N_SAMPLES))[0] is matrix


def test_matrix__pickles_without_values_and_with_its_stamp(matrix):
    view = matrix[::2]
    assert_array_equal(pickle.loads(pickle.dumps(view)), values_of()[::2])
    before = joblib.hash(view)
    path = matrix._container.path
    os.utime(path, ns=(1, 1))
    assert joblib.hash(open_matrix(path)[::2]) != before


def test_matrix__may_be_read_in_other_processes(matrix):
    parts = joblib.Parallel(n_jobs=2)(
        joblib.delayed(np.asarray)(matrix[rows]) for rows in (np.s_[:9], np.s_[9:])
    )
    assert_array_equal(np.vstack(parts), values_of())


def test_read__leaves_no_file_open(matrix):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        matrix[[3, 1]].read(np.array([1, 9]))
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.fixture
def rectangles(monkeypatch):
    """Record what is asked of h5py where values are read by it."""
    asked, original = [], HDF5Container.open

    @contextmanager
    def recording(self):
        with original(self) as reader:

            def read(rows, columns, out):
                asked.append((rows.start, rows.stop, columns.start, columns.stop))
                reader(rows, columns, out)

            yield read

    monkeypatch.setattr(HDF5Container, "open", recording)
    monkeypatch.setattr(HDF5Container, "_direct", lambda *args: None)
    return asked


@pytest.fixture
def read_bytes(monkeypatch):
    """Record how many bytes are read, access by access, where values are read past h5py."""
    sizes, original = [], os.preadv

    def recording(descriptor, buffers, offset):
        got = original(descriptor, buffers, offset)
        sizes.append(got)
        return got

    monkeypatch.setattr(_file.os, "preadv", recording)
    return sizes


def stored_bytes(path, name="data"):
    with h5py.File(path) as file:
        return file[name].id.get_storage_size()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("rows", [np.s_[:], *VIEWS.values()], ids=["all", *VIEWS])
def test_read__takes_no_byte_twice(write_h5, read_bytes, layout, rows):
    path = write_h5(values_of(), **LAYOUTS[layout])
    matrix = open_matrix(path)[rows]
    storage = matrix.storage
    matrix.read(np.s_[:])
    assert sum(read_bytes) == storage.stored_bytes <= stored_bytes(path)


def test_read__of_scattered_columns_costs_no_more_than_the_file(write_h5, read_bytes):
    path = write_h5(np.zeros((50, 60_000), "f4"))
    columns = np.random.default_rng(0).permutation(60_000)[:2000]
    open_matrix(path).read(columns)
    assert sum(read_bytes) <= stored_bytes(path)
    read_bytes.clear()
    # 240,000 bytes a row, of which the second run is far from the first.
    open_matrix(path).read(np.array([59_000, 3, 59_100, 40]))
    assert sum(read_bytes) == 50 * (38 + 101) * 4


def test_read__of_scattered_columns_decodes_only_chunks_that_are_hit(write_h5, read_bytes):
    path = write_h5(np.ones((40, 1000), "f4"), chunks=(40, 10), compression="gzip")
    open_matrix(path).read(np.array([3, 17, 15, 402, 408, 977]))
    assert len(read_bytes) == 4


@pytest.mark.parametrize("layout", ["contiguous", "squares"])
def test_fetch__reads_all_and_decoding_nothing(write_h5, read_bytes, layout):
    values = values_of()
    part = open_matrix(write_h5(values, **LAYOUTS[layout]))[::2].part(slice(4, 12))
    decode = part.fetch()
    n_reads = len(read_bytes)
    assert_array_equal(decode(), values[::2, 4:12])
    assert len(read_bytes) == n_reads > 0


def test_read__touches_only_chunks_that_are_hit(write_h5, rectangles):
    matrix = open_matrix(write_h5(np.zeros((40, 1000), "f4"), chunks=(40, 10)))
    matrix.read(np.array([3, 17, 25, 402, 408, 977]))
    assert rectangles == [(0, 40, 3, 26), (0, 40, 402, 409), (0, 40, 977, 978)]


def test_read__merges_near_columns_of_contiguous_files(write_h5, rectangles):
    matrix = open_matrix(write_h5(np.zeros((3, 100_000), "f4")))
    matrix.read(np.array([60_000, 5, 2000]))
    assert rectangles == [(0, 3, 5, 2001), (0, 3, 60_000, 60_001)]


def test_read__takes_rows_in_runs_and_reads_every_row_of_chunks_once(write_h5, rectangles):
    matrix = open_matrix(write_h5(np.zeros((400, 6), "f4"), chunks=(20, 6)))
    rows = np.r_[0:100, 350:360]
    matrix[rows].read(np.s_[:])
    assert rectangles == [(0, 100, 0, 6), (350, 360, 0, 6)]
    rectangles.clear()
    matrix[np.random.default_rng(0).permutation(400)[:300]].read(np.s_[2:4])
    assert len(rectangles) == 1


def test_read__of_rows_out_of_order_keeps_its_buffer_bounded(write_h5, rectangles, monkeypatch):
    monkeypatch.setattr(_rectangles, "PIECE_BYTES", 4000)
    matrix = open_matrix(write_h5(np.zeros((400, 50), "f4"), chunks=(10, 5)))
    matrix[np.random.default_rng(0).permutation(400)].read(np.s_[:])
    sizes = [(r1 - r0) * (c1 - c0) * 4 for r0, r1, c0, c1 in rectangles]
    assert max(sizes) <= 4000
    assert sum(sizes) <= 400 * 50 * 4


class TestOpening:
    def test_open_matrix__missing_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"nothing\.h5' does not exist.*Check the path"):
            open_matrix(tmp_path / "nothing.h5")

    def test_open_matrix__of_what_is_no_regular_file(self, tmp_path):
        pipe = tmp_path / "pipe.h5"
        os.mkfifo(pipe)
        # Held open, so that to open it would not wait.
        held = os.open(pipe, os.O_RDWR)
        try:
            with pytest.raises(OSError, match=r"pipe\.h5' is a pipe\. .* regular file.*written to"):
                open_matrix(pipe)
        finally:
            os.close(held)
        with pytest.raises(OSError, match=r"' is a folder\. .* regular file"):
            open_matrix(tmp_path)
        with pytest.raises(OSError, match=r"/dev/null' is a device\. .* regular file"):
            open_matrix("/dev/null")

    def test_open_matrix__of_a_link_to_a_file(self, tmp_path, write_h5):
        (tmp_path / "link.h5").symlink_to(write_h5(values_of()))
        assert_array_equal(open_matrix(tmp_path / "link.h5"), values_of())

    def test_open_matrix__no_hdf5(self, tmp_path):
        path = tmp_path / "text.h5"
        path.write_text("age,sex\n")
        with pytest.raises(OSError, match=r"text\.h5' cannot be opened as HDF5"):
            open_matrix(path)

    def test_open_matrix__truncated(self, write_h5):
        path = write_h5(values_of())
        os.truncate(path, path.stat().st_size - 500)
        with pytest.raises(OSError, match=r"cannot be opened as HDF5.*truncated"):
            open_matrix(path)

    def test_open_matrix__missing_dataset_names_those_there(self, write_h5):
        with pytest.raises(ValueError, match=r"dataset 'beta' does not exist.*'data' \(19, 23\)"):
            open_matrix(write_h5(values_of()), "beta")

    def test_open_matrix__without_name_takes_the_only_matrix(self, write_h5):
        assert open_matrix(write_h5(values_of(), name="deep/down/x")).shape == (19, 23)

    def test_open_matrix__without_name_refuses_two(self, write_h5):
        path = write_h5(values_of())
        with h5py.File(path, "a") as file:
            file["g/other"] = np.zeros((2, 2))
        with pytest.raises(ValueError, match=r"2 of them: data, g/other.*dataset='data'"):
            open_matrix(path)

    def test_open_matrix__without_name_refuses_none(self, write_h5):
        path = write_h5(np.zeros((2, 2), "S3"))
        with pytest.raises(ValueError, match=r"holds none.*'data' \(2, 2\)"):
            open_matrix(path)

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            (np.zeros(5), r"has shape \(5,\).*two dimensions"),
            (np.zeros((2, 2, 2)), r"has shape \(2, 2, 2\).*two dimensions"),
            (np.zeros((2, 2), "S4"), "holds text"),
            (np.array([["a", "b"]], dtype=h5py.string_dtype()), "holds text or objects"),
            (np.zeros((2, 2), "c8"), "holds complex numbers"),
            (np.zeros((2, 2), [("a", "f4")]), "holds compound values"),
        ],
    )
    def test_open_matrix__refuses_what_is_no_matrix(self, tmp_path, values, message):
        with h5py.File(tmp_path / "x.h5", "w") as file:
            file["data"] = values
        with pytest.raises(ValueError, match=message):
            open_matrix(tmp_path / "x.h5", "data")

    def test_open_matrix__refuses_a_group(self, write_h5):
        with pytest.raises(ValueError, match="is a group, not a dataset"):
            open_matrix(write_h5(values_of(), name="g/x"), "g")

    def test_open_matrix__refuses_values_in_other_files(self, tmp_path, write_h5):
        inside = write_h5(values_of(), file="inside.h5")
        with h5py.File(tmp_path / "x.h5", "w") as file:
            raw = [(str(tmp_path / "raw.bin"), 0, 16)]
            file.create_dataset("external", (2, 2), "f4", external=raw)
            layout = h5py.VirtualLayout((19, 23), "f4")
            layout[...] = h5py.VirtualSource(inside, "data", (19, 23))
            file.create_virtual_dataset("virtual", layout)
            file["link"] = h5py.ExternalLink(inside, "data")
            file["over"] = h5py.SoftLink("/link")
            file["dangling"] = h5py.SoftLink("/nowhere")
        path = tmp_path / "x.h5"
        for dataset, message in [
            ("external", r"keeps its values in another file, '.*raw\.bin'"),
            ("virtual", "is a virtual dataset"),
            ("link", r"'/link' is a link to another file, '.*inside\.h5'"),
            ("over", r"is a link to another file, '.*inside\.h5'"),
            ("dangling", "'/dangling' is a link to nothing"),
        ]:
            with pytest.raises(ValueError, match=message):
                open_matrix(path, dataset)

    @pytest.mark.parametrize("chunks", [None, (100, 100)])
    def test_open_matrix__refuses_a_file_that_declares_what_it_does_not_hold(
        self, tmp_path, chunks
    ):
        with h5py.File(tmp_path / "x.h5", "w") as file:
            data = file.create_dataset("data", (2000, 2000), "f8", chunks=chunks)
            if chunks:
                data[:100, :100] = 1
        with pytest.raises(ValueError, match="were never written"):
            open_matrix(tmp_path / "x.h5")

    def test_open_matrix__takes_a_relative_path_along(self, write_h5, monkeypatch, tmp_path):
        write_h5(values_of())
        monkeypatch.chdir(tmp_path)
        matrix = open_matrix("matrix.h5")
        monkeypatch.chdir("/")
        assert_array_equal(matrix, values_of())


class TestDamage:
    def test_read__changed_file(self, matrix, write_h5):
        write_h5(values_of() + 1)
        with pytest.raises(OSError, match=r"matrix\.h5' has changed since it was opened"):
            matrix.read(np.s_[:])

    def test_read__file_cut_while_it_is_read_by_h5py(self, matrix, monkeypatch):
        original = _rectangles._fill

        def cut(*args):
            original(*args)
            os.truncate(matrix._container.path, 2000)

        matrix._container.direct = None
        monkeypatch.setattr(_rectangles, "_fill", cut)
        with pytest.raises(OSError, match="has changed since it was opened"):
            matrix.read(np.s_[:])

    def test_read__file_cut_while_it_is_read(self, matrix, monkeypatch):
        original = os.preadv

        def cut(*args):
            got = original(*args)
            os.truncate(matrix._container.path, 2000)
            return got

        monkeypatch.setattr(_file.os, "preadv", cut)
        with pytest.raises(OSError, match="has changed since it was opened"):
            matrix.read(np.s_[:])
        monkeypatch.undo()

    @pytest.mark.parametrize(
        ("layout", "place"),
        [
            ("contiguous", "row 3 from column 4 on cannot be read"),
            ("squares", "the chunk of rows 0 to 4, columns 4 to 7 cannot be read"),
        ],
    )
    def test_read__short_of_bytes_names_file_dataset_and_place(
        self, write_h5, monkeypatch, layout, place
    ):
        matrix = open_matrix(write_h5(values_of(), **LAYOUTS[layout]))
        part = matrix[3:5].part(slice(4, 8))
        monkeypatch.setattr(_file.os, "preadv", lambda *args: 0)
        message = rf"matrix\.h5', dataset 'data': {place} \(the file ends \d+ bytes too early\)"
        with pytest.raises(OSError, match=message):
            part.read(np.s_[:])

    def test_read__missing_file(self, matrix):
        os.remove(matrix._container.path)
        with pytest.raises(FileNotFoundError, match="does not exist"):
            matrix.read(np.s_[:])

    def test_read__corrupt_chunk_names_file_dataset_and_place(self, write_h5):
        path = write_h5(values_of(), chunks=(5, 4), fletcher32=True)
        with h5py.File(path) as file:
            place = file["data"].id.get_chunk_info_by_coord((5, 8)).byte_offset
        data = bytearray(path.read_bytes())
        data[place] ^= 255
        path.write_bytes(data)
        matrix = open_matrix(path)
        message = (
            r"matrix\.h5', dataset 'data': the chunk of rows 5 to 9, columns 8 to 11 cannot be read "
            r"\(its checksum \(fletcher32\) does not fit\)"
        )
        with pytest.raises(OSError, match=message):
            matrix.read(np.s_[8:12])
        matrix._container.direct = None
        message = r"matrix\.h5', dataset 'data': rows 0 to 18, columns 8 to 11 cannot be read"
        with pytest.raises(OSError, match=message):
            matrix.read(np.s_[8:12])
        assert matrix.read(np.s_[0:8]).shape == (19, 8)


class TestNames:
    def test_names__from_datasets(self, matrix):
        assert list(matrix.feature_names[:2]) == ["f0", "f1"]
        assert list(matrix.sample_ids[-1:]) == ["s18"]
        assert all(type(name) is str for name in matrix.feature_names)

    def test_names__are_none_unless_asked_for(self, write_h5):
        matrix = open_matrix(write_h5(values_of()))
        assert matrix.feature_names is None
        assert matrix.sample_ids is None

    def test_names__from_a_sequence(self, write_h5):
        names = [f"probe {i}" for i in range(23)]
        assert list(open_matrix(write_h5(values_of()), feature_names=names).feature_names) == names

    @pytest.mark.parametrize("dtype", ["S5", h5py.string_dtype(), h5py.string_dtype("utf-8", 12)])
    def test_names__decode_utf8(self, write_h5, dtype):
        path = write_h5(values_of(), features=False)
        names = [f"µ{i}" for i in range(23)]
        with h5py.File(path, "a") as file:
            file.create_dataset("names", data=[n.encode() for n in names], dtype=dtype)
        assert list(open_matrix(path, feature_names="names").feature_names) == names

    def test_names__of_whole_numbers_become_text(self, write_h5):
        path = write_h5(values_of())
        with h5py.File(path, "a") as file:
            file["patient"] = np.arange(19)
        assert open_matrix(path, sample_ids="patient").sample_ids[3] == "3"

    @pytest.mark.parametrize(
        ("given_names", "message"),
        [
            (
                "nothing",
                r"feature_names='nothing' in .*matrix\.h5' does not exist.*features, latin, samples",
            ),
            ("samples", "holds 19 names, the matrix has 23 features"),
            ("data", r"has shape \(19, 23\).*one-dimensional text"),
            ("latin", "not UTF-8"),
            (["a", "b"], "feature_names holds 2 names, the matrix has 23 features"),
            (
                ["a", "b", "b"] + [f"c{i}" for i in range(20)],
                "repeats 1 names: 'b'.*must be unique",
            ),
            ([1.5] * 23, r"holds 1\.5, a float"),
        ],
    )
    def test_names__wrong_ones_raise(self, write_h5, given_names, message):
        path = write_h5(values_of())
        with h5py.File(path, "a") as file:
            file["latin"] = np.array([b"\xff" + str(i).encode() for i in range(23)])
        with pytest.raises(ValueError, match=message):
            open_matrix(path, feature_names=given_names)

    def open_auto(self, path):
        matrix = open_matrix(path, "data", feature_names="auto", sample_ids="auto")
        first = lambda names: None if names is None else names[0]  # noqa: E731
        return first(matrix.feature_names), first(matrix.sample_ids)

    def test_auto__finds_conventional_names(self, write_h5):
        assert self.open_auto(write_h5(values_of())) == ("f0", "s0")

    def test_auto__tells_the_axes_of_a_square_matrix_apart(self, write_h5):
        assert self.open_auto(write_h5(values_of()[:, :19])) == ("f0", "s0")

    def test_auto__finds_the_only_text_of_the_right_length(self, write_h5):
        path = write_h5(values_of(), features=False, samples=False)
        with h5py.File(path, "a") as file:
            file["cpg"] = [f"cg{i}" for i in range(23)]
            file["sex"] = ["f", "m"] * 9 + ["f"]
        assert self.open_auto(path) == ("cg0", None)

    def test_auto__looks_beside_the_matrix_only(self, write_h5):
        path = write_h5(values_of(), features=False, samples=False)
        with h5py.File(path, "a") as file:
            file["g/features"] = [f"g{i}" for i in range(23)]
        assert self.open_auto(path) == (None, None)

    def test_auto__prefers_the_conventional_name(self, write_h5):
        path = write_h5(values_of())
        with h5py.File(path, "a") as file:
            file["gene_symbol_of_the_probe"] = [f"x{i}" for i in range(23)]
        assert self.open_auto(path) == ("f0", "s0")

    def test_auto__refuses_to_guess(self, write_h5):
        path = write_h5(values_of(), features=False)
        with h5py.File(path, "a") as file:
            file["one"] = [f"x{i}" for i in range(23)]
            file["two"] = [f"y{i}" for i in range(23)]
        with pytest.raises(ValueError, match=r"feature_names='auto' fits one, two.*Name it"):
            self.open_auto(path)

    def test_auto__refuses_to_guess_an_axis(self, write_h5):
        path = write_h5(values_of()[:, :19], features=False, samples=False)
        with h5py.File(path, "a") as file:
            file["one"] = [f"x{i}" for i in range(19)]
        with pytest.raises(ValueError, match="'auto' fits one"):
            self.open_auto(path)


def test_open_matrix__real_file(real_matrix):
    matrix = open_matrix(real_matrix, feature_names="features", sample_ids="samples")
    assert matrix.shape == (8085, 71)
    assert matrix.feature_names[0] == "cg16867657"
    some = matrix[[8084, 3, 3]].read(np.array([70, 0]))
    with h5py.File(real_matrix) as file:
        assert_array_equal(some, file["data"][:][[8084, 3, 3]][:, [70, 0]])


class TestReadOfColumns:
    @pytest.fixture
    def lazy(self, write_h5):
        self.values = np.arange(60.0).reshape(10, 6)
        return open_matrix(write_h5(self.values))

    def test_mask__reads_the_columns_it_marks(self, lazy):
        # broke once: the mask was read as the columns 0 and 1
        mask = np.array([False, True, False, False, True, True])
        assert_array_equal(lazy.read(mask), self.values[:, mask])

    @pytest.mark.parametrize("columns", [np.s_[::2], np.s_[::-1], np.s_[5:1:-2]])
    def test_slice_with_a_step__reads_what_numpy_does(self, lazy, columns):
        assert_array_equal(lazy.read(columns), self.values[:, columns])
        assert_array_equal(lazy[::2].read(columns), self.values[::2, columns])

    @pytest.mark.parametrize("columns", [[1.7], ["a"], 1, [[0, 1]], [True, False]])
    def test_what_names_no_columns__is_refused(self, lazy, columns):
        with pytest.raises(IndexError, match=r"names no columns. .* mask of 6 entries"):
            lazy.read(columns)


@pytest.mark.parametrize("key", [..., (), np.s_[:], np.s_[..., :]], ids=repr)
def test_getitem__of_everything_is_the_matrix(write_h5, key):
    matrix = open_matrix(write_h5(values_of()))
    assert_array_equal(np.asarray(matrix[key]), values_of())


def test_open_matrix__of_what_is_no_path_or_name(write_h5):
    with pytest.raises(TypeError, match=r"path=None names no file.*sequence of paths"):
        open_matrix(None)
    with pytest.raises(TypeError, match=r"dataset=3 is no name.*Name it"):
        open_matrix(write_h5(values_of()), 3)
