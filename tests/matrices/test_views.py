"""Views of columns of a matrix: what NumPy gives, read without the rest, planned as they are read."""

import os
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from containers import (
    KINDS,
    LAYOUTS,
    N_FEATURES,
    N_SAMPLES,
    TURNED,
    VIEWS,
    names_of,
    opened,
    values_of,
    write_anndata,
    write_hdf5,
    write_npy,
    write_transposed,
)
from numpy.testing import assert_array_equal

from skpar_select import ParallelMutualInfoSelector, open_matrix
from skpar_select.execution import SerialExecutor, ThreadsExecutor, choose_executor
from skpar_select.matrices import ArrayMatrix, ConcatenatedMatrix, LazyMatrix
from skpar_select.scoring import kernel_needs, plan_scoring
from skpar_select.tables import read_columns, write_matrix
from skpar_select.testing import MatrixConformance

NAMES = names_of(values_of())[1]
COLUMNS = {
    "slice": np.s_[3:17],
    "steps": np.s_[1:22:3],
    "reversed": np.s_[::-1],
    "shuffled": np.random.default_rng(5).permutation(N_FEATURES),
    "scattered": np.array([22, 3, -18, 4, 11, 9, 0]),
    "mask": np.arange(N_FEATURES) % 3 == 1,
    "names": ["f20", "f3", "f4", "f19", "f0", "f7"],
}
MATRICES = [*KINDS, *LAYOUTS]


def positions_of(columns):
    """The columns that a key selects, by position."""
    key = COLUMNS[columns]
    return np.array(
        [NAMES.index(name) for name in key]
        if columns == "names"
        else range(N_FEATURES)[key]
        if isinstance(key, slice)
        else np.arange(N_FEATURES)[key]
    )


def open_any(kind, folder, values):
    if kind in KINDS:
        return opened(kind, folder, values)
    path = write_hdf5(folder / "matrix.h5", values, **LAYOUTS[kind])
    return open_matrix(path, feature_names="features", sample_ids="samples")


class TestViewOfColumns(MatrixConformance):
    @pytest.fixture(
        params=[(kind, columns) for kind in LAYOUTS for columns in COLUMNS], ids="-".join
    )
    def case(self, request, tmp_path):
        kind, columns = request.param
        view = open_any(kind, tmp_path, values_of())[::-1, COLUMNS[columns]]
        return view, values_of()[::-1, positions_of(columns)]


class TestViewOfColumnsOfTransposed(MatrixConformance):
    @pytest.fixture(
        params=["transposed gzip", "anndata csr", "anndata csc", "wide gzip", "hdfstore blocks"]
    )
    def case(self, request, tmp_path):
        columns = [4, 20, 5, 6, 1, 13, 0, 12]
        return opened(request.param, tmp_path, values_of())[:, columns], values_of()[:, columns]


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("kind", MATRICES)
def test_columns__of_every_kind_are_those_of_the_array(kind, columns, tmp_path):
    values = values_of()
    X = open_any(kind, tmp_path, values)
    places = positions_of(columns)
    view, expected = X[:, COLUMNS[columns]], values[:, places]
    assert isinstance(view, LazyMatrix)
    assert view.shape == expected.shape
    assert list(view.feature_names) == [NAMES[place] for place in places]
    assert list(view.sample_ids) == names_of(values)[0]
    assert_array_equal(np.asarray(view), expected)
    for rows in VIEWS.values():
        for both in (X[rows, COLUMNS[columns]], X[rows][:, COLUMNS[columns]], view[rows]):
            assert_array_equal(np.asarray(both), expected[rows])
            assert list(both.feature_names) == list(view.feature_names)
            assert list(both.sample_ids) == list(np.array(names_of(values)[0])[rows])
    for again in (np.s_[::2], np.s_[::-1], [2, 0]):
        assert_array_equal(np.asarray(view[:, again]), expected[:, again])
    assert_array_equal(view.read([3, 0]), expected[:, [3, 0]])
    assert_array_equal(view.read([view.feature_names[4]]), expected[:, [4]])
    arrived = pickle.loads(pickle.dumps(view))
    assert_array_equal(arrived.fetch(range(1, 5)).decode(), expected[:, 1:5])


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("kind", MATRICES)
def test_scores__of_a_view_are_those_of_the_array_under_any_budget(kind, columns, tmp_path):
    values = values_of()
    y = values[:, 7] + values[:, 3]
    X, expected = (
        open_any(kind, tmp_path, values)[:, COLUMNS[columns]],
        values[:, positions_of(columns)],
    )

    def fit(X, budget="auto"):
        return ParallelMutualInfoSelector(
            k=3, discrete_features=[2, 5], random_state=0, memory_budget=budget, n_jobs=2
        ).fit(X, y)

    expected = expected.copy()
    X_discrete = X
    wanted = fit(expected)
    found = fit(X_discrete)
    assert_array_equal(found.scores_, wanted.scores_)
    assert_array_equal(found.transform(X), wanted.transform(expected))
    with pytest.raises(ValueError, match=r"too small") as error:
        fit(X, 1)
    least = int(re.search(r"needs (\d+) bytes", str(error.value))[1])
    assert_array_equal(fit(X, least).scores_, wanted.scores_)


