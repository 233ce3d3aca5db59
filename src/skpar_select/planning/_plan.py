"""The planner: how a matrix is cut, read and held. Pure arithmetic, no input or output.

The memory model counts all that a run holds besides the interpreters and what the caller holds
already (the matrix, its names):

- the results of every column, and what the scorer says that it needs: once for all, for every
  block in flight, whose thread keeps it, and for every value of a block that is scored;
- for every block in flight (one for each worker, and one that is read ahead), the block, its bytes
  as stored where these are decoded later, and what the read holds;
- what decoding holds besides its result: for every worker where blocks are whole chunks, which it
  decodes; elsewhere for every block in flight, as it is decoded where it is read, and where its
  pieces are so small that the allocator of every thread keeps them;
- where the matrix is copied first, such small pieces of the tiles, and what the threads of a library
  keep, which stay through the scoring;
- the positions of the chunks;
- a sixth of all that, up to 8 MiB, for stacks, small objects and what allocators round up.

The budget is for each host: where workers are on several, those of the host with most of them count,
as if they were on that of the caller.

docs/out_of_core.md has the same for a person, and what was measured.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from skpar_select._memory import format_bytes
from skpar_select.execution import Executor
from skpar_select.matrices import Layout
from skpar_select.planning._needs import Limits, Needs
from skpar_select.planning.strategies import STRATEGIES, Strategy

# Of 1.6 GB in arrays a process took 5 MB more.
OVERHEAD_BYTES = 8 * 2**20
OVERHEAD_SHARE = 6

# gzip decodes at 240 MB a second and core, a fifth of what a file in memory or a disk gives.
DECODING_COST = 5


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a matrix is read and scored."""

    strategies: tuple[Strategy, ...]
    """How each part of the matrix is read."""

    n_workers: int
    """Blocks that are scored at a time."""

    peak_bytes: int
    """The most that is held at a time."""

    @property
    def n_features(self) -> int:
        """Columns of all parts."""
        return sum(strategy.n_features for strategy in self.strategies)

    @property
    def n_blocks(self) -> int:
        """Blocks of all parts."""
        return sum(strategy.n_blocks for strategy in self.strategies)

    @property
    def width(self) -> int:
        """Columns of the widest block."""
        return max(strategy.width for strategy in self.strategies)

    @property
    def bytes_read(self) -> int:
        """From the files, and from temporary files."""
        return sum(strategy.bytes_read for strategy in self.strategies)

    @property
    def scratch_bytes(self) -> int:
        """The size of the largest temporary file."""
        return max(strategy.scratch_bytes for strategy in self.strategies)

    @property
    def n_passes(self) -> int:
        """How often a part is read and decoded, at most."""
        return max(strategy.n_passes for strategy in self.strategies)

    def stages(self) -> Iterator[tuple[int, ...]]:
        """Yield the numbers of the parts that are open at a time, stage by stage.

        Parts that are read in place share one run of the executor; a copied part runs by itself.
        """
        numbers = range(len(self.strategies))
        for in_place, group in groupby(numbers, lambda part: self.strategies[part].in_place):
            if in_place:
                yield tuple(group)
            else:
                yield from ((part,) for part in group)

    def describe(self) -> dict[str, str]:
        """Describe the plan in words, line by line."""
        workers = f"{self.n_workers} worker{'s' if self.n_workers > 1 else ''}"
        passes = f", in {self.n_passes} passes" if self.n_passes > 1 else ""
        read = dict.fromkeys(strategy.description for strategy in self.strategies)
        scratch = format_bytes(self.scratch_bytes) if self.scratch_bytes else "none"
        return {
            "read strategy": "; ".join(read),
            "blocks": f"{self.n_blocks:,} of up to {self.width:,} columns, for {workers}",
            "peak memory": format_bytes(self.peak_bytes),
            "bytes read": format_bytes(self.bytes_read) + passes,
            "scratch disk": scratch,
        }


