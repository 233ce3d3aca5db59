"""``--fdr``, ``--fwer``, ``--fpr`` and ``--pvalues``: of a run, of a merge, and of known scores."""

import math

import numpy as np
import pytest
from shell import IDS, N_FEATURES, read_scores, selected, write_lines, write_matrix, write_table

from skpar_select import open_matrix
from skpar_select.cli._report import best, error_rates, shown_pvalue


class Fitted:
    """A selector that has p-values: those of the built-in kernel underflow in long runs alone."""

    scores_by_target_ = rho_ = None
    fdr_method = "bh"

    def __init__(self, scores, log_pvalues, fdr=None):
        self.scores_ = np.array(scores, dtype=float)
        self.log_pvalues_ = None if log_pvalues is None else np.array(log_pvalues, dtype=float)
        self.fdr = fdr

    def get_support(self):
        return self.scores_ > 1


@pytest.mark.parametrize(
    ("log_pvalue", "text"),
    [
        (0.0, "1.0000"),
        (math.log(0.05), "0.0500"),
        (math.log(1.234e-5), "1.2e-05"),
        (math.log(9.99e-7), "1.0e-06"),
        (-58 * math.log(10), "1.0e-58"),
        (-1e6, "3.3e-434295"),
        (float("nan"), "nan"),
    ],
)
def test_shown_pvalue__is_right_where_float64_underflows(log_pvalue, text):
    assert shown_pvalue(log_pvalue) == text


def test_error_rates__counts_the_columns_that_pass_and_says_the_least_p():
    fitted = Fitted([3, 2, 1, 0], [-2000, -5, math.nan, -0.1])
    assert list(error_rates(fitted)) == [
        "tests          2 of 3 features have q <= 0.05; the least p is 2.6e-869"
    ]
    fitted.fdr = 1e-6
    assert next(error_rates(fitted)).startswith("tests          1 of 3 features have q <= 1e-06;")


@pytest.mark.parametrize("log_pvalues", [None, [math.nan, math.nan]])
def test_error_rates__says_nothing_without_pvalues(log_pvalues):
    assert list(error_rates(Fitted([1, 0], log_pvalues))) == []


def test_best__shows_pvalues_behind_the_scores():
    head, first, *_ = best(["a", "b"], Fitted([2, 1], [-2000, -1]), ["age"])
    assert head.split() == ["rank", "score", "pvalue", "qvalue", "feature"]
    assert first.split() == ["1", "2.0000", "2.6e-869", "5.2e-869", "a"]


def test_score__by_fdr_gives_the_columns_of_the_test(score):
    done = score("--fdr", "5%")
    assert done.code == 0, done.err
    assert selected() == ["site4"]
    assert done.described["tests"].startswith("1 of 7 features have q <= 0.05; the least p is ")
    row = read_scores()[0]
    assert list(row)[5:8] == ["pvalue", "qvalue", "log10_pvalue"]
    assert float(row["log10_pvalue"]) == pytest.approx(math.log10(float(row["pvalue"])))
    assert float(row["pvalue"]) <= float(row["qvalue"]) < 0.05


@pytest.mark.parametrize("rule", [["--fwer", 0.01], ["--fpr", 0.01], ["--fdr", 0.01, "-k", 3]])
def test_score__takes_each_rule(score, rule):
    assert score(*rule).code == 0
    assert selected() == ["site4"]


def test_score__by_pvalues_alone_selects_as_without(score):
    assert score("--pvalues", "-k", 2).code == 0
    assert len(selected()) == 2
    assert "qvalue" in read_scores()[0]


def test_score__where_nothing_passes_warns_once(score, age):
    write_table("noise.csv", zip(IDS, np.random.default_rng(8).permutation(age), strict=True))
    done = score("--fdr", 1e-6, target="noise.csv")
    assert done.code == 0
    assert done.err.count("\n") == 1
    assert "warning: No features were selected by" in done.err
    assert "--fdr 1e-06" in done.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--fdr", 0], "'0' is no rate of errors. It must be above 0 and at most 1"),
        (["--fdr", 5], "such as 0.05 or 5%"),
        (["--fwer", "nan"], "'nan' is no rate"),
        (["--fpr", "x"], "'x' is no rate"),
        (["--fdr-method", "holm", "--fdr", 0.1], "invalid choice: 'holm'"),
        (["--test-neighbors", 65, "--pvalues"], "from 1 to 64"),
        (["--test", "combined"], "--test combined is given, and no p-values are asked for."),
        (["--test-neighbors", 5], "Add --pvalues, or a rule such as --fdr 0.05."),
        (["--fdr-method", "by", "-k", 3], "--fdr-method by is given, and no p-values"),
        (["--fdr", 0.1, "--shard", "1/2"], "Give it to merge, and --pvalues here."),
    ],
)
def test_score__refuses_what_cannot_be(score, arguments, expected):
    assert expected in score(*arguments).error


