"""An empty folder to type in, and the command line as it is typed."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import h5py
import matplotlib.pyplot
import numpy as np
import pytest
from shell import Outcome

import skpar_select
from skpar_select.cli import main

matplotlib.use("Agg")  # the tests have no screen


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    matplotlib.pyplot.close("all")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def values(request, rng):
    """A matrix of the people `IDS` and the features `NAMES` of the module."""
    shape = len(request.module.IDS), len(request.module.NAMES)
    return rng.normal(size=shape).astype("f4")


@pytest.fixture
def age(request, values):
    return np.round(50 + 10 * values[:, request.module.TELLING].astype(float), 2)


@pytest.fixture
def write(request, values):
    """Write the matrix to a file, with its names, and give the name of the file."""

    def write(values=values, name="m.h5", ids=request.module.IDS, names=request.module.NAMES):
        with h5py.File(name, "w") as f:
            f["data"] = values
            if ids is not None:
                f["samples"] = ids
            if names is not None:
                f["features"] = names
        return name

    return write


@pytest.fixture
def typed(capsys):
    """Run a line as it is typed after the name of the program."""

    def typed(line):
        capsys.readouterr()
        try:
            code = main(shlex.split(line))
        except SystemExit as end:
            code = end.code
        return Outcome(code, *capsys.readouterr())

    return typed


@pytest.fixture
def python():
    """Run Python on the package that is tested, wherever it lies and this folder is."""

    def python(*arguments, **environment):
        path = str(Path(skpar_select.__file__).parents[1])
        return subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": path, **environment},
        )

    return python
