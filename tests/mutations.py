"""Damage small files at random and fit them: either they are refused, or the scores are right.

Called by tests/test_damage.py in a process of its own, because HDF5 itself may crash or hang. It
prints, as JSON, how many files were refused and fitted, and which of those that were fitted gave
what they must not.

A refusal is a ValueError or an OSError. What a fitted file must give follows from the bytes that
were changed:

- Its shape and names' number are always the true ones.
- ``"checked"``: values under a checksum (gzip has one inside, fletcher32 is one) and descriptions
  under a checksum (the format of HDF5 1.10 and later), or not touched: the scores are the true ones.
- ``"contiguous"``: the description is sound, and the values have no checksum. The scores are bit for
  bit those of the values whose bytes were changed, and all others are the true ones.
- ``"lzf"``: the same, where one changed byte may change its whole chunk: all values of the other
  chunks are the true ones.
- ``"description"``: a description without a checksum was changed, as of the type of the values.
  HDF5 cannot tell: the shape alone is certain.
"""

import json
import sys
from collections import Counter
from contextlib import suppress
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
X = np.random.default_rng(0).normal(size=(N_SAMPLES, N_FEATURES)).astype(np.float32)


class Original:
    """A sound file, and where in it values and names are."""

    def __init__(self, folder, layout, version):
        self.layout, self.version = layout, version
        path = folder / f"{layout} {version}.h5"
        with h5py.File(path, "w", libver=version) as file:
            file.create_dataset("data", data=X, **LAYOUTS[layout])
            # Of fixed length: HDF5 itself hangs on some damaged heaps of other text.
            file["features"] = np.array([b"f%d" % i for i in range(N_FEATURES)])
            file["samples"] = np.array([b"s%d" % i for i in range(N_SAMPLES)])
        self.content = np.frombuffer(path.read_bytes(), np.uint8)
        self.is_value = np.zeros(len(self.content), bool)
        self.is_name = np.zeros(len(self.content), bool)
        self.chunks = []
        with h5py.File(path) as file:
            data = file["data"].id
            if layout == "contiguous":
                self.first = data.get_offset()
                self.is_value[self.first : self.first + X.nbytes] = True
            else:
                for chunk in map(data.get_chunk_info, range(data.get_num_chunks())):
                    held = slice(chunk.byte_offset, chunk.byte_offset + chunk.size)
                    self.is_value[held] = True
                    self.chunks.append((held, chunk.chunk_offset))
            for name in ("features", "samples"):
                first, size = file[name].id.get_offset(), file[name].id.get_storage_size()
                self.is_name[first : first + size] = True

    def rule(self, changed):
        """Name the rule for a file of which these bytes were changed."""
        described = changed & ~self.is_value & ~self.is_name
        if self.version == "earliest" and described.any():
            return "description"
        return self.layout if self.layout in ("contiguous", "lzf") else "checked"

    def values(self, content):
        """Return the values that changed bytes of a contiguous file make."""
        held = content[self.first : self.first + X.nbytes]
        return held.view(X.dtype).reshape(X.shape)

    def whole_rows(self, changed):
        """Return the rows whose chunks, each as wide as the matrix, were not changed."""
        rows = np.ones(N_SAMPLES, bool)
        tall = LAYOUTS["lzf"]["chunks"][0]
        for held, (row, _) in self.chunks:
            if changed[held].any():
                rows[row : row + tall] = False
        return rows


def damaged(content, rng):
    data = bytearray(content)
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


def fit(matrix):
    y = np.arange(float(N_SAMPLES))
    parameters = {"k": 2, "random_state": 0, "memory_budget": "50MB"}
    selector = ParallelMutualInfoSelector(**parameters).fit(matrix, y)
    selector.transform(matrix)
    return selector.scores_


def fit_file(path):
    # By the names the file tells its shape a second time.
    matrix = open_matrix(path, "data", feature_names="features", sample_ids="samples")
    return matrix.shape, np.asarray(matrix), fit(matrix)


def find_names(path):
    """Find names as they are found by default."""
    matrix = open_matrix(path, "data")
    for names in (matrix.feature_names, matrix.sample_ids):
        assert names is None or len(names) in (N_SAMPLES, N_FEATURES) or matrix.shape != X.shape


def is_right(rule, original, content, changed, shape, values, scores):
    """Tell whether a fitted file gave what its rule demands."""
    if shape != X.shape or scores.shape != (N_FEATURES,):
        return False
    if rule == "checked":
        return np.array_equal(values, X) and np.array_equal(scores, fit(X))
    if rule == "contiguous":
        expected = original.values(content)
        return np.array_equal(values, expected) and np.array_equal(scores, fit(expected))
    if rule == "lzf":
        rows = original.whole_rows(changed)
        return np.array_equal(values[rows], X[rows]) and np.array_equal(scores, fit(values))
    return np.array_equal(scores, fit(values))


def main(folder, seed, count):
    rng, folder = np.random.default_rng(seed), Path(folder)
    originals = [
        Original(folder, layout, version)
        for layout in LAYOUTS
        for version in ("earliest", "latest")
    ]
    path = folder / "damaged.h5"
    refused, fitted, wrong = Counter(), Counter(), []
    for number in range(count):
        original = originals[number % len(originals)]
        content = np.frombuffer(bytes(damaged(original.content, rng)), np.uint8)
        path.write_bytes(content.tobytes())
        changed = np.ones(len(original.content), bool)
        changed[: len(content)] = content != original.content[: len(content)]
        rule = original.rule(changed)
        print(f"file {number}", file=sys.stderr, flush=True)
        with suppress(ValueError, OSError):
            find_names(path)
        try:
            got = fit_file(path)
        except (ValueError, OSError):
            refused[rule] += 1
            continue
        fitted[rule] += 1
        if not is_right(rule, original, content, changed, *got):
            wrong.append([number, original.layout, original.version, rule])
    print(json.dumps({"refused": refused, "fitted": fitted, "wrong": wrong}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
