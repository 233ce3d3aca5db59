"""Print the peak of the kernel's memory in bytes a sample, as JSON: of targets and of block calls.

Called by test_memory.py in a process of its own, so that the peak is that of the kernel.
"""

import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
from kinds import adjacent, continuous_target, discrete_target, score

from skpar_select.kernels import mutual_information

WIDTH = 8
N_OF_MANY = 18_000  # in rank space in 32 bits


def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(key))


def peak_of(call, n_samples):
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak back
    before = status("VmRSS")
    result = call()
    return result, (status("VmHWM") - before) / n_samples


def columns(rng, n_samples, name):
    """Give columns that take much: overfull bins, lone classes, or ties that turn the axes."""
    if name == "tied":
        return rng.integers(0, 2, (n_samples, WIDTH)).astype(float)
    values = 0.7 * rng.integers(0, n_samples // 16, (n_samples, WIDTH))
    if name != "continuous":
        values[::5] = 1e6 + rng.random((len(values[::5]), WIDTH))
    return values + (0.001 * rng.random(values.shape) if name == "continuous" else 0)


def score_several(block, targets, *, discrete, min_observed):
    mask = np.broadcast_to(discrete, WIDTH)
    mutual_information(
        block, targets, columns=adjacent(0, WIDTH), discrete=mask, min_observed=min_observed
    )


def main(n_samples):
    rng = np.random.default_rng(0)
    y = rng.integers(0, n_samples // 16, n_samples) + 0.001 * rng.random(n_samples)
    half = np.arange(WIDTH) % 2 == 0
    masks = {"continuous": False, "tied": False, "discrete": True, "mixed": half}
    # What is loaded and started at the first call is the interpreter's.
    kinds = {
        "continuous": continuous_target,
        "discrete": discrete_target,
        "continuous ranked": partial(continuous_target, marginals="rank"),
        "discrete ranked": partial(discrete_target, marginals="rank"),
    }
    for prepare in kinds.values():
        warm = prepare(y[:100].round())
        block = columns(rng, 100, "continuous")
        block[3] = np.nan
        score_several(block, [warm], discrete=half, min_observed=2)
    measured = {}
    for kind, prepare in kinds.items():
        values = y if kind.startswith("continuous") else y.round()
        target, measured[f"{kind} target"] = peak_of(partial(prepare, values), n_samples)
        for name, mask in masks.items():
            call = partial(score, columns(rng, n_samples, name), target, discrete=mask)
            measured[f"{name} columns, {kind} target"] = peak_of(call, n_samples)[1]
            block = columns(rng, n_samples, name)
            options = {"discrete": mask, "min_observed": None}
            call = partial(score_several, block, [target, target], **options)
            measured[f"{name} columns, {kind} targets"] = peak_of(call, n_samples)[1]
            block[::50] = np.nan
            options = {"discrete": mask, "min_observed": 2}
            call = partial(score_several, block, [target, target], **options)
            measured[f"{name} columns with gaps, {kind} targets"] = peak_of(call, n_samples)[1]
    for marginals in ("raw", "rank"):
        few = rng.normal(size=(N_OF_MANY, WIDTH))
        target = continuous_target(few[:, 0], n_neighbors=N_OF_MANY // 2, marginals=marginals)
        call = partial(score, few, target, discrete=False)
        measured[f"many neighbours, {marginals} columns"] = peak_of(call, N_OF_MANY)[1]
    print(json.dumps(measured))


if __name__ == "__main__":
    main(int(sys.argv[1]))
