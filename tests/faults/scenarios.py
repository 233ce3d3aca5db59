"""Whole runs over small files: fits, and commands that write files. What each leaves can be compared."""

import csv
import io
import re
import tempfile
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field

import h5py
import numpy as np
from containers import (
    names_of,
    write_anndata,
    write_hdf5,
    write_hdfstore,
    write_npy,
    write_parquet,
    write_wide,
    write_zarr,
)

from skpar_select import ParallelMutualInfoSelector, open_matrix
from skpar_select.cli import main

N_SAMPLES, N_FEATURES = 12, 16
NAMED = {"feature_names": "auto", "sample_ids": "auto"}
GZIP = {"compression": "gzip"}


class CommandError(ValueError):
    """What a command said before it ended with an error."""


def values_of():
    rng = np.random.default_rng(11)
    values = rng.normal(size=(N_SAMPLES, N_FEATURES)).astype("f4")
    values[rng.random(values.shape) < 0.2] = 0
    return values


def target():
    return values_of()[:, 4] + np.arange(N_SAMPLES) / 20


@dataclass
class Scenario:
    """A run: what it reads, and what it does in a folder for what it writes."""

    write: Callable
    work: Callable
    """Gets the path of the input and the folder for outputs; returns an array, or None."""

    outputs: tuple = ()
    """The names of the files that it writes."""

    keeps: str = ""
    """How the names begin of files that an error leaves for the next run; empty: there are none."""

    suffix: str = ".h5"

    how: dict = field(default_factory=lambda: NAMED)

    def prepare(self, folder):
        """Write the input; return where it is, and the smallest budget that its scores need."""
        path = folder / f"matrix{self.suffix}"
        paths = self.write(path, values_of())
        with (folder / "ages.csv").open("w", newline="") as stream:
            rows = zip(names_of(values_of())[0], target(), strict=True)
            csv.writer(stream).writerows([("sample", "age"), *list(rows)[::-1]])
        matrix = open_matrix(paths, **self.how)
        return paths, smallest_budget(matrix, target(), folder / "store")

    def run(self, paths, budget, out):
        """Do the work; temporary files are made in the folder of outputs, too."""
        tempfile.tempdir = str(out)
        return self.work(paths, budget, out, self.how)


def content_of(path):
    """What a file of results holds, as it can be compared."""
    if path.suffix not in (".h5", ".h5ad"):
        return path.read_bytes()
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, node: found.update({name: _held(node)}))
    return found


def _held(node):
    if not isinstance(node, h5py.Dataset):
        return None
    values = node.asstr()[...].tolist() if node.dtype.kind == "O" else node[...].tobytes()
    return node.shape, node.dtype.str, values


def selector(budget):
    how = {"discrete_features": False, "random_state": 0, "n_jobs": 1}
    return ParallelMutualInfoSelector(k=5, memory_budget=budget, **how)


def smallest_budget(matrix, y, store):
    """A tenth more than a fit says that it needs at least; blocks are hardly wider than a column.

    A fit that goes on needs a few bytes more for the columns that it lacks.
    """
    try:
        selector("1kB").set_params(store=store).fit(matrix, y)
    except ValueError as error:
        number, unit = re.search(r"to at least ([\d.]+) (\w+)", str(error)).groups()
        return f"{1.1 * float(number):.3f} {unit}"
    raise AssertionError("no budget is too small")


def fit(paths, budget, out, how, store=None):
    matrix = open_matrix(paths, **how)
    fitted = selector(budget).set_params(store=store).fit(matrix, target())
    return fitted.scores_, fitted.transform(matrix), fitted.get_feature_names_out()


def fit_with_store(paths, budget, out, how):
    return fit(paths, budget, out, how, store=out / "store")


def command(*arguments):
    """Run the command line in this process, with files named by the folder of outputs."""

    def work(path, budget, out, how):
        made = [str(a).format(path=path, out=out, ages=path.parent / "ages.csv") for a in arguments]
        said, told = io.StringIO(), io.StringIO()
        with redirect_stdout(said), redirect_stderr(told):
            code = main([*made, "--memory-budget", budget, "--n-jobs", "1", "--progress", "none"])
        if code:
            raise CommandError(told.getvalue())

    return work


OF_AGES = (
    "{path}",
    "--target",
    "{ages}",
    "--target-column",
    "age",
    "--random-state",
    "0",
    "--discrete-features",
    "none",
)
SCORE = command("score", *OF_AGES, "--output", "{out}/scores.csv")
SELECT = command(
    "select", *OF_AGES, "-k", "9", "--output", "{out}/part.h5", "--scores", "{out}/scores.csv"
)


def made(write, **options):
    return lambda path, values: write(path, values, **options)


SCENARIOS = {
    "fit of contiguous hdf5": Scenario(write_hdf5, fit),
    "fit of gzip rows": Scenario(made(write_hdf5, chunks=(4, N_FEATURES), **GZIP), fit),
    "fit of gzip squares": Scenario(made(write_hdf5, chunks=(5, 6), **GZIP), fit),
    "fit of npy": Scenario(write_npy, fit, suffix=".npy", how={}),
    "fit of csr": Scenario(made(write_anndata, encoding="csr_matrix"), fit),
    "fit of csc gzip": Scenario(made(write_anndata, encoding="csc_matrix", chunks=(30,), **GZIP), fit),
    "fit of hdfstore": Scenario(made(write_hdfstore, blocks=2), fit),
    "fit of two files": Scenario(made(write_wide, borders=(7,), chunks=(12, 3), **GZIP), fit),
    "fit of parquet": Scenario(write_parquet, fit, suffix=".parquet"),
    "fit of zarr": Scenario(made(write_zarr, chunks=(7, 6)), fit, suffix=".zarr"),
    "fit of contiguous hdf5 with a store": Scenario(write_hdf5, fit_with_store),
    "fit of gzip squares with a store": Scenario(made(write_hdf5, chunks=(5, 6), **GZIP), fit_with_store),
    "fit of csr with a store": Scenario(made(write_anndata, encoding="csr_matrix"), fit_with_store),
    "score to csv with a store": Scenario(
        made(write_hdf5, chunks=(5, 6), **GZIP),
        command("score", *OF_AGES, "--output", "{out}/scores.csv", "--store", "{out}/store"),
        ("scores.csv",),
    ),
    "score to csv": Scenario(write_hdf5, SCORE, ("scores.csv",)),
    "score to parquet": Scenario(
        write_hdf5, command("score", *OF_AGES, "--output", "{out}/scores.parquet"), ("scores.parquet",)
    ),
    "select to hdf5": Scenario(made(write_hdf5, chunks=(5, 6), **GZIP), SELECT, ("part.h5", "scores.csv")),
    "select to h5ad": Scenario(
        write_anndata, command("select", *OF_AGES, "-k", "9", "--output", "{out}/part.h5ad"), ("part.h5ad",)
    ),
    "repack gzip rows": Scenario(
        made(write_hdf5, chunks=(4, N_FEATURES), **GZIP),
        command("repack", "{path}", "{out}/whole.h5"),
        ("whole.h5",),
        keeps=".skpar-",
    ),
    "select of csr to csv": Scenario(
        made(write_anndata, encoding="csr_matrix"),
        command("select", *OF_AGES, "-k", "9", "--output", "{out}/part.csv.gz"),
        ("part.csv.gz",),
    ),
}  # fmt: skip
