import tracemalloc
from collections import namedtuple
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import Workers, function_needs, layout_of, limits_of, needs_of, plan_of

from skpar_select._memory import parse_memory
from skpar_select.matrices import Cuts, Layout
from skpar_select.planning import plan_reads
from skpar_select.planning.strategies import STRATEGIES

Demand = namedtuple("Demand", "layouts needs workers scratch_bytes")
IN_FILES = ["row-major", "column-major", "chunked", "chunked", "chunked"]


def plan(demand, memory_budget):
    return plan_reads(
        demand.layouts,
        demand.needs,
        demand.workers,
        memory_budget=memory_budget,
        scratch_bytes=demand.scratch_bytes,
    )


@st.composite
def demands(draw):
    n_samples = draw(st.integers(1, 60))
    itemsize = draw(st.sampled_from([1, 2, 4, 8]))
    layouts = []
    # The parts of a matrix are in memory all, or in files all.
    orders = draw(st.sampled_from([["memory"], *[IN_FILES] * 5]))
    for _ in range(draw(st.integers(1, 4))):
        n_features = draw(st.integers(1, 500))
        layouts.append(
            layout_of(
                draw(st.sampled_from(orders)),
                n_samples,
                n_features,
                itemsize,
                (draw(st.integers(1, n_samples)), draw(st.integers(1, n_features))),
                draw(st.sampled_from([0.1, 0.6, 1.0])),
            )
        )
    native, by_function = draw(st.booleans()), draw(st.booleans())
    kernel = needs_of(n_samples, value_bytes=0 if native else itemsize)
    return Demand(
        layouts,
        function_needs(n_samples) if by_function else kernel,
        Workers(draw(st.integers(1, 40)), draw(st.integers(0, 1)), draw(st.booleans())),
        draw(st.sampled_from([0, 10**12])),
    )


def smallest(demand):
    """The smallest budget that is not refused, as the refusal tells it."""
    with pytest.raises(ValueError, match="too small") as error:
        plan(demand, 1)
    return int(str(error.value).split("workers needs ")[1].split(" bytes")[0])


def stored_bytes(demand):
    return sum(layout.stored_bytes for layout in demand.layouts)


@given(demand=demands(), factor=st.floats(1, 50))
def test_plan__covers_every_column_once_within_the_budget(demand, factor):
    budget = int(smallest(demand) * factor)
    made = plan(demand, budget)
    for layout, strategy in zip(demand.layouts, made.strategies, strict=True):
        covered = [column for block in strategy.blocks() for column in block]
        # A block is a range of one part: none straddles two.
        assert covered == list(range(layout.shape[1]))
        assert strategy.n_blocks == len(list(strategy.blocks()))
        assert strategy.width == max(map(len, strategy.blocks()))
    assert made.n_features == sum(layout.shape[1] for layout in demand.layouts)
    assert made.n_blocks == sum(strategy.n_blocks for strategy in made.strategies)
    assert made.peak_bytes <= budget
    assert made.bytes_read >= stored_bytes(demand)
    assert made.scratch_bytes <= demand.scratch_bytes


@given(demand=demands(), factor=st.floats(1, 50))
def test_plan__opens_every_part_once_and_a_copy_alone(demand, factor):
    made = plan(demand, int(smallest(demand) * factor))
    stages = list(made.stages())
    assert [part for stage in stages for part in stage] == list(range(len(demand.layouts)))
    for stage in stages:
        assert len(stage) == 1 or all(made.strategies[part].in_place for part in stage)


@given(demand=demands(), factor=st.floats(1, 50))
def test_plan__peak_holds_the_blocks_in_flight_the_results_and_the_kernel(demand, factor):
    made = plan(demand, int(smallest(demand) * factor))
    fixed = 24 * made.n_features + demand.needs.shared_bytes
    fixed += made.n_workers * demand.needs.worker_bytes
    for layout, strategy in zip(demand.layouts, made.strategies, strict=True):
        in_flight = min(strategy.n_blocks, made.n_workers + demand.workers.n_ahead)
        block = layout.shape[0] * strategy.width * layout.dtype.itemsize
        if strategy.name == "in memory":
            assert made.peak_bytes >= fixed + layout.n_bytes
        elif layout.order != "memory":
            assert made.peak_bytes >= fixed + in_flight * block


