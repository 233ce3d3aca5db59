"""How the cost per sample and column grows with the number of samples."""

import itertools

import numpy as np
from columns import KINDS
from timing import in_turn, print_table

from skpar_select import mutual_info_regression

SIZES = [1_000, 10_000, 100_000, 1_000_000]
# columns in a call: enough that its fixed costs do not count, few enough for memory and patience
WIDTHS = dict(zip(SIZES, [1_000, 200, 40, 16], strict=True))


def print_scaling(sizes, n_repetitions):
    """Print ns per sample and column for each kind of column and target."""
    rows = []
    for of_column, of_target in itertools.product(["continuous", "two values"], list(KINDS)[:2]):
        costs = [cost(n, of_column, of_target, n_repetitions) for n in sizes]
        numbers = [f"{value:.0f}" for value in costs]
        rows.append([of_column, of_target, *numbers, f"{costs[-1] / costs[0]:.2f}"])
    print_table(
        "Cost against the number of samples",
        ["column", "target", *(f"n = {n:,}" for n in sizes), "growth"],
        rows,
        "ns per sample and column, whole calls of skpar_select's mutual_info_regression with "
        f"n_jobs=1, the target's preparation included; medians of {n_repetitions}.",
    )


def cost(n_samples, of_column, of_target, n_repetitions):
    """Return ns per sample and column."""
    rng = np.random.default_rng(n_samples)
    y = KINDS[of_target](rng, n_samples)
    shape = (n_samples, WIDTHS[n_samples])
    seconds = in_turn(
        {"call": lambda X: mutual_info_regression(X, y, random_state=0, n_jobs=1)},
        lambda *_: KINDS[of_column](rng, shape),
        n_repetitions,
    )
    return seconds["call"] / np.prod(shape) * 1e9
