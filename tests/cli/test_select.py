"""``select``: the reduced matrix."""

import h5py
import numpy as np
import pytest
from shell import IDS, N_SAMPLES, NAMES, read_scores, selected, write_matrix

from skpar_select import open_matrix


def test_select__writes_a_matrix_that_open_matrix_reads(score, values):
    done = score("-k", 3, "--scores", "scores.csv", command="select", output="out.h5")
    assert done.code == 0
    assert done.lines[-2:] == [
        "7 scores written to scores.csv, 3 selected",
        "3 of 7 features written to out.h5",
    ]
    columns = [index for index, name in enumerate(NAMES) if name in selected("scores.csv")]
    X = open_matrix("out.h5")
    assert X.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(X), values[:, columns])
    assert list(X.feature_names) == [NAMES[index] for index in columns]
    assert list(X.sample_ids) == IDS


def test_select__writes_the_samples_that_were_scored(score):
    done = score("--where", "age>=50", command="select", output="out.h5")
    X = open_matrix("out.h5")
    assert str(len(X)) == done.described["samples"]
    assert len(X) < N_SAMPLES


@pytest.mark.parametrize("rule", [["--threshold", 99], ["-k", 0]])
def test_select__warns_of_the_empty_matrix_that_it_writes_when_nothing_is_selected(score, rule):
    done = score(*rule, command="select", output="out.h5")
    assert done.code == 0
    assert done.err.count("warning: No features were selected") == 1
    with h5py.File("out.h5") as file:
        assert file["data"].shape == (N_SAMPLES, 0)


def test_select__says_that_nothing_is_selected_once(score, call):
    for rule in (["-k", 0], ["--threshold", 99]):
        done = score(*rule, command="select", output="out.h5")
        assert done.code == 0
        assert done.err.count("\n") == 1
        assert "warning: No feature" in done.err
    assert score().code == 0
    done = call(
        "select", "x.h5", "--from", "out.csv", "--threshold", 99, "-o", "none.h5", "--quiet"
    )
    assert (done.code, done.err) == (0, "")


def test_select__refuses_one_name_for_two_results(score):
    error = score("--scores", "./out.h5", command="select", output="out.h5").error
    assert "--output and --scores both name 'out.h5'. Each needs" in error


def test_select__takes_the_scores_of_ranks_with_their_correlations(score, call):
    assert score("--marginals", "rank", "-k", 2).code == 0
    known = call("select", "x.h5", "--from", "out.csv", "-k", 2, "-o", "known.h5")
    assert known.code == 0
    done = score("--marginals", "rank", "-k", 2, command="select", output="now.h5")
    assert done.code == 0
    assert list(open_matrix("now.h5").feature_names) == list(open_matrix("known.h5").feature_names)
    useless = call(
        "select", "x.h5", "--from", "out.csv", "--marginals", "rank", "-o", "none.h5"
    ).error
    assert "--marginals is given with --from." in useless


def test_select__needs_an_output(call):
    assert "-o/--output" in call("select", "x.h5", "--target-column", "age").error


class TestFrom:
    def test_rules__are_applied_to_the_scores_of_a_file(self, call, score, values):
        assert score().code == 0
        done = call("select", "x.h5", "--from", "out.csv", "-k", 3, "-o", "three.h5")
        assert done.code == 0
        assert done.out == "3 of 7 features written to three.h5\n"
        best = {row["feature"] for row in read_scores()[:3]}
        X = open_matrix("three.h5")
        assert set(X.feature_names) == best
        columns = [index for index, name in enumerate(NAMES) if name in best]
        np.testing.assert_array_equal(np.asarray(X), values[:, columns])

    def test_features__without_names_are_not_taken_from_a_matrix_that_may_be_turned(
        self, call, score, values
    ):
        with h5py.File("turned.h5", "w") as file:
            file["data"] = values.T
        fixed = ["--target", "ages.csv", "--target-column", "age", "--same-order"]
        assert call("score", "turned.h5", *fixed, "-o", "turned.csv").code == 0
        chosen = ["select", "turned.h5", "--from", "turned.csv", "-k", 1, "-o", "one.h5"]
        refused = call(*chosen)
        assert refused.code == 2
        assert "Give --orientation, or --feature-names." in refused.err
        assert call(*chosen, "--orientation", "features_by_samples").code == 0
        assert open_matrix("one.h5").shape == (N_SAMPLES, 1)

    def test_rules__that_leave_nothing_are_warned_of(self, call, score):
        assert score().code == 0
        done = call("select", "x.h5", "--from", "out.csv", "--threshold", 99, "-o", "none.h5")
        assert done.code == 0
        assert done.err.startswith("skpar-select: warning: No features were selected")

    def test_features__are_found_by_name(self, call, score, values):
        assert score("-k", 1).code == 0
        write_matrix("turned.h5", values[:, ::-1], names=NAMES[::-1])
        done = call("select", "turned.h5", "--from", "out.csv", "-k", 1, "-o", "one.h5")
        assert done.code == 0
        np.testing.assert_array_equal(np.asarray(open_matrix("one.h5"))[:, 0], values[:, 4])

    def test_features__that_the_matrix_lacks_are_an_error(self, call, score, values):
        assert score().code == 0
        write_matrix("other.h5", values, names=[f"cg{index}" for index in range(7)])
        error = call("select", "other.h5", "--from", "out.csv", "-o", "one.h5").error
        assert "7 features" in error

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("--target-column", "age"),
            ("--missing", "omit"),
            ("--where", "age>3"),
            ("--scores", "s.csv"),
        ],
    )
    def test_options_of_scoring__have_no_meaning_with_it(self, call, score, option, value):
        assert score().code == 0
        error = call("select", "x.h5", "--from", "out.csv", "-o", "one.h5", option, value).error
        assert f"{option} is given with --from." in error

    def test_scores__are_an_input_and_never_replaced(self, call, score):
        assert score(output="out.h5").code == 0
        fixed = ["select", "x.h5", "--from", "out.h5", "-o", "out.h5", "--overwrite"]
        assert "'out.h5' is an input" in call(*fixed).error


class TestFormats:
    @pytest.mark.parametrize("output", ["out.csv", "out.tsv", "out.csv.gz", "out.parquet"])
    def test_table__has_a_row_for_each_sample(self, score, output, values):
        pd = pytest.importorskip("pandas")
        assert score("-k", 1, command="select", output=output).code == 0
        read = pd.read_parquet if output.endswith("parquet") else pd.read_csv
        frame = read(output, sep="\t") if output.endswith("tsv") else read(output)
        np.testing.assert_array_equal(frame["site4"].astype(np.float32), values[:, 4])

    def test_anndata__opens_in_scanpy(self, score, values):
        ad = pytest.importorskip("anndata")
        assert score("-k", 1, command="select", output="out.h5ad").code == 0
        data = ad.read_h5ad("out.h5ad")
        assert list(data.var_names) == ["site4"]
        assert list(data.obs_names) == IDS

    @pytest.mark.parametrize("output", ["out.rds", "out", "-"])
    def test_format__that_is_not_known_is_refused(self, score, output, folder):
        error = score(command="select", output=output).error
        assert "Results are written in the format" in error
        assert not (folder / output).exists()
