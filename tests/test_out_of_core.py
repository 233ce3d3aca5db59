"""What a plan promises is measured: the peak of memory and the bytes read of a whole process."""

import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
from containers import TURNED, write_anndata, write_hdf5, write_parquet, write_transposed

from skpar_select import ParallelMutualInfoSelector, open_matrix
from skpar_select._memory import parse_memory
from skpar_select.matrices.io._selection import max_per_chunk, overlapping

MEASURE = Path(__file__).with_name("measure.py")
N_SAMPLES, N_FEATURES = 800, 60_000
GZIP = {"compression": "gzip", "compression_opts": 1}
LAYOUTS = {
    "contiguous": {},
    "rows": {"chunks": (8, N_FEATURES), **GZIP},
    "squares": {"chunks": (100, 1000), **GZIP},
    "columns": {"chunks": (N_SAMPLES, 16)},
}
STRATEGIES = {
    "contiguous": "direct",
    "rows": "spill",
    "squares": "whole chunks",
    "columns": "whole chunks",
}
BUDGET = "60MB"

# Of the allocator, of Python's small objects and of stacks, whatever the size of the file.
SLACK = 12_000_000

pytestmark = pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK), reason="measured by Linux's /proc"
)


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(0)
    # Three digits, so that it compresses as real data does.
    return rng.random((N_SAMPLES, N_FEATURES), dtype=np.float32).round(3)


@pytest.fixture(scope="module")
def path(values, tmp_path_factory):
    """192 MB in five layouts."""
    path = tmp_path_factory.mktemp("out of core") / "x.h5"
    with h5py.File(path, "w") as file:
        file["warm"] = values[:40, :500]
        for name, options in LAYOUTS.items():
            file.create_dataset(name, data=values, **options)
        file["column-major"] = values.T
        file.create_dataset("transposed", data=values[:8].T, chunks=(N_FEATURES, 8), **GZIP)
    return path


@pytest.fixture(scope="module")
def reference(values):
    y = np.linspace(20, 90, N_SAMPLES)
    return ParallelMutualInfoSelector(k=10, random_state=0, n_jobs=2).fit(values, y).scores_


def run(path, layout, output, how, budget=BUDGET):
    """Fit or transform in a process of its own; give the result and what was reported."""
    command = [sys.executable, MEASURE, path, layout or "", budget, "2", output, json.dumps(how)]
    # As on two cores: the plan counts what zarr's threads keep.
    environment = {**os.environ, "ZARR_THREADING__MAX_WORKERS": "6"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=True, env=environment
    )
    return np.load(output), json.loads(done.stdout)


def measured(path, layout, scores, *, budget=BUDGET, **how):
    """Fit in a process of its own; give the scores and what was planned and measured."""
    scores, report = run(path, layout, scores, how, budget)
    assert report["planned_peak"] <= parse_memory(budget)
    assert report["peak"] <= report["planned_peak"] + SLACK
    return scores, report


@pytest.mark.parametrize("layout", LAYOUTS)
def test_fit__stays_within_its_plan(layout, path, reference, tmp_path):
    scores, report = measured(path, layout, tmp_path / "scores.npy")
    np.testing.assert_array_equal(scores, reference)
    assert report["strategies"] == [STRATEGIES[layout]]
    assert report["read"] <= 1.02 * report["planned_read"] + 1_000_000
    if layout != "rows":
        assert report["read"] <= 1.1 * report["stored"]


@pytest.mark.parametrize(
    ("layout", "how"),
    [*((layout, {}) for layout in LAYOUTS), ("column-major", TURNED)],
    ids=[*LAYOUTS, "column-major"],
)
def test_fit__of_scattered_columns_stays_within_its_plan(layout, how, values, path, tmp_path):
    """A view of 6,000 of 60,000 columns, in any order; 20 MB hold neither it nor the file."""
    view = np.random.default_rng(1).permutation(N_FEATURES)[:6000]
    scores, report = measured(
        path, layout, tmp_path / "scores.npy", budget="20MB", scattered=len(view), **how
    )
    y = np.linspace(20, 90, N_SAMPLES)
    selector = ParallelMutualInfoSelector(k=10, random_state=0, n_jobs=2)
    np.testing.assert_array_equal(scores, selector.fit(values[:, view], y).scores_)
    assert report["read"] <= 1.02 * report["planned_read"] + 1_000_000
    if layout not in ("rows", "squares"):
        assert report["read"] <= 1.1 * report["stored"] + 1_000_000


