"""``inspect``: the file, and the plan of the run that the same options give."""

import io

import h5py
import numpy as np
import pytest
from shell import IDS, write_lines, write_table

from skpar_select import ParallelMutualInfoSelector, open_matrix
from skpar_select._memory import parse_memory
from skpar_select.scoring import ProgressLog


def test_inspect__describes_the_file_and_the_plan(call, folder):
    done = call("inspect", "x.h5", "--memory-budget", "1MB", "--n-jobs", "1")
    assert done.code == 0
    described = done.described
    assert described["matrix"].endswith("x.h5', dataset 'data'")
    assert described["shape"] == "60 samples x 7 features"
    assert described["type"] == "float32, 1.7 kB in all"
    assert described["layout"] == "contiguous"
    assert described["stored"] == "1.7 kB"
    assert described["feature names"] == "7: site0, site1, site2, ..."
    assert described["sample ids"] == "60: s00, s01, s02, ..."
    assert described["read strategy"] == "extents of every row, read to their place"
    assert described["peak memory"].endswith(" kB of 1 MB allowed")
    assert described["bytes read"] == "1.7 kB"
    assert described["scratch disk"] == "none"


def test_inspect__says_what_the_process_takes_in_all(call, folder):
    described = call("inspect", "x.h5").described
    total, base = described["whole process"].split(", of which Python, libraries and names ")
    assert 30e6 < parse_memory(base) < parse_memory(total) + 1e6
    assert parse_memory(total) < 2e9


def test_inspect__names_chunks_and_filters(call, folder, values):
    with h5py.File("z.h5", "w") as file:
        file.create_dataset("x", data=values, chunks=(8, 7), compression="gzip", shuffle=True)
    described = call("inspect", "z.h5", "--orientation", "features_by_samples").described
    assert described["shape"] == "7 samples x 60 features"
    assert described["layout"] == "chunks of 8 x 7, shuffle, gzip, stored as features x samples"
    assert described["feature names"] == "none"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["gone.h5"], "does not exist"),
        (["ages.csv"], "ages.csv"),
        (["x.h5", "--dataset", "nothing"], "dataset 'nothing' does not exist"),
        (["x.h5", "--memory-budget", "2kB"], "Set --memory-budget to at least"),
    ],
)
def test_inspect__ends_with_one_line_on_bad_files(call, folder, arguments, expected):
    assert expected in call("inspect", *arguments).error


def test_inspect__takes_the_options_of_a_run(call, folder):
    fixed = ["--target", "ages.csv", "--target-column", "age", "--where", "age>=50"]
    run = call("score", "x.h5", *fixed)
    done = call("inspect", "x.h5", *fixed)
    assert done.code == 0
    assert done.described["shape"] == f"{run.described['samples']} samples x 7 features"
    assert done.notes == run.notes


class Recorder(ProgressLog):
    """Takes note of the plan of a fit."""

    def begin(self, plan):
        super().begin(plan)
        self.plan = plan


@pytest.mark.parametrize("missing", ["raise", "omit"])
@pytest.mark.parametrize("columns", [["age"], ["age", "bmi"], ["age", "lacking"]])
def test_inspect__shows_the_plan_of_the_run(call, folder, age, missing, columns):
    bmi = 20 + age / 10
    lacking = np.where(age > 50, "NA", age)
    rows = zip(IDS, age, bmi, lacking, strict=True)
    write_table("more.csv", rows, header=["id", "age", "bmi", "lacking"])
    fixed = ["--target", "more.csv", "--target-column", *columns, "--missing-targets", "drop"]
    done = call("inspect", "x.h5", *fixed, "--missing", missing, "--n-jobs", 2)
    assert done.code == 0
    if missing == "raise" and "lacking" in columns:
        return  # the run is refused
    recorder = Recorder(io.StringIO())
    y = {"age": age, "bmi": bmi, "lacking": np.where(age > 50, np.nan, age)}
    selector = ParallelMutualInfoSelector(missing=missing, n_jobs=2, verbose=recorder)
    targets = np.column_stack([y[name] for name in columns])
    if "lacking" in columns:
        with pytest.warns(UserWarning, match="have no target"):
            selector.fit(open_matrix("x.h5"), targets)
    else:
        selector.fit(open_matrix("x.h5"), targets[:, 0] if len(columns) == 1 else targets)
    for what, text in recorder.plan.describe().items():
        assert done.described[what].startswith(text), what


@pytest.mark.parametrize(
    "option",
    [
        ["--samples", "some.txt"],
        ["--exclude-samples", "some.txt"],
        ["--unmatched", "drop"],
        ["--missing-targets", "drop"],
    ],
)
def test_inspect__refuses_a_choice_of_samples_without_a_target(call, folder, option):
    # The plan was that of all samples.
    write_lines("some.txt", IDS[:5])
    assert f"{option[0]} is given without a target" in call("inspect", "x.h5", *option).error
