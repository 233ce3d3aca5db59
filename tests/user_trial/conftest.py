"""An empty folder to type in, and the command line as it is typed."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

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
