"""What is printed of a run: what was scored, and the best features."""

from collections.abc import Iterator, Sequence

import numpy as np

from skpar_select._selector import ParallelMutualInfoSelector
from skpar_select._typing import FloatArray

MOST_SHOWN = 10

# The lines that are printed are aligned in two columns, as those of inspect.
_WIDTH = 15


def summary(
    columns: Sequence[str], table: str, task: str, n_samples: int, n_features: int
) -> Iterator[str]:
    """Say what was scored against what."""
    yield f"{'target':<{_WIDTH}}{', '.join(columns)} of {table}, {task}"
    yield f"{'samples':<{_WIDTH}}{n_samples:,}"
    yield f"{'features':<{_WIDTH}}{n_features:,}"


def best(
    names: Sequence[str], selector: ParallelMutualInfoSelector, columns: Sequence[str]
) -> Iterator[str]:
    """Tabulate the best features, with the score for each of several targets, or rho for the one."""
    scores = selector.scores_
    order = np.lexsort((~selector.get_support(), -scores))[:MOST_SHOWN]
    order = order[~np.isnan(scores[order])]
    shown: list[tuple[str, FloatArray]] = [("score", scores)]
    by_target = selector.scores_by_target_
    if by_target is not None and len(columns) > 1:
        shown += list(zip(columns, by_target, strict=True))
    elif selector.rho_ is not None:
        shown.append(("rho", np.atleast_2d(selector.rho_)[0]))
    widths = [max(10, len(head)) for head, _ in shown]
    head = "  ".join(f"{head:>{width}}" for (head, _), width in zip(shown, widths, strict=True))
    yield f"{'rank':>4}  {head}  feature"
    for rank, index in enumerate(order, start=1):
        cells = "  ".join(
            f"{values[index]:>{width}.4f}" for (_, values), width in zip(shown, widths, strict=True)
        )
        yield f"{rank:>4}  {cells}  {names[index]}"
