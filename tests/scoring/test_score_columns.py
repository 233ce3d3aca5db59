"""The path from a matrix and a scorer to results: its order, its memory, its faults."""

import os
import threading
import time
import tracemalloc
from pathlib import Path

import h5py
import joblib
import numpy as np
import pytest
from containers import write_anndata
from joblib._parallel_backends import LokyBackend, ThreadingBackend
from joblib.externals.loky.backend.reduction import dumps
from numpy.testing import assert_array_equal
from scorings import Nothing, Noting, Processes, Zeros, kernel_scorer, means, score

from skpar_select import ParallelMutualInfoSelector, open_matrix
from skpar_select.execution import JoblibExecutor, SerialExecutor, ThreadsExecutor, choose_executor
from skpar_select.kernels import SCRATCH_BYTES, TARGET_BYTES
from skpar_select.matrices import Layout, LazyMatrix, Matrix, Part, as_matrix
from skpar_select.scoring import MutualInformation, score_columns

# Of 60 samples and 23 columns: the results and the target, two kernels; in file order three
# blocks in flight of 240 bytes a column.
FIXED = 24 * 23 + TARGET_BYTES * 60 + 3 * SCRATCH_BYTES * 60


def with_overhead(arrays):
    return arrays + -(-arrays // 6)


class TestMemoryBudget:
    def test_budget__too_small_is_refused_before_any_work(self, problem, write_h5):
        matrix, least = open_matrix(write_h5(problem[0])), with_overhead(FIXED + 3 * 240)
        with pytest.raises(ValueError, match=f"one column for each of 2 workers needs {least}"):
            score(matrix, problem[1], memory_budget=least - 1, n_jobs=2)
        assert score(matrix, problem[1], memory_budget=least, n_jobs=2)[0].shape == (23,)

    def test_budget__is_never_passed_by_the_blocks_in_work(self, problem, write_h5):
        sizes = []

        class Weighing(MutualInformation):
            def __call__(self, values, columns):
                sizes.append(values.nbytes)
                return super().__call__(values, columns)

        matrix = open_matrix(write_h5(problem[0]))
        scorer = kernel_scorer(matrix, problem[1], kind=Weighing)
        budget = with_overhead(FIXED + 3 * 2 * 240)
        score(matrix, problem[1], scorer=scorer, memory_budget=budget, n_jobs=2)
        assert max(sizes) == 2 * 240

    @pytest.mark.parametrize("n_jobs", [1, 2])
    @pytest.mark.parametrize("options", [{}, {"chunks": (20, 4), "compression": "gzip"}])
    def test_blocks__are_read_while_others_are_scored(self, problem, write_h5, n_jobs, options):
        """Never do more than n_jobs threads score, nor are more than n_jobs + 1 blocks held."""
        busy, held = [], []
        most = {"busy": 0, "held": 0}

        class Fetching(LazyMatrix):
            @property
            def parts(self):
                return (Part(self, range(self.shape[1])),)

            def fetch(self, columns, rows=None):
                held.append(None)
                most["held"] = max(most["held"], len(held))
                return super().fetch(columns, rows)

        class Scoring(MutualInformation):
            def __call__(self, values, columns):
                busy.append(None)
                most["busy"] = max(most["busy"], len(busy))
                time.sleep(0.002)
                result = super().__call__(values, columns)
                busy.pop()
                held.pop()
                return result

        X = np.tile(problem[0], 8)
        matrix = Fetching(open_matrix(write_h5(X, **options)))
        scorer = kernel_scorer(matrix, problem[1], kind=Scoring)
        score(matrix, problem[1], scorer=scorer, n_jobs=n_jobs, memory_budget=150_000)
        assert most == {"busy": n_jobs, "held": n_jobs + 1}

    @pytest.fixture
    def matrix(self, write_h5, request):
        values = np.random.default_rng(0).normal(size=(300, 20_000)).astype("f4")  # 24 MB
        return open_matrix(write_h5(values, features=False, samples=False, **request.param))

    @pytest.mark.parametrize(
        "matrix",
        [{}, {"chunks": (50, 100)}, {"chunks": (10, 20_000)}, {"chunks": (300, 8)}],
        ids=["contiguous", "squares", "rows", "columns"],
        indirect=True,
    )
    @pytest.mark.parametrize("shuffled", [False, True])
    def test_peak__stays_below_the_budget(self, matrix, shuffled):
        """What the plan allows is what NumPy takes; the kernel's own scratch is a column or two."""
        if shuffled:
            matrix = matrix[np.random.default_rng(0).permutation(300)]
        budget = 6_000_000
        tracemalloc.start()
        score(matrix, np.arange(300.0), memory_budget=budget)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < budget + 300_000  # small objects of Python and h5py


def test_file__that_changed_after_its_last_block_is_noticed(problem, write_h5):
    path = write_h5(problem[0])

    def touch():
        if sum(map(len, noting.blocks)) == 23:
            os.utime(path, ns=(1, 1))

    noting = Noting(touch)
    with pytest.raises(OSError, match=r"matrix\.h5' has changed since it was opened"):
        score(open_matrix(path), problem[1], sinks=[noting])


class Weighing(LokyBackend):
    """joblib's own pool, which notes how many bytes it is given for each task."""

    def __init__(self, **options):
        super().__init__(**options)
        self.n_bytes = []

    def submit(self, func, callback=None):
        self.n_bytes.append(len(dumps(func)))
        return super().submit(func, callback)

    def apply_async(self, func, callback=None):  # before joblib 1.5
        self.n_bytes.append(len(dumps(func)))
        return super().apply_async(func, callback)


class Labels:
    """Names that are there, and never leave this process."""

    def __init__(self, names):
        self.names = names

    def values(self):
        return self.names

    def __reduce__(self):
        raise AssertionError("labels travel")


def test_task__to_another_process_is_small_however_wide_the_matrix_is():
    n_features, n_samples = 500_000, 8_000
    rng = np.random.default_rng(0)
    X = LazyMatrix(
        Zeros((n_samples, n_features)),
        rows=rng.permutation(n_samples),
        feature_names=Labels(np.array([f"f{i}" for i in range(n_features)], dtype=object)),
        sample_ids=Labels(np.array([f"s{i}" for i in range(n_samples)], dtype=object)),
    )
    scorer = kernel_scorer(
        X, rng.normal(size=n_samples), kind=Nothing, discrete_features=np.arange(n_features) % 3 > 0
    )
    assert len(dumps(scorer)) > n_features
    backend = Weighing()
    executor = JoblibExecutor(2, backend=backend, streams=True, same_host=True)
    scores, _ = score(X, None, scorer=scorer, executor=executor, memory_budget="2GB")
    assert_array_equal(scores, np.arange(n_features))
    assert len(backend.n_bytes) >= 8
    assert max(backend.n_bytes) < 20_000


class TestSpill:
    """A temporary file, where the workers are other processes."""

    @pytest.fixture
    def matrix(self, write_h5):
        X = np.random.default_rng(0).normal(size=(200, 6000))
        path = write_h5(X, chunks=(5, 6000), compression="gzip", compression_opts=1)
        return X, open_matrix(path)

    def test_spill__is_read_by_processes_of_this_host(self, matrix):
        X, lazy = matrix
        y, noting = X[:, 0] + 1, Noting()
        executor = choose_executor(2, prefer="processes")
        assert not executor.shares_memory
        got, _ = score(
            lazy, y, score_func=means, executor=executor, memory_budget="5MB", sinks=[noting]
        )
        assert noting.strategies == ["spill"]
        assert noting.plan.n_blocks > 2
        assert_array_equal(got, score(X, y, score_func=means)[0])

    def test_spill__of_the_kernel_in_processes_gives_the_same_bits(self, matrix):
        X, lazy = matrix
        noting = Noting()
        with joblib.parallel_config("loky", n_jobs=2):
            executor = choose_executor(None, prefer="threads")
            assert not executor.shares_memory
            got, _ = score(lazy, X[:, 0], executor=executor, memory_budget="4MB", sinks=[noting])
        assert noting.strategies == ["spill"]
        assert_array_equal(got, score(X, X[:, 0])[0])

    def test_spill__is_not_offered_where_workers_are_elsewhere(self, matrix):
        X, lazy = matrix

        class Elsewhere(SerialExecutor):
            n_workers = 2
            shares_memory = same_host = False

        for budget in ("4MB", "1GB"):
            noting = Noting()
            got, _ = score(
                lazy, X[:, 0], executor=Elsewhere(), memory_budget=budget, sinks=[noting]
            )
            assert noting.strategies == ["re-read"]
            assert_array_equal(got, score(X, X[:, 0])[0])

    def test_in_memory__is_not_offered_where_workers_do_not_share_it(self, matrix):
        X, lazy = matrix

        class Apart(SerialExecutor):
            n_workers = 2
            shares_memory = False

        strategies = []
        for executor in (ThreadsExecutor(2), Apart()):
            noting = Noting()
            score(lazy, X[:, 0], executor=executor, memory_budget="13MB", sinks=[noting])
            strategies += noting.strategies
        assert strategies[0] == "in memory"
        assert strategies[1] != "in memory"


def chunks_of_few_bytes(path):
    """A gigabyte in each chunk, as it says, and ten bytes in truth."""
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            "data", (2, 3 * 10**9), "i1", chunks=(1, 10**9), compression="gzip"
        )
        for row in range(2):
            for column in range(0, 3 * 10**9, 10**9):
                data.id.write_direct_chunk((row, column), b"ten bytes.")


