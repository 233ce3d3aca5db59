import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skpar_select._blocks import (
    KERNEL_BYTES,
    RESULT_BYTES,
    TARGET_BYTES,
    Demand,
    _n_common,
    _ways,
    plan_blocks,
)
from skpar_select._memory import available_memory, format_bytes, parse_memory
from skpar_select._storage import Storage

N_SAMPLES = 10


def stored(kind, n_samples, n_features, itemsize, chunks, ratio=1.0, **changes):
    """How a matrix lies whose chunks are all of the same size as stored."""
    whole = n_samples * n_features * itemsize
    if kind != "chunks":
        return Storage(kind=kind, stored_bytes=whole, n_rows=n_samples, **changes)
    bands, panels = -(-n_samples // chunks[0]), -(-n_features // chunks[1])
    raw = max(1, int(chunks[0] * chunks[1] * itemsize * ratio))
    facts = {
        "stored_bytes": raw * bands * panels,
        "compressed": ratio < 1,
        "raw_panel": raw * bands,
        "raw_band": raw * panels,
        "raw_chunk": raw,
        "read_bytes": raw,
        "decode_bytes": chunks[0] * chunks[1] * itemsize,
        "index_bytes": 20 * bands * panels,
    }
    return Storage(kind="chunks", chunks=chunks, n_rows=n_samples, **facts | changes)


def demand(
    n_features=1000, n_samples=N_SAMPLES, kind="rows", chunks=(5, 100), ratio=1.0, **changes
):
    itemsize = changes.pop("itemsize", 4)
    n_workers = changes.pop("n_workers", 2)
    options = {
        "storage": stored(kind, n_samples, n_features, itemsize, chunks, ratio),
        "n_samples": n_samples,
        "n_features": n_features,
        "itemsize": itemsize,
        "native": True,
        "score_func": False,
        "n_workers": n_workers,
        "in_flight": n_workers + 1,
        "separate": False,
        "scratch_available": 10**12,
    }
    return Demand(**options | changes)


def plan(memory_budget=10**9, **changes):
    return plan_blocks(demand(**changes), memory_budget=memory_budget)


@st.composite
def demands(draw):
    n_samples, n_features = draw(st.integers(1, 60)), draw(st.integers(1, 500))
    n_workers = draw(st.integers(1, 40))
    return demand(
        n_samples=n_samples,
        n_features=n_features,
        itemsize=draw(st.sampled_from([1, 2, 4, 8])),
        kind=draw(st.sampled_from(["memory", "rows", "columns", "chunks", "chunks", "chunks"])),
        chunks=(draw(st.integers(1, n_samples)), draw(st.integers(1, n_features))),
        ratio=draw(st.sampled_from([0.1, 0.6, 1.0])),
        native=draw(st.booleans()),
        score_func=draw(st.booleans()),
        n_workers=n_workers,
        in_flight=n_workers + draw(st.integers(0, 1)),
        separate=draw(st.booleans()),
        scratch_available=draw(st.sampled_from([0, 10**12])),
    )


def smallest(wanted):
    """The smallest budget that is not refused, as the refusal tells it."""
    with pytest.raises(ValueError, match="too small") as error:
        plan_blocks(wanted, memory_budget=1)
    return int(str(error.value).split("workers needs ")[1].split(" bytes")[0])


@given(wanted=demands(), factor=st.floats(1, 50))
def test_plan__covers_every_column_once_within_the_budget(wanted, factor):
    budget = int(smallest(wanted) * factor)
    made = plan_blocks(wanted, memory_budget=budget)
    covered = [column for block in made.blocks for column in range(block.start, block.stop)]
    assert covered == list(range(wanted.n_features))
    assert made.peak_bytes <= budget
    assert made.bytes_read >= wanted.storage.stored_bytes
    assert made.scratch_bytes <= wanted.scratch_available


@given(wanted=demands(), factor=st.floats(1, 50))
def test_plan__peak_holds_the_blocks_in_flight_the_results_and_the_kernel(wanted, factor):
    made = plan_blocks(wanted, memory_budget=int(smallest(wanted) * factor))
    fixed = RESULT_BYTES * wanted.n_features + TARGET_BYTES * wanted.n_samples
    if not wanted.score_func:
        fixed += made.n_workers * KERNEL_BYTES * wanted.n_samples
    in_flight = min(len(made.blocks), wanted.in_flight, made.n_workers + 1)
    block = wanted.n_samples * made.width * wanted.itemsize
    if made.route == "load":
        assert made.peak_bytes >= fixed + wanted.n_samples * wanted.n_features * wanted.itemsize
    elif made.route != "memory":
        assert made.peak_bytes >= fixed + in_flight * block


@given(wanted=demands())
def test_plan__copies_every_value_once(wanted):
    made = plan_blocks(wanted, memory_budget=2 * smallest(wanted))
    if made.route not in ("load", "scratch"):
        assert not list(made.pieces)
        return
    seen = np.zeros((wanted.n_samples, wanted.n_features), dtype=int)
    for piece in made.pieces:
        seen[piece] += 1
    assert (seen == 1).all()
    assert all(rows.start % wanted.storage.chunks[0] == 0 for rows, _ in made.pieces)
    assert all(columns.start % wanted.storage.chunks[1] == 0 for _, columns in made.pieces)


@given(wanted=demands(), first=st.floats(1, 20), more=st.floats(1, 20))
def test_plan__moves_no_more_bytes_with_a_larger_budget(wanted, first, more):
    budget = int(smallest(wanted) * first)
    small = plan_blocks(wanted, memory_budget=budget)
    large = plan_blocks(wanted, memory_budget=int(budget * more))
    moved = [p.bytes_read + p.scratch_bytes for p in (small, large)]
    passes = [p.n_passes for p in (small, large)]
    if not wanted.storage.compressed:
        assert moved[1] <= moved[0]
    else:
        # Decoding costs, too: what is read again less often may be written once more.
        assert moved[1] <= moved[0] or passes[1] < passes[0]


@given(wanted=demands())
def test_plan__accepts_the_budget_that_its_error_names(wanted):
    with pytest.raises(ValueError, match="at least") as error:
        plan_blocks(wanted, memory_budget=1)
    text = str(error.value).split("at least ")[1].split(",")[0]
    assert plan_blocks(wanted, memory_budget=parse_memory(text)).blocks


@given(st.integers(1, 3000), st.integers(1, 64), st.sampled_from(["memory", "rows", "columns"]))
def test_plan__leaves_no_worker_without_a_block(n_features, n_workers, kind):
    blocks = plan(n_features=n_features, n_workers=n_workers, kind=kind).blocks
    # Blocks of equal width: as many as there are, none is wider than an even share rounded up.
    even = -(-n_features // min(n_workers, n_features))
    assert max(block.stop - block.start for block in blocks) <= even


@pytest.mark.parametrize("n_features", [1000, 1024, 100_003])
@pytest.mark.parametrize("starts", [(0,), (0, 130, 777)])
def test_plan__begins_blocks_at_chunks(n_features, starts):
    wanted = demand(n_features=n_features, kind="chunks", ratio=0.5)
    wanted = replace(wanted, storage=replace(wanted.storage, starts=starts))
    made = plan_blocks(wanted, memory_budget=10**9)
    assert made.route == "chunks"
    borders = {
        column
        for start, stop in zip(starts, [*starts[1:], n_features], strict=True)
        for column in range(start, stop, 100)
    }
    assert {block.start for block in made.blocks} <= borders
    assert made.bytes_read == wanted.storage.stored_bytes


def test_plan__reads_runs_of_64_kib_where_the_budget_allows():
    made = plan(n_features=483_512, n_samples=800, memory_budget=300_000_000)
    assert made.width * 4 >= 64 * 2**10
    narrow = plan(n_features=483_512, n_samples=800, memory_budget=60_000_000)
    assert narrow.width * 4 < 64 * 2**10


def test_plan__of_columns_that_lie_together_gives_every_worker_many_blocks():
    assert len(plan(n_features=10_000, kind="columns", n_workers=4).blocks) >= 4 * 16


# The full-size case of the real data: 8,085 x 483,512 float32, in gzip chunks of whole rows.
FULL = {"n_samples": 8085, "n_features": 483_512, "kind": "chunks", "chunks": (10, 483_512)}


@pytest.mark.parametrize(
    ("changes", "route"),
    [
        ({"ratio": 0.5}, "scratch"),
        ({"ratio": 0.5, "scratch_available": 10**9}, "again"),
        ({"ratio": 0.5, "memory_budget": 2 * 10**10}, "load"),
        # Two passes cost 2 S, a scratch file S + 2 B = 3 S: reading again wins, where not decoded.
        ({"ratio": 1.0, "n_workers": 1, "memory_budget": 17 * 10**9, "separate": True}, "again"),
        ({"ratio": 1.0}, "scratch"),
        ({"ratio": 0.5, "chunks": (1000, 1000)}, "chunks"),
        ({"ratio": 0.5, "chunks": (8085, 1)}, "chunks"),
    ],
)
def test_plan__of_chunks_costs_least(changes, route):
    made = plan(**{"memory_budget": 2 * 10**9} | FULL | changes)
    assert made.route == route


def test_plan__of_rows_of_chunks_counts_what_is_read_again_and_written():
    whole = 8085 * 483_512 * 4
    wanted = demand(**FULL, ratio=0.5, scratch_available=0)
    made = plan_blocks(wanted, memory_budget=2 * 10**9)
    assert made.bytes_read == wanted.storage.stored_bytes * len(made.blocks)
    assert made.n_passes == len(made.blocks)
    made = plan(**FULL, ratio=0.5, memory_budget=2 * 10**9)
    assert made.scratch_bytes == whole
    assert made.bytes_read == wanted.storage.stored_bytes + whole


def test_plan__cuts_pieces_across_where_a_row_of_chunks_does_not_fit():
    made = plan(
        n_features=40_000, n_samples=100, kind="chunks", chunks=(100, 20_000), n_workers=3,
        ratio=0.5, memory_budget=30_000_000,
    )  # fmt: skip
    assert made.route == "scratch"
    assert [columns for _, columns in made.pieces] == [slice(0, 20_000), slice(20_000, 40_000)]
    assert made.pieces_in_flight == 1


def test_plan__counts_decoding_as_often_as_it_is_done_at_once():
    wanted = demand(kind="chunks", n_features=100_000, n_samples=100, chunks=(10, 1000), ratio=0.5)

    def peaks(decode_bytes, budget):
        storage = replace(wanted.storage, decode_bytes=decode_bytes)
        return {way.route: way for way in _ways(replace(wanted, storage=storage), budget)}

    more, before = peaks(10**6, 0), peaks(0, 0)
    # Whole chunks are decoded by the workers, two; parts of them as they are read, three at a time.
    assert more["chunks"].peak_bytes - before["chunks"].peak_bytes == 2 * 10**6
    assert more["again"].peak_bytes - before["again"].peak_bytes == 3 * 10**6
    copy = peaks(10**8, 10**9)["scratch"]
    assert copy.pieces_in_flight == 3
    assert copy.peak_bytes > 3 * 10**8


def test_plan__gives_one_column_each_to_more_workers_than_columns():
    made = plan(n_features=3, n_workers=64)
    assert made.blocks == (slice(0, 1), slice(1, 2), slice(2, 3))
    assert made.n_workers == 3


def test_plan__of_no_column_has_no_block():
    assert plan(n_features=0, storage=Storage(kind="rows")).blocks == ()


def test_plan__names_needed_allowed_and_smallest_budget():
    arrays = 24 * 10 + 100 * 10 + 2 * 194 * 10 + 3 * 40
    needed = arrays + arrays // 8
    with pytest.raises(
        ValueError,
        match=rf"memory_budget=1000 bytes is too small.*2 workers needs {needed} bytes, "
        r"allowed are 1000\. Set memory_budget to at least 5\.9 kB, or lower n_jobs",
    ):
        plan(n_features=10, memory_budget=1000)


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"storage": Storage(kind="memory", views=True)}, 0),
        ({"storage": Storage(kind="memory", views=True), "native": False}, 40),
        ({"storage": Storage(kind="memory")}, 40),
        ({}, 40),
        ({"native": False}, 80),
        ({"score_func": True}, 40 + 320),
        ({"storage": Storage(kind="memory"), "score_func": True}, 3 * 40 + 320),
    ],
)
def test_plan__counts_reading_travel_and_scoring(changes, column):
    made = plan(n_features=64, in_flight=2, **changes)
    kernel = 0 if changes.get("score_func") else 2 * 194 * 10
    arrays = 24 * 64 + 1000 + kernel + 2 * made.width * column
    assert made.peak_bytes == arrays + -(-arrays // 8)


def test_plan__keeps_at_most_8_mib_for_what_is_no_array():
    made = plan(n_samples=10_000, n_features=100_000, memory_budget=10**9)
    arrays = 24 * 100_000 + 294 * 10_000 + 194 * 10_000 + 3 * made.width * 40_000
    assert made.peak_bytes == arrays + 8 * 2**20
    tight = plan(n_samples=10_000, n_features=100_000, memory_budget=made.peak_bytes)
    assert tight.width == made.width
    assert plan(n_features=100_000, n_samples=10_000, memory_budget=10**8).peak_bytes <= 10**8


@pytest.mark.parametrize(
    "route", ["memory", "rows", "columns", "chunks", "again", "load", "scratch"]
)
def test_describe__tells_every_route_in_words(route):
    words = replace(plan(), route=route, scratch_bytes=2 * 10**9, n_passes=3).describe()
    assert list(words) == ["route", "blocks", "peak memory", "bytes read", "scratch disk"]
    assert words["scratch disk"] == "2 GB"
    assert "in 3 passes" in words["bytes read"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2GB", 2 * 10**9),
        ("2GiB", 2 * 2**30),
        (" 1.5 mb ", 1_500_000),
        ("300 MB", 3 * 10**8),
        ("64k", 64_000),
        ("12", 12),
        ("7B", 7),
        (5, 5),
        (np.int64(5), 5),
    ],
)
def test_parse_memory__reads_decimal_and_binary_units(text, expected):
    assert parse_memory(text) == expected


