"""Rows of two holders, matched by sample id: the one place where this is done."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skpar_select._typing import IndexArray
from skpar_select._wording import counted, listing


class MissingIdsError(ValueError):
    """Rows are to be matched by sample id, and one of the holders has no ids."""


def align_ids(
    held: Sequence[str] | NDArray[Any],
    reference: Sequence[str] | NDArray[Any],
    *,
    held_by: str,
    reference_by: str,
) -> IndexArray:
    """Find the position in `held` of each id of `reference`: ``held[positions]`` equals it.

    Rows are never matched by position. Ids are compared as they are, without a change of case or
    of space. `held_by` and `reference_by` name the holders in errors: a ValueError where an id
    occurs more than once in one of them, or in one of them alone.

    Examples
    --------
    >>> align_ids(["c", "a", "b"], ["a", "b", "c"], held_by="ages.csv", reference_by="the matrix")
    array([1, 2, 0])
    """
    for ids, holder in ((reference, reference_by), (held, held_by)):
        twice = repeated(ids)
        if twice:
            raise ValueError(
                f"{holder} repeats {counted(len(twice), 'sample id')} ({listing(twice)}). Rows are "
                "matched by sample id, so each must occur once. Remove or rename the repeated rows."
            )
    position = {name: index for index, name in enumerate(held)}
    known = set(reference)
    lacking = [name for name in reference if name not in position]
    extra = [name for name in held if name not in known]
    if lacking or extra:
        faults = []
        if lacking:
            faults.append(f"lacks {_samples(lacking)} of {reference_by}")
        if extra:
            faults.append(f"holds {_samples(extra)} that {reference_by} lacks")
        raise ValueError(
            f"{held_by} {' and '.join(faults)}. Both must hold the same sample ids. Drop the rows "
            "that have no partner, or take the ids from another column or dataset."
        )
    return np.fromiter((position[name] for name in reference), np.intp, len(reference))


def repeated(names: Iterable[str]) -> list[str]:
    """List each name that occurs more than once, in the order of its first occurrence."""
    return [name for name, count in Counter(names).items() if count > 1]


def _samples(ids: list[str]) -> str:
    return f"{counted(len(ids), 'sample')} ({listing(ids)})"
