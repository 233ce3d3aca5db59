"""What gaps cost, and what several targets in one call save: the kernel alone.

python benchmarks/gaps_and_targets.py [--quick]
"""

import argparse
import itertools
import statistics
import time

import numpy as np
from columns import N_REAL, cases
from timing import machine, print_table

from skpar_select import ParallelMutualInfoSelector
from skpar_select.kernels import mutual_information, prepare_target

SHARES = [0.0, 0.02, 0.2]
N_TARGETS = 10


def score(X, targets, discrete):
    """Score a block; its values may be missing."""
    p = X.shape[1]
    mutual_information(
        X, targets, columns=np.arange(p), discrete=np.full(p, discrete), min_observed=2
    )


def seconds(function, *arguments):
    """Time one call by the clock of its thread, so that what else runs does not count."""
    start = time.thread_time()
    function(*arguments)
    return time.thread_time() - start


def targets_of(case):
    """Prepare the target of the case, and others of the same values."""
    rng = np.random.default_rng(0)
    y = [case.y, *(rng.permutation(case.y) for _ in range(N_TARGETS - 1))]
    options = {"discrete": case.classification, "n_neighbors": 3, "seed": 0}
    return [prepare_target(values, **options) for values in y]


def print_gaps(sizes, n_numbers, n_repetitions):
    """Compare columns with gaps and columns without, one target."""
    rows = []
    for n, place in itertools.product(sizes, range(5)):
        case = cases(n)[place]
        (target, *_), rng = targets_of(case), np.random.default_rng()
        costs = {share: [] for share in SHARES}
        for _ in range(n_repetitions + 1):
            for share in SHARES:
                X = case.make(rng, max(1, n_numbers // n))
                X[rng.random(X.shape) < share] = np.nan
                costs[share].append(seconds(score, X, [target], case.discrete) / X.size * 1e9)
        median = {share: statistics.median(values[1:]) for share, values in costs.items()}
        shares = [f"{median[share]:.1f} ({median[share] / median[0.0]:.2f})" for share in SHARES]
        rows.append([f"{n:,}", case.name, f"{median[0.0]:.1f}", *shares[1:]])
    print_table(
        "Columns with gaps",
        ["samples", "problem", "no gap", *(f"{share:.0%} missing" for share in SHARES[1:])],
        rows,
        "ns per sample and column, with those that are missing; in brackets, over columns without a "
        f"gap. Columns of all shares in turn; medians of {n_repetitions}.",
    )


def print_several(sizes, n_numbers, n_repetitions):
    """Compare one call with ten targets and ten calls with one."""
    rows = []
    for n, place in itertools.product(sizes, range(5)):
        case = cases(n)[place]
        targets, rng = targets_of(case), np.random.default_rng()
        together, alone = [], []
        for _ in range(n_repetitions + 1):
            X = case.make(rng, max(1, n_numbers // n // 4))
            together.append(seconds(score, X, targets, case.discrete) / X.size * 1e9)
            parts = []
            for target in targets:
                X = case.make(rng, X.shape[1])
                parts.append(seconds(score, X, [target], case.discrete) / X.size * 1e9)
            alone.append(statistics.mean(parts))
        ten, one = (statistics.median(values[1:]) for values in (together, alone))
        rows.append([f"{n:,}", case.name, f"{one:.1f}", f"{ten:.1f}", f"{ten / one:.2f}"])
    print_table(
        "Ten targets in one call",
        ["samples", "problem", "one target", "ten targets", "ratio"],
        rows,
        "ns per sample and column; one target is the mean of the ten, each in a call of its own on "
        f"columns of its own. In turn; medians of {n_repetitions}.",
    )


def print_fits(sizes, n_numbers, n_repetitions):
    """Compare a fit with ten targets and fits with one, in memory, by the clock on the wall."""
    rows = []
    for n, years, n_jobs in itertools.product(sizes, [False, True], [1, 2]):
        rng, ratios = np.random.default_rng(0), []
        for _ in range(n_repetitions + 1):
            Y = rng.integers(18, 98, (n, N_TARGETS)).astype(float)
            Y = Y if years else rng.normal(size=Y.shape)
            elapsed = []
            for y in (Y, Y[:, 0], Y[:, 1]):
                X = rng.normal(size=(n, max(1, n_numbers // n))).astype(np.float32)
                start = time.perf_counter()
                ParallelMutualInfoSelector(5, n_jobs=n_jobs, random_state=0).fit(X, y)
                elapsed.append(time.perf_counter() - start)
            ratios.append(elapsed[0] / statistics.mean(elapsed[1:]))
        target = "whole years" if years else "normal"
        rows.append([f"{n:,}", target, str(n_jobs), f"{statistics.median(ratios[1:]):.2f}"])
    print_table(
        "Ten targets in one fit",
        ["samples", "targets", "n_jobs", "over a fit with one"],
        rows,
        f"float32 in memory, whole fits in turn; medians of {n_repetitions}.",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="does it work? seconds")
    quick = parser.parse_args().quick
    sizes = [300] if quick else [1_000, N_REAL]
    n_numbers, n_repetitions = (10_000, 1) if quick else (600_000, 9)
    print(machine())
    print_gaps(sizes, n_numbers, n_repetitions)
    print_several(sizes, n_numbers, n_repetitions)
    print_fits(sizes, 2 * n_numbers, n_repetitions)


if __name__ == "__main__":
    main()
