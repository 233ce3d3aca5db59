"""Fit a file in this process and print what the plan promised and what was measured, as JSON.

Called by tests/test_out_of_core.py in a process of its own, so that the peak is that of the fit.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np

from skpar_select import ParallelMutualInfoSelector, open_matrix
from skpar_select._memory import parse_memory
from skpar_select._scoring import plan_scoring


def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(key))


def bytes_read():
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar"))


def fit(path, dataset, budget, n_jobs, repeats=0, **how):
    paths = path.split(os.pathsep)
    X = open_matrix(paths if len(paths) > 1 else path, dataset, **how)
    if repeats:
        X = X[np.repeat(np.arange(8), repeats)]
    y = np.linspace(20, 90, X.shape[0])
    selector = ParallelMutualInfoSelector(k=10, random_state=0, memory_budget=budget, n_jobs=n_jobs)
    return X, selector.fit(X, y)


def main(path, dataset, budget, n_jobs, scores, how):
    # What is loaded and started at the first fit is the interpreter's, not the matrix's.
    fit(path.split(os.pathsep)[0], "warm", budget, n_jobs)
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak back
    size, already = status("VmRSS"), bytes_read()
    X, selector = fit(path, dataset, budget, n_jobs, **how)
    peak, read = status("VmHWM"), bytes_read()
    plan = plan_scoring(X, score_func=False, memory_budget=parse_memory(budget), n_jobs=n_jobs)
    np.save(scores, selector.scores_)
    told = {
        "route": plan.route,
        "planned_peak": plan.peak_bytes,
        "peak": peak - size,
        "planned_read": plan.bytes_read,
        "read": read - already,
        "stored": X.storage.stored_bytes,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(
        sys.argv[1],
        sys.argv[2],
        sys.argv[3],
        int(sys.argv[4]),
        sys.argv[5],
        json.loads(sys.argv[6]),
    )
