"""Fits at once in threads, after forks, in forks and in pools: the bits of a fit alone."""

import multiprocessing
import os
import pickle
import tempfile
import threading

import h5py
import numpy as np
from joblib import Parallel, delayed

from skpar_select import ParallelMutualInfoSelector, open_matrix

from .children import Returned, ended_of, in_child
from .outcomes import Ended, Kind, Outcome

SECONDS, MEMORY = 120, 2 * 2**30
N_PROBLEMS = 8


class Problem:
    """One of many fits that have nothing in common."""

    def __init__(self, folder, seed, number):
        rng = np.random.default_rng((seed, number))
        n, p = int(rng.integers(20, 300)), int(rng.integers(1, 200))
        self.path = None
        self.X = rng.normal(size=(n, p)).astype(rng.choice(["f4", "f8"]))
        if rng.random() < 0.3:
            self.X = np.round(self.X)
        self.y = self.X[:, 0] + rng.normal(size=n)
        task = rng.choice(["regression", "classification"])
        if task == "classification":
            self.y = np.digitize(self.y, [-0.5, 0.5])
        self.how = {
            "task": str(task),
            "n_neighbors": int(rng.integers(1, 9)),
            "marginals": str(rng.choice(["raw", "rank"])),
            "random_state": int(rng.integers(2**31)),
            "n_jobs": int(rng.choice([1, 2])),
            "memory_budget": "100MB",
        }
        if rng.random() < 0.5:
            self.path = folder / f"{number}.h5"
            with h5py.File(self.path, "w") as file:
                file.create_dataset("data", data=self.X, chunks=True, compression="gzip")

    def fit(self, store=None):
        X = self.X if self.path is None else open_matrix(self.path)
        selector = ParallelMutualInfoSelector(k=1, store=store, **self.how)
        return selector.fit(X, self.y).scores_.tobytes()


def alone(problems):
    return [problem.fit() for problem in problems]


def in_threads(problems, store=None):
    """All at once, each in a thread of its own."""
    found = [b""] * len(problems)
    start = threading.Barrier(len(problems))

    def work(place):
        start.wait()
        found[place] = problems[place].fit(store)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(problems))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def in_threads_with_a_store(problems):
    """The same, each in two threads, with one store for all; then again, with what it holds."""
    with tempfile.TemporaryDirectory() as folder:
        found = [in_threads([*problems, *problems], folder) for _ in range(2)]
    halves = [half for both in found for half in (both[: len(problems)], both[len(problems) :])]
    return halves[0] if all(half == halves[0] for half in halves) else halves


def after_a_fork(problems):
    """Each in a fork of a process that has fitted."""
    problems[0].fit()
    return [_forked(problem) for problem in problems]


def during_a_fit(problems):
    """Each in a fork of a process whose threads fit meanwhile."""
    stop = threading.Event()

    def work():
        while not stop.is_set():
            problems[0].fit()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        return [_forked(problem) for problem in problems]
    finally:
        stop.set()
        thread.join()


def in_a_fork_pool(problems):
    problems[0].fit()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(Problem.fit, problems)


def in_loky(problems):
    problems[0].fit()
    return Parallel(n_jobs=2)(delayed(Problem.fit)(problem) for problem in problems)


def in_threads_of_joblib(problems):
    with Parallel(n_jobs=4, prefer="threads") as parallel:
        return parallel(delayed(problem.fit)() for problem in problems)


WAYS = [
    *[in_threads] * 3,
    *[after_a_fork, during_a_fit] * 3,
    *[in_a_fork_pool, in_threads_of_joblib, in_threads_with_a_store] * 2,
    in_loky,
]


def _forked(problem):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, pickle.dumps(problem.fit()))
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as stream:
        content = stream.read()
    os.waitpid(child, 0)
    return pickle.loads(content)


class Threads(Kind):
    """The cases: other problems each, in one of the ways."""

    def case(self, number):
        problems = in_child(self._problems, number, seconds=SECONDS).value
        way = WAYS[number % len(WAYS)]
        words = way.__name__
        expected = in_child(alone, problems, seconds=SECONDS, memory=MEMORY)
        ended = in_child(way, problems, seconds=SECONDS, memory=MEMORY)
        for problem in problems:
            if problem.path is not None:
                problem.path.unlink()
        if isinstance(ended, Returned):
            right = ended.value == expected.value
            return Ended(Outcome.RIGHT if right else Outcome.WRONG, words)
        if hasattr(ended, "trace"):
            return Ended(Outcome.UNCLEAR, f"{words}: {ended.words}")
        return ended_of(ended, words)

    def _problems(self, number):
        first = number * N_PROBLEMS
        return [Problem(self.folder, self.seed, first + place) for place in range(N_PROBLEMS)]
