"""A matrix in a file, and how it would be scored, in words for a person."""

from collections.abc import Iterator

from skpar_select._available_memory import resident_memory
from skpar_select._memory import format_bytes, parse_memory
from skpar_select._typing import Names
from skpar_select.execution import choose_executor
from skpar_select.matrices import LazyMatrix
from skpar_select.planning import Needs, Shard, columns_of_shard, cost_of_shard
from skpar_select.scoring import plan_scoring

# The lines that are printed are aligned in two columns.
_WIDTH = 15

# A usual number of parts that machines of a cluster score.
_SHARDS = 16

# Repacking reads once and writes once.
_TIMES_WORTH = 2


def inspection(
    X: LazyMatrix, needs: Needs, *, memory_budget: int | str, n_jobs: int | None
) -> Iterator[str]:
    """Describe, line by line, how a matrix lies and how it would be read and scored.

    First the file, then the plan; where none fits the budget, ValueError follows the lines of the
    file. `needs` are those of the scorer.
    """
    budget = parse_memory(memory_budget)
    n_samples, n_features = X.shape
    layout = X.layout
    whole, stored = layout.n_bytes, layout.stored_bytes
    yield _line("matrix", X.label)
    yield _line("shape", f"{n_samples:,} samples x {n_features:,} features")
    yield _line("type", f"{_type(X)}, {format_bytes(whole)} in all")
    yield _line("layout", X.description)
    yield _line("stored", f"{format_bytes(stored)}{_ratio(stored, whole)}")
    yield _line("feature names", _names(X.feature_names))
    yield _line("sample ids", _names(X.sample_ids))
    executor = choose_executor(n_jobs, prefer="threads")
    plan = plan_scoring(X, needs, executor, memory_budget=budget)
    for what, text in plan.describe().items():
        more = f" of {format_bytes(budget)} allowed" if what == "peak memory" else ""
        yield _line(what, text + more)
    times = _times_read_by_shards(X)
    if times > _TIMES_WORTH:
        text = (
            f"{_SHARDS} of them, scored apart, read the matrix {times:.1f} times; repack it first"
        )
        yield _line("shards", text)
    base = resident_memory()
    if base is not None:
        held = f"of which Python, libraries and names {format_bytes(base)}"
        yield _line("whole process", f"{format_bytes(base + plan.peak_bytes)}, {held}")


def _times_read_by_shards(X: LazyMatrix) -> float:
    """Return how often the stored bytes are read by shards of all columns."""
    matrices = [part.matrix for part in X.parts]
    layouts = [matrix.layout for matrix in matrices]
    rows, read = range(X.shape[0]), 0
    for number in range(1, _SHARDS + 1):
        columns = columns_of_shard(layouts, Shard(number, _SHARDS))
        held = (
            matrix.layout_of(rows, some) for matrix, some in zip(matrices, columns, strict=True)
        )
        read += cost_of_shard(layouts, held).read_bytes
    return read / max(1, sum(layout.stored_bytes for layout in layouts))


def _line(what: str, text: str) -> str:
    return f"{what:<{_WIDTH}}{text}"


def _type(X: LazyMatrix) -> str:
    return X.dtype.name + ("" if X.dtype.isnative else ", bytes in the other order")


def _ratio(stored: int, whole: int) -> str:
    if not whole or stored == whole:
        return ""
    return f", {100 * stored / whole:.0f} % of that"


def _names(names: Names | None) -> str:
    if names is None:
        return "none"
    shown = ", ".join(map(str, names[:3]))
    return f"{len(names):,}: {shown}" + (", ..." if len(names) > 3 else "")