@pytest.fixture(scope="module")
def zarr_path(values, tmp_path_factory):
    """The same in Zarr, in three layouts."""
    import zarr

    path = tmp_path_factory.mktemp("out of core") / "x.zarr"
    group = zarr.open_group(path, mode="w")
    chunked = {"squares": (100, 1000), "rows": (8, N_FEATURES), "columns": (N_SAMPLES, 100)}
    for name, chunks in {**chunked, "warm": (10, 100)}.items():
        group.create_array(
            name, data=values[:40, :500] if name == "warm" else values, chunks=chunks
        )
    sharded = {"chunks": (100, 500), "shards": (800, 5000)}
    group.create_array("shards", data=values, **sharded)
    return path


@pytest.mark.parametrize(
    ("layout", "strategy"),
    [
        ("squares", "whole chunks"),
        ("shards", "whole chunks"),
        ("columns", "whole chunks"),
        ("rows", "spill"),
    ],
)
def test_zarr__stays_within_its_plan(layout, strategy, zarr_path, reference, tmp_path):
    scores, report = measured(zarr_path, layout, tmp_path / "scores.npy")
    np.testing.assert_array_equal(scores, reference)
    assert report["strategies"] == [strategy]
    assert report["read"] <= 1.2 * report["planned_read"] + 1_000_000


@pytest.fixture(scope="module")
def parquet_path(values, tmp_path_factory):
    """The same in Parquet, in row groups of 400 and in a folder of two files."""
    folder = tmp_path_factory.mktemp("out of core")
    write_parquet(folder / "warm", values[:40, :500])
    write_parquet(folder / "groups", values, rows=400)
    write_parquet(folder / "one", values, rows=800, compression="zstd")
    return folder


@pytest.mark.parametrize("layout", ["groups", "one"])
def test_parquet__stays_within_its_plan(layout, parquet_path, reference, tmp_path):
    scores, report = measured(parquet_path / layout, None, tmp_path / "scores.npy")
    np.testing.assert_array_equal(scores, reference)
    assert report["strategies"] == ["whole chunks"]
    assert report["read"] <= 1.05 * report["planned_read"] + 1_000_000


@pytest.mark.parametrize("hold", ["h5py", "zarr", "dask"])
def test_holder__stays_within_its_plan(hold, path, zarr_path, reference, tmp_path):
    source = zarr_path if hold == "zarr" else path
    scores, report = measured(source, "squares", tmp_path / "scores.npy", hold=hold)
    np.testing.assert_array_equal(scores, reference)
    assert report["strategies"] == ["whole chunks"]


@pytest.mark.parametrize("spread", ["scattered", "adjacent"])
@pytest.mark.parametrize(
    ("layout", "how"),
    [("contiguous", {}), ("rows", {}), ("squares", {}), ("column-major", TURNED)],
    ids=["contiguous", "rows", "squares", "column-major"],
)
def test_transform__stays_within_its_budget(layout, how, spread, values, path, tmp_path):
    """Of 60 MB the result takes 32 MB."""
    columns = {"scattered": np.arange(0, N_FEATURES, 6), "adjacent": np.arange(10_000)}[spread]
    asked = {"columns": columns.tolist(), **how}
    result, report = run(path, layout, tmp_path / "result.npy", asked)
    np.testing.assert_array_equal(result, values[:, columns])
    assert report["result"] == 32_000_000
    assert report["peak"] <= 60_000_000


REPEATS = 25


@pytest.mark.parametrize(
    ("layout", "how"), [("rows", {}), ("transposed", TURNED)], ids=["rows", "transposed"]
)
def test_fit__of_rows_selected_often_stays_within_its_plan(layout, how, values, path, tmp_path):
    scores, report = measured(path, layout, tmp_path / "scores.npy", repeats=REPEATS, **how)
    assert report["strategies"] == ["spill"]
    often = np.repeat(values[:8], REPEATS, axis=0)
    y = np.linspace(20, 90, len(often))
    expected = ParallelMutualInfoSelector(k=10, random_state=0, n_jobs=2).fit(often, y).scores_
    np.testing.assert_array_equal(scores, expected)


