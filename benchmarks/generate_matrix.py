"""Write a matrix of real width: 71 real methylation sites among simulated ones.

Example: python benchmarks/generate_matrix.py full.h5 --layout contiguous

Beside the file come ``.ages.csv``, the real age of each sample, and ``.sites.json``, the columns of
the real sites. The values depend on the seed alone, not on layout, compression or type.
"""

import argparse
import csv
import json
import os
import sys
import time
from contextlib import contextmanager

import h5py
import numpy as np
from simulated import REAL, TILE, SimulatedMatrix

# Rows and columns of a chunk, None for all of them. A square and a column chunk take 1 to 2 MiB.
CHUNKS = {
    "contiguous": None,
    "rows": (16, None),
    "square": (512, 512),
    "columns": (None, 64),
}
COMPRESSIONS = {
    "none": {},
    "gzip": {"compression": "gzip", "shuffle": True},
    "lzf": {"compression": "lzf", "shuffle": True},
}


def generate(path, *, samples, features, layout, compression, dtype, seed, file_format):
    """Write the matrix and what belongs beside it."""
    if (file_format == "npy" or layout == "contiguous") and compression != "none":
        raise ValueError(
            f"--compression {compression} with {file_format}, {layout}: only chunks can be "
            "compressed. Choose --format h5 and --layout rows, square or columns."
        )
    if file_format == "npy" and layout != "contiguous":
        raise ValueError(f"--layout {layout} with npy: such files are contiguous. Leave it out.")
    matrix = SimulatedMatrix(samples, features, seed)
    write = _npy if file_format == "npy" else _hdf5
    temporary = f"{path}.part"
    try:
        with write(temporary, matrix, dtype, CHUNKS[layout], COMPRESSIONS[compression]) as out:
            _fill(matrix, out, layout, dtype)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
    with open(f"{path}.sites.json", "w") as file:
        json.dump({"seed": seed, "columns": matrix.sites}, file, indent=1)
    _copy_ages(f"{path}.ages.csv", matrix.samples)


@contextmanager
def _hdf5(path, matrix, dtype, chunks, options):
    if chunks:
        wanted = zip(chunks, matrix.shape, strict=True)
        options = {"chunks": tuple(min(c or n, n) for c, n in wanted), **options}
    with h5py.File(path, "w") as file:
        file["features"] = matrix.features
        file["samples"] = matrix.samples.astype("S")
        yield file.create_dataset("data", matrix.shape, dtype, **options)


@contextmanager
def _npy(path, matrix, dtype, chunks, options):
    with open(path, "wb") as file:
        header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": matrix.shape}
        np.lib.format.write_array_header_1_0(file, header)

        class Rows:
            def __setitem__(self, key, values):
                file.write(values.data)

        yield Rows()


def _fill(matrix, out, layout, dtype):
    # Whole rows, or whole columns, or rows of chunks: no chunk is compressed twice.
    n_samples, n_features = matrix.shape
    tall = {"columns": n_samples, "square": CHUNKS["square"][0]}.get(layout, TILE[0])
    wide = {"columns": TILE[1], "square": 4 * TILE[1]}.get(layout, n_features)
    start = time.perf_counter()
    done = 0
    for top in range(0, n_samples, tall):
        for left in range(0, n_features, wide):
            rows = slice(top, min(top + tall, n_samples))
            columns = slice(left, min(left + wide, n_features))
            values = matrix.values(rows, columns).astype(dtype, copy=False)
            out[rows, columns] = values
            done += values.size
            share = done / (n_samples * n_features)
            seconds = time.perf_counter() - start
            print(
                f"\r{share:4.0%}, {seconds:.0f} s, {seconds / share - seconds:.0f} s left   ",
                end="",
                file=sys.stderr,
            )
    print(file=sys.stderr)


def _copy_ages(path, samples):
    wanted = set(samples)
    with open(REAL / "trainmap.csv", newline="") as source, open(path, "w", newline="") as copy:
        rows = csv.DictReader(source)
        writer = csv.DictWriter(copy, rows.fieldnames)
        writer.writeheader()
        writer.writerows(row for row in rows if row["sample_id"] in wanted)


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", metavar="OUT")
    parser.add_argument("--samples", type=int, default=8085)
    parser.add_argument("--features", type=int, default=483_512)
    parser.add_argument("--layout", choices=CHUNKS, default="contiguous")
    parser.add_argument("--compression", choices=COMPRESSIONS, default="none")
    parser.add_argument("--dtype", choices=["float16", "float32", "float64"], default="float32")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", choices=["h5", "npy"], default="h5", dest="file_format")
    options = vars(parser.parse_args(arguments))
    try:
        generate(options.pop("path"), **options)
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
