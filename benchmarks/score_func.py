"""The selector with a function of scikit-learn's, beside SelectKBest with the same function.

python benchmarks/score_func.py [rounds]
"""

import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
from sklearn.feature_selection import SelectKBest, f_regression
from timing import in_turn, machine, print_table

from skpar_select import ParallelMutualInfoSelector, open_matrix

N_SAMPLES, N_FEATURES = 2_000, 20_000


def _selector(n_jobs):
    return ParallelMutualInfoSelector(score_func=f_regression, n_jobs=n_jobs)


def main():
    """Print seconds for arrays of both orders, and for files with one job and two."""
    n_rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_SAMPLES, N_FEATURES))
    y = X[:, 0] + rng.normal(size=N_SAMPLES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.h5")
        with h5py.File(path, "w") as file:
            file.create_dataset("plain", data=X, chunks=(N_SAMPLES, 50))
            file.create_dataset(
                "gzip", data=X.astype(np.float32), chunks=(500, 200), compression="gzip"
            )
        holders = {
            "array, row-major": X,
            "array, column-major": np.asfortranarray(X),
            "HDF5, chunks of 2,000 x 50": open_matrix(path, "plain"),
            "HDF5, gzip, float32, chunks of 500 x 200": open_matrix(path, "gzip"),
        }
        rows = []
        for name, holder in holders.items():
            calls = {n_jobs: _fits(_selector(n_jobs), y) for n_jobs in (1, 2)}
            if isinstance(holder, np.ndarray):
                calls["SelectKBest"] = _fits(SelectKBest(f_regression), y)
            seconds = in_turn(calls, lambda *_, holder=holder: holder, n_rounds)
            best = f"{seconds['SelectKBest']:.3f}" if "SelectKBest" in seconds else ""
            rows.append([name, best, f"{seconds[1]:.3f}", f"{seconds[2]:.3f}"])
    print_table(
        f"f_regression over {N_SAMPLES:,} x {N_FEATURES:,} on {machine()}",
        ["matrix", "SelectKBest, s", "n_jobs=1, s", "n_jobs=2, s"],
        rows,
        f"In turn; medians of {n_rounds}.",
    )


def _fits(estimator, y):
    return lambda X: estimator.fit(X, y)


if __name__ == "__main__":
    main()
