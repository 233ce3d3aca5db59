"""What is printed of a run: what was scored, and the best features."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from skpar_select._selector import ParallelMutualInfoSelector
from skpar_select._typing import FloatArray
from skpar_select._wording import shown_pvalue
from skpar_select.significance import log_qvalues

MOST_SHOWN = 10

# Of q-values that are counted where no rule names another.
_USUAL_RATE = 0.05

# The lines that are printed are aligned in two columns, as those of inspect.
_WIDTH = 15


def summary(
    columns: Sequence[str], table: str, task: str, n_samples: int, n_features: int
) -> Iterator[str]:
    """Say what was scored against what."""
    yield f"{'target':<{_WIDTH}}{', '.join(columns)} of {table}, {task}"
    yield f"{'samples':<{_WIDTH}}{n_samples:,}"
    yield f"{'features':<{_WIDTH}}{n_features:,}"


def error_rates(selector: ParallelMutualInfoSelector) -> Iterator[str]:
    """Say how many features have a small q-value, and the least p-value, where there are any."""
    log_pvalues = selector.log_pvalues_
    if log_pvalues is None or np.isnan(log_pvalues).all():
        return
    rate = _USUAL_RATE if selector.fdr is None else selector.fdr
    log_qvalues_ = log_qvalues(log_pvalues, selector.fdr_method)
    n_small = np.count_nonzero(log_qvalues_ <= math.log(rate))
    n_tested = np.count_nonzero(~np.isnan(log_pvalues))
    yield (
        f"{'tests':<{_WIDTH}}{n_small:,} of {n_tested:,} features have q <= {rate:g}; the least p is "
        f"{shown_pvalue(np.nanmin(log_pvalues))}"
    )


def best(
    names: Sequence[str], selector: ParallelMutualInfoSelector, columns: Sequence[str]
) -> Iterator[str]:
    """Tabulate the best features.

    There are the score for each of several targets, or rho for the one, and p-values and q-values
    where they were asked for.
    """
    scores = selector.scores_
    order = np.lexsort((~selector.get_support(), -scores))[:MOST_SHOWN]
    order = order[~np.isnan(scores[order])]
    shown: list[tuple[str, FloatArray]] = [("score", scores)]
    by_target = selector.scores_by_target_
    if by_target is not None and len(columns) > 1:
        shown += list(zip(columns, by_target, strict=True))
    elif selector.rho_ is not None:
        shown.append(("rho", np.atleast_2d(selector.rho_)[0]))
    columns_shown = [(head, [f"{values[index]:.4f}" for index in order]) for head, values in shown]
    if selector.log_pvalues_ is not None:
        log_qvalues_ = log_qvalues(selector.log_pvalues_, selector.fdr_method)
        for head, logs in (("pvalue", selector.log_pvalues_), ("qvalue", log_qvalues_)):
            columns_shown.append((head, [shown_pvalue(logs[index]) for index in order]))
    widths = [max(10, len(head)) for head, _ in columns_shown]
    heads = [head for head, _ in columns_shown]
    yield f"{'rank':>4}  {_aligned(heads, widths)}  feature"
    rows = zip(*(cells for _, cells in columns_shown), strict=True)
    for rank, (index, cells) in enumerate(zip(order, rows, strict=True), start=1):
        yield f"{rank:>4}  {_aligned(cells, widths)}  {names[index]}"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
