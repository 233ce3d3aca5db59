"""The memory that a call needs beyond its input, in a process of its own.

python benchmarks/memory.py [n_jobs]
"""

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
from timing import print_table

SHAPE = (2_000, 20_000)
LIMIT = 200  # MB


def print_memory(n_jobs):
    """Print the extra peak for each number of jobs; it must stay below the limit."""
    rows = []
    for jobs in n_jobs:
        command = [sys.executable, __file__, str(jobs)]
        extra = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        rows.append([f"{SHAPE[0]:,} x {SHAPE[1]:,} float32", str(jobs), f"{extra:.0f}"])
        if extra > LIMIT:
            raise AssertionError(f"{extra:.0f} MB beyond the input: the limit is {LIMIT} MB.")
    print_table(
        "Memory beyond the input",
        ["input", "n_jobs", "MB"],
        rows,
        f"Peak resident memory during mutual_info_regression, less that before the call; the input "
        f"has {np.prod(SHAPE) * 4 / 1e6:.0f} MB, and the limit is {LIMIT} MB.",
    )


def measure(n_jobs):
    """Return the MB that a call takes at its peak over what was resident before it."""
    from skpar_select import mutual_info_regression

    rng = np.random.default_rng(0)
    X = rng.standard_normal(SHAPE, dtype=np.float32)
    y = rng.standard_normal(SHAPE[0])
    # what is set up once and stays, such as the thread pool, is not the call's
    mutual_info_regression(X[:, :16], y, random_state=0, n_jobs=n_jobs)
    forget_peak()
    before = psutil.Process().memory_info().rss
    mutual_info_regression(X, y, random_state=0, n_jobs=n_jobs)
    return (peak() - before) / 1e6


def forget_peak():
    """Let the peak be counted from now on, where the system can (Linux)."""
    switch = Path("/proc/self/clear_refs")
    if switch.exists():
        switch.write_text("5", encoding="ascii")


def peak():
    """Return the peak of resident memory in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    # macOS counts in bytes; the peak of the input's making is in it, which adds nothing here
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    print(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