@pytest.mark.parametrize("kind", ["squares", "contiguous", "transposed gzip", "wide lzf"])
def test_write_matrix__of_a_view(kind, tmp_path):
    view = open_any(kind, tmp_path, values_of())[::-1, COLUMNS["shuffled"]]
    columns = np.array([1, 2, 5, 20])
    names = view.feature_names[columns]
    path = tmp_path / "written" / "x.h5"
    path.parent.mkdir()
    write_matrix(path, view, columns, names, ThreadsExecutor(2), memory_budget=10**7)
    written = open_matrix(path)
    assert_array_equal(np.asarray(written), values_of()[::-1, COLUMNS["shuffled"]][:, columns])
    assert list(written.feature_names) == list(names)
    assert list(written.sample_ids) == list(view.sample_ids)


def test_columns__of_parts_that_are_views(tmp_path):
    values = values_of()
    X = open_any("squares", tmp_path, values)
    columns = [7, 3, 2, 19]
    joined = LazyMatrix(ConcatenatedMatrix([X[:, columns], X[:, 4:9]], "X", "two views"))
    expected = np.hstack([values[:, columns], values[:, 4:9]])
    assert_array_equal(np.asarray(joined), expected)
    assert_array_equal(np.asarray(joined[:, [8, 0, 1, 5]]), expected[:, [8, 0, 1, 5]])


@pytest.mark.parametrize("kind", ["contiguous", "wide"])
def test_columns__by_one_integer_or_name_are_an_array(kind, tmp_path):
    X, values = open_any(kind, tmp_path, values_of()), values_of()
    for key, place in ((4, 4), (-1, 22), ("f9", 9), (np.int64(0), 0)):
        assert_array_equal(X[:, key], values[:, place], strict=True)
        assert_array_equal(X[[3, 1], key], values[[3, 1], place], strict=True)
        assert X[2, key] == values[2, place]
        assert_array_equal(X[..., key], values[:, place])
    assert_array_equal(X[2, [4, 1]], values[2, [4, 1]], strict=True)
    assert_array_equal(X[3, ...], values[3])


def test_columns__that_select_nothing_make_a_matrix_without_columns(tmp_path):
    X = open_any("squares", tmp_path, values_of())
    for key in (np.s_[5:5], [], np.zeros(N_FEATURES, bool)):
        view = X[:, key]
        assert np.asarray(view).shape == (N_SAMPLES, 0)
        assert [part.columns for part in view.parts] == [range(0)]
        assert view.feature_names.shape == (0,)


