"""What a second worker brings."""

import numpy as np
from columns import N_REAL, cases
from timing import in_turn, print_table

from skpar_select import mutual_info_regression

WIDTH = 1_024


def print_jobs(n_repetitions):
    """Print the time of a call with one and with two jobs, on the remixed real matrix."""
    case, rng = cases(N_REAL)[0], np.random.default_rng(0)
    seconds = in_turn(
        {n_jobs: _call(case.y, n_jobs) for n_jobs in (1, 2)},
        lambda *_: case.make(rng, WIDTH),
        n_repetitions,
    )
    one, two = seconds[1], seconds[2]
    print_table(
        "One job against two",
        ["samples", "columns", "n_jobs=1, s", "n_jobs=2, s", "times as fast"],
        [[f"{N_REAL:,}", f"{WIDTH:,}", f"{one:.2f}", f"{two:.2f}", f"**{one / two:.2f}**"]],
        f"Whole calls of mutual_info_regression, in turn; medians of {n_repetitions}.",
    )


def _call(y, n_jobs):
    return lambda X: mutual_info_regression(X, y, random_state=0, n_jobs=n_jobs)
