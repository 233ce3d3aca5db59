"""``--strata`` and ``--covariates``: columns of the target's table that stay beside their samples."""

import json
from argparse import Namespace

import numpy as np
import pandas as pd
import pytest
from shell import IDS, NAMES, read_scores, selected, write_lines, write_matrix, write_table

from skpar_select import ParallelMutualInfoSelector
from skpar_select.cli._console import Console
from skpar_select.cli._input import read_problem
from skpar_select.cli._parser import make_parser, parse

HEADER = ("sample_id", "age", "weight", "sex", "plate", "cells", "odd,'\"[name] =1")
SEX = np.array(["F", "M"])[np.arange(60) % 2]
PLATE = np.array(["p1", "p1", "p2"])[np.arange(60) % 3]
CELLS = np.random.default_rng(3).normal(size=60)
FIXED = ["score", "x.h5", "--target", "study.csv", "--target-column", "age"]


def write_study(age, /, **changes):
    """Write a table of all columns in another order than the matrix; `changes` are of single cells."""
    columns = {
        "sample_id": list(IDS),
        "age": list(age),
        "weight": list(range(60)),
        "sex": list(SEX),
        "plate": list(PLATE),
        "cells": list(CELLS),
        HEADER[-1]: list(range(60)),
    }
    for name, cells in changes.items():
        for place, cell in cells.items():
            columns[name][place] = cell
    rows = list(zip(*columns.values(), strict=True))
    write_table("study.csv", rows[::-1], header=HEADER)


@pytest.fixture
def study(folder, age):
    write_study(age)
    return folder


@pytest.fixture
def problem(study):
    """What the options say is scored."""

    def problem(*arguments):
        options: Namespace = parse(make_parser(), [*FIXED, *map(str, arguments)])
        return read_problem(options, Console({}, quiet=True, progress="none"))

    return problem


def test_both__stand_beside_their_samples(problem, age):
    got = problem("--strata", "sex", "plate", "--covariates", "cells")
    assert list(got.X.sample_ids) == IDS
    np.testing.assert_allclose(got.y, age)
    assert got.strata.tolist() == np.column_stack([SEX, PLATE]).tolist()
    np.testing.assert_array_equal(got.covariates, CELLS[:, np.newaxis])


@pytest.mark.filterwarnings("ignore::skpar_select.DroppedSamplesWarning")
def test_both__stay_beside_their_samples_whatever_is_left_out(problem, age):
    missing = {3: "NA", 17: ""}
    write_study(age, age={5: "NA"}, sex=missing, cells={17: "nan", 30: "."})
    write_lines("few.txt", [one for place, one in enumerate(IDS) if place % 4])
    got = problem(
        "--strata", "sex", "--covariates", "cells", "--missing-targets", "drop",
        "--samples", "few.txt", "--where", "plate=p1",
    )  # fmt: skip
    kept = [p for p in range(60) if p % 4 and PLATE[p] == "p1" and p not in (3, 5, 17, 30)]
    assert list(got.X.sample_ids) == [IDS[place] for place in kept]
    np.testing.assert_allclose(got.y, age[kept])
    assert got.strata[:, 0].tolist() == SEX[kept].tolist()
    np.testing.assert_array_equal(got.covariates[:, 0], CELLS[kept])


@pytest.mark.filterwarnings("ignore::skpar_select.DroppedSamplesWarning")
def test_both__go_with_their_rows_when_samples_lack_one(problem, values):
    write_matrix("x.h5", values[10:], ids=IDS[10:])
    got = problem("--strata", "sex", "--unmatched", "drop")
    assert got.strata[:, 0].tolist() == SEX[10:].tolist()


def test_both__are_what_the_library_is_given(call, study, values, age):
    arguments = ["--strata", "sex", "--covariates", "cells", "--pvalues"]
    assert call(*FIXED, *arguments, "--output", "out.csv", "--quiet").code == 0
    fitted = ParallelMutualInfoSelector(pvalues=True, random_state=0).fit(
        values, age, strata=SEX, covariates=CELLS
    )
    rows = {row["feature"]: row for row in read_scores()}
    assert [float(rows[name]["score"]) for name in NAMES] == fitted.scores_.tolist()
    assert [float(rows[name]["pvalue"]) for name in NAMES] == fitted.pvalues_.tolist()


def test_strata__take_a_batch_out_that_drives_both_sides(call, folder, values, age):
    plate = np.arange(60) % 3
    write_matrix("x.h5", values + 3 * plate[:, np.newaxis])
    rows = zip(IDS, age + 30 * plate, plate, strict=True)
    write_table("study.csv", rows, header=("sample_id", "age", "plate"))
    without = call(*FIXED, "--fwer", 0.001, "--quiet", "-o", "without.csv")
    within = call(*FIXED, "--fwer", 0.001, "--quiet", "-o", "within.csv", "--strata", "plate")
    assert (without.code, within.code) == (0, 0)
    assert len(selected("without.csv")) == 7
    assert selected("within.csv") == ["site4"]