def sparse_rows(path):
    write_anndata(path, np.eye(2, dtype="f4"), encoding="csr_matrix")
    with h5py.File(path, "a") as file:
        file["X"].attrs["shape"] = [2, 3 * 10**9]


@pytest.mark.parametrize(
    ("write", "name"), [(chunks_of_few_bytes, "x.h5"), (sparse_rows, "x.h5ad")]
)
@pytest.mark.parametrize("discrete_features", ["auto", True, [0, -1]])
@pytest.mark.parametrize("score_func", [None, means])
def test_hostile_file__is_refused_before_anything_as_long_as_it_is_wide(
    tmp_path, write, name, discrete_features, score_func
):
    """A file of some kB that claims billions of columns, with a store to look in."""
    write(tmp_path / name)
    assert (tmp_path / name).stat().st_size < 20_000
    selector = ParallelMutualInfoSelector(
        k=1,
        score_func=score_func,
        memory_budget="100MB",
        store=tmp_path / "kept",
        discrete_features=discrete_features,
        n_neighbors=1,
    )
    X = open_matrix(tmp_path / name, feature_names=None, sample_ids=None)
    started = time.monotonic()
    # The first time loads modules.
    for _ in range(2):
        tracemalloc.start()
        with pytest.raises(
            ValueError, match=r"too small.*Set memory_budget to at least 14[4-6]\.\d GB"
        ):
            selector.fit(X, [0.0, 1.0])
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert held < 1_000_000
    assert time.monotonic() - started < 10
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["key"]


