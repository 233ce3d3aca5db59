"""Time skpar_select beside scikit-learn, and print tables of what was measured.

python benchmarks/against_sklearn.py [--quick] [--n-jobs 1 2] [--parts ratios neighbors scaling jobs memory]
"""

import argparse
from dataclasses import replace

import jobs
import memory
import neighbors
import numpy as np
import scaling
import sklearn.feature_selection
from columns import N_REAL, cases, cases_as_they_are, ranked
from timing import in_turn, machine, print_table

import skpar_select
from skpar_select.kernels import ranks

WIDTH = 256  # columns in a call of ours
# Columns in a call of scikit-learn, for each job: its cost per column does not depend on them.
WIDTH_OF_SKLEARN = {500: 32, 1_000: 24, N_REAL: 6, 50_000: 2}
PACKAGES = {"skpar_select": skpar_select, "scikit-learn": sklearn.feature_selection}


def call(package, case, n_jobs, *, seed=0):
    """Return a whole call of a package's function, waiting for its columns."""
    kind = "classif" if case.classification else "regression"
    function = getattr(PACKAGES[package], f"mutual_info_{kind}")
    options = {"discrete_features": case.discrete, "random_state": seed, "n_jobs": n_jobs}
    if package == "skpar_select":
        options["marginals"] = case.marginals

    def run(X):
        return function(X, case.y, **options)

    return run


def check_scores(case, X):
    """Check that both packages agree on the columns X; return how far they and two seeds differ.

    In rank space scikit-learn has no scores: see check_ranks.

    Each breaks ties by noise of its own, so that they differ as two seeds of scikit-learn do
    between themselves: by root mean square over these few columns, no more than three times that.
    Where no value is tied that is nothing, but that a distance may be equal to another within the
    noise, and one sample count one neighbour more or less: below 1 / n nats.
    """
    if case.marginals == "rank":
        return check_ranks(case, X)
    theirs = call("scikit-learn", case, 1, seed=0)(X)
    other_seed = call("scikit-learn", case, 1, seed=1)(X)
    ours = call("skpar_select", case, 1)(X)
    between_packages = np.sqrt(np.mean((ours - theirs) ** 2))
    between_seeds = np.sqrt(np.mean((other_seed - theirs) ** 2))
    if between_packages > 3 * between_seeds + 1 / case.n_samples:
        raise AssertionError(
            f"{case.name}, {case.n_samples} samples: the scores differ by {between_packages:.2g} "
            f"nats, two seeds of scikit-learn by {between_seeds:.2g}."
        )
    return between_packages, between_seeds


def check_ranks(case, X):
    """Check that ranks have the scores of what they are the ranks of, to the last bit.

    That the scores are right is told by a naive twin, in tests/kernels/test_ranks.py.
    """
    scores = call("skpar_select", case, 1)
    expected = scores(X)
    # ties are broken otherwise in each column, and in the target as in a column of this index
    key = {"seed": int(np.random.RandomState(0).randint(np.iinfo(np.int32).max))}
    if not case.discrete:
        X = ranks(X, columns=np.arange(X.shape[1]), **key)
    y = case.y
    if not case.classification:
        of_target = np.array([2**63], dtype=np.uint64)
        y = ranks(y[:, np.newaxis], columns=of_target, **key)[:, 0]
    if (call("skpar_select", replace(case, y=y), 1)(X) != expected).any():
        raise AssertionError(
            f"{case.name}, {case.n_samples} samples: ranks have other scores than their columns."
        )
    return None


def ratios(n_samples, n_jobs, n_repetitions):
    """Print the time per column of both packages, and its ratio."""
    rows = []
    for n in n_samples:
        of_values = cases(n) + (cases_as_they_are() if n == N_REAL else [])
        for case in of_values + ranked(of_values):
            rng = np.random.default_rng(n)
            differences = check_scores(case, case.make(rng, 24 if n <= 1_000 else 8))
            for jobs_of_both in n_jobs:
                widths = {
                    "skpar_select": WIDTH,
                    "scikit-learn": WIDTH_OF_SKLEARN[n] * jobs_of_both,
                }
                seconds = in_turn(
                    {name: call(name, case, jobs_of_both) for name in PACKAGES},
                    lambda name, _: case.make(rng, widths[name]),  # noqa: B023  # used at once
                    n_repetitions,
                )
                ours, theirs = (seconds[name] / widths[name] * 1e3 for name in PACKAGES)
                speed = [f"{ours:.3f}", f"{theirs:.2f}", f"**{theirs / ours:.0f}**"]
                agreement = [f"{difference:.1g}" for difference in differences or ()]
                rows.append(
                    [f"{n:,}", case.name, str(jobs_of_both), *speed, *(agreement or ["", ""])]
                )
    print_table(
        "Against scikit-learn",
        [
            "samples",
            "problem",
            "n_jobs",
            "skpar_select, ms a column",
            "scikit-learn, ms a column",
            "times as fast",
            "difference, nats",
            "between two seeds of scikit-learn",
        ],
        rows,
        f"Whole calls in one run, in turn, on columns not seen before; medians of {n_repetitions}. "
        f"skpar_select scores {WIDTH} columns a call, scikit-learn fewer (its cost per column does "
        "not depend on them). 8,085 samples: the real methylomes, remixed, or their 71 columns as they "
        "are, in any order. ranks: our calls are with marginals='rank', scikit-learn's as before.",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller sizes, fewer repetitions")
    parser.add_argument("--n-jobs", type=int, nargs="+", default=[1])
    parts = ("ratios", "neighbors", "scaling", "jobs", "memory")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    arguments = parser.parse_args()
    quick = arguments.quick
    print(machine())
    if "ratios" in arguments.parts:
        sizes = [500, 1_000] if quick else list(WIDTH_OF_SKLEARN)
        ratios(sizes, arguments.n_jobs, 2 if quick else 7)
    if "neighbors" in arguments.parts:
        sizes = neighbors.SIZES[:1] if quick else neighbors.SIZES
        neighbors.print_neighbors(sizes, 1 if quick else 7)
    if "scaling" in arguments.parts:
        scaling.print_scaling(scaling.SIZES[:3] if quick else scaling.SIZES, 1 if quick else 5)
    if "jobs" in arguments.parts:
        jobs.print_jobs(1 if quick else 7)
    if "memory" in arguments.parts:
        memory.print_memory(arguments.n_jobs)


if __name__ == "__main__":
    main()
