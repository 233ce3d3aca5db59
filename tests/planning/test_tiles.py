import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from layouts import Workers, layout_of, limits_of, needs_of, plan_of

from skpar_select.planning import plan_tiles
from skpar_select.planning.strategies import InMemory, Spill


@st.composite
def layouts(draw):
    n_samples, n_features = draw(st.integers(1, 60)), draw(st.integers(1, 500))
    return layout_of(
        draw(st.sampled_from(["row-major", "column-major", "chunked", "chunked"])),
        n_samples,
        n_features,
        draw(st.sampled_from([1, 2, 4, 8])),
        (draw(st.integers(1, n_samples)), draw(st.integers(1, n_features))),
        draw(st.sampled_from([0.1, 0.6, 1.0])),
    )


def seen(layout, tiles):
    """How often each value is copied."""
    counts = np.zeros(layout.shape, dtype=int)
    for tile in tiles:
        counts[tile] += 1
    return counts


@given(layout=layouts(), n_workers=st.integers(1, 40), factor=st.floats(1, 50))
def test_copy__has_every_value_once_within_the_budget(layout, n_workers, factor):
    needs = needs_of(layout.shape[0])
    limits = limits_of(layout, needs, n_workers)
    for strategy in (InMemory, Spill):
        least = strategy.price(layout, needs, limits, 0)
        if layout.order != "chunked":
            assert least is None
            continue
        made = strategy.price(layout, needs, limits, int(least.peak_bytes * factor))
        assert made.peak_bytes <= int(least.peak_bytes * factor)
        assert made.tiles.peak_bytes <= made.peak_bytes
        assert (seen(layout, made.tiles) == 1).all()
        assert len(made.tiles) == len(list(made.tiles))
        assert all(rows.start % layout.chunks[0] == 0 for rows, _ in made.tiles)
        assert all(columns.start % layout.chunks[1] == 0 for _, columns in made.tiles)


@given(layout=layouts(), in_flight=st.integers(1, 9), factor=st.floats(1, 50))
def test_tiles__hold_every_value_once_and_no_more_than_the_budget(layout, in_flight, factor):
    def planned(budget):
        return plan_tiles(layout, n_copies=1, in_flight=in_flight, held_bytes=99, budget=budget)

    least = planned(0)
    budget = int(least.peak_bytes * factor)
    tiles = planned(budget)
    assert (seen(layout, tiles) == 1).all()
    assert tiles.peak_bytes <= budget
    assert 1 <= tiles.in_flight <= in_flight
    tall = min(tiles.height, layout.shape[0])
    wide = max(columns.stop - columns.start for _, columns in tiles)
    assert tiles.peak_bytes >= 99 + tiles.in_flight * tall * wide * layout.dtype.itemsize


@given(layout=layouts(), in_flight=st.integers(1, 9), factor=st.floats(0.1, 50))
def test_tiles__of_the_grid_of_another_plan_are_its_tiles(layout, in_flight, factor):
    def planned(budget, in_flight, grid=None):
        return plan_tiles(
            layout, n_copies=1, in_flight=in_flight, held_bytes=99, budget=budget, grid=grid
        )

    first = planned(int(5 * planned(0, 1).peak_bytes * factor), 2)
    budget = int(first.peak_bytes * factor)
    again = planned(budget, in_flight, first.grid)
    assert list(again) == list(first)
    assert again.in_flight == 1 or again.peak_bytes <= budget
    assert planned(first.peak_bytes, first.in_flight, first.grid) == first


def test_tiles__are_cut_across_where_a_row_of_chunks_does_not_fit():
    layout = layout_of("chunked", 100, 40_000, chunks=(100, 20_000), ratio=0.5)
    made = plan_of(layout, workers=Workers(3), memory_budget=30_000_000).strategies[0]
    assert made.name == "spill"
    assert [columns for _, columns in made.tiles] == [slice(0, 20_000), slice(20_000, 40_000)]
    assert made.tiles.in_flight == 1