@pytest.mark.parametrize("chunks", [(2, 10**6), (1, 10**7), None])
def test_hostile_file__without_any_value_is_refused_when_it_is_opened(tmp_path, chunks):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("data", (2, 3 * 10**9), "f4", chunks=chunks)
    # The first time loads modules.
    for _ in range(2):
        tracemalloc.start()
        with pytest.raises(ValueError, match="chunks were never written"):
            open_matrix(tmp_path / "x.h5")
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert held < 1_000_000


class Eager(Matrix):
    """Values in memory, whose every read is noted, with the thread that reads."""

    in_memory = True

    def __init__(self, values):
        self.values, self.shape, self.dtype = values, values.shape, values.dtype
        self.reads = []

    def layout_of(self, rows, columns):
        shape = len(rows), len(columns)
        return Layout(shape=shape, dtype=self.dtype, order="memory", views=True)

    def read(self, columns, rows=None):
        self.reads.append(len(columns))
        return self.values[:, columns]


def test_matrix_in_memory__is_not_read_before_the_workers_start(problem):
    matrix = Eager(problem[0])
    before = []

    class Starting(ThreadsExecutor):
        def map_unordered(self, function, tasks, *, prepare=None):
            before.append(list(matrix.reads))
            yield from super().map_unordered(function, tasks, prepare=prepare)

    scorer = kernel_scorer(matrix, problem[1])
    results = score_columns(matrix, scorer, Starting(2), memory_budget=10**9)
    assert before == [[]]
    assert sum(matrix.reads) == 23
    assert max(matrix.reads) < 23
    assert_array_equal(results["score"], score(*problem)[0])


