"""A score never depends on how the work was cut or where the matrix lies: bit for bit."""

import re
from dataclasses import replace

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skpar_select import ParallelMutualInfoSelector, mutual_info_classif, open_matrix
from skpar_select._problem import Problem
from skpar_select.execution import choose_executor
from skpar_select.matrices import Cuts, SparseMatrix
from skpar_select.planning import Limits
from skpar_select.planning.strategies import InMemory, Reread, Spill
from skpar_select.scoring import Assembler
from skpar_select.scoring._rounds import Rounds

N_SAMPLES, N_FEATURES = 60, 23
WIDTHS = [1, 7, N_FEATURES]
DISCRETE = [0, 5, 6, 22]

KINDS = {
    "continuous": ("regression", False, "raw"),
    "mixed": ("regression", DISCRETE, "raw"),
    "classes": ("classification", False, "raw"),
    "classes, mixed": ("classification", DISCRETE, "raw"),
    "counts": ("classification", True, "raw"),
    "ranks, mixed": ("regression", DISCRETE, "rank"),
    "classes of ranks": ("classification", DISCRETE, "rank"),
}
ARRAYS = [
    "C",
    "F",
    "strided",
    "frame",
]
FILES = [
    "contiguous",
    "rows",
    "squares",
    "columns",
    "lzf",
    "view of rows",
    "view of rows of chunks",
]


@pytest.fixture(scope="module")
def values():
    """Ties, constants and discrete columns among continuous ones."""
    rng = np.random.default_rng(11)
    X = rng.normal(size=(N_SAMPLES, N_FEATURES)).astype(np.float32)
    X[:, DISCRETE] = rng.integers(0, 3, size=(N_SAMPLES, len(DISCRETE)))
    X[:, 9] = 1.5
    X[:, 10] = np.round(X[:, 10], 1)
    return X


@pytest.fixture(scope="module")
def targets(values):
    return {
        "regression": np.round(values[:, 4] + values[:, 10], 1),
        "classification": np.where(values[:, 4] > 0, "old", "young"),
    }


@pytest.fixture(scope="module")
def containers(values, tmp_path_factory):
    import h5py

    path = tmp_path_factory.mktemp("parity") / "x.h5"
    order = np.random.default_rng(0).permutation(N_SAMPLES)
    back = np.argsort(order)
    with h5py.File(path, "w") as file:
        file["contiguous"] = values
        file.create_dataset("rows", data=values, chunks=(8, N_FEATURES), compression="gzip")
        file.create_dataset("squares", data=values, chunks=(16, 5), compression="gzip")
        file.create_dataset("columns", data=values, chunks=(N_SAMPLES, 1))
        file.create_dataset("lzf", data=values, chunks=(16, 5), compression="lzf")
        file["view of rows"] = values[order]
        shuffled = {"chunks": (8, N_FEATURES), "compression": "gzip", "shuffle": True}
        file.create_dataset("view of rows of chunks", data=values[order], **shuffled)
    made = {name: open_matrix(path, name) for name in FILES}
    for name in ("view of rows", "view of rows of chunks"):
        made[name] = made[name][back]
    made |= {
        "C": values,
        "F": np.asfortranarray(values),
        "strided": np.repeat(values, 2, axis=1)[:, ::2],
        "frame": pd.DataFrame(values, columns=[f"f{i}" for i in range(N_FEATURES)]),
    }
    return made


def score_by_plan(X, y, change, n_jobs=1, matrix=None, **parameters):
    """Score as `fit` does, by the plan that `change` makes of the planner's."""
    selector = ParallelMutualInfoSelector(**parameters)
    made, scorer, _ = Problem.of(selector, X, y, None, None)
    matrix = made if matrix is None else matrix
    executor = choose_executor(n_jobs, prefer="threads")
    needs = scorer.needs(matrix.shape[0], matrix.dtype)
    scorer.prepare()

    class Changed(Rounds):
        def _plan_of(self, view):
            return change(super()._plan_of(view), view.matrix, needs, executor)

    rounds = Changed(matrix, scorer, executor, needs=needs, memory_budget=10**9)
    assembler, every = Assembler(matrix.shape[1]), range(matrix.shape[1])
    for columns, result in rounds.score(every, lambda columns: True):
        assembler.write(columns, result)
    assembler.check(every)
    return assembler.results["score"]