@pytest.mark.parametrize("wrong", ["", "much", "-1GB", "2 XB", "GB", 0, -5, "0.1B", "nan", True])
def test_parse_memory__refuses_what_is_no_amount(wrong):
    with pytest.raises(ValueError, match=r"memory_budget=.*at least one byte.*'2GB'"):
        parse_memory(wrong)


def test_parse_memory__auto_is_a_quarter_of_what_is_available():
    assert parse_memory("auto") == pytest.approx(available_memory() / 4, rel=0.2)


@given(st.integers(0, 10**16))
@example(65_100)
def test_format_bytes__never_says_less_than_there_is(n_bytes):
    if n_bytes:
        assert n_bytes <= parse_memory(format_bytes(n_bytes)) <= 1.11 * n_bytes + 1


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 200), st.integers(0, 300))
def test_n_common__counts_the_borders_of_blocks_that_are_those_of_chunks(width, chunk, start, more):
    blocks, panels = range(0, start + more + 100, width), range(start, start + more, chunk)
    assert _n_common(blocks, panels) == len(set(blocks) & set(panels))


@pytest.mark.parametrize("chunks", [(1, 3 * 10**9), (2, 1), (2, 1000)])
@pytest.mark.parametrize("kind", ["rows", "columns", "chunks"])
def test_plan__of_more_columns_than_memory_holds_is_refused_at_once(kind, chunks):
    facts = {"chunks": chunks} if kind == "chunks" else {}
    storage = Storage(kind=kind, stored_bytes=24, n_rows=2, **facts)
    wanted = demand(n_samples=2, n_features=3 * 10**9, storage=storage)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"too small.*Set memory_budget to at least 72\.1 GB"):
        plan_blocks(wanted, memory_budget=10**8)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 1_000_000
