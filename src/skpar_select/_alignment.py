"""Rows of two holders, matched by sample id: the one place where this is done."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skpar_select._origins import has_index, is_default_index
from skpar_select._typing import IndexArray, Names
from skpar_select._wording import counted, listing, quote


class MissingIdsError(ValueError):
    """Rows are to be matched by sample id, and one of the holders has no ids."""


class AlignmentError(ValueError):
    """A matrix and a table that do not go together, and what would let them.

    `finding` says what was found and the rule; `remedy` what a caller in Python can do.
    """

    def __init__(self, finding: str, remedy: str) -> None:
        super().__init__(f"{finding} {remedy}")
        self.finding, self.remedy = finding, remedy


class UnmatchedSamplesError(AlignmentError):
    """Samples without a row in the table, or rows without a sample in the matrix."""


class MissingTargetsError(AlignmentError):
    """Samples without a target."""


class DroppedSamplesWarning(UserWarning):
    """Samples or rows of a table were left out; the message counts them."""


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
        check_ids_once(ids, holder)
    position = {name: index for index, name in enumerate(held)}
    known = set(reference)
    lacking = [name for name in reference if name not in position]
    extra = [name for name in held if name not in known]
    if lacking or extra:
        raise ValueError(
            f"{unmatched(lacking, extra, held_by, reference_by)}Drop the rows that have no partner, "
            "or take the ids from another column or dataset."
        )
    return np.fromiter((position[name] for name in reference), np.intp, len(reference))


def check_ids_once(ids: Iterable[str], holder: str) -> None:
    """Refuse ids of which one occurs more than once; `holder` says in the ValueError whose they are."""
    twice = repeated(ids)
    if twice:
        raise ValueError(
            f"{holder} repeats {counted(len(twice), 'sample id')} ({listing(twice)}). Rows are "
            "matched by sample id, so each must occur once. Remove or rename the repeated rows."
        )


def unmatched(lacking: Sequence[str], extra: Sequence[str], held_by: str, reference_by: str) -> str:
    """Say which ids one of two holders lacks, and which it alone has, and by what rule they match."""
    faults = []
    if lacking:
        faults.append(f"lacks {samples_listed(lacking)} of {reference_by}")
    if extra:
        faults.append(f"holds {samples_listed(extra)} that {reference_by} lacks")
    return (
        f"{held_by} {' and '.join(faults)}. Both must hold the same sample ids. "
        f"{near_match(extra, lacking)}"
    )


def aligned_target(
    y: Any,
    sample_ids: Callable[[], Names | None],
    stored_ids: Callable[[], Names | None] = lambda: None,
) -> Any:
    """Put a target of pandas whose index holds sample ids into the order of a matrix.

    Parameters
    ----------
    y : object
        A target. Only a Series or DataFrame of pandas has an index; anything else is given back.
    sample_ids : callable
        Gives the ids of the matrix's rows, or None; asked only where an index may hold them.
    stored_ids : callable
        Where the matrix is a view of some rows, gives the ids of all.

    Returns
    -------
    y : object
        Reordered if its index holds the same ids in another order. As it is, to be taken by
        position, if the order is the same, if the index is that of a frame without one (0, 1,
        ...), or if it is of numbers of which none is an id, of other rows neither, or nearly one.

    Raises
    ------
    ValueError
        If the index holds some of the ids and not all, holds ids that the matrix lacks, too, or
        holds names of which none is an id, or numbers that are ids but for zeros or ``.0``.
    """
    if not has_index(y) or is_default_index(y.index):
        return y
    ids = sample_ids()
    if ids is None:
        return y
    held, reference = [id_text(one) for one in y.index], list(ids)
    if held == reference:
        return y
    known = set(reference)
    n_shared = len(known.intersection(held))
    by_hand = "Pass y.to_numpy() to take it by position"
    if not n_shared:
        stored = stored_ids()
        n_other = 0 if stored is None else len(set(stored).intersection(held))
        if n_other:
            # A fold of a target that is in another order than the matrix.
            raise ValueError(
                f"The index of y holds none of the {counted(len(known), 'sample id')} of the matrix, "
                f"and {n_other} of other rows of its file. Rows are matched by id. Put y into the "
                f"order of the whole matrix before both are split, with skpar_select.align. {by_hand}."
            )
        near = near_match(held, reference)
        if not near and not any(isinstance(one, str) for one in y.index):
            # Numbers that are no ids count rows of where y was taken from.
            return y
        raise ValueError(
            f"The index of y holds names ({listing(held)}), of which none is a sample id of the "
            f"matrix ({listing(reference)}). Rows are matched by id. {near}"
            f"Write the ids alike on both sides. {by_hand}."
        )
    if n_shared < len(known) or not known.issuperset(held):
        extra = len(set(held) - known)
        call = "y.to_frame('y'), 'y'" if y.ndim == 1 else "y, list(y)"
        raise ValueError(
            f"The index of y holds {n_shared} of the {counted(len(known), 'sample id')} of the matrix"
            + (f", and {counted(extra, 'other')}" if extra else "")
            + ". An index that holds ids must hold those of the matrix, in any order. Join them "
            f"with skpar_select.align(X, {call}, unmatched='drop'). {by_hand}."
        )
    twice = repeated(held) or repeated(reference)
    if twice:
        raise ValueError(
            f"The index of y and the matrix repeat {counted(len(twice), 'sample id')} "
            f"({listing(twice)}), in another order each. Rows are matched by id, so each must "
            f"occur once. Remove the repeated rows. {by_hand}."
        )
    return y.iloc[align_ids(held, reference, held_by="The index of y", reference_by="the matrix")]


def id_text(value: object) -> str:
    """Return an id as text: of a whole number its digits, of bytes what they spell."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def near_match(held: Iterable[str], reference: Iterable[str]) -> str:
    """Say by which rule ids without a partner would match; they are never matched by it.

    Examples
    --------
    >>> near_match(["gsm1", "gsm2"], ["GSM1", "GSM2"])
    "2 of them would match if upper and lower case did not count, as 'gsm1' and 'GSM1'. "
    """
    held, reference = list(held), list(reference)
    best: tuple[int, str, str, str] | None = None
    for what, rule in _NEARLY:
        of = {rule(one): one for one in reversed(reference)}
        pairs = [(one, of[rule(one)]) for one in held if rule(one) in of]
        if pairs and (best is None or len(pairs) > best[0]):
            best = len(pairs), what, *pairs[0]
    if best is None:
        return ""
    number, what, one, other = best
    return (
        f"{number} of them would match if {what} did not count, as {quote(one)} and "
        f"{quote(other)}. "
    )