@pytest.mark.parametrize("which", ["--strata", "--covariates"])
def test_missing_value__is_an_error_that_says_how_to_drop(call, study, age, which):
    write_study(age, cells={0: "NA", 9: ""})
    error = call(*FIXED, which, "cells").error
    assert "A stratum or covariate is missing in 'study.csv': column 'cells' in 2 rows" in error
    assert "--missing-targets drop leaves these samples out." in error


def test_missing_value__is_dropped_and_counted(call, study, age):
    write_study(age, cells={0: "NA", 9: ""}, age={1: "NA"})
    done = call(*FIXED, "--covariates", "cells", "--missing-targets", "drop")
    assert done.code == 0
    (note,) = done.notes
    assert "1 sample without a value in 'age'; 2 samples without a value in 'cells'." in note
    assert done.described["samples"] == "57"


def test_names__of_odd_characters_are_names(call, study):
    done = call(*FIXED, "--strata", "sex", "--covariates", HEADER[-1], "--quiet", "-o", "o.csv")
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--strata", "age"], "--strata age names the target. Nothing is left"),
        (["--covariates", "cells", "age"], "--covariates age names the target."),
        (["--strata", "gender"], "no column 'gender'. A stratum must be"),
        (["--covariates", "cell"], "Did you mean 'cells'?"),
        (["--strata", "sex", "--covariates", "sex"], "--strata and --covariates name 'sex' twice."),
        (["--covariates", "plate"], "'plate' of 'study.csv' holds 60 values that regression on "),
        (["--covariates", "plate"], "or name it with --strata, which are labels."),
        (["--strata", "sample_id"], "has 1 sample."),
        (["--covariate-knots", 5], "--covariate-knots 5 is given without --covariates."),
        (["--covariates", "cells", "--covariate-knots", 2], "'2' knots make no spline."),
    ],
)
def test_options__that_cannot_be_are_refused(call, study, arguments, expected):
    assert expected in call(*FIXED, *arguments).error


@pytest.mark.parametrize("option", ["--strata", "--covariates"])
def test_options__without_a_target_are_refused(call, study, option):
    assert "Name it with --target-column." in call("score", "x.h5", option, "sex").error


@pytest.mark.filterwarnings("ignore::skpar_select.DroppedSamplesWarning")
def test_parquet_of_both__has_no_feature_of_their_names(call, folder, values, age):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(values.astype(float), columns=NAMES, index=pd.Index(IDS, name="id"))
    frame["age"], frame["cells"] = age, CELLS
    frame.to_parquet("wide.parquet")
    done = call(
        "score", "wide.parquet", "--target-column", "age", "--covariates", "cells",
        "--progress", "none",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.described["features"] == "7"
    assert any("1 feature of the name of a stratum or covariate, 'cells'" in n for n in done.notes)


def test_summary__says_what_was_held_fixed_and_regressed_out_in_merge_too(call, study):
    arguments = ["--strata", "sex", "--covariates", "cells", "--progress", "none"]
    said = (
        "age of 'study.csv', within strata of 'sex', covariates 'cells' regressed out, regression"
    )
    whole = call(*FIXED, *arguments, "--fdr", 0.1, "-o", "whole.csv")
    assert whole.described["target"] == said
    for number in (1, 2):
        shard = ["--pvalues", "--shard", f"{number}/2", "-o", f"part{number}"]
        assert call(*FIXED, *arguments, *shard).code == 0
    merged = call("merge", "part1", "part2", "--fdr", 0.1, "-o", "merged.csv")
    assert merged.described["target"] == said
    assert merged.described["tests"] == whole.described["tests"]
    assert (study / "merged.csv").read_bytes() == (study / "whole.csv").read_bytes()


def test_inspect__counts_what_tests_and_confounders_hold(call, study):
    def peak(*arguments):
        done = call("inspect", *FIXED[1:], *arguments)
        assert done.code == 0, done.err
        return float(done.described["peak memory"].split()[0])

    assert peak() < peak("--pvalues") < peak("--pvalues", "--covariates", "cells")


def test_words__of_the_library_are_those_of_the_options(call, study):
    """A stratum that is too small is refused by the library."""
    error = call(*FIXED, "--strata", "sex", "--n-neighbors", 20).error
    assert "--n-neighbors 20" in error
    assert json.dumps(error).isprintable()
