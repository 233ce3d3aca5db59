"""Threads, beyond what every executor owes."""

import subprocess
import sys


def test_fault_in_a_thread__ends_the_interpreter_in_order():
    # broke once: threads that were still in the kernel at the end of the interpreter aborted it
    script = """
import numpy as np
from skpar_select.execution import ThreadsExecutor
from skpar_select.kernels import mutual_information, prepare_target

y = np.random.default_rng(0).normal(size=5000)
target = prepare_target(y, discrete=False, n_neighbors=3, seed=0)

def score(index):
    if index == 1:
        raise ValueError("the second part")
    block = np.random.default_rng(index).normal(size=(5000, 400))
    return mutual_information(
        block, [target], discrete=np.zeros(400, bool), columns=np.arange(400)
    )

list(ThreadsExecutor(2).map_unordered(score, range(8)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.endswith("ValueError: the second part\n")