@pytest.mark.skipif(not Path("/proc/self/pagemap").exists(), reason="Linux counts pages")
def test_fit__touches_no_array_before_its_workers_do(tmp_path):
    """The pages of a mapped file tell what was read of it."""
    shape = (500, 16_000)
    np.save(tmp_path / "x.npy", np.zeros(shape[::-1], dtype=np.float32))
    X = np.load(tmp_path / "x.npy", mmap_mode="r").T

    def mapped():
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))

    at_first_block, lock = [], threading.Lock()

    class Watching(Nothing):
        prefers = "threads"

        def __call__(self, values, columns):
            with lock:
                at_first_block.append(mapped())
            values.sum()
            return super().__call__(values, columns)

    class Selector(ParallelMutualInfoSelector):
        def _scorer(self, *checked):
            return kernel_scorer(as_matrix(X), np.arange(500.0), kind=Watching)

    start = mapped()
    Selector(n_jobs=2).fit(X, np.arange(500.0))
    assert at_first_block[0] - start < X.nbytes // 4
    assert mapped() - start > X.nbytes // 2


class Counting(ThreadingBackend):
    """Threads of joblib that count how often they are asked for the number of workers."""

    n_asked = 0

    def effective_n_jobs(self, n_jobs):
        type(self).n_asked += 1
        return super().effective_n_jobs(n_jobs)


@pytest.mark.parametrize("lazy", [False, True])
def test_fit__asks_for_the_number_of_workers_once(problem, write_h5, lazy):
    X = open_matrix(write_h5(problem[0])) if lazy else problem[0]
    for n_fits in (1, 2, 3):
        with joblib.parallel_config(Counting(), n_jobs=2):
            ParallelMutualInfoSelector(random_state=0).fit(X, problem[1])
        assert Counting.n_asked == n_fits + (3 if lazy else 0)


class Configuring(Noting):
    """Changes joblib's configuration between the plan and the run."""

    def begin(self, plan):
        super().begin(plan)
        self.config = joblib.parallel_config("threading", n_jobs=5)

    def close(self, complete):
        self.config.unregister()
        super().close(complete)


def test_run__has_the_workers_of_the_plan_whatever_config_comes_between(write_h5):
    matrix = open_matrix(write_h5(np.zeros((10, 400))))
    with joblib.parallel_config("loky", n_jobs=2):
        executor = choose_executor(None, prefer="processes")
    sink = Configuring()
    processes, _ = score(matrix, None, scorer=Processes(), executor=executor, sinks=[sink])
    assert sink.plan.n_workers == executor.n_workers == 2
    assert float(os.getpid()) not in processes
    assert len(set(processes)) <= 2


def test_plan__asks_the_executor_that_runs(problem):
    asked = []

    class Told(SerialExecutor):
        @property
        def n_workers(self):
            asked.append("n_workers")
            return 2

        def map_unordered(self, function, tasks, *, prepare=None):
            asked.append("map_unordered")
            return super().map_unordered(function, tasks, prepare=prepare)

    noting = Noting()
    score(*problem, executor=Told(), sinks=[noting])
    assert noting.plan.n_workers == 2
    assert asked[-1] == "map_unordered"
    assert asked.count("n_workers") == 1
