"""What a command writes: made before the work, the scores first, and nothing left of what failed."""

import errno
import os
import subprocess
import sys

import pytest
from shell import N_FEATURES, read_scores

from skpar_select.tables import Output

SELECT = ["select", "x.h5", "--target", "ages.csv", "--target-column", "age", "--progress", "none"]


def left(folder):
    return sorted(name for name in os.listdir(folder) if name.startswith("."))


def test_outputs__are_made_before_anything_is_read(score, folder, monkeypatch):
    made = []

    def read(*_):
        made.extend(left(folder))
        raise OSError("it ends here")

    monkeypatch.setattr("skpar_select.cli._scoring.read_problem", read)
    assert score("--scores", "s.csv", command="select", output="out.h5").code == 2
    assert len(made) == 2
    assert left(folder) == []


def test_longest_name__can_be_written(score, folder):
    name = "x" * 252 + ".h5"
    assert score("-k", 1, command="select", output=name).code == 0
    assert (folder / name).exists()
    error = score("-k", 1, command="select", output="x" + name).error
    assert "is no name of a file: it has 256 bytes" in error


def test_scores__are_there_when_the_matrix_cannot_be_written(score, folder, monkeypatch):
    replace = Output.replace

    def replace_scores(output):
        if output.path.suffix == ".h5":
            raise output.described(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        replace(output)

    monkeypatch.setattr(Output, "replace", replace_scores)
    done = score("--scores", "s.csv", command="select", output="out.h5")
    assert done.code == 2
    assert "'out.h5' cannot be written (No space left on device): it takes" in done.err
    assert done.err.count("\n") == 1
    assert len(read_scores("s.csv")) == N_FEATURES
    assert left(folder) == []
    assert not (folder / "out.h5").exists()


@pytest.mark.parametrize("limit", [5000, 70_000, 80_000])
def test_limit_of_file_size__ends_with_one_line_whatever_it_allows(folder, limit):
    program = (
        "import resource, sys; from skpar_select.cli import main\n"
        "limit = int(sys.argv.pop(1))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
        "sys.exit(main())\n"
    )
    rules = ["--threshold", "0", "-o", "out.h5", "--scores", "s.csv", "--n-jobs", "1"]
    command = [sys.executable, "-c", program, str(limit), *SELECT, *rules]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert left(folder) == []
    if done.returncode:
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert "cannot be written (File too large): it takes" in done.stderr
    else:
        assert limit > 70_000
        assert (folder / "out.h5").exists()


def test_file_that_comes_in_the_meantime__is_not_replaced(call, folder, monkeypatch):
    reserve = Output.reserve

    def come(output, n_bytes):
        (folder / "s.csv").write_text("another's")
        reserve(output, n_bytes)

    monkeypatch.setattr(Output, "reserve", come)
    done = call("score", *SELECT[1:], "-o", "s.csv")
    assert "'s.csv' has come into being while its results were computed." in done.error
    assert done.error.endswith("or give --overwrite.\n")
    assert (folder / "s.csv").read_text() == "another's"
