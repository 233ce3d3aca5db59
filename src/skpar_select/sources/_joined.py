"""Rows of several matrices, joined by sample id."""

import numpy as np

from skpar_select.sources._lazy import LazyMatrix


def rows_in_order(matrices: list[LazyMatrix]) -> list[LazyMatrix]:
    """Give all matrices with their rows in the order of the first.

    Parameters
    ----------
    matrices : list of LazyMatrix
        Of the same samples, in any order.

    Returns
    -------
    list of LazyMatrix
        Views, where the order differs.

    Raises
    ------
    ValueError
        If one has no ids, or others than the first.
    """
    for matrix in matrices:
        if matrix.sample_ids is None:
            raise ValueError(
                f"{matrix.where} has no sample ids that can be found. Files side by side are "
                "joined by sample id, never by position. Name the dataset of ids, or give the ids "
                "themselves if all files have their rows in that order (on the command line: "
                "--same-order)."
            )
    first, *others = matrices
    return [first, *(_like(first, other) for other in others)]


def _like(first: LazyMatrix, other: LazyMatrix) -> LazyMatrix:
    wanted, held = first.sample_ids, other.sample_ids
    assert wanted is not None
    assert held is not None
    if len(wanted) == len(held) and (wanted == held).all():
        return other
    place = {name: index for index, name in enumerate(held)}
    missing = [name for name in wanted if name not in place]
    known = set(wanted)
    more = [name for name in held if name not in known]
    if missing or more:
        raise ValueError(
            f"{other.where} lacks {_few(missing)} of {first.where} and has {_few(more)} that are "
            "not there. Files side by side must hold the same samples. Drop those that are not in "
            "all files."
        )
    view: LazyMatrix = other[np.array([place[name] for name in wanted], dtype=np.intp)]
    return view


def _few(names: list[str]) -> str:
    if not names:
        return "no samples"
    shown = ", ".join(repr(name) for name in names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names)} sample{'s' if len(names) > 1 else ''} ({shown})"