@given(demand=demands(), factor=st.floats(1, 50))
def test_plan__peak_covers_any_mix_of_blocks_of_several_parts(demand, factor):
    """Of parts that follow each other without a pause blocks of any two may be in flight."""
    made = plan(demand, int(smallest(demand) * factor))
    n_workers = made.n_workers
    n_ahead = 0 if demand.layouts[0].order == "memory" else demand.workers.n_ahead
    fixed = 24 * made.n_features + demand.needs.shared_bytes
    fixed += n_workers * demand.needs.worker_bytes
    fixed += sum(layout.index_bytes for layout in demand.layouts)
    for stage in made.stages():
        if not all(made.strategies[part].in_place for part in stage):
            continue
        waiting, working = [], []
        for part in stage:
            layout, strategy = demand.layouts[part], made.strategies[part]
            values = layout.shape[0] * (layout.dtype.itemsize + demand.needs.value_bytes)
            for columns in strategy.blocks():
                held = layout.read_bytes + len(columns) * values
                if strategy.name == "whole chunks":
                    n_chunks = -(-len(columns) // layout.chunks[1])
                    waiting.append(held + n_chunks * layout.chunk_column_bytes)
                    working.append(waiting[-1] + layout.decode_bytes)
                else:
                    # Decoded as it is read.
                    waiting.append(held + layout.decode_bytes)
                    working.append(waiting[-1])
        # The costliest mix: some are scored, and one is read ahead.
        order = sorted(range(len(working)), key=lambda block: -working[block])
        scored = order[:n_workers]
        ahead = sorted((waiting[block] for block in order[n_workers:]), reverse=True)[:n_ahead]
        mixed = fixed + sum(working[block] for block in scored) + sum(ahead)
        assert max(strategy.peak_bytes for strategy in made.strategies) >= mixed


@given(demand=demands(), first=st.floats(1, 20), more=st.floats(1, 20))
def test_plan__moves_no_more_bytes_with_a_larger_budget(demand, first, more):
    budget = int(smallest(demand) * first)
    small, large = plan(demand, budget), plan(demand, int(budget * more))
    for layout, before, after in zip(
        demand.layouts, small.strategies, large.strategies, strict=True
    ):
        moved = [one.bytes_read + one.scratch_bytes for one in (before, after)]
        if not layout.compressed:
            assert moved[1] <= moved[0]
        else:
            # Decoding costs, too: what is read again less often may be written once more.
            assert moved[1] <= moved[0] or after.n_passes < before.n_passes


@given(demand=demands())
def test_plan__accepts_the_budget_that_its_error_names(demand):
    with pytest.raises(ValueError, match="at least") as error:
        plan(demand, 1)
    text = str(error.value).split("at least ")[1].split(",")[0]
    assert plan(demand, parse_memory(text)).n_blocks


@given(demand=demands())
def test_plan__accepts_the_bytes_that_its_error_names_and_not_one_less(demand):
    least = smallest(demand)
    assert plan(demand, least).peak_bytes <= least
    with pytest.raises(ValueError, match=f"workers needs {least} bytes, allowed are {least - 1}"):
        plan(demand, least - 1)


@given(
    st.integers(1, 3000),
    st.integers(1, 64),
    st.sampled_from(["memory", "row-major", "column-major"]),
)
def test_plan__leaves_no_worker_without_a_block(n_features, n_workers, order):
    made = plan_of(layout_of(order, n_features=n_features), workers=Workers(n_workers))
    # Blocks of equal width: as many as there are, none is wider than an even share rounded up.
    even = -(-n_features // min(n_workers, n_features))
    assert max(map(len, made.strategies[0].blocks())) <= even


@pytest.mark.parametrize("n_features", [1000, 1024, 100_003])
@pytest.mark.parametrize("starts", [(0,), (0, 130, 777)])
def test_plan__begins_blocks_at_chunks(n_features, starts):
    widths = np.diff([*starts, n_features])
    layouts = [layout_of("chunked", n_features=int(width), ratio=0.5) for width in widths]
    made = plan_of(layouts)
    for layout, strategy in zip(layouts, made.strategies, strict=True):
        assert strategy.name == "whole chunks"
        borders = set(range(0, layout.shape[1], 100))
        assert {block.start for block in strategy.blocks()} <= borders
    assert made.bytes_read == sum(layout.stored_bytes for layout in layouts)


@given(
    columns=st.sets(st.integers(0, 400), min_size=1, max_size=200),
    width=st.integers(1, 150),
    n_workers=st.integers(1, 5),
    factor=st.floats(1, 50),
)
def test_plan__of_scattered_columns_cuts_where_columns_of_chunks_end(
    columns, width, n_workers, factor
):
    held = np.array(sorted(columns))
    cuts = Cuts.at_multiples(held, width)
    raw = 2 * 5 * width * 4
    layout = layout_of(
        "chunked", n_features=len(held), chunks=(5, width), ratio=0.5,
        column_cuts=cuts, stored_bytes=raw * len(cuts), chunk_row_bytes=raw // 2 * len(cuts),
    )  # fmt: skip
    demand = Demand([layout], needs_of(), Workers(n_workers), 10**12)
    made = plan(demand, int(smallest(demand) * factor))
    (strategy,) = made.strategies
    blocks = list(strategy.blocks())
    assert [column for block in blocks for column in block] == list(range(len(held)))
    assert max(map(len, blocks)) == strategy.width
    starts = {piece.start for piece in cuts}
    inside = [block for block in blocks if block.start not in starts]
    if strategy.name == "whole chunks":
        assert not inside
    if strategy.name == "re-read":
        assert strategy.bytes_read == layout.stored_bytes + len(inside) * layout.chunk_column_bytes
    if not strategy.in_place:
        assert {columns.start for _, columns in strategy.tiles} <= starts


# The full-size case of the real data: 8,085 x 483,512 float32, in gzip chunks of whole rows.
FULL = {"n_samples": 8085, "n_features": 483_512, "chunks": (10, 483_512)}


@pytest.mark.parametrize(
    ("layout", "changes", "expected"),
    [
        ({"ratio": 0.5}, {}, "spill"),
        ({"ratio": 0.5}, {"scratch_bytes": 10**9}, "re-read"),
        ({"ratio": 0.5}, {"workers": Workers(same_host=False, shares_memory=False)}, "re-read"),
        ({"ratio": 0.5}, {"memory_budget": 2 * 10**10}, "in memory"),
        # The workers would not see it.
        (
            {"ratio": 0.5},
            {"memory_budget": 2 * 10**10, "workers": Workers(shares_memory=False)},
            "spill",
        ),
        # Two passes cost 2 S, a scratch file S + 2 B = 3 S: reading again wins, where not decoded.
        (
            {"ratio": 1.0},
            {"memory_budget": 17 * 10**9, "workers": Workers(1, shares_memory=False)},
            "re-read",
        ),
        ({"ratio": 1.0}, {}, "spill"),
        ({"ratio": 0.5, "chunks": (1000, 1000)}, {}, "whole chunks"),
        ({"ratio": 0.5, "chunks": (8085, 1)}, {}, "whole chunks"),
    ],
)
def test_plan__of_chunks_costs_least(layout, changes, expected):
    made = plan_of(layout_of("chunked", **FULL | layout), **{"memory_budget": 2 * 10**9} | changes)
    assert made.strategies[0].name == expected


def test_plan__of_rows_of_chunks_counts_what_is_read_again_and_written():
    whole = 8085 * 483_512 * 4
    layout = layout_of("chunked", **FULL, ratio=0.5)
    made = plan_of(layout, memory_budget=2 * 10**9, scratch_bytes=0)
    assert made.bytes_read == layout.stored_bytes * made.n_blocks
    assert made.n_passes == made.n_blocks
    made = plan_of(layout, memory_budget=2 * 10**9)
    assert made.scratch_bytes == whole
    assert made.bytes_read == layout.stored_bytes + whole


def test_plan__gives_one_column_each_to_more_workers_than_columns():
    made = plan_of(layout_of(n_features=3), workers=Workers(64))
    assert list(made.strategies[0].blocks()) == [range(1), range(1, 2), range(2, 3)]
    assert made.n_workers == 3


def test_plan__of_no_column_has_no_block():
    made = plan_of(layout_of(n_features=0))
    assert made.n_blocks == 0
    assert list(made.strategies[0].blocks()) == []


def test_plan__names_needed_allowed_and_smallest_budget():
    arrays = 24 * 10 + 100 * 10 + 3 * 194 * 10 + 3 * 40
    needed = arrays + -(-arrays // 6)
    with pytest.raises(
        ValueError,
        match=rf"memory_budget=1000 bytes is too small.*2 workers needs {needed} bytes, "
        r"allowed are 1000\. Set memory_budget to at least 8\.4 kB, or lower n_jobs",
    ):
        plan_of(layout_of(n_features=10), memory_budget=1000)


def test_plan__names_the_budget_that_is_enough_for_all_parts():
    """Of several parts, the one that needs most says how much, wherever it stands."""
    narrow, wide = layout_of(n_features=10), layout_of("chunked", n_features=10, chunks=(10, 10))
    for layouts in ([narrow, wide], [wide, narrow]):
        demand = Demand(layouts, needs_of(), Workers(), 0)
        assert smallest(demand) > smallest(Demand([narrow, narrow], needs_of(), Workers(), 0))
        assert smallest(demand) == smallest(Demand(layouts[::-1], needs_of(), Workers(), 0))


@pytest.mark.parametrize(
    ("layout", "needs", "shares_memory", "column"),
    [
        ({"order": "memory", "views": True}, {}, True, 0),
        ({"order": "memory", "views": True}, {"value_bytes": 4}, True, 40),
        ({"order": "memory"}, {}, True, 40),
        ({}, {}, True, 40),
        ({}, {"value_bytes": 4}, True, 80),
        ({}, {"value_bytes": 32, "worker_bytes": 0}, False, 40 + 320),
        ({"order": "memory"}, {"value_bytes": 32, "worker_bytes": 0}, False, 3 * 40 + 320),
    ],
)
def test_plan__counts_reading_travel_and_scoring(layout, needs, shares_memory, column):
    workers = Workers(n_ahead=0, shares_memory=shares_memory)
    made = plan_of(layout_of(n_features=64, **layout), needs_of(**needs), workers)
    kernel = needs.get("worker_bytes", 2 * 194 * 10)
    arrays = 24 * 64 + 1000 + kernel + 2 * made.width * column
    assert made.peak_bytes == arrays + -(-arrays // 6)


def test_plan__keeps_at_most_8_mib_for_what_is_no_array():
    layout = layout_of(n_samples=10_000, n_features=100_000)
    made = plan_of(layout)
    arrays = 24 * 100_000 + (100 + 3 * 194) * 10_000 + 3 * made.width * 40_000
    assert made.peak_bytes == arrays + 8 * 2**20
    tight = plan_of(layout, memory_budget=made.peak_bytes)
    assert tight.width == made.width
    assert plan_of(layout, memory_budget=10**8).peak_bytes <= 10**8


def every_strategy():
    """Each of the strategies, priced for a layout that it applies to."""
    for strategy in STRATEGIES:
        for order in ("memory", "row-major", "column-major", "chunked"):
            layout = layout_of(order, ratio=0.5)
            priced = strategy.price(layout, needs_of(), limits_of(layout, needs_of()), 10**9)
            if priced is not None:
                yield pytest.param(priced, id=f"{strategy.name} {order}")


@pytest.mark.parametrize("strategy", list(every_strategy()))
def test_describe__tells_every_strategy_in_words(strategy):
    changed = replace(strategy, scratch_bytes=2 * 10**9, n_passes=3)
    made = replace(plan_of(layout_of()), strategies=(changed,))
    words = made.describe()
    assert list(words) == ["read strategy", "blocks", "peak memory", "bytes read", "scratch disk"]
    assert words["read strategy"] == strategy.description
    assert words["scratch disk"] == "2 GB"
    assert "in 3 passes" in words["bytes read"]


def test_strategies__all_have_a_name_and_apply_to_some_layout():
    names = [strategy.name for strategy in STRATEGIES]
    assert sorted(names) == ["direct", "in memory", "re-read", "spill", "whole chunks"]
    assert {type(parameter.values[0]) for parameter in every_strategy()} == set(STRATEGIES)


@pytest.mark.parametrize("chunks", [(1, 3 * 10**9), (2, 1), (2, 1000)])
@pytest.mark.parametrize("order", ["row-major", "column-major", "chunked"])
def test_plan__of_more_columns_than_memory_holds_is_refused_at_once(order, chunks):
    layout = Layout(
        shape=(2, 3 * 10**9),
        dtype=np.dtype("f4"),
        order=order,
        stored_bytes=24,
        n_rows=2,
        chunks=chunks if order == "chunked" else None,
    )
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"too small.*Set memory_budget to at least 72\.1 GB"):
        plan_of(layout, memory_budget=10**8)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 1_000_000


def test_budget__is_for_each_host():
    """Twelve workers on three hosts, five of them on one, hold what five hold on one."""

    class OnHosts(Workers):
        n_on_host = 5

    layout, needs = layout_of("chunked", n_features=6000, chunks=(10, 10)), needs_of()
    five, hosts, twelve = (
        Demand([layout], needs, workers, 0)
        for workers in (Workers(5, 0, False), OnHosts(12, 0, False), Workers(12, 0, False))
    )
    assert smallest(hosts) == smallest(five) < smallest(twelve)
    assert plan(hosts, smallest(hosts)).n_workers == 12