class TestRepeatedColumns:
    def test_without_names__are_as_in_numpy(self, tmp_path):
        values = values_of()
        X = open_matrix(write_npy(tmp_path / "x.npy", values))
        columns = [5, 0, 5, 5, 22]
        view = X[:, columns]
        assert_array_equal(np.asarray(view), values[:, columns])
        y = values[:, 3]
        scores = ParallelMutualInfoSelector(k=1, random_state=0).fit(view, y).scores_
        wanted = ParallelMutualInfoSelector(k=1, random_state=0).fit(values[:, columns], y).scores_
        assert_array_equal(scores, wanted)

    def test_with_names__are_refused_by_name(self, tmp_path):
        X = open_any("squares", tmp_path, values_of())
        message = r"2 features of .* more than once: 'f0', 'f5'. Names must be unique. Select each"
        with pytest.raises(ValueError, match=message):
            X[:, [5, 0, 5, 5, 0]]
        with pytest.raises(ValueError, match="more than once: 'f5'"):
            X[:, ["f5", "f5"]]
        # A read has no names.
        assert_array_equal(X.read(["f5", "f5"]), values_of()[:, [5, 5]])

    def test_names_of_columns_that_do_not_repeat__are_not_read(self, tmp_path, opens):
        X = open_matrix(write_hdf5(tmp_path / "x.h5", values_of()))
        opens.clear()
        assert X[:, [3, 1]].shape == (N_SAMPLES, 2)
        assert not opens


class TestWrongKeys:
    @pytest.fixture
    def X(self, tmp_path):
        values = values_of()
        path = write_hdf5(tmp_path / "x.h5", values)
        names = ["age", "Height", "weight (kg)", *(f"cg{i:08d}" for i in range(20))]
        return open_matrix(path, feature_names=names)

    @pytest.mark.parametrize(
        ("key", "message"),
        [
            (23, "column 23 is out of range: the matrix has 23 features. Use -23 to 22"),
            ([0, -24], "column -24 is out of range"),
            ([True, False], "mask has 2 entries, but the matrix has 23 features"),
            ([0.5], "no selection of columns.*list of feature names"),
            ([["age"]], "no selection of columns"),
            (["age", 3], "no selection of columns"),
            (None, "no selection of columns"),
            ([b"age"], "no selection of columns"),
            ("Age", r"1 name of 1 cannot be found: 'Age'.*Did you mean 'age'\?"),
            (["age", "hieght", "x"], r"2 names of 3 cannot be found: 'hieght', 'x'.*'Height'\?"),
            (["cg00000O07"], r"Did you mean .*'cg00000007'"),
            (["weight (kg) "], r"Did you mean 'weight \(kg\)'\?"),
            (["qqqq"], r"Its names are 'age', 'Height', 'weight \(kg\)' and 20 more"),
        ],
    )
    def test_columns__that_are_not_there_raise(self, X, key, message):
        for error in (IndexError, ValueError):
            with pytest.raises(error, match=message):
                X[:, key]

    @pytest.mark.parametrize("key", [(0, 1, 2), (..., 0, ...), (..., 0, 1, 2)])
    def test_three_axes__are_refused(self, X, key):
        with pytest.raises(IndexError, match="A matrix has two axes"):
            X[key]

    def test_names_without_names__are_refused(self, tmp_path):
        X = open_matrix(write_npy(tmp_path / "x.npy", values_of()))
        for ask in (lambda: X[:, ["age"]], lambda: X.read(["age"])):
            with pytest.raises(ValueError, match=r"'age' cannot be looked up: .* no feature names"):
                ask()

    def test_near_names__of_many_are_found_soon(self, tmp_path):
        n_features = 200_000
        path = write_npy(tmp_path / "x.npy", np.zeros((1, n_features), "i1"))
        X = open_matrix(path, feature_names=[f"cg{i:08d}" for i in range(n_features)])
        with pytest.raises(IndexError, match="Did you mean"):
            X[:, ["cg0000001"]]