def test_fit__of_concatenated_files_in_chunk_rows_stays_within_its_plan(values, tmp_path):
    """Two files of 80 MB, of which every row is a chunk."""
    parts = values[:, :50_000].reshape(1000, 2, 20_000)
    paths = [tmp_path / f"{i}.h5" for i in range(2)]
    for i, path in enumerate(paths):
        with h5py.File(path, "w") as file:
            file["warm"] = values[:40, :500]
            file["samples"] = [str(row) for row in range(1000)]
            file.create_dataset("data", data=parts[:, i], chunks=(1, 20_000), **GZIP)
    joined = os.pathsep.join(map(str, paths))
    scores, report = measured(joined, "data", tmp_path / "scores.npy", sample_ids="samples")
    assert report["strategies"] == ["spill", "spill"]
    y, whole = np.linspace(20, 90, 1000), parts.reshape(1000, 40_000)
    expected = ParallelMutualInfoSelector(k=10, random_state=0, n_jobs=2).fit(whole, y).scores_
    np.testing.assert_array_equal(scores, expected)


@pytest.mark.parametrize(
    ("write", "written", "how"),
    [
        (write_hdf5, {"chunks": (1, 2000), **GZIP}, {}),
        (write_transposed, {"chunks": (2000, 1), **GZIP}, TURNED),
        (write_anndata, {"encoding": "csr_matrix"}, {}),
    ],
)
def test_read__of_a_row_selected_often_holds_no_copy_of_its_result(write, written, how, tmp_path):
    values = np.random.default_rng(0).random((3, 2000), dtype=np.float32)
    X = open_matrix(write(tmp_path / "x.h5", values, **written), **how)[np.zeros(2000, int)]
    X[:2].read(np.s_[:])
    tracemalloc.start()
    got = X.read(np.s_[:])
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # 16 MB in pages of its own, which are not traced.
    assert got.nbytes == 16_000_000
    assert held < 4_000_000
    assert (got == values[0]).all()


@pytest.mark.parametrize(
    "rows", [np.s_[:40], np.s_[::-150], np.r_[399, 0, 0]], ids=["near", "far", "any"]
)
@pytest.mark.parametrize(
    ("write", "chunks", "how"),
    [(write_hdf5, (40, 50), {}), (write_transposed, (50, 40), TURNED)],
    ids=["rows", "transposed"],
)
def test_layout__of_rows_counts_the_chunks_that_they_overlap(write, chunks, how, rows, tmp_path):
    values = np.random.default_rng(0).random((400, 300), dtype=np.float32)
    view = open_matrix(write(tmp_path / "x.h5", values, chunks=chunks), "data", **how)[rows]
    chunk_rows = np.unique(np.arange(400)[rows] // 40)
    assert view.layout.stored_bytes == len(chunk_rows) * 40 * 300 * 4
    assert view.layout.chunk_column_bytes < len(chunk_rows) * (40 * 50 * 4 + 1001)


def test_layout__of_more_rows_than_memory_holds_is_arithmetic():
    rows = range(10**15)
    assert overlapping(rows, 10**14) == slice(0, 10)
    assert max_per_chunk(rows, 10**14) == 10**14
    assert max_per_chunk(rows[::-3], 10) == 4


def test_fit__of_a_small_file_that_claims_billions_of_columns_is_refused_at_once(tmp_path):
    path = write_anndata(tmp_path / "x.h5ad", np.eye(2, dtype="f4"), encoding="csr_matrix")
    with h5py.File(path, "a") as file:
        file["X"].attrs["shape"] = [2, 3 * 10**9]
    X = open_matrix(path, feature_names=None)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"too small.*Set memory_budget to at least 72\.\d GB"):
        ParallelMutualInfoSelector(k=1, n_neighbors=1, memory_budget="100MB").fit(X, [0.0, 1.0])
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 1_000_000
