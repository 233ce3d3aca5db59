"""What the tests run in other processes, which import it from here."""

import os

from skpar_select.execution import choose_executor
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
