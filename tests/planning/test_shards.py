"""Shards: every column in one, no chunk in two where that can be, whatever reads them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import layout_of

from skpar_select.matrices import Cuts
from skpar_select.planning import Shard, columns_of_shard, cost_of_shard


@st.composite
def layouts(draw, orders=("memory", "row-major", "column-major", "chunked", "chunked")):
    n_features, width = draw(st.integers(0, 200)), draw(st.integers(1, 250))
    layout = layout_of(draw(st.sampled_from(orders)), 10, n_features, chunks=(5, width))
    if layout.order == "chunked" and draw(st.booleans()):
        # A view of scattered columns.
        columns = np.flatnonzero(np.random.default_rng(n_features).random(300) < 0.6)[:n_features]
        cuts = Cuts.at_multiples(columns, width)
        layout = layout_of("chunked", 10, len(columns), chunks=(5, width), column_cuts=cuts)
    return layout


def shards(parts, count):
    return [columns_of_shard(parts, Shard(number, count)) for number in range(1, count + 1)]


def length(columns):
    return sum(map(len, columns))


@given(st.lists(layouts(), min_size=1, max_size=4), st.integers(1, 40))
def test_shards__have_every_column_exactly_once_in_order(parts, count):
    found = shards(parts, count)
    for place, layout in enumerate(parts):
        columns = [column for shard in found for column in shard[place]]
        assert columns == list(range(layout.shape[1]))


@given(st.lists(layouts(), min_size=1, max_size=4), st.integers(1, 40))
def test_shards__are_balanced_to_within_a_column_of_chunks(parts, count):
    fair = sum(layout.shape[1] for layout in parts) / count
    chunks = [layout.chunk_columns.widest for layout in parts if layout.order == "chunked"]
    # Wider ones are cut.
    allowed = 1 + max((width for width in chunks if width <= fair), default=0)
    assert all(abs(length(shard) - fair) <= allowed for shard in shards(parts, count))


@given(st.lists(layouts(("chunked",)), min_size=1, max_size=4), st.integers(1, 40))
def test_shards__share_no_chunk_that_is_narrower_than_they_are(parts, count):
    fair = sum(layout.shape[1] for layout in parts) / count
    for place, layout in enumerate(parts):
        borders = {piece.start for piece in layout.chunk_columns} | {layout.shape[1], 0}
        if layout.chunk_columns.widest <= fair:
            assert {shard[place].stop for shard in shards(parts, count)} <= borders


def test_shards__that_are_more_than_the_columns_are_empty():
    found = shards([layout_of("column-major", 10, 3)], 5)
    assert sorted(length(shard) for shard in found) == [0, 0, 1, 1, 1]


def test_shards__of_a_row_of_chunks_are_cut_within_it():
    found = shards([layout_of("chunked", 10, 100, chunks=(1, 100))], 4)
    assert [shard[0] for shard in found] == [
        range(25),
        range(25, 50),
        range(50, 75),
        range(75, 100),
    ]


@pytest.mark.parametrize(("number", "count"), [(0, 3), (4, 3), (-1, 3), (1, 0)])
def test_shard__that_is_none_is_refused(number, count):
    with pytest.raises(ValueError, match=f"shard='{number}/{count}' is none: .* from 1"):
        columns_of_shard([layout_of()], Shard(number, count))


@pytest.mark.parametrize(
    ("order", "chunks", "is_high"),
    [
        ("column-major", None, False),
        ("chunked", (1000, 100), False),
        ("row-major", None, True),  # 4 kB of each row
        ("chunked", (1, 16_000), True),
        ("chunked", (1000, 8_000), True),
    ],
)
def test_cost__is_high_where_shards_read_what_others_score(order, chunks, is_high):
    def lies(n_features, **changes):
        return layout_of(order, 2000, n_features, chunks=chunks or (5, 100), **changes)

    whole = lies(16_000)
    columns = columns_of_shard([whole], Shard(3, 16))[0]
    touched = len(columns)
    if order == "chunked":
        touched = sum(
            len(piece)
            for piece in whole.chunk_columns
            if piece.stop > columns.start and piece.start < columns.stop
        )
    shard = lies(len(columns), stored_bytes=whole.stored_bytes * touched // 16_000)
    cost = cost_of_shard([whole], [shard])
    assert cost.is_high is is_high
    assert cost.share == 1 / 16
    assert cost.read_bytes <= cost.whole_bytes == whole.stored_bytes


def test_cost__of_a_small_file_is_never_high():
    assert not cost_of_shard([layout_of("row-major", n_features=64)], [layout_of()]).is_high


def test_cost__of_an_empty_shard_is_nothing():
    cost = cost_of_shard([layout_of()], [layout_of(n_features=0)])
    assert (cost.read_bytes, cost.share, cost.is_high) == (0, 0, False)
