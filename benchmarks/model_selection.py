"""What a grid over k costs with the score cache, and what nested jobs take; prints Markdown.

Example: python benchmarks/model_selection.py
"""

import argparse
import contextlib
import os
import shutil
import tempfile
import time
from functools import partial
from pathlib import Path

import joblib
import numpy as np
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from timing import in_turn, machine, print_table

from skpar_select import ParallelMutualInfoSelector
from skpar_select.scoring import Scorer

N_SAMPLES, N_FEATURES = 2_000, 5_000
ONE = [100]
TEN = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]


def main(arguments=None):
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5, metavar="N")
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_SAMPLES, N_FEATURES))
    y = X[:, 0] + 0.5 * X[:, 1] + rng.normal(size=N_SAMPLES)
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        _print_grid(X, y, Path(folder, "scores"), options.repetitions)
        _print_nested(X[:, :1_000], y, Path(folder))


def _search(X, y, selector, ks, **options):
    model = make_pipeline(selector, Ridge())
    grid = {f"{type(selector).__name__.lower()}__k": ks}
    return GridSearchCV(model, grid, cv=5, **options).fit(X, y)


def _print_grid(X, y, cache, n_repetitions):
    masks = {}

    def search(store, ks, _):
        selector = ParallelMutualInfoSelector(random_state=0, store=store)
        found = _search(X, y, selector, ks, n_jobs=2).best_estimator_[0]
        masks[store, len(ks)] = found.get_support()

    seconds = in_turn(
        {
            "one k": partial(search, None, ONE),
            "ten k": partial(search, None, TEN),
            "one k, cached": partial(search, cache, ONE),
            "ten k, cached": partial(search, cache, TEN),
        },
        lambda *_: shutil.rmtree(cache, ignore_errors=True),
        n_repetitions,
    )
    if not (masks[None, 10] == masks[cache, 10]).all():
        raise SystemExit("the selected columns differ with the cache")
    rows = [
        [name, f"{value:.2f}", f"{value / seconds['one k']:.2f}"] for name, value in seconds.items()
    ]
    print_table(
        f"GridSearchCV, {N_SAMPLES:,} x {N_FEATURES:,}, 5 folds, n_jobs=2, Ridge",
        ["values of k", "seconds", "times one k"],
        rows,
        f"In turn; medians of {n_repetitions}, the cache empty before each. The selected columns are "
        "the same.",
    )


class Marking(ParallelMutualInfoSelector):
    """Leaves a file for every block: when it was begun and done, in whatever process."""

    def __init__(self, k="auto", *, random_state=None, n_jobs=None, marks=None):
        super().__init__(k, random_state=random_state, n_jobs=n_jobs)
        self.marks = marks

    @classmethod
    def _get_param_names(cls):
        return ["k", "random_state", "n_jobs", "marks"]

    def _scorer(self, targets, discrete):
        return MarkingScorer(super()._scorer(targets, discrete), self.marks)


class MarkingScorer(Scorer):
    """Scores as another one does, and leaves the marks."""

    def __init__(self, scorer, folder):
        self.scorer = scorer
        self.folder = folder

    def needs(self, n_samples, dtype):
        """Give what the other one needs."""
        return self.scorer.needs(n_samples, dtype)

    def __call__(self, values, columns):
        """Score a block."""
        begun = time.monotonic()
        result = self.scorer(values, columns)
        Path(self.folder, os.urandom(8).hex()).write_text(f"{begun} {time.monotonic()}")
        return result


def _print_nested(X, y, folder):
    rows = []
    for backend in ("none", "loky", "threading", "multiprocessing"):
        for outer in (1, 2):
            for inner in (None, -1):
                if backend == "none" and outer != 1:
                    continue
                rows.append(_nested(X, y, Path(folder, f"{len(rows)}"), backend, outer, inner))
    print_table(
        f"Blocks that are scored at a time, {os.cpu_count()} cores",
        ["pool of the grid search", "its n_jobs", "n_jobs of the selector", "at most", "seconds"],
        rows,
        "Counted over all processes by the times at which blocks were begun and done.",
    )


def _nested(X, y, marks, backend, outer, inner):
    marks.mkdir()
    selector = Marking(random_state=0, n_jobs=inner, marks=str(marks))
    surrounding = contextlib.nullcontext() if backend == "none" else joblib.parallel_config(backend)
    with surrounding:
        start = time.perf_counter()
        _search(X, y, selector, [10, 20], n_jobs=outer, refit=False)
        seconds = time.perf_counter() - start
    changes = []
    for mark in marks.iterdir():
        begun, done = map(float, mark.read_text().split())
        changes += [(begun, 1), (done, -1)]
    most = np.cumsum([change for _, change in sorted(changes)]).max()
    return [backend, str(outer), str(inner), str(most), f"{seconds:.2f}"]


if __name__ == "__main__":
    main()
