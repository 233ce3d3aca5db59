"""Copies of a matrix that are read faster than the file: in memory, or in a temporary file.

A matrix in chunks of whole rows would be decoded once for every block of columns. Copied first, it
is decoded once, by all workers.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from skpar_select._execution import run
from skpar_select._memory import format_bytes
from skpar_select._plan import Plan
from skpar_select._typing import Array
from skpar_select.sources import LazyMatrix, Source, as_source
from skpar_select.sources._runs import Run, place
from skpar_select.sources._scratch import ScratchContainer


def scratch_available() -> int:
    """Bytes that a temporary file may take, in the folder that ``TMPDIR`` names or the usual one."""
    try:
        return shutil.disk_usage(tempfile.gettempdir()).free
    except OSError:
        return 0


@contextmanager
def copied(source: Source, plan: Plan) -> Iterator[Source]:
    """Give the source as the plan has it read: itself, or a copy for as long as the context lasts.

    Parameters
    ----------
    source : Source
        The matrix.
    plan : Plan
        Its ``route``, its ``pieces`` and how many of them may be held.

    Yields
    ------
    Source
    """
    if plan.route == "load":
        values = np.empty(source.shape, dtype=source.dtype)
        _copy(source, plan, partial(_to_array, values))
        yield as_source(values, source.feature_names)
    elif plan.route == "scratch":
        with _temporary(plan.scratch_bytes) as (descriptor, path):
            _copy(source, plan, partial(_to_file, descriptor, source.shape[1], source.dtype))
            where = f"the temporary copy of {source.where}"
            container = ScratchContainer(path, source.shape, source.dtype, where)
            yield LazyMatrix(container, feature_names=source.feature_names)
    else:
        yield source


def _copy(source: Any, plan: Plan, write: Callable[[Run, slice, Array], None]) -> None:
    # A row that is wanted often is held once by its piece, and goes to each of its places.
    def fetch(piece: tuple[slice, slice]) -> tuple[Run, slice, Callable[[], Array]]:
        stretch, columns = piece
        view, rows = source.within(stretch, columns)
        return rows, columns, view.fetch()

    def put(fetched: tuple[Run, slice, Callable[[], Array]]) -> None:
        rows, columns, decoded = fetched
        if rows.width:
            write(rows, columns, decoded())

    if plan.pieces_in_flight > plan.n_workers:
        done = run(put, plan.pieces, n_jobs=plan.n_workers, fetch=fetch, shared=True)
    else:
        done = run(
            lambda piece: put(fetch(piece)),
            plan.pieces,
            n_jobs=plan.pieces_in_flight,
            shared=True,
        )
    with closing(done):
        for _ in done:
            pass


def _to_array(out: Array, rows: Run, columns: slice, values: Array) -> None:
    place(values, rows, Run(slice(0, values.shape[1]), columns, None), out, at=(0, 0))


def _to_file(
    descriptor: int,
    n_features: int,
    dtype: np.dtype[Any],
    rows: Run,
    columns: slice,
    values: Array,
) -> None:
    into: Any = rows.into
    if isinstance(into, slice):
        whole = values.shape[1] == n_features and values.flags.c_contiguous
        if whole and values.dtype == dtype:
            _write(descriptor, into.start * n_features * dtype.itemsize, values)
            return
        into = np.arange(into.start, into.stop)
    of = range(rows.width) if rows.picked is None else rows.picked.tolist()
    # Row by row: a turned matrix would be copied whole, as would rows that are wanted often.
    for at, row in zip(into.tolist(), of, strict=True):
        offset = (at * n_features + columns.start) * dtype.itemsize
        _write(descriptor, offset, values[row].astype(dtype, copy=False))


def _write(descriptor: int, offset: int, values: Array) -> None:
    flat: Any = np.ascontiguousarray(values).view(np.uint8).reshape(-1)
    rest = memoryview(flat)
    while rest:
        done = os.pwrite(descriptor, rest, offset)
        offset += done
        rest = rest[done:]


@contextmanager
def _temporary(n_bytes: int) -> Iterator[tuple[int, str]]:
    folder = tempfile.gettempdir()
    descriptor, path = tempfile.mkstemp(prefix="skpar-select-", dir=folder)
    try:
        if hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(descriptor, 0, n_bytes)
            except OSError as error:
                raise OSError(
                    f"a temporary file of {format_bytes(n_bytes)} cannot be made in '{folder}' "
                    f"({error}). The decoded matrix must fit there. Set TMPDIR to a folder with "
                    "that much space, or repack the file in square chunks."
                ) from error
        opened = f"/proc/{os.getpid()}/fd/{descriptor}"
        if os.path.exists(opened):
            # Without a name the system takes it back even if this process is killed.
            Path(path).unlink()
            yield descriptor, opened
        else:
            yield descriptor, path
    finally:
        os.close(descriptor)
        Path(path).unlink(missing_ok=True)
