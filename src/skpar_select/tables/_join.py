"""Rows of a table joined to the samples of a matrix, and everything that has no partner counted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike, fspath
from typing import Any

import numpy as np

from skpar_select._alignment import (
    MissingIdsError,
    UnmatchedSamplesError,
    check_ids_once,
    id_text,
    near_match,
    samples_listed,
    unmatched,
)
from skpar_select._given import check_several
from skpar_select._typing import BoolArray, IndexArray
from skpar_select._wording import counted, listing, quote, sentence
from skpar_select.matrices import read_list
from skpar_select.tables._id_column import find_id_column
from skpar_select.tables._table import Table


@dataclass
class Join:
    """Which row of a table belongs to which sample of a matrix.

    ``samples`` are positions in the matrix, rising; ``rows`` those of the same samples in the table.
    ``dropped`` counts, in words, what was left out.
    """

    samples: IndexArray
    rows: IndexArray
    dropped: list[str] = field(default_factory=list)

    def keep(self, mask: BoolArray, reason: str) -> None:
        """Keep some samples, and count the others."""
        lost = int((~mask).sum())
        if lost:
            self.dropped.append(f"{counted(lost, 'sample')} {reason}")
            self.samples, self.rows = self.samples[mask], self.rows[mask]


@dataclass
class Choice:
    """The samples that two lists of ids leave, of a matrix (`mask`) and of anything else."""

    mask: BoolArray
    samples: set[str] | None = None
    exclude_samples: set[str] = field(default_factory=set)
    dropped: list[str] = field(default_factory=list)

    def holds(self, one: str) -> bool:
        """Return whether an id is among those that are left."""
        return (self.samples is None or one in self.samples) and one not in self.exclude_samples


def choose(
    matrix_ids: Sequence[str] | None,
    n_samples: int,
    samples: Any,
    exclude_samples: Any,
    *,
    drop: bool,
) -> Choice:
    """Choose samples of a matrix by two lists of ids, and say what they leave out.

    A list is a sequence of ids, or the path of a text file with one a line.
    """
    choice = Choice(np.ones(n_samples, dtype=bool))
    if samples is None and exclude_samples is None:
        return choice
    if matrix_ids is None:
        raise MissingIdsError(
            "samples and exclude_samples are ids, and the matrix has none. Samples are chosen by id. "
            "Name the ids of the matrix when it is opened, with sample_ids, or slice it, X[rows]."
        )
    ids = np.asarray(matrix_ids, dtype=object)
    if samples is not None:
        choice.samples = _known_ids(samples, "samples", ids, choice, drop=drop)
        _leave_out(choice, ids, choice.samples, False, "not in samples")
    if exclude_samples is not None:
        choice.exclude_samples = _known_ids(
            exclude_samples, "exclude_samples", ids, choice, drop=drop
        )
        _leave_out(choice, ids, choice.exclude_samples, True, "in exclude_samples")
    return choice


def _known_ids(given: Any, word: str, ids: Any, choice: Choice, *, drop: bool) -> set[str]:
    """Read a list of ids, and refuse or count those that the matrix lacks."""
    if not isinstance(given, PathLike):
        check_several(given, word, "ids of samples, or the path of a text file")
    listed = set(_listed_ids(given, word))
    unknown = sorted(listed.difference(ids))
    if unknown and not drop:
        raise UnmatchedSamplesError(
            f"{word} holds {samples_listed(unknown)} that the matrix lacks. Each must be a sample of the "
            f"matrix ({listing(ids)}). {near_match(unknown, set(ids) - listed)}".strip(),
            "unmatched='drop' of skpar_select.align passes over them.",
        )
    if unknown:
        choice.dropped.append(
            f"{counted(len(unknown), 'id')} of {word} without a sample in the matrix"
        )
    return listed


def _leave_out(choice: Choice, ids: Any, listed: set[str], inside: bool, reason: str) -> None:
    lost = choice.mask & np.fromiter(((one in listed) is inside for one in ids), bool, len(ids))
    if lost.any():
        choice.dropped.append(f"{counted(int(lost.sum()), 'sample')} {reason}")
    choice.mask &= ~lost


def join_by_id(
    matrix_ids: Sequence[str],
    table: Table,
    targets: Sequence[str],
    *,
    id_column: str | None,
    choice: Choice,
    where: BoolArray,
    conditions: Sequence[str],
    drop: bool,
    confounders: Sequence[str] = (),
) -> Join:
    """Match the samples of a matrix that are chosen to the rows `where` of a table by id.

    Rows that are equal in id, targets and confounders count once. Raises UnmatchedSamplesError for samples or
    rows without a partner unless they are to be dropped, and ValueError where an id is repeated.
    """
    ids = list(matrix_ids)
    check_ids_once(ids, "The matrix")
    held = table.column(find_id_column(table, ids, targets, id_column)).text()
    position = {one: place for place, one in enumerate(ids)}
    sample_of = np.fromiter((position.get(one, -1) for one in held), np.intp, len(held))
    has_row = np.zeros(len(ids), dtype=bool)
    has_row[sample_of[sample_of >= 0]] = True
    use = choice.mask
    without_row = use & ~has_row
    # Rows of others than the chosen ones are not missed.
    without_sample = where & (sample_of < 0)
    for row in np.flatnonzero(without_sample):
        without_sample[row] = choice.holds(held[row])
    dropped = choice.dropped + _unmatched(
        ids,
        held,
        table,
        without_row,
        without_sample,
        drop=drop,
        nothing_left=not (use & has_row).any(),
    )
    rows = np.flatnonzero(where & (sample_of >= 0) & use[sample_of])
    rows, n_same = _once(rows, sample_of, held, table, targets, confounders)
    if n_same:
        dropped.append(
            f"{counted(n_same, 'row')} of {table.label} that repeat{'s' if n_same == 1 else ''} another"
        )
    order = np.argsort(sample_of[rows])
    rows = rows[order]
    joined = Join(sample_of[rows], rows, dropped)
    lost = int((use & has_row).sum()) - len(rows)
    if lost:
        given = " and ".join(f"where={condition!r}" for condition in conditions)
        dropped.append(f"{counted(lost, 'sample')} for which {given} does not hold")
    return joined


def join_by_order(table: Table, target: str, choice: Choice, where: BoolArray) -> Join:
    """Match the first row of a table to the first sample, and so on."""
    length, n_samples = table.length(target), len(choice.mask)
    if length != n_samples:
        raise ValueError(
            f"{sentence(table.label)} has {counted(length, 'row')}, the matrix "
            f"{counted(n_samples, 'sample')}. Rows that are matched by their order must be as many. "
            "Match them by id, with match='id'."
        )
    places = np.flatnonzero(choice.mask & where)
    joined = Join(places, places, list(choice.dropped))
    lost = int((choice.mask & ~where).sum())
    if lost:
        joined.dropped.append(f"{counted(lost, 'sample')} for which where does not hold")
    return joined


def _unmatched(
    ids: list[str],
    held: Any,
    table: Table,
    without_row: BoolArray,
    without_sample: BoolArray,
    *,
    drop: bool,
    nothing_left: bool,
) -> list[str]:
    """Count samples and rows without a partner, or refuse them."""
    lacking = [ids[place] for place in np.flatnonzero(without_row)]
    extra = held[without_sample].tolist()
    if not lacking and not extra:
        return []
    if not drop or nothing_left:
        raise UnmatchedSamplesError(
            unmatched(lacking, extra, sentence(table.label), "the matrix").strip(),
            "Name the column of the ids as id_column, or write them alike on both sides."
            if nothing_left
            else "unmatched='drop' of skpar_select.align leaves out what has no partner.",
        )
    dropped = []
    if extra:
        dropped.append(
            f"{len(extra)} of {counted(len(held), 'row')} of {table.label} without a sample in the "
            "matrix"
        )
    if lacking:
        dropped.append(f"{counted(len(lacking), 'sample')} without a row in {table.label}")
    if near := near_match(extra, lacking):
        dropped.append(f"(of those without a partner, {near.rstrip('. ')})")
    return dropped


def _once(
    rows: IndexArray,
    sample_of: IndexArray,
    held: Any,
    table: Table,
    targets: Sequence[str],
    confounders: Sequence[str],
) -> tuple[IndexArray, int]:
    """Keep one of the rows of an id that are equal in targets and confounders, and refuse others."""
    _, first, which = np.unique(sample_of[rows], return_index=True, return_inverse=True)
    if len(first) == len(rows):
        return rows, 0
    conflicts: dict[str, str] = {}
    for name in (*targets, *confounders):
        column = table.column(name).take(rows)
        cells = np.where(column.missing(), "", column.text())
        for place in np.flatnonzero(cells != cells[first[which]]):
            other = first[which[place]]
            conflicts.setdefault(
                held[rows[place]],
                f"{quote(held[rows[place]])}: {quote(cells[other])} in row {rows[other] + 1}, "
                f"{quote(cells[place])} in row {rows[place] + 1}",
            )
    if conflicts:
        raise ValueError(
            f"{sentence(table.label)} repeats {counted(len(conflicts), 'sample id')} with different "
            f"{'targets, strata or covariates' if confounders else 'targets'} "
            f"({listing(list(conflicts.values()), quoted=False)}). Each sample has one "
            f"{'of each' if confounders else 'target'}. "
            "Remove the wrong rows, or choose the right ones with where of skpar_select.align."
        )
    return rows[first], len(rows) - len(first)


def _listed_ids(given: Any, word: str) -> list[str]:
    if isinstance(given, PathLike):
        # Tables of text lose the blanks around their ids, too.
        return [line.strip() for line in read_list(given, f"{word}: '{fspath(given)}'")]
    if isinstance(given, str):
        raise TypeError(
            f"{word}={quote(given)} is text. It must be a sequence of ids, or a pathlib.Path of a "
            "text file with one id a line. Put an id in a list, or a path in Path."
        )
    return [id_text(one) for one in given]