def cut(width):
    """Have blocks of a given width cut, whatever the planner thinks."""

    def change(plan, *_):
        strategies = tuple(
            replace(strategy, cuts=Cuts.even(strategy.n_features, width))
            for strategy in plan.strategies
        )
        changed = replace(plan, strategies=strategies)
        assert changed.n_blocks == -(-plan.n_features // width)
        return changed

    return change


def by(strategy, budget):
    """Have the whole read by a strategy within a budget, whatever the planner thinks."""

    def change(plan, matrix, needs, executor):
        (part,) = matrix.parts
        limits = Limits(
            n_features=plan.n_features,
            n_workers=executor.n_workers,
            n_ahead=executor.n_ahead,
            scratch_bytes=10**9,
        )
        priced = strategy.price(part.matrix.layout, needs, limits, budget)
        assert priced is not None
        return replace(plan, strategies=(priced,))

    return change


def parameters_of(kind):
    task, discrete, marginals = KINDS[kind]
    return {
        "task": task,
        "discrete_features": discrete,
        "marginals": marginals,
        "random_state": 5,
    }


def fit(X, targets, kind, n_jobs=1, **parameters):
    selector = ParallelMutualInfoSelector(n_jobs=n_jobs, **parameters_of(kind), **parameters)
    return selector.fit(X, targets[KINDS[kind][0]]).scores_


@pytest.fixture(scope="module")
def reference(values, targets):
    """One column after the other: each scored alone, with the index it has in the matrix."""
    scores = {}
    for kind, (task, *_) in KINDS.items():
        selector = ParallelMutualInfoSelector(**parameters_of(kind))
        scorer = Problem.of(selector, values, targets[task], None, None).scorer
        scores[kind] = np.concatenate(
            [
                scorer(values[:, [column]].copy(), np.array([column]))["score"]
                for column in range(N_FEATURES)
            ]
        )
    for got in scores.values():
        assert got.shape == (N_FEATURES,)
        assert len(np.unique(got)) > 5
    return scores


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("container", ARRAYS + FILES)
@pytest.mark.parametrize("kind", KINDS)
def test_scores__are_the_same_bits(kind, container, width, n_jobs, containers, targets, reference):
    y = targets[KINDS[kind][0]]
    scores = score_by_plan(containers[container], y, cut(width), n_jobs, **parameters_of(kind))
    assert_array_equal(scores, reference[kind])


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("container", ARRAYS + FILES)
@pytest.mark.parametrize("kind", KINDS)
def test_scores__of_a_fit_are_the_same_bits(
    kind, container, n_jobs, containers, targets, reference
):
    assert_array_equal(fit(containers[container], targets, kind, n_jobs), reference[kind])


@pytest.mark.parametrize("n_jobs", [3, 64, -1])
@pytest.mark.parametrize("container", ["C", "squares"])
def test_scores__with_more_jobs_than_columns(container, n_jobs, containers, targets, reference):
    scores = fit(containers[container], targets, "mixed", n_jobs)
    assert_array_equal(scores, reference["mixed"])


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("factor", [1, 1.1, 1.5, 1000])
@pytest.mark.parametrize("container", FILES)
def test_scores__under_any_budget(container, factor, n_jobs, containers, targets, reference):
    X = containers[container]
    with pytest.raises(ValueError, match="too small") as error:
        fit(X, targets, "mixed", n_jobs, memory_budget=1)
    least = int(re.search(r"needs (\d+) bytes", str(error.value))[1])
    scores = fit(X, targets, "mixed", n_jobs, memory_budget=int(least * factor))
    assert_array_equal(scores, reference["mixed"])


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("strategy", [Reread, InMemory, Spill], ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    "container", ["rows", "squares", "columns", "lzf", "view of rows of chunks"]
)
def test_scores__by_any_strategy(container, strategy, n_jobs, containers, targets, reference):
    y = targets[KINDS["mixed"][0]]
    change = by(strategy, 100_000)
    scores = score_by_plan(containers[container], y, change, n_jobs, **parameters_of("mixed"))
    assert_array_equal(scores, reference["mixed"])


@pytest.mark.parametrize("backend", ["threading", "loky", "sequential"])
def test_scores__in_any_backend(backend, containers, targets, reference):
    for container in ("C", "squares", "rows", "lzf"):
        with joblib.parallel_config(backend=backend, n_jobs=2):
            scores = fit(containers[container], targets, "mixed", None)
        assert_array_equal(scores, reference["mixed"])


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("container", [sparse.csc_array, sparse.csr_array, sparse.csr_matrix])
def test_scores__of_sparse_matrices_are_those_of_dense_ones(container, width):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, size=(N_SAMPLES, N_FEATURES)) * rng.integers(0, 2, size=N_FEATURES)
    y = X[:, 1] + rng.integers(0, 2, size=N_SAMPLES)
    dense = mutual_info_classif(X, y, discrete_features=True)
    assert_array_equal(mutual_info_classif(container(X), y, n_jobs=2), dense)
    scores = score_by_plan(container(X), y, cut(width), 2, task="classification", random_state=0)
    assert_array_equal(scores, dense)


