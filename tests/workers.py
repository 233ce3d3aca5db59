"""What the tests run in other processes, which import it from here."""

import os
import signal
from pathlib import Path

from scorings import Zeros, means

from skpar_select.execution import _held, choose_executor
from skpar_select.execution._choose import _SHARES


def square(x):
    return x * x


def process_of(task):
    return os.getpid()


def workers_within(n_jobs):
    return choose_executor(n_jobs, prefer="threads").n_workers


def workers_of_shares(shares):
    """In a process of a pool: the workers that 8 and 2 jobs are, where it was told such shares."""
    for name in _SHARES:
        os.environ.pop(name, None)
    os.environ.update(shares)
    return workers_within(8), workers_within(2)


def kill_always(folder, task):
    """Kill the process that works on task 3; elsewhere note that the task was run."""
    if task == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    Path(folder, f"{task}-{os.urandom(4).hex()}").touch()
    return task


def kill_once(folder, task):
    """Kill the first process that works on task 3."""
    killed = Path(folder, "killed")
    if task == 3 and not killed.exists():
        killed.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    Path(folder, f"{task}-{os.urandom(4).hex()}").touch()
    return task


def means_once_killed(folder, X, y):
    """The means of a block; the first process that scores one is killed."""
    try:
        Path(folder, "killed").touch(exist_ok=False)
    except FileExistsError:
        return means(X, y)
    os.kill(os.getpid(), signal.SIGKILL)


def means_unless_marked(folder, X, y):
    """The means of a block, noted; where it holds 99 the process is killed, as long as nothing is spared."""
    if (X == 99).any() and not Path(folder, "spared").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    for first in X[0]:
        Path(folder, f"column{first}-{os.urandom(4).hex()}").touch()
    return means(X, y)


class SeenHere(Zeros):
    """A matrix of a file that other processes do not see."""

    def __init__(self, shape):
        super().__init__(shape)
        self.process = os.getpid()

    def check_unchanged(self):
        if os.getpid() != self.process:
            raise FileNotFoundError("'/here/alone.h5' does not exist.")


def n_held():
    """How many functions of runs this process holds."""
    return len(_held._held)
