"""The planner: how a matrix is cut, read and held. Pure arithmetic, no input or output.

The memory model counts all that a run holds besides the interpreters and what the caller holds
already (the matrix, its names):

- the results, 24 bytes a column, and the target, 100 bytes a sample;
- for every worker, the kernel's scratch, 194 bytes a sample: eight columns of float64, and what
  the neighbours are looked up in;
- for every block in flight (one for each worker, and one that is read ahead), the block, its bytes
  as stored where these are decoded apart, and what the read holds;
- what decoding holds besides its result: for every worker where blocks are whole chunks, which it
  decodes; elsewhere for every block in flight, as it is decoded where it is read;
- the places of the chunks;
- an eighth of all that, up to 8 MiB, for stacks, small objects and what allocators round up;
- for a ``score_func``, the copies that travel to its process and the copies that it makes.

docs/out_of_core.md has the same for a person, and what was measured.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from math import gcd

from skpar_select._memory import format_bytes
from skpar_select._plan import Plan, Route
from skpar_select._storage import PIECE_BYTES, Storage

# So that the last worker ends at most a sixteenth of its time after the first.
BLOCKS_PER_WORKER = 16

# scikit-learn's mutual information peaks at 8.0 times a float32 block (measured), that is at
# four arrays of float64; no other function of its form was seen above that.
SCORE_FUNC_COPIES = 4

# A block in memory goes to another process as a pickle: one on its way for each of the two
# parts that are dispatched ahead, and the array made of it.
PICKLED_COPIES = 3

RESULT_BYTES = 24
TARGET_BYTES = 100
KERNEL_BYTES = 8 * 8 + 130

# So that reading and scoring overlap, and the last worker does not end long after the first.
FEWEST_BLOCKS = 4

# Every block prepares the target anew: with eight columns that takes 8 percent, with sixteen 3.
FEWEST_COLUMNS = 16

# A run of wanted values in a row costs a seek or a page on either side; this long, both are small.
RUN_BYTES = 64 * 2**10

# Of 1.6 GB in arrays a process took 5 MB more.
OVERHEAD_BYTES = 8 * 2**20
OVERHEAD_SHARE = 8

# gzip decodes at 240 MB a second and core, a fifth of what a file in memory or a disk gives.
DECODING_COST = 5


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What is to be planned for."""

    storage: Storage
    n_samples: int
    n_features: int
    itemsize: int
    native: bool
    """Whether the kernel takes the values as they are stored, without a copy."""
    score_func: bool
    n_workers: int
    """Blocks that are scored at a time; may exceed the number of columns."""
    in_flight: int
    """Blocks that are read or scored at a time."""
    separate: bool
    """Whether the workers are processes, each with its own index of chunks."""
    scratch_available: int
    """Bytes that a temporary file may take."""


def plan_blocks(demand: Demand, *, memory_budget: int) -> Plan:
    """Choose the way to read that costs least within the budget.

    Parameters
    ----------
    demand : Demand
        The matrix, how it lies, and the workers.
    memory_budget : int
        Bytes that all workers together may take.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        If no way fits the budget. It names what is needed, what is allowed, and the smallest
        budget that would do.
    """
    if not demand.n_features:
        return Plan(route="memory", n_workers=demand.n_workers)
    n_workers = min(demand.n_workers, demand.n_features)
    demand = replace(
        demand, n_workers=n_workers, in_flight=n_workers + demand.in_flight - demand.n_workers
    )
    # As much as, with its overhead, is the budget.
    for_arrays = max(
        memory_budget - OVERHEAD_BYTES, memory_budget * OVERHEAD_SHARE // (OVERHEAD_SHARE + 1)
    )
    fitting = []
    for plan in _ways(demand, for_arrays):
        if plan.peak_bytes <= for_arrays:
            fitting.append(plan)
            if plan.route == "chunks":
                # Nothing costs less than every byte once.
                break
    if fitting:
        cheapest = min(fitting, key=lambda plan: _cost(plan, demand))
        return replace(cheapest, peak_bytes=_with_overhead(cheapest.peak_bytes))
    needed = _with_overhead(min(plan.peak_bytes for plan in _ways(demand, 0)))
    raise ValueError(
        f"memory_budget={memory_budget} bytes is too small: one column for each of "
        f"{n_workers} workers needs {needed} bytes, allowed are {memory_budget}. "
        f"Set memory_budget to at least {format_bytes(needed)}, or lower n_jobs."
    )


