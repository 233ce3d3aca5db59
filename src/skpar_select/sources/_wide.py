"""Several matrices of the same samples side by side, as data split by chromosome comes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import accumulate
from typing import Any

import numpy as np

from skpar_select._storage import Storage
from skpar_select._typing import Array, IndexArray
from skpar_select.sources._lazy import LazyMatrix
from skpar_select.sources._runs import PIECE_BYTES, Run, cut, place, stretches
from skpar_select.sources._shape import checked_shape


class WideContainer:
    """Matrices of the same rows, one beside the other.

    Parameters
    ----------
    parts : sequence of LazyMatrix
        At least one; as views, all have their rows in the same order.
    where, layout : str
        The whole and how it lies, in words.
    """

    chunks: tuple[int, int] | None = None

    def __init__(self, parts: Sequence[LazyMatrix], where: str, layout: str) -> None:
        self.where = where
        self.layout = layout
        # The smallest type that holds the values of all.
        self.dtype: np.dtype[Any] = np.result_type(*(part.dtype for part in parts))
        shape = (parts[0].shape[0], sum(part.shape[1] for part in parts))
        self.shape = checked_shape(shape, self.dtype, where)
        self.parts = tuple(parts)
        self.direct = SideBySide(self.parts, self.dtype)

    def check_unchanged(self) -> None:
        """Refuse files that are no longer those that were opened first."""
        for part in self.parts:
            part.check_unchanged()

    def alone(self, rows: range | IndexArray, columns: range) -> LazyMatrix | None:
        """Give the part that holds all of the columns, if one does: these, and the rows."""
        return self.direct.alone(rows, columns)


@dataclass(frozen=True)
class SideBySide:
    """Reads columns from the parts that hold them."""

    parts: tuple[LazyMatrix, ...]
    dtype: np.dtype[Any]

    @property
    def _starts(self) -> list[int]:
        return [0, *accumulate(part.shape[1] for part in self.parts)]

    def storage(self, rows: range | IndexArray) -> Storage:
        """Tell how the given rows lie."""
        facts = [_rows_of(part, rows).storage for part in self.parts]
        whole = reduce(_beside, facts)
        chunks = [fact.band_rows * fact.chunks[1] for fact in facts if fact.chunks]
        # A block that has columns of two parts, or of another type, is put together from pieces.
        read_bytes = whole.read_bytes + max(
            PIECE_BYTES, max(chunks, default=0) * self.dtype.itemsize
        )
        decode_bytes = whole.decode_bytes
        if any(part.dtype != self.dtype for part in self.parts):
            # Then it is decoded as it is read.
            read_bytes, decode_bytes = read_bytes + decode_bytes, 0
        starts = [
            start + inner
            for start, fact in zip(self._starts, facts, strict=False)
            for inner in fact.starts
        ]
        return replace(
            whole,
            n_rows=len(self.parts[0]),
            starts=tuple(starts),
            read_bytes=read_bytes,
            decode_bytes=decode_bytes,
        )

    def read(self, rows: range | IndexArray, columns: range | IndexArray) -> Array:
        """Read the values where rows and columns cross, in the order asked for."""
        view = self.alone(rows, columns)
        if view is not None and view.dtype == self.dtype:
            return view.read(slice(None))
        out = np.empty((len(rows), len(columns)), dtype=self.dtype)
        for part, run in self._hit(columns):
            _copy(_rows_of(part, rows), run, out)
        return out

    def fetch(self, rows: range | IndexArray, columns: range | IndexArray) -> Callable[[], Array]:
        """Read columns of one part as they are stored; others at once."""
        view = self.alone(rows, columns)
        if view is not None and view.dtype == self.dtype:
            return view.fetch()
        values = self.read(rows, columns)
        return lambda: values

    def alone(self, rows: range | IndexArray, columns: range | IndexArray) -> LazyMatrix | None:
        """Give these rows and columns as a view of the one part that holds them, if one does."""
        hit = list(self._hit(columns))
        if len(hit) != 1 or hit[0][1].picked is not None:
            return None
        part, run = hit[0]
        return _rows_of(part, rows).part(run.stretch)

    def _hit(self, columns: range | IndexArray) -> Iterator[tuple[LazyMatrix, Run]]:
        """Parts that hold wanted columns, with these columns as the part counts them."""
        starts = self._starts
        if isinstance(columns, range) and columns.step == 1:
            for part, first, last in zip(self.parts, starts, starts[1:], strict=False):
                start, stop = max(first, columns.start), min(last, columns.stop)
                if start < stop:
                    into = slice(start - columns.start, stop - columns.start)
                    yield part, Run(slice(start - first, stop - first), into, None)
            return
        wanted = np.asarray(columns, dtype=np.intp)
        order = np.argsort(wanted, kind="stable")
        ordered = wanted[order]
        holder = np.searchsorted(starts, ordered, side="right") - 1
        if wanted.size:
            for run in cut(order, ordered, np.diff(holder) > 0):
                place = int(np.searchsorted(starts, run.stretch.start, side="right")) - 1
                first = starts[place]
                stretch = slice(run.stretch.start - first, run.stretch.stop - first)
                yield self.parts[place], Run(stretch, run.into, run.picked)


def _wanted(run: Run) -> slice | IndexArray:
    return run.stretch if run.picked is None else run.stretch.start + run.picked


def _rows_of(part: LazyMatrix, rows: range | IndexArray) -> LazyMatrix:
    if isinstance(rows, range):
        if rows == range(len(part)):
            return part
        # A negative stop would count from the end.
        stop = rows.stop if rows.stop >= 0 else None
        view: LazyMatrix = part[rows.start : stop : rows.step] if rows else part[:0]
        return view
    view = part[rows]
    return view


def _copy(part: LazyMatrix, run: Run, out: Array) -> None:
    """Copy columns of a part to their place, by pieces of whole chunks."""
    storage = part.storage
    tall, wide = storage.chunks or (1, 1)
    fitting = PIECE_BYTES // part.dtype.itemsize
    # As wide as fits: a row of chunks is decoded once. What lies by columns is read by columns.
    high = storage.n_rows if storage.kind == "columns" else tall
    wide *= max(1, fitting // (high * wide))
    tall *= max(1, fitting // (min(wide, run.width) * tall))
    for start in range(0, storage.n_rows, tall):
        view, rows = part.within(slice(start, start + tall), slice(None))
        if not rows.width:
            continue
        for columns, into in _pieces(run, wide):
            values = view.read(columns)
            place(values, rows, Run(slice(0, values.shape[1]), into, None), out, at=(0, 0))


def _pieces(run: Run, wide: int) -> Iterator[tuple[slice | IndexArray, slice | IndexArray]]:
    """Cut columns at multiples of a width: those of the part, and where they go."""
    if isinstance(run.into, slice):
        first = run.into.start - run.stretch.start
        for piece in stretches(range(run.stretch.start, run.stretch.stop), wide):
            yield piece.stretch, slice(first + piece.stretch.start, first + piece.stretch.stop)
        return
    assert run.picked is not None
    places = run.stretch.start + run.picked
    for piece in cut(np.arange(len(places)), places, np.diff(places // wide) != 0):
        yield _wanted(piece), run.into[piece.into]


def _beside(left: Storage, right: Storage) -> Storage:
    same = left.kind == right.kind
    chunks = None
    if not same or left.kind == "chunks":
        tall, wide = zip(left.chunks or (1, 1), right.chunks or (1, 1), strict=True)
        chunks = max(tall), max(wide)
    return replace(
        left,
        kind=left.kind if same else "chunks",
        stored_bytes=left.stored_bytes + right.stored_bytes,
        chunks=chunks,
        compressed=left.compressed or right.compressed,
        band_rows=max(left.band_rows, right.band_rows),
        raw_panel=max(left.raw_panel, right.raw_panel),
        raw_band=left.raw_band + right.raw_band,
        raw_chunk=max(left.raw_chunk, right.raw_chunk),
        read_bytes=max(left.read_bytes, right.read_bytes),
        decode_bytes=max(left.decode_bytes, right.decode_bytes),
        index_bytes=left.index_bytes + right.index_bytes,
    )
