"""What more neighbours cost, raw and in rank space."""

import numpy as np
from columns import N_REAL, cases, cases_as_they_are, ranked
from timing import in_turn, print_table

from skpar_select import mutual_info_classif, mutual_info_regression

NEIGHBORS = (3, 10, 30, 64)
SIZES = [1_000, N_REAL, 50_000]
WIDTHS = {1_000: 256, N_REAL: 71, 50_000: 8}  # columns in a call


def print_neighbors(sizes, n_repetitions):
    """Print ns per sample and column for each number of neighbours, and how often that of three."""
    rows = []
    for n in sizes:
        of_values = [case for case in cases(n) if not case.discrete]
        of_values += cases_as_they_are() if n == N_REAL else []
        for case in of_values + ranked(of_values):
            costs = cost(case, n_repetitions)
            least = costs[NEIGHBORS[0]]
            rest = [f"{costs[k]:.0f} ({costs[k] / least:.2f})" for k in NEIGHBORS[1:]]
            rows.append([f"{n:,}", case.name, f"{least:.0f}", *rest])
    print_table(
        "Cost against the number of neighbours",
        ["samples", "problem", *(f"k = {k}" for k in NEIGHBORS)],
        rows,
        "ns per sample and column, in parentheses over that of k = 3; whole calls of skpar_select "
        f"with n_jobs=1, in turn, on columns not seen before (real ones as they are: in any order); "
        f"medians of {n_repetitions}.",
    )


def cost(case, n_repetitions):
    """Return ns per sample and column of each number of neighbours."""
    function = mutual_info_classif if case.classification else mutual_info_regression
    rng, width = np.random.default_rng(case.n_samples), WIDTHS[case.n_samples]

    def call(k):
        options = {"n_neighbors": k, "marginals": case.marginals, "random_state": 0, "n_jobs": 1}
        return lambda X: function(X, case.y, discrete_features=False, **options)

    seconds = in_turn(
        {k: call(k) for k in NEIGHBORS}, lambda *_: case.make(rng, width), n_repetitions
    )
    return {k: each / (case.n_samples * width) * 1e9 for k, each in seconds.items()}
