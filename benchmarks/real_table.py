"""A real matrix meets a real table: one command, and the same scores done by hand.

Writes a matrix as laboratories have it (features x samples, gzip, whole numbers as ids in an order of
their own, 2 % NaN in 30 % of its columns) and a table as people keep it (semicolons, a byte order
mark, people without a sample, ages that are missing), scores them by one command, and compares every
score with that of the complete cases of its column, which pandas and NumPy find.

    python benchmarks/real_table.py FOLDER                 # 8,085 x 20,000
    python benchmarks/real_table.py FOLDER --samples 400 --features 300
"""

import argparse
import contextlib
import io
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from skpar_select.cli import main as command_line
from skpar_select.kernels import mutual_information, prepare_target

SEED = 0
TILE = 500


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, default=8085)
    parser.add_argument("--features", type=int, default=20_000)
    options = parser.parse_args(arguments)
    matrix, table = write(options.folder, options.samples, options.features)
    output = options.folder / "scores.csv"
    command = (
        f"score {matrix} --target {table} --target-column age --unmatched drop --missing-targets drop "
        f"--missing omit --random-state {SEED} --output {output} --overwrite"
    )
    print(f"$ skpar-select {command}")
    begin = time.perf_counter()
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        status = command_line(command.split())
    seconds = time.perf_counter() - begin
    print(said.getvalue(), file=sys.stderr)
    if status:
        return status
    scores = pd.read_csv(output, float_precision="round_trip").set_index("feature")
    expected, n_observed = by_hand(matrix, table)
    got = scores.loc[expected.index]
    n_same = int((got["score"] == expected).sum())
    same_counts = bool((got["n_observed"] == n_observed).all())
    print(f"{seconds:.1f} s; {n_same} of {len(expected)} scores are the same to the last bit")
    if n_same < len(expected) or not same_counts:
        raise AssertionError("the scores are not those of the complete cases")
    return 0


def write(folder, n_samples, n_features):
    """Write the matrix and the table."""
    rng = np.random.default_rng(1)
    ids = 1000 + rng.permutation(n_samples)
    ages = rng.uniform(18, 90, n_samples).round()
    matrix, table = folder / "beta.h5", folder / "people.csv"
    with h5py.File(matrix, "w") as file:
        shape, chunks = (n_features, n_samples), (min(100, n_features), n_samples)
        data = file.create_dataset("beta", shape, "f4", chunks=chunks, compression="gzip")
        file["probes"] = [f"cg{number:08}" for number in range(n_features)]
        file["samples"] = ids
        for start in range(0, n_features, TILE):
            stop = min(start + TILE, n_features)
            slope = rng.exponential(0.003, (stop - start, 1)) * rng.choice(
                [-1, 1], (stop - start, 1)
            )
            values = 0.5 + slope * (ages - 54) + rng.normal(0, 0.1, (stop - start, n_samples))
            values = np.clip(values, 0, 1).round(4)
            has_gaps = rng.random((stop - start, 1)) < 0.3
            values[has_gaps & (rng.random(values.shape) < 0.02)] = np.nan
            data[start:stop] = values
    people = pd.DataFrame({"id": ids, "sex": rng.choice(["F", "M"], n_samples), "age": ages})
    people.loc[rng.choice(n_samples, n_samples // 50, replace=False), "age"] = np.nan
    others = pd.DataFrame({"id": 90_000 + np.arange(25), "sex": "F", "age": 50.0})
    people = pd.concat([people, others]).sample(frac=1, random_state=1)
    people.to_csv(table, sep=";", index=False, encoding="utf-8-sig", na_rep="NA")
    return matrix, table


def by_hand(matrix, table):
    """Score the complete cases of every column, one after the other."""
    with h5py.File(matrix) as file:
        ids, names = file["samples"][:], file["probes"].asstr()[:]
        beta = file["beta"][:]
    people = pd.read_csv(table, sep=";").set_index("id")
    age = people["age"].reindex(ids).to_numpy()
    scores, n_observed = [], []
    for column, values in enumerate(beta):
        keep = ~np.isnan(values) & ~np.isnan(age)
        target = prepare_target(age[keep], discrete=False, n_neighbors=3, seed=noise_seed())
        (of_target,) = mutual_information(
            values[keep][:, np.newaxis], [target], columns=[column], discrete=[False]
        ).scores
        scores.append(max(0.0, of_target[0]))
        n_observed.append(keep.sum())
    return pd.Series(scores, names), pd.Series(n_observed, names)


def noise_seed():
    """Return the seed of the noise, which the selector draws from random_state."""
    return int(np.random.RandomState(SEED).randint(np.iinfo(np.int32).max))


if __name__ == "__main__":
    sys.exit(main())