def nearly(one: str) -> str:
    """Return an id without what near ids differ by: case, blanks, ``.0`` and zeros before it."""
    return _without_zeros(_without_fraction(_without_blanks(one).casefold()))


def _without_blanks(one: str) -> str:
    return "".join(one.split())


def _without_zeros(one: str) -> str:
    return one.lstrip("0") or one[-1:]


def _without_fraction(one: str) -> str:
    return one[:-2] if one.endswith(".0") and one[-3:-2].isdigit() else one


def _as_r_writes(one: str) -> str:
    # make.names: an X before a digit, a point for all that is neither letter nor digit.
    return re.sub(r"[^0-9A-Za-z_]", ".", re.sub(r"^X(?=\d)", "", one))


# The first of equals is said.
_NEARLY: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("blanks", _without_blanks),
    ("upper and lower case", str.casefold),
    ("'.0' at the end", _without_fraction),
    ("zeros at the beginning", _without_zeros),
    ("what R makes of names (an X before a digit, points for other signs)", _as_r_writes),
    ("case, blanks, '.0' at the end and zeros at the beginning", nearly),
)


def repeated(names: Iterable[str]) -> list[str]:
    """List each name that occurs more than once, in the order of its first occurrence."""
    return [name for name, count in Counter(names).items() if count > 1]


def samples_listed(ids: Sequence[str]) -> str:
    """Count samples, and list the first few."""
    return f"{counted(len(ids), 'sample')} ({listing(ids)})"