def plan_reads(
    layouts: Sequence[Layout],
    needs: Needs,
    executor: Executor,
    *,
    memory_budget: int,
    scratch_bytes: int,
) -> Plan:
    """Choose the way to read that costs least within the budget, for each part of a matrix.

    Raises
    ------
    ValueError
        If no way fits the budget. The message gives the bytes that are needed, those that are
        allowed, and the smallest budget that would do.
    """
    limits = _limits(layouts, needs, executor, scratch_bytes)
    for_arrays = bytes_of_arrays(memory_budget)
    cheapest = [_cheapest(layout, needs, limits, for_arrays) for layout in layouts]
    chosen = [strategy for strategy in cheapest if strategy is not None]
    if len(chosen) < len(layouts):
        smallest = max(
            min(strategy.peak_bytes for strategy in _price(layout, needs, limits, 0))
            for layout in layouts
        )
        raise _too_small(memory_budget, with_overhead(smallest), limits)
    return Plan(
        strategies=tuple(chosen),
        n_workers=limits.n_workers,
        peak_bytes=with_overhead(max(strategy.peak_bytes for strategy in chosen)),
    )


def _limits(
    layouts: Sequence[Layout], needs: Needs, executor: Executor, scratch_bytes: int
) -> Limits:
    n_features = sum(layout.shape[1] for layout in layouts)
    n_workers = max(1, min(executor.n_workers, n_features))
    n_on_host = min(n_workers, executor.n_on_host or n_workers)
    n_indexes = 1 if executor.shares_memory else n_on_host
    # Threads take turns at reading and scoring, and the allocator keeps the scratch of each.
    in_memory = all(layout.order == "memory" for layout in layouts)
    n_scoring = n_on_host + (0 if in_memory else executor.n_ahead)
    return Limits(
        n_features=n_features,
        n_parts=len(layouts),
        n_workers=n_workers,
        n_on_host=n_on_host,
        n_ahead=executor.n_ahead,
        shares_memory=executor.shares_memory,
        same_host=executor.same_host,
        scratch_bytes=scratch_bytes,
        fixed_bytes=needs.result_bytes * n_features
        + needs.shared_bytes
        + n_scoring * needs.worker_bytes
        + n_indexes * sum(layout.index_bytes for layout in layouts),
    )


def _price(layout: Layout, needs: Needs, limits: Limits, budget: int) -> Iterator[Strategy]:
    for strategy in STRATEGIES:
        priced = strategy.price(layout, needs, limits, budget)
        if priced is not None:
            yield priced


def _cheapest(layout: Layout, needs: Needs, limits: Limits, budget: int) -> Strategy | None:
    fitting = []
    for strategy in _price(layout, needs, limits, budget):
        if strategy.peak_bytes <= budget:
            fitting.append(strategy)
            if strategy.reads_once:
                break
    return min(fitting, key=_cost, default=None)


def _cost(strategy: Strategy) -> int:
    moved = strategy.bytes_read + strategy.scratch_bytes
    return moved + DECODING_COST * strategy.decoded_bytes


def bytes_of_arrays(memory_budget: int) -> int:
    """Return the bytes that are the budget with their overhead."""
    share = memory_budget * OVERHEAD_SHARE // (OVERHEAD_SHARE + 1)
    return max(memory_budget - OVERHEAD_BYTES, share)


def with_overhead(n_bytes: int) -> int:
    """Add what stacks, small objects and allocators take besides arrays."""
    return n_bytes + min(OVERHEAD_BYTES, -(-n_bytes // OVERHEAD_SHARE))


def _too_small(memory_budget: int, needed: int, limits: Limits) -> ValueError:
    return ValueError(
        f"memory_budget={memory_budget} bytes is too small: one column for each of "
        f"{limits.workers_held} workers needs {needed} bytes, allowed are {memory_budget}. "
        f"Set memory_budget to at least {format_bytes(needed)}, or lower n_jobs."
    )
