"""A folder with a matrix and a table, and a call of the command line in this process."""

import numpy as np
import pytest
from shell import IDS, N_FEATURES, N_SAMPLES, PYTHON, Outcome, write_matrix, write_table

from skpar_select.cli import main


@pytest.fixture
def call(capsys):
    """Call the command line; whatever it says on stderr is in its own words."""

    def call(*arguments):
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        outcome = Outcome(code, *capsys.readouterr())
        for line in outcome.err.splitlines():
            assert not PYTHON.search(line), line
        return outcome

    return call


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(size=(N_SAMPLES, N_FEATURES)).astype(np.float32)


@pytest.fixture
def age(values):
    return 50 + 10 * values[:, 4].astype(float)


@pytest.fixture
def folder(tmp_path, monkeypatch, values, age):
    """A folder with a matrix and, in another order, the targets of its samples."""
    monkeypatch.chdir(tmp_path)
    write_matrix("x.h5", values)
    write_table("ages.csv", list(zip(IDS, age, strict=True))[::-1])
    return tmp_path


@pytest.fixture
def score(call, folder):
    """Score the matrix of the folder against age."""

    def score(*arguments, command="score", target="ages.csv", output="out.csv", matrix="x.h5"):
        fixed = ["--target", target, "--target-column", "age", "--n-jobs", "1", "--overwrite"]
        fixed += ["--progress", "none"]
        return call(command, matrix, *fixed, "--output", output, *arguments)

    return score