# Files that are large beside what a system reads at least, and how they are opened.
LARGE = {
    "contiguous": (write_hdf5, {}, {}),
    "npy": (write_npy, {}, {}),
    "column-major": (write_transposed, {}, TURNED),
    "rows": (write_hdf5, {"chunks": (4, 20_000), "compression": "gzip", "compression_opts": 1}, {}),
    "squares": (write_hdf5, {"chunks": (50, 250)}, {}),
    "squares gzip": (write_hdf5, {"chunks": (50, 250), "compression": "gzip", "shuffle": True}, {}),
    "squares lzf": (write_hdf5, {"chunks": (50, 250), "compression": "lzf"}, {}),
    "columns": (write_hdf5, {"chunks": (200, 8)}, {}),
    "columns lzf": (write_hdf5, {"chunks": (200, 8), "compression": "lzf"}, {}),
    "transposed squares": (write_transposed, {"chunks": (250, 50)}, TURNED),
    "transposed lzf": (write_transposed, {"chunks": (250, 50), "compression": "lzf"}, TURNED),
    "csr": (write_anndata, {"encoding": "csr_matrix", "chunks": (5000,)}, {}),
    "csc": (write_anndata, {"encoding": "csc_matrix"}, {}),
}
SELECTIONS = {
    "scattered": np.random.default_rng(1).permutation(20_000)[:400],
    "a few": np.array([19_999, 0, 7_003]),
    "crowded": np.r_[3000:3400, np.random.default_rng(2).permutation(20_000)[:50]],
    "offset": np.s_[1_111:9_999],
    "steps": np.s_[15_000:20:-7],
}
pytestmark_io = pytest.mark.skipif(not os.access("/proc/self/io", os.R_OK), reason="Linux's /proc")


def bytes_read():
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar"))


@pytest.fixture(scope="module")
def large():
    values = np.random.default_rng(0).random((200, 20_000), dtype=np.float32).round(2)
    values[values < 0.7] = 0
    return values


def times_read(kind):
    """How often a byte may be read, where every chunk is read once but for a border.

    Chunks that HDF5 decodes are read before, to be held against the index: the second time they come
    from the memory of the system. Of compressed rows, which a small tile cuts anywhere, chunks at both
    ends are read by two tiles.
    """
    return 2.6 if kind == "csr" or "lzf" in kind else 1.02


@pytestmark_io
@pytest.mark.parametrize("kind", LARGE)
def test_fit__of_a_view_reads_what_was_planned_and_not_the_rest(kind, large, tmp_path):
    write, options, how = LARGE[kind]
    path = write(tmp_path / ("x.npy" if kind == "npy" else "x.h5"), large, **options)
    X = open_matrix(path, feature_names=None, sample_ids=None, **how)
    y = large[:, 5] + np.linspace(0, 1, 200)

    def fit(X, budget):
        selector = ParallelMutualInfoSelector(
            k=1, discrete_features=False, random_state=0, n_jobs=2, memory_budget=budget
        )
        return selector.fit(X, y).scores_

    fit(X[:, :20], "1GB")
    whole = sum(part.matrix.layout.stored_bytes for part in X.parts)
    for name, columns in SELECTIONS.items():
        view = X[:, columns]
        expected = fit(large[:, columns], "1GB")
        with pytest.raises(ValueError, match="too small") as error:
            fit(view, 1)
        least = int(re.search(r"needs (\d+) bytes", str(error.value))[1])
        # A block of one compressed column is less than HDF5 reads at a time.
        for budget in (10**9,) if kind == "csc" else (least, 4 * least, 10**9):
            executor = choose_executor(2, prefer="threads")
            needs = kernel_needs(*view.shape[:1], view.dtype)
            plan = plan_scoring(view, needs, executor, memory_budget=budget)
            before = bytes_read()
            scores = fit(view, budget)
            read = bytes_read() - before
            assert_array_equal(scores, expected)
            # HDF5 reads its metadata each time a file is opened, once a block, and a chunk of entries
            # for both of the blocks between which it lies.
            extra = plan.n_blocks * (140_000 if kind == "csc" else 20_000)
            if "lzf" in kind:
                # HDF5 looks up each of its chunks: 5 kB in a file that was just opened.
                extra += 10_000 * sum(len(part.matrix.layout.chunk_columns) for part in view.parts)
            assert read <= times_read(kind) * plan.bytes_read + 300_000 + extra, (name, budget)
            assert plan.peak_bytes <= budget
            assert plan.bytes_read - 2 * plan.scratch_bytes <= whole
            if kind in ("columns", "column-major") and name == "a few":
                assert plan.bytes_read < whole / 50
            if kind.startswith(("squares", "csc")) and name == "a few":
                assert plan.bytes_read < whole / 20


