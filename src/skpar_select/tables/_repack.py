"""A matrix written anew in chunks of columns, so that a block of columns is read without the rest."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from hashlib import blake2b
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from skpar_select._memory import parse_memory
from skpar_select._typing import Array, IndexArray
from skpar_select.execution import Executor, choose_executor
from skpar_select.matrices import LazyMatrix
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.io._selection import Extent
from skpar_select.scoring import Progress
from skpar_select.tables._begun import JOURNAL, Begun
from skpar_select.tables._checksum import Checksum, sum_of
from skpar_select.tables._column_chunks import ColumnChunks, create_column_chunks
from skpar_select.tables._copies import Copy, Done, ascending_runs, plan_copies, run_copies
from skpar_select.tables._files import check_output
from skpar_select.tables._hdf5_output import TEXT, bytes_of_matrix, writing_hdf5, written_hdf5
from skpar_select.tables._output import Output, followed, parts_of
from skpar_select.tables._streams import differs

HDF5_SUFFIXES = (".h5", ".hdf5")
REPACK = ".repack"
"""The end of the name of a matrix that is being repacked."""

# What is done is written through to the disk, and noted, so often; between these, ten times as long apart as
# that takes.
_SOONEST_SECONDS = 0.2
_LATEST_SECONDS = 2.0
_APART = 10

_WORDS = 2**64


def repack_matrix(
    X: LazyMatrix,
    output: str | PathLike[str],
    *,
    memory_budget: int | str = "auto",
    n_jobs: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    tell: Callable[[str], object] | None = None,
) -> None:
    """Write a matrix to an HDF5 file in which blocks of columns lie together.

    Every byte of the matrix is read once, as far as the budget allows, in the order of its file. The
    result is samples x features, with the datasets ``data``, in chunks of whole columns and not
    compressed, ``features`` and ``samples``; the values are the same to the bit. Where it was
    stopped, the same call goes on: what is written stays beside the output, in two files whose names
    begin with ``.skpar-``, until the output is complete or is begun anew.

    Parameters
    ----------
    X : LazyMatrix
        What :func:`skpar_select.open_matrix` returns, or a view of it.
    output : str or path-like
        The file to be written, ``.h5`` or ``.hdf5``. It appears when it is complete.
    memory_budget : int or str, default="auto"
        What is held at a time, as in the selector.
    n_jobs : int, default=None
        Threads, as in the selector.
    overwrite : bool, default=False
        Whether `output` may exist and is replaced.
    progress : Progress, default=None
        Says how far it is.
    tell : callable, default=None
        Is told in a sentence whether an earlier run is continued, or why not.

    Raises
    ------
    ValueError
        If the budget is too small, or the name is of another format.
    FileExistsError
        If `output` exists.
    OSError
        If a file cannot be read, has changed, or the output cannot be written.
    """
    files = tuple(file.path for file in X.files)
    check_output(output, inputs=files, overwrite=overwrite, formats=HDF5_SUFFIXES)
    executor = choose_executor(n_jobs, prefer="threads")
    budget = parse_memory(memory_budget)
    columns = np.arange(X.shape[1])

    def planned(tiles: Sequence[Sequence[int]] | None = None) -> list[Copy]:
        """Plan tiles, or the same again as an earlier run had."""
        grids = None if tiles is None else [(high, wide) for high, wide, *_ in tiles]
        return plan_copies(
            X, columns, executor.in_flight, 2,
            held_bytes=0, memory_budget=budget, grids=grids,
        )  # fmt: skip

    def fits(tiles: Sequence[Sequence[int]]) -> bool:
        try:
            return _described(planned(tiles)) == tiles
        except ValueError:  # they are larger than the budget
            return False

    head = {"version": 2, "source": source_of(X), "tiles": _described(planned())}
    with _begun(X, output, head, fits, overwrite=overwrite, tell=tell or _say_nothing) as (
        made,
        journal,
    ):
        copies = planned(journal.head["tiles"])
        with _useless_if_damaged(made, journal):
            chunks = _chunks_of(made, X)
        left = [
            copy._replace(tiles=replace(copy.tiles, done=_done_of(journal, number)))
            for number, copy in enumerate(copies)
        ]
        X.check_unchanged()
        _copy(left, chunks, made, journal, executor, progress)
        X.check_unchanged()
        checksum = Checksum()
        checksum.value = sum(journal.done.values()) % _WORDS
        with _useless_if_damaged(made, journal), written_hdf5(made) as written:
            written.check_matrix("data", X.shape, checksum)
            for name, labels in (("features", X.feature_names), ("samples", X.sample_ids)):
                if labels is not None:
                    written.check_text(name, labels)
        made.replace()
        journal.remove()


def _described(copies: list[Copy]) -> list[list[int]]:
    """Return what tells the tiles of one plan from those of another."""
    return [
        [*copy.tiles.grid, copy.tiles.height, copy.tiles.cuts.widest, len(copy.tiles)]
        for copy in copies
    ]


def source_of(X: LazyMatrix) -> str:
    """Return what tells a matrix, as its files were opened, from any other."""
    digest = blake2b(digest_size=16)
    for part in X.fingerprint_parts():
        if isinstance(part, FileSnapshot):
            # Another host may go on.
            digest.update(f"{part.path} {tuple(part.stamp.elsewhere())}".encode())
        else:
            digest.update(part if isinstance(part, bytes) else np.ascontiguousarray(part).tobytes())
        digest.update(b"|")
    for labels in (X.feature_names, X.sample_ids):
        digest.update(repr(None if labels is None else list(map(str, labels))).encode())
    return digest.hexdigest()


@contextmanager
def _begun(
    X: LazyMatrix,
    path: str | PathLike[str],
    head: dict[str, Any],
    fits: Callable[[Any], bool],
    *,
    overwrite: bool,
    tell: Callable[[str], object],
) -> Iterator[tuple[Output, Begun]]:
    """Give the output and its journal: those of an earlier run that was stopped, or new ones."""
    target = followed(path)
    found = _found(target, head, fits, tell)
    if found is None:
        with Output(path, overwrite=overwrite, end=REPACK) as made:
            shape = X.shape
            names = X.feature_names
            labels = np.empty(0, dtype=object) if names is None else names
            made.reserve(bytes_of_matrix(shape, X.dtype, labels, X.sample_ids))
            with writing_hdf5(made) as file:
                for name, texts in (("features", names), ("samples", X.sample_ids)):
                    if texts is not None:
                        file.create_dataset(name, data=np.asarray(texts, dtype=object), dtype=TEXT)
                create_column_chunks(file, shape, X.dtype)
            with made.describing():
                os.fsync(made.descriptor)
                begun = Begun.made(made.part, head)
            with closing(begun) as journal:
                made.keep()
                yield made, journal
        return
    part, descriptor, journal = found
    with Output(path, overwrite=overwrite, begun=(part, descriptor)) as made, closing(journal):
        made.keep()
        yield made, journal


def _found(
    target: Path,
    head: dict[str, Any],
    fits: Callable[[Any], bool],
    tell: Callable[[str], object],
) -> tuple[Path, int, Begun] | None:
    """Find what an earlier run to the same place has left, and remove what is of no use."""
    found = None
    for part, descriptor in parts_of(target, REPACK):
        if os.fstat(descriptor).st_nlink > 1:
            # The output itself, which is complete: only this name was not taken away.
            part.unlink()
            continue
        journal = None if found else Begun.read(part)
        same = journal is not None and all(
            journal.head.get(name) == head[name] for name in ("version", "source")
        )
        if journal is not None and same and fits(journal.head["tiles"]):
            tell(f"An earlier run is continued: {len(journal.done)} pieces are there.")
            # The copy has the lock, too.
            found = part, os.dup(descriptor), journal
            continue
        if journal is not None:
            what = (
                "in pieces that are too large for this budget"
                if same
                else "of another matrix, of one that has changed, or of another version"
            )
            tell(f"What an earlier run has left is {what}. All is written anew.")
            journal.close()
        part.unlink()
    with contextlib.suppress(OSError):
        for path, _ in parts_of(target, JOURNAL):
            if not path.with_suffix(REPACK).exists():
                path.unlink()
    return found


@contextmanager
def _useless_if_damaged(made: Output, journal: Begun) -> Iterator[None]:
    """Begin anew the next time, where what is written is not what was meant."""
    try:
        yield
    except OSError:
        made.keep(False)
        journal.remove()
        raise


def _chunks_of(made: Output, X: LazyMatrix) -> ColumnChunks:
    with written_hdf5(made) as written:
        chunks = ColumnChunks(made, written.dataset("data", X.shape))
    if chunks.dtype != X.dtype or not chunks.is_whole:
        raise differs(made)
    return chunks


def _done_of(journal: Begun, number: int) -> frozenset[tuple[int, int]]:
    return frozenset((done.row, done.column) for done in journal.done if done.part == number)


def _copy(
    copies: list[Copy],
    chunks: ColumnChunks,
    made: Output,
    journal: Begun,
    executor: Executor,
    progress: Progress | None,
) -> None:
    """Copy the tiles that are left, and note those that are on the disk."""

    def write(rows: Extent, positions: slice | IndexArray, tile: Array) -> int:
        total = 0
        for run in ascending_runs(rows):
            assert isinstance(run.destination, slice)
            values = tile[run.within()]
            total += sum_of(values, run.destination, positions)
            if isinstance(positions, slice):
                chunks.write(run.destination, positions, values)
                continue
            for at, position in enumerate(positions.tolist()):
                chunks.write(run.destination, slice(position, position + 1), values[:, at : at + 1])
        return total % _WORDS

    waiting: list[tuple[Done, int]] = []
    due = time.monotonic() + min(_LATEST_SECONDS, _SOONEST_SECONDS)

    def note() -> None:
        with made.describing():
            os.fdatasync(made.descriptor)
            journal.add(waiting)
        waiting.clear()

    tiles = run_copies(copies, write, executor, progress)
    try:
        with closing(tiles):
            for done, checksum in tiles:
                waiting.append((done, checksum or 0))
                begun = time.monotonic()
                if begun >= due:
                    note()
                    ended = time.monotonic()
                    wait = max(_SOONEST_SECONDS, _APART * (ended - begun))
                    due = ended + min(_LATEST_SECONDS, wait)
    finally:
        note()


def _say_nothing(_: str) -> None:
    pass
