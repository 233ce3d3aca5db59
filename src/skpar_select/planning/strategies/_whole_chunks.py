"""Whole chunks: blocks of whole columns of chunks, so that every chunk is read and decoded once."""

from skpar_select.matrices import Layout
from skpar_select.matrices.io._buffers import kept_bytes
from skpar_select.planning._needs import Limits, Needs
from skpar_select.planning.strategies._base import BLOCKS_PER_WORKER, BlockMemory, Strategy


class WholeChunks(Strategy):
    """Reads raw chunks ahead; the worker that scores a block decodes it."""

    name = "whole chunks"
    reads_once = True

    @classmethod
    def price(
        cls, layout: Layout, needs: Needs, limits: Limits, budget: int
    ) -> "WholeChunks | None":
        """Plan blocks of as many columns of chunks as are of use."""
        if layout.chunks is None:
            return None
        chunk_columns = layout.chunk_columns
        if limits.n_parts * len(chunk_columns) < limits.n_workers:
            # Some workers would get no block.
            return None
        memory = BlockMemory.of(layout, needs, limits)
        # Only the workers decode. Of several parts one may be decoded as it is read, beside blocks
        # of this one: then every block counts as one that is decoded. And small pieces stay in every
        # thread that ever decoded.
        decoding = layout.decode_bytes - kept_bytes(layout.decode_bytes)
        decoding = decoding if limits.n_parts == 1 else 0
        of_chunks = memory._replace(
            fixed=memory.fixed + limits.workers_held * decoding,
            block=memory.block - decoding,
            column=memory.column * chunk_columns.widest + layout.chunk_column_bytes,
        )
        n_all = -(-limits.n_features * len(chunk_columns) // max(1, chunk_columns.length))
        n_chunks = n_all // (limits.n_workers * BLOCKS_PER_WORKER)
        n_chunks = max(1, min(n_chunks, of_chunks.widest(budget)))
        cuts = chunk_columns.joined(n_chunks)
        return cls(
            cuts=cuts,
            description="whole columns of chunks: every chunk is read and decoded once",
            peak_bytes=of_chunks.peak(n_chunks, len(cuts), limits),
            bytes_read=layout.stored_bytes,
            decoded_bytes=layout.n_bytes if layout.compressed else 0,
        )
