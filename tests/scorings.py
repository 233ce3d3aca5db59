"""Scoring as a fit does it, and scorers and sinks that watch it; processes import them from here."""

import os
from pathlib import Path

import numpy as np

from skpar_select import ParallelMutualInfoSelector
from skpar_select._memory import parse_memory
from skpar_select.execution import choose_executor
from skpar_select.matrices import Layout, Matrix, as_matrix
from skpar_select.planning import Needs
from skpar_select.scoring import (
    DiscreteFeatures,
    FunctionScorer,
    MutualInformation,
    Scorer,
    Sink,
    Targets,
    score_columns,
)


def kernel_scorer(matrix, y, **changes):
    """The built-in scorer of a matrix."""
    given = changes.pop("discrete_features", "auto")
    discrete = DiscreteFeatures(given, matrix.shape[1], sparse=matrix.is_sparse)
    options = {"task": "regression", "n_neighbors": 3, "random_state": 0, "discrete": discrete}
    kind, options = changes.pop("kind", MutualInformation), options | changes
    targets = Targets(y, matrix.shape[0], task=options["task"], omit="min_observed" in options)
    return kind(targets, **options)


def function_scorer(score_func, y, n_samples, **options):
    """The scorer of a function."""
    targets = Targets(y, n_samples, task=None, omit="min_observed" in options)
    return FunctionScorer(score_func, targets, **options)


def score(
    X,
    y,
    *,
    scorer=None,
    score_func=None,
    executor=None,
    n_jobs=1,
    memory_budget="auto",
    sinks=(),
    **options,
):
    """Score as a fit does; give the scores and log p, or None."""
    matrix = as_matrix(X)
    if score_func is not None:
        scorer = function_scorer(score_func, y, matrix.shape[0], **options)
    elif scorer is None:
        scorer = kernel_scorer(matrix, y)
    results = score_columns(
        matrix,
        scorer,
        executor or choose_executor(n_jobs, prefer=scorer.prefers),
        memory_budget=parse_memory(memory_budget),
        sinks=sinks,
    )
    return results["score"], results.get("log_pvalue")


class Zeros(Matrix):
    """A matrix of a file that is not there: as wide as wanted, and nothing but zeros."""

    label, description = "zeros", "nowhere"

    def __init__(self, shape):
        self.shape, self.dtype = shape, np.dtype("i1")

    def layout_of(self, rows, columns):
        shape = len(rows), len(columns)
        return Layout(shape=shape, dtype=self.dtype, order="row-major", n_rows=self.shape[0])

    def read(self, columns, rows=None):
        shape = len(range(self.shape[0]) if rows is None else rows), len(columns)
        return np.broadcast_to(np.zeros(1, dtype=self.dtype), shape)


class Noting(Sink):
    """Takes note of the plan and of the blocks, and does something after each."""

    def __init__(self, then=lambda: None):
        self.then, self.blocks, self.closed = then, [], []

    def begin(self, plan):
        self.plan = plan

    def write(self, columns, result):
        self.blocks.append(columns)
        self.then()

    def close(self, complete):
        self.closed.append(complete)

    @property
    def strategies(self):
        return [strategy.name for strategy in self.plan.strategies]


class Processes(Scorer):
    """Gives the process that scores, in whichever there are."""

    prefers = "processes"

    def needs(self, n_samples, dtype):
        return Needs()

    def __call__(self, values, columns):
        return {"score": np.full(len(columns), float(os.getpid()))}


class Nothing(MutualInformation):
    """Holds all that the built-in scorer holds, prefers processes, and scores nothing."""

    prefers = "processes"

    def __call__(self, values, columns):
        return {"score": np.asarray(columns, dtype=float)}


def means(X, y):
    """Score each column for itself, so that the block does not matter."""
    return [float(np.ascontiguousarray(X[:, column]) @ y) for column in range(X.shape[1])]


class KnownFunction(FunctionScorer):
    """A function whose scores are kept, whatever it does."""

    def fingerprint_parts(self):
        return iter([("score_func", "known")])


class Marking(Scorer):
    """Another scorer, which tells a function its name and the columns whenever it scores."""

    def __init__(self, inner, mark):
        self.inner, self.mark = inner, mark
        self.prefers, self.takes_sparse = inner.prefers, inner.takes_sparse
        self.name = os.urandom(8).hex()

    def needs(self, n_samples, dtype):
        return self.inner.needs(n_samples, dtype)

    def __call__(self, values, columns):
        self.mark(self.name, columns)
        return self.inner(values, columns)

    def fingerprint_parts(self):
        return self.inner.fingerprint_parts()


class Counting(ParallelMutualInfoSelector):
    """Leaves a file for every block that is scored, in whatever process."""

    def __init__(self, k="auto", *, random_state=None, store=None, marks=None):
        super().__init__(k, random_state=random_state, store=store)
        self.marks = marks

    @classmethod
    def _get_param_names(cls):
        return ["k", "random_state", "store", "marks"]

    def _scorer(self, *checked):
        return Marking(
            super()._scorer(*checked),
            lambda _, columns: Path(self.marks, f"{len(columns)}-{os.urandom(8).hex()}").touch(),
        )
