"""What shards read more than once."""

import numpy as np
import pytest

from skpar_select.matrices import Layout
from skpar_select.planning import shared_bytes


def layout(chunks, shape=(100, 60), **fields):
    order = "row-major" if chunks is None else "chunked"
    stored = 8 * shape[0] * shape[1]
    return Layout(
        shape=shape, dtype=np.dtype("f8"), order=order, chunks=chunks, stored_bytes=stored, **fields
    )


@pytest.mark.parametrize("n_shards", [1, 2, 7, 60, 100])
def test_shared_bytes__of_rows_of_chunks_are_the_whole_for_each_shard_but_one(n_shards):
    assert shared_bytes(layout((10, 60)), n_shards) == (min(n_shards, 60) - 1) * 48000
    assert shared_bytes(layout((10, 60), shape=(100, 7000)), 7) > 0


@pytest.mark.parametrize(
    ("chunks", "n_shards"), [(None, 16), ((100, 1), 16), ((10, 15), 4), ((10, 15), 2), ((5, 5), 3)]
)
def test_shared_bytes__are_none_where_each_shard_is_whole_chunks(chunks, n_shards):
    assert shared_bytes(layout(chunks), n_shards) == 0


def test_shared_bytes__count_a_column_of_chunks_for_each_border_inside():
    assert shared_bytes(layout((10, 40)), 4) == 3 * 24000
    assert shared_bytes(layout((10, 40), chunk_column_bytes=5), 4) == 15
