"""Blocks of columns and the memory that they take: pure arithmetic, no input or output.

The memory model counts, for every worker,

- the block that it reads (nothing for an array in memory, of which a block is a view),
- what its source holds while it reads (``bytes_per_worker``: raw and decoded chunks),
- for a ``score_func``, the copies that travel to its process and the copies that it makes.

It does not count the interpreters, the matrix that the caller holds, the target (a few times
``8 * n_samples`` bytes) or the results (16 bytes a column).
"""

from skpar_select._memory import format_bytes

# So that the last worker ends at most a sixteenth of its time after the first.
BLOCKS_PER_WORKER = 16

# scikit-learn's mutual information peaks at 8.0 times a float32 block (measured), that is at
# four arrays of float64; no other function of its form was seen above that.
SCORE_FUNC_COPIES = 4

# A block in memory goes to another process as a pickle: one on its way for each of the two
# parts that are dispatched ahead, and the array made of it.
PICKLED_COPIES = 3


def bytes_per_column(
    *,
    n_samples: int,
    itemsize: int,
    in_memory: bool,
    blocks_are_views: bool,
    score_func: bool,
) -> int:
    """Bytes that one column of a block takes in a worker, by the memory model above."""
    if not score_func:
        return 0 if blocks_are_views else n_samples * itemsize
    copies = PICKLED_COPIES if in_memory else 1
    return n_samples * (copies * itemsize + SCORE_FUNC_COPIES * 8)


def plan_blocks(
    *,
    n_features: int,
    bytes_per_column: int,
    bytes_per_worker: int,
    chunk_columns: int,
    n_workers: int,
    memory_budget: int,
) -> list[slice]:
    """Cut the columns into blocks.

    Parameters
    ----------
    n_features : int
        Number of columns.
    bytes_per_column : int
        Memory that a worker takes for each column of its block.
    bytes_per_worker : int
        Memory that a worker takes whatever the width of its block.
    chunk_columns : int
        Columns that are cheapest to read together. Blocks begin at its multiples unless the
        budget forbids so wide a block or a worker would have none.
    n_workers : int
        Blocks that are worked on at the same time; may exceed the number of columns.
    memory_budget : int
        Bytes that all workers together may take.

    Returns
    -------
    list of slice
        Every column exactly once, in order.

    Raises
    ------
    ValueError
        If the budget does not hold one column for each worker.
    """
    if n_features == 0:
        return []
    n_workers = min(n_workers, n_features)
    share = memory_budget // n_workers - bytes_per_worker
    if share < bytes_per_column:
        needed = n_workers * (bytes_per_worker + bytes_per_column)
        raise ValueError(
            f"memory_budget={memory_budget} bytes is too small: one column for each of "
            f"{n_workers} workers needs {needed} bytes, allowed are {memory_budget}. "
            f"Set memory_budget to at least {format_bytes(needed)}, or lower n_jobs."
        )
    widest = share // bytes_per_column if bytes_per_column else n_features
    even = -(-n_features // n_workers)
    if chunk_columns <= min(widest, even):
        fine = min(widest, -(-n_features // (n_workers * BLOCKS_PER_WORKER)))
        width = max(chunk_columns, fine // chunk_columns * chunk_columns)
    else:
        # Every block reads chunks that others read too: as few blocks as keep all busy.
        width = min(widest, even)
    return [slice(start, min(start + width, n_features)) for start in range(0, n_features, width)]
