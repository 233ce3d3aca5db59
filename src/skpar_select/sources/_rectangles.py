"""Rows and columns in any order, read as rectangles: the general way, for containers that only open.

What is asked for is cut into few rectangles, so that a file is read once and forwards, and a buffer
never exceeds `PIECE_BYTES` or one row of chunks.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from skpar_select._storage import Storage
from skpar_select._typing import Array, IndexArray
from skpar_select.sources._buffers import empty
from skpar_select.sources._opening import HANDLE_BYTES
from skpar_select.sources._runs import NEAR_BYTES, PIECE_BYTES, Run, cut, place, stretches, touched

# A read of its own costs about as much as skipping so many rows.
NEAR_ROWS = 16


class Reader(Protocol):
    """Fills `out` with a rectangle of an open file."""

    def __call__(self, rows: slice, columns: slice, out: Array) -> None: ...


def read_rectangles(container: Any, rows: range | IndexArray, columns: range | IndexArray) -> Array:
    """Read the values where rows and columns cross, in the order asked for.

    Parameters
    ----------
    container : Container
        What is opened.
    rows, columns : range or ndarray of int
        Of the container, in any order and repeated.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), in C order
    """
    out = empty((len(rows), len(columns)), container.dtype)
    if not out.size:
        return out
    wanted = np.asarray(rows, dtype=np.intp)
    order = np.argsort(wanted, kind="stable")
    ordered = wanted[order]
    with container.open() as reader:
        for run in _column_runs(container, columns, in_order=_in_order(rows)):
            for piece in _row_runs(container, order, ordered, run.width):
                _fill(reader, piece, run, out)
    return out


def storage_of_rectangles(container: Any, rows: range | IndexArray) -> Storage:
    """Tell how the given rows lie, as far as a container's ``chunks`` tell it.

    Chunks are taken for compressed: whoever has chunks has them for that, mostly.
    """
    n_features, itemsize = container.shape[1], container.dtype.itemsize
    chunk_rows, chunk_columns = container.chunks or (0, 1)
    chunk = chunk_rows * chunk_columns * itemsize
    whole = container.shape[0] * n_features * itemsize
    piece = min(max(PIECE_BYTES, chunk), whole)
    bands = touched(rows, max(1, chunk_rows))
    n_hit = bands.stop - bands.start if isinstance(bands, slice) else len(bands)
    n_bands = -(-container.shape[0] // max(1, chunk_rows))
    stored = getattr(container, "stored_bytes", whole)
    return Storage(
        kind="chunks" if container.chunks else "rows",
        stored_bytes=stored * n_hit // max(1, n_bands),
        chunks=container.chunks,
        compressed=bool(container.chunks),
        n_rows=container.shape[0],
        # A chunk as stored and as decoded; to pick rows, a piece.
        read_bytes=HANDLE_BYTES + 2 * chunk + (0 if _in_order(rows) else piece),
    )


def _in_order(rows: range | IndexArray) -> bool:
    return isinstance(rows, range) and rows.step == 1


def _column_runs(container: Any, places: range | IndexArray, *, in_order: bool) -> Iterator[Run]:
    if isinstance(places, range) and in_order:
        yield Run(slice(places.start, places.stop), slice(0, len(places)), None)
        return
    chunk_rows, chunk_columns = container.chunks or (1, 1)
    itemsize = container.dtype.itemsize
    # So wide that one row of chunks still fits a piece.
    widest = max(1, PIECE_BYTES // (chunk_rows * itemsize) // chunk_columns) * chunk_columns
    if isinstance(places, range) and places.step == 1:
        yield from stretches(places, widest)
        return
    near = chunk_columns if container.chunks else NEAR_BYTES // itemsize
    wanted = np.asarray(places, dtype=np.intp)
    order = np.argsort(wanted, kind="stable")
    ordered = wanted[order]
    # Counted in whole chunks, so that no chunk is read that holds no wanted column.
    steps = np.diff(ordered // chunk_columns) * chunk_columns
    yield from cut(order, ordered, (steps > near) | (np.diff(ordered // widest) > 0))


def _row_runs(container: Any, order: IndexArray, ordered: IndexArray, width: int) -> Iterator[Run]:
    chunk_rows = container.chunks[0] if container.chunks else 1
    tall = max(1, PIECE_BYTES // (width * container.dtype.itemsize) // chunk_rows) * chunk_rows
    far = np.diff(ordered) > max(chunk_rows, NEAR_ROWS)
    yield from cut(order, ordered, far | (np.diff(ordered // tall) > 0))


def _fill(reader: Reader, rows: Run, columns: Run, out: Array) -> None:
    if rows.picked is None and columns.picked is None:
        whole = out[rows.into, columns.into]
        if whole.flags.c_contiguous:
            reader(rows.stretch, columns.stretch, whole)
            return
    block = empty((rows.width, columns.width), out.dtype)
    reader(rows.stretch, columns.stretch, block)
    place(block, rows, columns, out, at=(0, 0))
