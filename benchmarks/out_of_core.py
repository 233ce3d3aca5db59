"""Score a matrix in a file, in a process of its own, and report what it took; prints Markdown.

Example: python benchmarks/out_of_core.py full.h5 --target full.h5.ages.csv --memory-budget 2GB
With --marginals rank the same in rank space.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from processes import Watch, drop_cache, sequential_read
from timing import machine, print_table


def main(arguments=None):
    """Measure, or do what is measured."""
    options = _parser().parse_args(arguments)
    if options.child:
        _score(options)
        return
    sequential = sequential_read(options.matrix)
    if not options.warm:
        drop_cache(options.matrix)
    watch, facts, scores, baseline = _watched(options)
    _print(options, watch, facts, scores, baseline, sequential)


def _watched(options):
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "scores.npy")
        command = [sys.executable, __file__, *sys.argv[1:], "--child", str(output)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            ready = _line(process)
            with Watch(process.pid) as watch:
                # What the interpreter and its libraries take before anything is read.
                baseline = watch.sample()
                process.stdin.write("\n")
                process.stdin.flush()
                done = _line(process)
            # Workers that wait for work are counted by now; the process waits to be let go.
            process.stdin.close()
        if process.returncode:
            raise SystemExit(process.returncode)
        return watch, ready | done, np.load(output), baseline


def _line(process):
    line = process.stdout.readline()
    if not line:
        raise SystemExit(process.wait() or 1)
    return json.loads(line)


def _score(options):
    from skpar_select import ParallelMutualInfoSelector, open_matrix, read_targets
    from skpar_select._memory import parse_memory
    from skpar_select.execution import choose_executor
    from skpar_select.scoring import kernel_needs, plan_scoring

    X = open_matrix(options.matrix, options.dataset, feature_names=options.feature_names)
    y = read_targets(options.target, options.target_column, sample_ids=X.sample_ids)
    budget = parse_memory(options.memory_budget)
    needs = kernel_needs(X.shape[0], X.dtype, correlated=options.marginals == "rank")
    executor = choose_executor(options.n_jobs, prefer="threads")
    plan = plan_scoring(X, needs, executor, memory_budget=budget)
    selector = ParallelMutualInfoSelector(
        k=1,
        marginals=options.marginals,
        random_state=0,
        memory_budget=budget,
        n_jobs=options.n_jobs,
    )
    # The first call loads what every call needs.
    selector.fit(np.random.default_rng(0).random((50, 4)), np.arange(50.0))
    _report(
        shape=X.shape,
        dtype=str(X.dtype),
        layout=X.description,
        stored=X.layout.stored_bytes,
        budget=budget,
        plan=plan.describe(),
        planned_peak=plan.peak_bytes,
        planned_read=plan.bytes_read,
    )
    sys.stdin.readline()
    start = time.perf_counter()
    selector.fit(X, y)
    seconds = time.perf_counter() - start
    np.save(options.child, selector.scores_)
    _report(seconds=seconds)
    sys.stdin.readline()


def _report(**facts):
    print(json.dumps(facts), flush=True)


def _print(options, watch, facts, scores, baseline, sequential):
    n_samples, n_features = facts["shape"]
    whole = n_samples * n_features * np.dtype(facts["dtype"]).itemsize
    size = os.path.getsize(options.matrix)
    seconds, (read_seconds, from_disk) = facts["seconds"], sequential
    io = watch.read_since()
    print(machine())
    print_table(
        "Out of core",
        ["what", "measured", "beside"],
        [
            [
                "matrix",
                f"{n_samples:,} x {n_features:,} {facts['dtype']}",
                f"{facts['layout']}; {_mb(facts['stored'])} stored",
            ],
            ["time of a fit", f"{seconds:.1f} s", f"{n_features / seconds:,.0f} features a second"],
            [
                "read rate, values",
                f"{_mb(whole / seconds)}/s",
                f"{_mb(size / seconds)}/s of the file",
            ],
            [
                "plain sequential read of the file",
                f"{read_seconds:.1f} s",
                f"{_mb(size / read_seconds)}/s, {_temperature(from_disk, size)}",
            ],
            [
                "bytes read",
                _mb(io["rchar"]),
                f"{io['rchar'] / facts['stored']:.3f} x stored; planned {_mb(facts['planned_read'])}",
            ],
            [
                "of them from a disk",
                _mb(io["read_bytes"]),
                _temperature(io["read_bytes"], size),
            ],
            [
                "peak memory of all processes",
                _mb(watch.peak_bytes),
                f"{_mb(baseline)} before anything was read",
            ],
            [
                "what a fit adds to that",
                _mb(watch.peak_bytes - baseline),
                f"planned {_mb(facts['planned_peak'])}, allowed {_mb(facts['budget'])}",
            ],
            [
                "high-water marks, summed",
                _mb(watch.marks),
                f"{watch.n_processes} processes at a time",
            ],
            ["real sites", *_ranks(options.matrix, scores)],
        ],
        f"n_jobs={options.n_jobs}, marginals={options.marginals!r}. Plan: "
        + "; ".join(f"{key}: {value}" for key, value in facts["plan"].items())
        + ".",
    )


def _ranks(path, scores):
    beside = Path(f"{path}.sites.json")
    if not beside.exists():
        return "not known", f"{beside.name} is not there"
    columns = json.loads(beside.read_text())["columns"]
    places = np.array(list(columns.values()))
    rank = np.empty(len(scores), dtype=np.intp)
    rank[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    within = np.count_nonzero(rank[places] <= len(places))
    simulated = np.delete(scores, places)
    return (
        f"{within} of {len(places)} rank among the first {len(places)}",
        f"lowest rank {rank[places].max():,}; nats: real {scores[places].min():.3f} and more, "
        f"simulated {simulated.max():.3f} and less",
    )


def _temperature(from_disk, size):
    share = from_disk / size
    if share > 0.9:
        return "cold: all from a disk"
    return f"warm: {1 - share:.0%} from the page cache, or the system does not tell"


def _mb(n_bytes):
    return f"{n_bytes / 1e6:,.0f} MB"


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("matrix", metavar="MATRIX")
    parser.add_argument("--target", required=True, metavar="CSV")
    parser.add_argument("--target-column", default="age", metavar="NAME")
    parser.add_argument("--dataset", metavar="NAME")
    parser.add_argument("--feature-names", metavar="NAME", help="default: none are read")
    parser.add_argument("--marginals", choices=["raw", "rank"], default="raw")
    parser.add_argument("--memory-budget", default="2GB", metavar="BYTES")
    parser.add_argument("--n-jobs", type=int, default=2, metavar="N")
    parser.add_argument(
        "--warm", action="store_true", help="leave the file in the page cache after the plain read"
    )
    parser.add_argument("--child", metavar="FILE", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
