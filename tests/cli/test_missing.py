"""Missing values, and several targets in one pass."""

import numpy as np
import pytest
from shell import IDS, NAMES, read_scores, write_matrix, write_table

from skpar_select import ParallelMutualInfoSelector


@pytest.fixture
def gappy(folder, values):
    """Column 5 lacks one value, column 6 most."""
    values[3, 5] = np.nan
    values[:50, 6] = np.nan
    write_matrix("x.h5", values)
    return values


def held(name="out.csv", column="score"):
    return {row["feature"]: float(row[column]) for row in read_scores(name)}


def test_missing__is_an_error_that_names_the_options(score, gappy):
    error = score().error
    assert "--missing omit" in error
    assert "--missing skip" in error


@pytest.mark.parametrize("missing", ["omit", "skip"])
def test_missing__is_that_of_the_selector(score, gappy, age, missing):
    done = score("--missing", missing)
    assert done.code == 0
    assert "columns were not scored" in done.err
    with pytest.warns(UserWarning, match="columns were not scored"):
        selector = ParallelMutualInfoSelector(missing=missing, random_state=0).fit(gappy, age)
    np.testing.assert_array_equal([held()[name] for name in NAMES], selector.scores_)
    n_observed = held(column="n_observed")
    assert [n_observed[name] for name in NAMES] == selector.n_observed_.tolist()
    assert np.isnan(held()["site6"])


@pytest.mark.parametrize("least", ["10", "10%"])
def test_min_observed__is_a_number_or_a_share(score, gappy, least):
    done = score("--missing", "omit", "--min-observed", least)
    assert done.err == ""
    assert not np.isnan(held()["site6"])


def test_infinity__stays_an_error(score, gappy):
    gappy[0, 0] = np.inf
    write_matrix("x.h5", gappy)
    error = score("--missing", "omit").error
    assert "infinity" in error
    assert "--exclude-features" in error


class TestSeveralTargets:
    @pytest.fixture
    def table(self, folder, values, age):
        bmi = 20 + values[:, 1].astype(float)
        write_table("two.csv", zip(IDS, age, bmi, strict=True), header=["id", "age", "bmi"])
        return np.column_stack([age, bmi])

    @pytest.mark.parametrize(
        "columns",
        [["--target-column", "age", "bmi"], ["--target-column", "age", "--target-column", "bmi"]],
    )
    def test_targets__are_scored_in_one_pass(self, call, table, values, columns):
        done = call("score", "x.h5", "--target", "two.csv", *columns, "-o", "out.csv")
        assert done.code == 0
        assert done.described["target"] == "age, bmi of 'two.csv', regression"
        selector = ParallelMutualInfoSelector(random_state=0).fit(values, table)
        np.testing.assert_array_equal([held()[name] for name in NAMES], selector.scores_)
        for place, name in enumerate(["age", "bmi"]):
            scores = held(column=f"score_{name}")
            expected = selector.scores_by_target_[place]
            np.testing.assert_array_equal([scores[one] for one in NAMES], expected)
        head = next(line for line in done.lines if line.startswith("rank"))
        assert head.split() == ["rank", "score", "age", "bmi", "feature"]

    def test_marginals__give_each_target_a_correlation(self, call, table, values):
        fixed = ["--target", "two.csv", "--target-column", "age", "bmi", "-o", "out.csv"]
        done = call("score", "x.h5", *fixed, "--marginals", "rank")
        assert done.code == 0
        head = next(line for line in done.lines if line.startswith("rank"))
        assert head.split() == ["rank", "score", "age", "bmi", "feature"]
        options = {"random_state": 0, "marginals": "rank"}
        selector = ParallelMutualInfoSelector(**options).fit(values, table)
        for place, name in enumerate(["age", "bmi"]):
            rho = held(column=f"rho_{name}")
            assert [rho[one] for one in NAMES] == selector.rho_[place].tolist()

    def test_aggregate__decides(self, call, table, values):
        fixed = ["--target", "two.csv", "--target-column", "age", "bmi", "-o", "out.csv"]
        assert call("score", "x.h5", *fixed, "--aggregate", "mean").code == 0
        selector = ParallelMutualInfoSelector(random_state=0, aggregate="mean").fit(values, table)
        np.testing.assert_array_equal([held()[name] for name in NAMES], selector.scores_)

    def test_target__that_some_samples_lack_needs_omit(self, call, table):
        rows = [(one, *row) for one, row in zip(IDS, table.tolist(), strict=True)]
        rows[0] = ("s00", "NA", 20)
        write_table("two.csv", rows, header=["id", "age", "bmi"])
        fixed = ["score", "x.h5", "--target", "two.csv", "--target-column", "age", "bmi"]
        assert "--missing-targets drop" in call(*fixed).error
        fixed += ["--missing-targets", "drop", "--progress", "none"]
        assert "Give --missing omit, or score one target at a time." in call(*fixed).error
        done = call(*fixed, "--missing", "omit")
        assert done.code == 0
        assert "'age' (1)" in done.err
