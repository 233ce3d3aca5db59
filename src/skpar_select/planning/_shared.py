"""What shards of a matrix read more than once: arithmetic on its layout."""

from skpar_select.matrices import Cuts, Layout


def shared_bytes(layout: Layout, n_shards: int) -> int:
    """Return the bytes that shards of neighbouring columns read in all beyond one reading of the whole.

    A column of chunks with a border of shards inside is read by each of them. 0 means that each shard reads its own
    columns alone, ``(n_shards - 1) * layout.stored_bytes`` that each reads everything.

    Examples
    --------
    >>> import numpy as np
    >>> rows_of_chunks = Layout(
    ...     shape=(100, 60), dtype=np.dtype("f8"), order="chunked", chunks=(10, 60), stored_bytes=48000
    ... )
    >>> shared_bytes(rows_of_chunks, 4)
    144000
    """
    if layout.chunks is None:
        return 0
    n_features = layout.shape[1]
    chunk_columns = layout.chunk_columns
    shards = Cuts.even(n_features, -(-n_features // n_shards))
    n_inside = len(shards) - shards.n_shared(chunk_columns)
    again = layout.chunk_column_bytes or -(-layout.stored_bytes // max(1, len(chunk_columns)))
    return n_inside * again
