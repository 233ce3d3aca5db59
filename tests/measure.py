"""Do one thing with a file in this process, and print what was promised and measured, as JSON.

Called by tests/test_out_of_core.py in a process of its own, so that the peak is that of the work:
a fit, whose plan is reported too, or the transform of selected columns.
"""

import json
import os
import sys
from pathlib import Path

import h5py
import numpy as np

from skpar_select import ParallelMutualInfoSelector, open_matrix
from skpar_select._memory import parse_memory
from skpar_select.execution import choose_executor
from skpar_select.scoring import kernel_needs, plan_scoring


def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(key))


def bytes_read():
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar"))


def held(kind, path, dataset):
    """Return the object of another library that holds a matrix of a file."""
    if kind == "zarr":
        import zarr

        return zarr.open_array(path, path=dataset, mode="r")
    # HDF5's cache of chunks belongs to whoever opens the file: 8 MiB for a dataset.
    data = h5py.File(path, rdcc_nbytes=0)[dataset]
    if kind == "h5py":
        return data
    import dask.array

    return dask.array.from_array(data, chunks=data.chunks or "auto")


def open_file(path, dataset, repeats=0, hold=None, scattered=0, **how):
    paths = path.split(os.pathsep)
    if hold is None:
        X = open_matrix(paths if len(paths) > 1 else path, dataset, **how)
    else:
        X = open_matrix(held(hold, path, dataset), **how)
    if scattered and X.shape[1] > scattered:
        X = X[:, np.random.default_rng(1).permutation(X.shape[1])[:scattered]]
    return X[np.repeat(np.arange(8), repeats)] if repeats else X


def fit(X, budget, n_jobs):
    y = np.linspace(20, 90, X.shape[0])
    selector = ParallelMutualInfoSelector(k=10, random_state=0, memory_budget=budget, n_jobs=n_jobs)
    return selector.fit(X, y)


def transform(X, columns, budget, n_jobs):
    """Transform by a selector whose scores are given, as no fit is to be measured."""
    selector = ParallelMutualInfoSelector(k=len(columns), memory_budget=budget, n_jobs=n_jobs)
    selector.n_features_in_ = X.shape[1]
    selector.scores_, selector.log_pvalues_ = np.zeros(X.shape[1]), None
    selector.scores_[columns] = 1
    return selector.transform(X)


def measured(work):
    """Call a function, and return its result, its peak and the bytes that it read."""
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak back
    size, already = status("VmRSS"), bytes_read()
    result = work()
    return result, status("VmHWM") - size, bytes_read() - already


def main(path, dataset, budget, n_jobs, output, how):
    columns = np.array(how.pop("columns", []), dtype=np.intp)
    # What is loaded and started at the first call is the interpreter's, not the matrix's.
    if dataset:
        warm = open_file(path.split(os.pathsep)[0], "warm", hold=how.get("hold"))
    else:
        dataset, warm = None, open_file(str(Path(path).with_name("warm")), None)
    fit(warm, budget, n_jobs)
    transform(warm, np.arange(5), budget, n_jobs)
    if len(columns):
        result, peak, read = measured(
            lambda: transform(open_file(path, dataset, **how), columns, budget, n_jobs)
        )
        np.save(output, result)
        print(json.dumps({"peak": peak, "read": read, "result": result.nbytes}))
        return
    (X, selector), peak, read = measured(
        lambda: (X := open_file(path, dataset, **how), fit(X, budget, n_jobs))
    )
    np.save(output, selector.scores_)
    plan = plan_scoring(
        X,
        kernel_needs(X.shape[0], X.dtype),
        choose_executor(n_jobs, prefer="threads"),
        memory_budget=parse_memory(budget),
    )
    report = {
        "strategies": [strategy.name for strategy in plan.strategies],
        "planned_peak": plan.peak_bytes,
        "peak": peak,
        "planned_read": plan.bytes_read,
        "read": read,
        "stored": sum(part.matrix.layout.stored_bytes for part in X.parts),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]), sys.argv[5], json.loads(sys.argv[6]))
