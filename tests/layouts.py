"""Layouts, needs and workers for tests of the planner: numbers alone."""

import numpy as np

from skpar_select.execution import Executor
from skpar_select.matrices import Layout
from skpar_select.planning import Limits, Needs, plan_reads

N_SAMPLES = 10
DTYPES = {1: "i1", 2: "i2", 4: "f4", 8: "f8"}


def layout_of(
    order="row-major",
    n_samples=N_SAMPLES,
    n_features=1000,
    itemsize=4,
    chunks=(5, 100),
    ratio=1.0,
    **changes,
):
    """How a matrix lies whose chunks are all of the same size as stored."""
    facts = {
        "shape": (n_samples, n_features),
        "dtype": np.dtype(DTYPES[itemsize]),
        "order": order,
        "n_rows": n_samples,
        "stored_bytes": n_samples * n_features * itemsize,
    }
    if order == "chunked":
        chunk_rows, chunk_columns = -(-n_samples // chunks[0]), -(-n_features // chunks[1])
        raw = max(1, int(chunks[0] * chunks[1] * itemsize * ratio))
        facts |= {
            "chunks": chunks,
            "stored_bytes": raw * chunk_rows * chunk_columns,
            "compressed": ratio < 1,
            "chunk_column_bytes": raw * chunk_rows,
            "chunk_row_bytes": raw * chunk_columns,
            "chunk_bytes": raw,
            "read_bytes": raw,
            "decode_bytes": chunks[0] * chunks[1] * itemsize,
            "index_bytes": 20 * chunk_rows * chunk_columns,
        }
    return Layout(**facts | changes)


def needs_of(n_samples=N_SAMPLES, **changes):
    """What the built-in kernel once needed, in round numbers."""
    kernel = {"shared_bytes": 100 * n_samples, "worker_bytes": 194 * n_samples}
    return Needs(**kernel | {"fewest_columns": 16} | changes)


def function_needs(n_samples=N_SAMPLES):
    """What a function of scikit-learn's form needs."""
    return Needs(shared_bytes=100 * n_samples, value_bytes=32)


class Workers(Executor):
    """As many workers as wanted, which never work."""

    def __init__(self, n_workers=2, n_ahead=1, shares_memory=True, same_host=True):
        self.n_workers = n_workers
        self.n_ahead = n_ahead
        self.shares_memory = shares_memory
        self.same_host = same_host

    def map_unordered(self, function, tasks, *, prepare=None):
        raise AssertionError("a plan is arithmetic")


def plan_of(layouts, needs=None, workers=None, *, memory_budget=10**9, scratch_bytes=10**12):
    """Plan one layout or several."""
    layouts = [layouts] if isinstance(layouts, Layout) else layouts
    return plan_reads(
        layouts,
        needs_of(layouts[0].shape[0]) if needs is None else needs,
        workers or Workers(),
        memory_budget=memory_budget,
        scratch_bytes=scratch_bytes,
    )


def limits_of(layout, needs, n_workers=2, n_ahead=1, **changes):
    """The limits of a matrix of one part."""
    fixed = (
        needs.result_bytes * layout.shape[1]
        + needs.shared_bytes
        + (n_workers + n_ahead) * needs.worker_bytes
        + layout.index_bytes
    )
    facts = {"n_features": layout.shape[1], "n_workers": n_workers, "n_ahead": n_ahead}
    return Limits(**facts | {"fixed_bytes": fixed, "scratch_bytes": 10**12} | changes)