@pytest.mark.parametrize("discrete_features", [False, [0, 5]])
@pytest.mark.parametrize("container", [sparse.csc_array, sparse.csr_matrix])
def test_scores__of_continuous_sparse_columns_are_those_of_dense_ones(container, discrete_features):
    rng = np.random.default_rng(0)
    X = rng.random((N_SAMPLES, N_FEATURES)) * rng.integers(0, 2, size=(N_SAMPLES, N_FEATURES))
    y = X[:, 1] + rng.random(N_SAMPLES)
    options = {"discrete_features": discrete_features, "random_state": 0}
    dense = ParallelMutualInfoSelector(n_jobs=2, **options).fit(X, y).scores_
    sparse_scores = ParallelMutualInfoSelector(n_jobs=2, **options).fit(container(X), y).scores_
    assert_array_equal(sparse_scores, dense)
    matrix = MeasuredSparse(container(X).tocsc())
    scores = score_by_plan(container(X), y, lambda plan, *_: plan, 2, matrix, **options)
    assert_array_equal(scores, dense)
    assert sum(matrix.widths) == N_FEATURES
    assert max(matrix.widths) < N_FEATURES / 4


class MeasuredSparse(SparseMatrix):
    """Notes the width of each block that is cut out to be made dense."""

    def __init__(self, values):
        super().__init__(values)
        self.widths = []

    def fetch(self, columns, rows=None):
        self.widths.append(len(columns))
        return super().fetch(columns, rows)


@pytest.mark.parametrize("dtype", ["f2", ">f2", ">f4", "i2", ">i8", "u1", "?"])
def test_scores__depend_on_values_and_not_on_their_type(dtype, write_h5, targets):
    # Values that every one of the types holds.
    X = np.random.default_rng(1).integers(0, 2, size=(N_SAMPLES, N_FEATURES)).astype(dtype)
    expected = fit(X.astype(np.float64), targets, "mixed")
    assert_array_equal(fit(X, targets, "mixed"), expected)
    assert_array_equal(fit(open_matrix(write_h5(X)), targets, "mixed", 2), expected)


def test_scores__of_a_column_need_no_other(values, targets, reference):
    changed = values.copy()
    changed[:, 5:] = 0
    scores = fit(changed, targets, "continuous")
    assert_array_equal(scores[:5], reference["continuous"][:5])
