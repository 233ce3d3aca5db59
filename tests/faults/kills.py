"""Runs with a store, killed at random moments until one ends: its scores, and nothing computed twice.

A case is a run over 200 blocks with a new store, killed by SIGKILL again and again, every time at another
moment, until it has ended. What each run acknowledged is told in two ways: by the journals that the
killed run left, and by a log that it wrote after each block was kept.
"""

import csv
import os
import signal
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import h5py
import numpy as np

from skpar_select import ParallelMutualInfoSelector, open_matrix
from skpar_select.cli import main
from skpar_select.scoring import _entry
from skpar_select.scoring._entry import JOURNAL
from skpar_select.scoring._journal import JournalReader, Kind, Seal

from . import outcomes
from .children import Raised, in_child
from .outcomes import Ended, Outcome

N_SAMPLES, N_FEATURES, N_BLOCKS = 300, 16_000, 200
BUDGETS = {1: "1.7MB", 2: "2.3MB"}  # for 200 blocks
MOST_RUNS = 60
SECONDS = 120


def write(folder):
    """Write a matrix and its target."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(N_SAMPLES, N_FEATURES)).astype("f4")
    width = N_FEATURES // N_BLOCKS
    with h5py.File(folder / "matrix.h5", "w") as file:
        file.create_dataset("data", data=values, chunks=(N_SAMPLES, width), compression="gzip")
        file["samples"] = [f"s{i}" for i in range(N_SAMPLES)]
    with (folder / "ages.csv").open("w", newline="") as stream:
        rows = [(f"s{i}", age) for i, age in enumerate(target())]
        csv.writer(stream).writerows([("sample", "age"), *rows])


def target():
    return np.sin(np.arange(N_SAMPLES) / 7)


def score(folder):
    """``skpar-select score --store``."""
    made = ["score", folder.parent / "matrix.h5", "--target", folder.parent / "ages.csv"]
    made += ["--target-column", "age", "--random-state", "0", "--quiet"]
    made += ["--store", folder / "store", "--output", folder / "scores.csv", "--overwrite"]
    made += ["--memory-budget", BUDGETS[1], "--n-jobs", "1"]
    if main([str(argument) for argument in made]):
        raise RuntimeError("the command failed")
    return (folder / "scores.csv").read_bytes()


def fit(folder, **how):
    """A fit in Python, with two threads."""
    selector = ParallelMutualInfoSelector(
        k=5,
        random_state=0,
        memory_budget=BUDGETS[2],
        store=folder / "store",
        **{"n_jobs": 2, **how},
    )
    matrix = open_matrix(folder.parent / "matrix.h5")
    return selector.fit(matrix, target()).scores_.tobytes()


def repack(folder):
    """``skpar-select repack``."""
    made = ["repack", folder.parent / "matrix.h5", folder / "whole.h5", "--overwrite", "--quiet"]
    if main(
        [str(argument) for argument in [*made, "--memory-budget", BUDGETS[1], "--n-jobs", "1"]]
    ):
        raise RuntimeError("the command failed")
    with h5py.File(folder / "whole.h5") as file:
        return file["data"][...].tobytes()


def fit_in_processes(folder):
    """The same in a pool of processes."""
    with ProcessPoolExecutor(2) as pool:
        return fit(folder, n_jobs=None, executor=pool)


WAYS = [score, fit, fit_in_processes, repack]


class Kills(outcomes.Kind):
    """The cases: one of the ways to run after another."""

    def __init__(self, folder, seed):
        super().__init__(folder, seed)
        in_child(write, folder, seconds=SECONDS)
        self.expected, self.takes = {}, {}
        self.n_kills = 0

    def case(self, number):
        way = WAYS[number % len(WAYS)]
        if way not in self.expected:
            began = time.monotonic()
            self.expected[way] = self._whole(way, self._new(f"whole {way.__name__}"))
            self.takes[way] = time.monotonic() - began
        folder, rng = self._new(f"{number}"), np.random.default_rng((self.seed, number))
        words, kills = f"{way.__name__}", 0
        while kills < MOST_RUNS:
            # Where little is left the run is short, and one that is killed at once tells little.
            wait = rng.uniform(0.02, 0.8) * self.takes[way]
            status = _run_killed(way, folder, wait)
            if status:
                return Ended(Outcome.UNCLEAR, f"{words}: status {status} after {kills} kills")
            twice = [count for count in _records(folder / "store").values() if count > 1]
            if twice:
                return Ended(
                    Outcome.WRONG, f"{words}: {len(twice)} columns kept twice, kill {kills}"
                )
            if status is not None:
                break
            kills += 1
        self.n_kills += kills
        words += f", {kills} kills"
        acknowledged = Counter((folder / "log").read_text().split())
        if acknowledged and max(acknowledged.values()) > 1:
            return Ended(
                Outcome.WRONG, f"{words}: columns computed again: {acknowledged.most_common(3)}"
            )
        if self._whole(way, folder) != self.expected[way]:
            return Ended(Outcome.WRONG, f"{words}: another result")
        left = {path.name for path in folder.iterdir()} - {"log", "store", "scores.csv", "whole.h5"}
        if left:
            return Ended(Outcome.UNCLEAR, f"{words}: left {', '.join(sorted(left))}")
        return Ended(Outcome.RIGHT, words)

    @property
    def more(self):
        """How often runs were killed."""
        return [f"{self.n_kills} kills"]

    def _new(self, name):
        folder = self.folder / name
        folder.mkdir()
        return folder

    def _whole(self, way, folder):
        ended = in_child(_logged, way, folder, seconds=SECONDS)
        if isinstance(ended, Raised):
            raise RuntimeError(ended.trace)
        return ended.value


def _run_killed(way, folder, wait):
    """Run in a process that is killed after a while; return its status, or None where it was killed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setsid()
            _logged(way, folder)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    until = time.monotonic() + wait
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.001)
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(child, signal.SIGKILL)  # it has not made its group yet
    os.waitpid(child, 0)
    return None


def _logged(way, folder):
    """Run, and log the columns of each block when it is kept."""

    class Logged(_entry.Entry):
        def write(self, columns, result):
            super().write(columns, result)
            line = "".join(f"{column}\n" for column in columns)
            os.write(log, line.encode())

    log = os.open(folder / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    from skpar_select.scoring import _store

    _store.Entry = Logged
    return way(folder)


def _records(store):
    """How many records each column has in the journals of a store, without those of all columns."""
    counts = Counter()
    if not (store / "key").exists():
        return counts
    key = (store / "key").read_bytes()
    for path in store.glob(f"*/*{JOURNAL}"):
        for record in JournalReader(path, Seal(key, path.parent.name)).new_records():
            if record.kind is Kind.RESULT and len(record.columns) < N_FEATURES:
                counts.update(record.columns)
    return counts
