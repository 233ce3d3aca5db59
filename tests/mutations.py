"""Damage small files at random and fit them: only ValueError and OSError may come of it.

Called by tests/test_damage.py in a process of its own, because HDF5 itself may crash or hang.
"""

import sys
from pathlib import Path

import h5py
import numpy as np

from skpar_select import ParallelMutualInfoSelector, open_matrix

N_SAMPLES, N_FEATURES = 12, 9
LAYOUTS = {
    "contiguous": {},
    "squares": {"chunks": (5, 4), "compression": "gzip"},
    "columns": {"chunks": (N_SAMPLES, 2), "compression": "gzip", "shuffle": True, "fletcher32": True},
    "rows": {"chunks": (2, N_FEATURES), "compression": "gzip"},
    "lzf": {"chunks": (4, N_FEATURES), "compression": "lzf"},
}  # fmt: skip


def originals(folder):
    X = np.random.default_rng(0).normal(size=(N_SAMPLES, N_FEATURES)).astype(np.float32)
    for name, options in LAYOUTS.items():
        for version in ("earliest", "latest"):
            path = folder / f"{name} {version}.h5"
            with h5py.File(path, "w", libver=version) as file:
                file.create_dataset("data", data=X, **options)
                # Of fixed length: HDF5 itself hangs on some damaged heaps of other text.
                file["features"] = np.array([b"f%d" % i for i in range(N_FEATURES)])
                file["samples"] = np.array([b"s%d" % i for i in range(N_SAMPLES)])
            yield path.read_bytes()


def damaged(data, rng):
    data = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        place, way = rng.integers(len(data)), rng.integers(4)
        if way == 0:
            data[place] = rng.integers(256)
        elif way == 1:
            data[place] ^= 1 << rng.integers(8)
        else:
            width = min(8 if way == 2 else 4, len(data) - place)
            data[place : place + width] = (b"\0" if way == 2 else b"\xff") * width
    return data[: rng.integers(len(data))] if rng.random() < 0.1 else data


def fit(path):
    X = open_matrix(path, "data", feature_names="auto", sample_ids="auto")
    y = np.arange(float(X.shape[0]))
    parameters = {"k": 2, "random_state": 0, "memory_budget": "50MB"}
    ParallelMutualInfoSelector(**parameters).fit(X, y).transform(X)


def main(folder, seed, count):
    rng, folder = np.random.default_rng(seed), Path(folder)
    files = list(originals(folder))
    path = folder / "damaged.h5"
    outcomes = {"fitted": 0, "refused": 0}
    for number in range(count):
        path.write_bytes(damaged(files[number % len(files)], rng))
        print(f"file {number}", file=sys.stderr, flush=True)
        try:
            fit(path)
            outcomes["fitted"] += 1
        except (ValueError, OSError):
            outcomes["refused"] += 1
    print(outcomes)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