def _with_overhead(n_bytes: int) -> int:
    return n_bytes + min(OVERHEAD_BYTES, -(-n_bytes // OVERHEAD_SHARE))


def _cost(plan: Plan, demand: Demand) -> int:
    whole = demand.n_samples * demand.n_features * demand.itemsize
    decoding = DECODING_COST * whole * plan.n_passes if demand.storage.compressed else 0
    return plan.bytes_read + plan.scratch_bytes + decoding


def _ways(demand: Demand, budget: int) -> Iterator[Plan]:
    """All ways to read the matrix, each as fast as the budget allows; or, within no budget, small."""
    storage = demand.storage
    if storage.kind != "chunks":
        yield _in_place(demand, budget)
        return
    assert storage.chunks is not None
    if sum(map(len, _panels(demand))) >= demand.n_workers:
        yield _by_chunks(demand, budget)
    yield _again(demand, budget)
    whole = demand.n_samples * demand.n_features * demand.itemsize
    # The allocator may keep what small arrays took while the copy was made.
    kept = demand.in_flight * storage.read_bytes
    if not demand.separate and (whole <= budget or not budget):
        loaded = replace(demand, storage=Storage(kind="memory", views=True))
        scored = _in_place(loaded, budget - whole - kept)
        yield _copied("load", demand, budget, scored, held=whole, kept=kept)
    if whole <= demand.scratch_available:
        written = replace(demand, storage=Storage(kind="rows", stored_bytes=whole))
        scored = _in_place(written, budget - kept)
        yield _copied("scratch", demand, budget, scored, held=0, kept=kept)


@dataclass(frozen=True)
class _Memory:
    """Bytes that are held: whatever is read, for each block in flight, for each of its columns."""

    fixed: int
    block: int
    column: int

    def peak(self, width: int, in_flight: int) -> int:
        return self.fixed + in_flight * (self.block + width * self.column)

    def widest(self, budget: int, in_flight: int) -> int:
        left = budget - self.fixed - in_flight * self.block
        return max(0, left // (in_flight * self.column)) if self.column else max(0, left) and 2**62


def _memory(demand: Demand) -> _Memory:
    storage, n_samples = demand.storage, demand.n_samples
    if demand.score_func:
        copies = PICKLED_COPIES if storage.kind == "memory" else 1
        column = n_samples * (copies * demand.itemsize + SCORE_FUNC_COPIES * 8)
    else:
        copies = (not storage.views) + (not demand.native)
        column = n_samples * copies * demand.itemsize
    kernel = 0 if demand.score_func else KERNEL_BYTES * n_samples
    indexes = demand.n_workers if demand.separate else 1
    fixed = _results(demand) + demand.n_workers * kernel + indexes * storage.index_bytes
    # Decoded as it is read, but for blocks of whole chunks.
    return _Memory(fixed, storage.read_bytes + storage.decode_bytes, column)


def _results(demand: Demand) -> int:
    return RESULT_BYTES * demand.n_features + TARGET_BYTES * demand.n_samples


def _in_place(demand: Demand, budget: int) -> Plan:
    """Read blocks of any width, each column once."""
    memory = _memory(demand)
    widest = memory.widest(budget, demand.in_flight)
    n_features, n_workers = demand.n_features, demand.n_workers
    width = -(-n_features // (n_workers * BLOCKS_PER_WORKER))
    if demand.storage.views and not demand.score_func:
        balanced = -(-n_features // (n_workers * FEWEST_BLOCKS)) if n_workers > 1 else n_features
        width = max(width, min(FEWEST_COLUMNS, balanced))
    if demand.storage.kind == "rows":
        run = min(RUN_BYTES // demand.itemsize, -(-n_features // (n_workers * FEWEST_BLOCKS)))
        width = max(width, run)
    width = max(1, min(width, widest, -(-n_features // n_workers)))
    route: Route = demand.storage.kind
    blocks = (range(0, n_features, width),)
    return _plan(route, demand, memory, blocks, demand.storage.stored_bytes)


def _by_chunks(demand: Demand, budget: int) -> Plan:
    """Read blocks of whole columns of chunks, each chunk once."""
    assert demand.storage.chunks is not None
    chunk_columns = demand.storage.chunks[1]
    memory = _memory(demand)
    raw = demand.storage.raw_panel
    # Decoded by its worker.
    decoding = demand.storage.decode_bytes
    panel = _Memory(
        memory.fixed + demand.n_workers * decoding,
        memory.block - decoding,
        memory.column * chunk_columns + raw,
    )
    most = panel.widest(budget, demand.in_flight)
    n_all = sum(map(len, _panels(demand)))
    n_panels = max(1, min(most, n_all // (demand.n_workers * BLOCKS_PER_WORKER)))
    # A block of one file alone, where there are several, is decoded by its worker.
    blocks = _panels(demand, n_panels)
    # Of several files some have narrower columns of chunks: none is counted less.
    peak = panel.peak(n_panels, min(demand.in_flight, sum(map(len, blocks))))
    return _plan("chunks", demand, memory, blocks, demand.storage.stored_bytes, peak=peak)


def _again(demand: Demand, budget: int) -> Plan:
    """Read blocks of any width, and every chunk as often as blocks have a part of it."""
    memory = _memory(demand)
    widest = memory.widest(budget, demand.in_flight)
    width = max(1, min(widest, -(-demand.n_features // demand.n_workers)))
    blocks = range(0, demand.n_features, width)
    panels = _panels(demand)
    n_panels = sum(map(len, panels))
    # Every border of blocks inside a column of chunks has that read once more.
    inside = len(blocks) - sum(_n_common(blocks, part) for part in panels)
    stored = demand.storage.stored_bytes
    bytes_read = stored + inside * (demand.storage.raw_panel or -(-stored // n_panels))
    passes = -(-(n_panels + inside) // n_panels)
    return _plan("again", demand, memory, (blocks,), bytes_read, n_passes=passes)


def _n_common(blocks: range, panels: range) -> int:
    """Count the columns at which both a block and a column of chunks begin; blocks from 0 on."""
    width, chunk = blocks.step, panels.step
    common = gcd(width, chunk)
    if panels.start % common:
        return 0
    # The first of all such columns, and how far they lie apart.
    times = panels.start // common * pow(width // common, -1, chunk // common)
    first, step = times % (chunk // common) * width, width * chunk // common
    first += max(0, -(-(panels.start - first) // step)) * step
    return len(range(first, panels.stop, step))


def _copied(
    route: Route, demand: Demand, budget: int, scored: Plan, *, held: int, kept: int
) -> Plan:
    """Read and decode every chunk once, to memory or to a file; score from there."""
    storage = demand.storage
    assert storage.chunks is not None
    chunk_rows, chunk_columns = storage.chunks
    # Files that lie side by side may have their rows in orders of their own: no piece has two.
    files = _panels(demand)
    n_most, widest = max(map(len, files)), max(part.stop - part.start for part in files)
    indexes = demand.n_workers if demand.separate else 1
    fixed = held + _results(demand) + indexes * storage.index_bytes

    def piece(n_panels: int) -> int:
        whole = n_panels == n_most
        columns = widest if whole else n_panels * chunk_columns
        values = (storage.band_rows or chunk_rows) * columns * demand.itemsize
        return values + (storage.raw_band if whole else n_panels * storage.raw_chunk)

    def peak(n_bands: int, n_panels: int, in_flight: int) -> int:
        each = n_bands * piece(n_panels) + storage.read_bytes + storage.decode_bytes
        return fixed + in_flight * each

    bands, width, in_flight = 1, n_most, demand.in_flight
    while in_flight > 1 and peak(1, width, in_flight) > budget:
        in_flight -= 1
    while width > 1 and peak(1, width, 1) > budget:
        width = -(-width // 2)
    if width == n_most:
        spare = max(0, budget - peak(1, width, in_flight)) // (in_flight * piece(width))
        bands = min(1 + spare, -(-PIECE_BYTES // piece(width)), -(-storage.n_rows // chunk_rows))
    whole = demand.n_samples * demand.n_features * demand.itemsize
    return replace(
        scored,
        route=route,
        piece_rows=(storage.n_rows, bands * chunk_rows),
        piece_columns=_panels(demand, width),
        pieces_in_flight=in_flight,
        peak_bytes=max(peak(bands, width, in_flight), held + kept + scored.peak_bytes),
        bytes_read=storage.stored_bytes + (0 if route == "load" else whole),
        scratch_bytes=whole if route == "scratch" else 0,
    )


def _plan(
    route: Route,
    demand: Demand,
    memory: _Memory,
    blocks: tuple[range, ...],
    bytes_read: int,
    *,
    peak: int | None = None,
    n_passes: int = 1,
) -> Plan:
    plan = Plan(
        route=route,
        block_columns=blocks,
        n_workers=demand.n_workers,
        bytes_read=bytes_read,
        n_passes=n_passes,
    )
    if peak is None:
        peak = memory.peak(plan.width, min(demand.in_flight, plan.n_blocks))
    return replace(plan, peak_bytes=peak)


def _panels(demand: Demand, n: int = 1) -> tuple[range, ...]:
    """Give the first of every `n` columns of chunks, file by file: as ranges, as they may be many."""
    storage = demand.storage
    assert storage.chunks is not None
    step = n * storage.chunks[1]
    starts = [*storage.starts, demand.n_features]
    return tuple(range(start, stop, step) for start, stop in pairwise(starts))
