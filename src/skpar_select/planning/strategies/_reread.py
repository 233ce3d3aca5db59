"""Re-read: blocks of any width, and every chunk as often as blocks have a part of it."""

from skpar_select.matrices import ArrayBlock, Cuts, Layout, Matrix, RawBlock
from skpar_select.planning._needs import Limits, Needs
from skpar_select.planning.strategies._base import BlockMemory, Strategy


class Reread(Strategy):
    """Reads and decodes a chunk for each block that overlaps it."""

    name = "re-read"

    @classmethod
    def price(cls, layout: Layout, needs: Needs, limits: Limits, budget: int) -> "Reread | None":
        """Plan as few and as wide blocks as fit."""
        if layout.chunks is None:
            return None
        memory = BlockMemory.of(layout, needs, limits)
        n_features, chunk_columns = layout.shape[1], layout.chunk_columns
        widest = min(memory.widest(budget), -(-limits.n_features // limits.n_workers))
        width = max(1, min(widest, n_features))
        if chunk_columns.widest < width < n_features:
            # No border inside a column of chunks.
            cuts = chunk_columns.joined(width // chunk_columns.widest)
        elif width < n_features:
            # No fewer borders inside are possible: each has its column read once more.
            cuts = chunk_columns.divided(width)
        else:
            cuts = Cuts.even(n_features, width)
        n_chunks = max(1, len(chunk_columns))
        n_inside = len(cuts) - cuts.n_shared(chunk_columns)
        stored = layout.stored_bytes
        again = layout.chunk_column_bytes or -(-stored // n_chunks)
        n_passes = -(-(n_chunks + n_inside) // n_chunks)
        return cls(
            cuts=cuts,
            description="every chunk again for each block that has a part of it",
            peak_bytes=memory.peak(max(1, cuts.widest), len(cuts), limits),
            bytes_read=stored + n_inside * again,
            decoded_bytes=n_passes * layout.n_bytes if layout.compressed else 0,
            n_passes=n_passes,
        )

    def fetch(self, matrix: Matrix, columns: range) -> RawBlock:
        """Read and decode chunk by chunk: the raw chunks of all rows would take too much."""
        return ArrayBlock(matrix.read(columns))