def test_score__of_too_few_samples_has_no_pvalues(score):
    write_lines("few.txt", IDS[:15])
    done = score("--fdr", 0.1, "--samples", "few.txt")
    assert done.code == 2
    assert "of 15 samples. They need at least 20" in done.err
    assert "leave out --pvalues, --fdr, --fwer and --fpr." in done.err


def test_merge__by_an_error_rate_needs_parts_with_pvalues(score, call):
    assert score("--shard", "1/1", output="part").code == 0
    error = call("merge", "part", "--fdr", 0.1).error
    assert "--fdr 0.1 is given, and the parts hold no p-values." in error
    assert "Score the shards again with --pvalues, or leave the rule out." in error


class TestFrom:
    @pytest.fixture
    def known(self, score, call):
        assert score("--pvalues").code == 0

        def known(*arguments, scores="out.csv"):
            progress = () if "--quiet" in arguments else ("--progress", "none")
            return call(
                "select", "x.h5", "--from", scores, "--output", "r.h5", "--overwrite",
                *arguments, *progress,
            )  # fmt: skip

        return known

    @pytest.mark.parametrize(
        "rule", [["--fdr", 0.05], ["--fdr", 0.6], ["--fdr", 0.9, "--fdr-method", "by"],
                 ["--fwer", 0.05], ["--fpr", 0.5], ["--fpr", 0.5, "-k", 2]]
    )  # fmt: skip
    def test_rules__choose_as_in_the_run_that_scored(self, known, score, rule):
        assert known(*rule).code == 0
        of_file = list(open_matrix("r.h5").feature_names)
        assert score(*rule, output="again.csv").code == 0
        assert sorted(of_file) == sorted(selected("again.csv"))

    def test_part_of_a_file__is_warned_of(self, known):
        with open("out.csv") as file:
            write_lines("head.csv", [line.rstrip("\n") for line in file][:4])
        done = known("--fdr", 0.05, scores="head.csv")
        assert done.code == 0
        assert "warning: 'head.csv' lacks 4 of the 7 features of the matrix." in done.err
        # A p-value has no need of the others.
        assert known("--fpr", 0.05, scores="head.csv").err == ""

    def test_file_without_pvalues__is_refused_with_the_remedy(self, known, score):
        assert score(output="plain.csv").code == 0
        error = known("--fdr", 0.05, scores="plain.csv").error
        assert "'plain.csv' has no column 'log10_pvalue' or 'pvalue'." in error
        assert "Score again with --pvalues, or leave --fdr, --fwer and --fpr out." in error

    @pytest.mark.parametrize("cell", ["2", "-1", "text", "inf"])
    @pytest.mark.parametrize("column", ["pvalue", "log10_pvalue"])
    def test_file__with_a_pvalue_that_is_none_is_refused(self, known, column, cell):
        cell = "0.5" if (column, cell) == ("log10_pvalue", "-1") else cell
        rows = zip(["site0", "site4"], [0.1, 2], [cell, "-0.0"], strict=True)
        write_table("bad.csv", rows, header=("feature", "score", column))
        assert f"({cell!r} in row 1)" in known("--fpr", 0.5, scores="bad.csv").error

    def test_file__with_pvalues_that_are_missing_has_fewer_tests(self, known):
        rows = [("site0", 0.1, "nan"), ("site1", 0.1, ""), ("site4", 2, 0.04)]
        write_table("gaps.csv", rows, header=("feature", "score", "pvalue"))
        assert known("--fwer", 0.1, "--quiet", scores="gaps.csv").code == 0
        assert list(open_matrix("r.h5").feature_names) == ["site4"]

    def test_options_of_scoring__are_refused(self, known):
        for option in (["--pvalues"], ["--strata", "sex"], ["--covariates", "age"]):
            assert f"{option[0]} is given with --from." in known(*option).error
        assert "--fdr-method by is given without --fdr." in known("--fdr-method", "by").error


def test_select__reserves_and_writes_both(score):
    done = score("--fdr", 0.05, "--scores", "s.csv", command="select", output="r.h5")
    assert done.code == 0, done.err
    assert list(open_matrix("r.h5").feature_names) == ["site4"]


def test_many_that_pass__are_warned_of_in_words_of_the_shell(call, folder, age):
    rng = np.random.default_rng(0)
    wide = age[:, np.newaxis] + rng.normal(size=(len(IDS), 40 * N_FEATURES))
    write_matrix("wide.h5", wide, names=[f"s{place}" for place in range(wide.shape[1])])
    done = call(
        "score", "wide.h5", "--target", "ages.csv", "--target-column", "age", "--fdr", 0.05,
        "--progress", "none",
    )  # fmt: skip
    assert done.code == 0
    assert "280 of 280 columns pass --fdr 0.05." in done.err
    assert "with --threshold or -k" in done.err
