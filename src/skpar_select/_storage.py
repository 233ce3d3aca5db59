"""What the planner must know of a matrix: how it lies where it is stored."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["memory", "rows", "columns", "chunks"]

PIECE_BYTES = 8 * 2**20
"""The most that a read or a copy holds besides its result, unless a chunk is larger."""


@dataclass(frozen=True, kw_only=True)
class Storage:
    """How a matrix lies, in numbers.

    Of a view of some rows the numbers are those of what these rows touch.
    """

    kind: Kind
    """In memory; row after row; column after column; or in chunks."""

    stored_bytes: int = 0
    """Bytes in the file that hold the values."""

    chunks: tuple[int, int] | None = None
    """Rows and columns that are read together at the least. For ``"chunks"``."""

    compressed: bool = False
    """Whether reading costs decoding, much more than moving bytes."""

    n_rows: int = 0
    """Rows of the file itself."""

    band_rows: int = 0
    """The most different rows of a view that lie in one row of chunks; 0 means those of a chunk."""

    raw_panel: int = 0
    """The most bytes, as stored, that the chunks of one column of chunks take; 0 where a read
    goes from chunk to chunk and holds none."""

    raw_band: int = 0
    """The same of one row of chunks."""

    raw_chunk: int = 0
    """The same of one chunk."""

    read_bytes: int = 0
    """What one read holds besides its result and the bytes as stored."""

    decode_bytes: int = 0
    """What decoding one block holds besides its result and the bytes as stored."""

    index_bytes: int = 0
    """What the places of the chunks take, once a process."""

    views: bool = False
    """Whether a block is a view of memory that is there already."""

    starts: tuple[int, ...] = (0,)
    """Columns at which the chunks begin anew, as where a matrix is made of several files."""

    def transposed(self, n_rows: int) -> "Storage":
        """Give the facts of the same bytes read with rows and columns exchanged.

        Parameters
        ----------
        n_rows : int
            Rows of the transposed matrix.
        """
        kinds: dict[Kind, Kind] = {"rows": "columns", "columns": "rows"}
        return replace(
            self,
            kind=kinds.get(self.kind, self.kind),
            chunks=self.chunks and (self.chunks[1], self.chunks[0]),
            n_rows=n_rows,
            band_rows=0,
            raw_panel=self.raw_band,
            raw_band=self.raw_panel,
        )
