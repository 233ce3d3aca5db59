"""What a store costs: a fit with a new one beside a fit without, and the parent's work for a block.

python benchmarks/store.py [rounds] [folder]
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from timing import machine, print_table

from skpar_select import ParallelMutualInfoSelector
from skpar_select.scoring import Assembler, ScoreStore
from skpar_select.scoring._fingerprint import Fingerprint

N_SAMPLES, N_FEATURES = 2_000, 50_000
WIDE, WIDTH = 500_000, 5_000


def main():
    """Print both tables."""
    n_rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    parent = sys.argv[2] if len(sys.argv) > 2 else None
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_SAMPLES, N_FEATURES)).astype(np.float32)
    y = X[:, 0] + rng.normal(size=N_SAMPLES)
    seconds = {"no store": [], "a new store": [], "the same store again": []}
    for _ in range(n_rounds + 1):
        with tempfile.TemporaryDirectory(dir=parent) as folder:
            for name, store in zip(seconds, (None, folder, folder), strict=True):
                began = time.perf_counter()
                ParallelMutualInfoSelector(random_state=0, n_jobs=2, store=store).fit(X, y)
                seconds[name].append(time.perf_counter() - began)
    plain = seconds["no store"]
    print_table(
        f"Fits of {N_SAMPLES:,} x {N_FEATURES:,} on {machine()}",
        ["", "seconds", "ratio to the fit before"],
        [
            [name, f"{statistics.median(times[1:]):.2f}", _ratio(times, plain)]
            for name, times in seconds.items()
        ],
        f"In turn; medians of {n_rounds}, of the ratios too.",
    )
    rows = [[name, f"{1e3 * value:.2f}"] for name, value in _work_for_a_block(parent).items()]
    print_table(
        f"The parent's work for a block of {WIDTH:,} columns of {WIDE:,}",
        ["", "ms"],
        rows,
        "Medians of the blocks.",
    )


def _ratio(times, plain):
    pairs = zip(times[1:], plain[1:], strict=True)
    return f"{statistics.median(one / other for one, other in pairs):.3f}"


def _work_for_a_block(parent):
    """Return seconds of the processor, and of the clock, which counts waiting for the disk."""
    rng, assembler = np.random.default_rng(0), Assembler(WIDE)
    times = {"processor": [], "clock": []}
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        store = ScoreStore(Path(folder))
        with store.entry(Fingerprint("0" * 64, {}), WIDE) as entry:
            for start in range(0, WIDE, WIDTH):
                columns = range(start, start + WIDTH)
                result = {"score": rng.random(WIDTH)}
                clock, processor = time.perf_counter(), time.thread_time()
                entry.is_free(columns)
                assembler.write(columns, result)
                entry.write(columns, result)
                times["processor"].append(time.thread_time() - processor)
                times["clock"].append(time.perf_counter() - clock)
    return {name: statistics.median(values) for name, values in times.items()}


if __name__ == "__main__":
    main()