@pytestmark_io
@pytest.mark.parametrize("kind", LARGE)
def test_read_columns__of_a_view_reads_every_chunk_once(kind, large, tmp_path):
    write, options, how = LARGE[kind]
    path = write(tmp_path / ("x.npy" if kind == "npy" else "x.h5"), large, **options)
    X = open_matrix(path, feature_names=None, sample_ids=None, **how)
    for columns in SELECTIONS.values():
        view = X[:, columns]
        some = np.arange(0, view.shape[1], 2)
        stored = sum(part.matrix.layout.stored_bytes for part in view[:, some].parts)
        read_columns(
            view[:, :5], np.arange(5)[: view.shape[1]], SerialExecutor(), memory_budget=10**8
        )
        before = bytes_read()
        result = read_columns(view, some, SerialExecutor(), memory_budget=10**8)
        read = bytes_read() - before
        assert_array_equal(result, large[:, columns][:, some])
        assert read <= times_read(kind) * stored + 300_000


def test_view__of_scattered_columns_pickles_as_their_index(tmp_path):
    n_features = 500_000
    path = write_npy(tmp_path / "x.npy", np.zeros((2, n_features), "i1"))
    X = open_matrix(path, feature_names=None)
    columns = np.random.default_rng(0).permutation(n_features)[:5000]
    assert len(pickle.dumps(X[:, columns])) < 8 * 5000 + 3000
    assert len(pickle.dumps(X[:, 7:400_000:3])) < 3000
    assert len(pickle.dumps(X[:, np.arange(100, 200_000)])) < 3000


def test_fingerprint_parts__tell_columns_apart(tmp_path):
    X = open_any("contiguous", tmp_path, values_of())
    views = [X, X[:, :5], X[:, ::-1], X[:, [0, 1]], X[:, [1, 0]], X[:2], X[[0, 1]], X[:, :2]]
    told = [
        b"|".join(bytes(part) for part in view.fingerprint_parts() if not hasattr(part, "path"))
        for view in views
    ]
    # Adjacent columns are the same, however they were given.
    assert told[3] == told[7]
    assert len(set(told)) == len(views) - 1


def test_columns__in_memory_are_views_of_the_array():
    values = values_of()
    X = LazyMatrix(ArrayMatrix(values))
    block = X[:, 4:9].parts[0].matrix.read(range(5))
    assert np.shares_memory(block, values)
    assert_array_equal(np.asarray(X[:, [4, 9, 1]]), values[:, [4, 9, 1]])


@pytest.mark.parametrize("kind", MATRICES)
def test_is_sparse__is_what_the_file_holds(kind, tmp_path):
    X = open_any(kind, tmp_path, values_of())
    assert (
        X.is_sparse == X[::2, 1:].is_sparse == X.astype(np.dtype("f8")).is_sparse == ("cs" in kind)
    )
    assert all(part.matrix.is_sparse == X.is_sparse for part in X.parts)
