"""Direct: blocks of any width, each column read once from where it lies."""

from skpar_select.matrices import Cuts, Layout
from skpar_select.planning._needs import Limits, Needs
from skpar_select.planning.strategies._base import BLOCKS_PER_WORKER, BlockMemory, Strategy

# An extent of a row costs a seek or a page on either side; this long, both are small.
EXTENT_BYTES = 64 * 2**10

# So that reading and scoring overlap, and the last worker does not end long after the first.
FEWEST_BLOCKS = 4

_DESCRIPTIONS = {
    "memory": "views of a matrix in memory",
    "row-major": "extents of every row, read to their place",
    "column-major": "adjacent columns, read as they lie",
}


class Direct(Strategy):
    """Reads memory, rows or columns in place."""

    name = "direct"
    reads_once = True

    @classmethod
    def price(cls, layout: Layout, needs: Needs, limits: Limits, budget: int) -> "Direct | None":
        """Plan blocks of any width."""
        if layout.order == "chunked":
            return None
        memory = BlockMemory.of(layout, needs, limits)
        n_all, n_workers = limits.n_features, limits.n_workers
        width = -(-n_all // (n_workers * BLOCKS_PER_WORKER))
        balanced = -(-n_all // (n_workers * FEWEST_BLOCKS))
        if layout.views:
            fewest = needs.fewest_columns
            width = max(width, min(fewest, balanced if n_workers > 1 else n_all))
        elif layout.order == "row-major":
            width = max(width, min(EXTENT_BYTES // layout.dtype.itemsize, balanced))
        n_features = layout.shape[1]
        width = min(width, memory.widest(budget), -(-n_all // n_workers), n_features)
        cuts = Cuts.even(n_features, width)
        return cls(
            cuts=cuts,
            description=_DESCRIPTIONS[layout.order],
            peak_bytes=memory.peak(max(1, width), len(cuts), limits),
            bytes_read=layout.stored_bytes,
            decoded_bytes=layout.n_bytes if layout.compressed else 0,
        )
