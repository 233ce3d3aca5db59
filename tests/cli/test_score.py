"""``score``: what it writes and shows."""

import h5py
import numpy as np
import pytest
from shell import IDS, N_FEATURES, NAMES, read_scores, selected, write_matrix, write_table

from skpar_select import ParallelMutualInfoSelector
from skpar_select.cli import main
from skpar_select.tables import Table


def test_score__writes_the_scores_of_the_selector_best_first(score, values, age):
    assert score("-k", 2).code == 0
    selector = ParallelMutualInfoSelector(k=2, random_state=0).fit(values, age)
    rows = read_scores()
    assert list(rows[0]) == ["feature", "score", "selected", "rank", "index"]
    assert rows[0]["feature"] == "site4"
    assert {row["feature"]: float(row["score"]) for row in rows} == dict(
        zip(NAMES, selector.scores_, strict=True)
    )
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert [row["selected"] for row in rows] == ["true"] * 2 + ["false"] * 5


@pytest.mark.parametrize(
    ("rule", "n_selected"),
    [
        (["-k", "3"], 3),
        (["-k", "0.3"], 2),
        (["-k", "30%"], 2),
        (["-k", "ALL"], 7),
        (["--percentile", "50"], 3),
        (["--percentile", "50%"], 3),
        (["--threshold", "0.5"], 1),
        (["-k", "3", "--threshold", "0.5"], 1),
    ],
)
def test_score__selects_by_every_rule_given(score, rule, n_selected):
    assert score(*rule).code == 0
    assert len(selected()) == n_selected


def test_score__gives_the_same_bytes_for_every_run_and_number_of_jobs(call, folder):
    fixed = ["score", "x.h5", "--target", "ages.csv", "--target-column", "age", "-k", 2]
    assert call(*fixed, "-o", "one.csv", "--n-jobs", 1).code == 0
    assert call(*fixed, "-o", "two.csv", "--n-jobs", 2, "--memory-budget", "1MB").code == 0
    assert (folder / "one.csv").read_bytes() == (folder / "two.csv").read_bytes()


def test_score__says_what_was_scored_and_shows_the_best(score):
    done = score("-k", 2)
    assert done.described["target"] == "age of 'ages.csv', regression"
    assert done.described["samples"] == "60"
    assert done.described["features"] == f"{N_FEATURES}"
    table = done.lines[done.lines.index("rank       score  feature") + 1 :]
    assert table[0].split() == ["1", table[0].split()[1], "site4"]
    assert len(table) == N_FEATURES + 1
    assert table[-1] == "7 scores written to out.csv, 2 selected"


def test_score__without_an_output_shows_the_best_ten(call, folder, age):
    write_matrix("wide.h5", np.tile(np.arange(60.0)[:, None], 30), names=None)
    done = call("score", "wide.h5", "--target", "ages.csv", "--target-column", "age")
    assert done.code == 0
    assert sum(line.split()[0].isdecimal() for line in done.lines) == 10
    assert not list(folder.glob("*.out"))


def test_score__reads_classes(score, age):
    kinds = np.where(age > 50, "old", "young")
    write_table("kinds.csv", zip(IDS, kinds, strict=True))
    done = score("-k", 1, "--task", "classification", target="kinds.csv")
    assert done.described["target"] == "age of 'kinds.csv', classification"
    assert selected() == ["site4"]


def test_marginals__are_those_of_the_selector(score, values, age):
    done = score("--marginals", "rank", "-k", 2)
    assert done.err == ""
    options = {"k": 2, "random_state": 0, "marginals": "rank"}
    selector = ParallelMutualInfoSelector(**options).fit(values, age)
    rows = read_scores()
    assert list(rows[0]) == ["feature", "score", "selected", "rank", "index", "rho"]
    for name, expected in (("score", selector.scores_), ("rho", selector.rho_)):
        held = {row["feature"]: float(row[name]) for row in rows}
        assert held == dict(zip(NAMES, expected, strict=True))
    assert rows[0]["rho"] == "1.0"
    table = done.lines[done.lines.index("rank       score         rho  feature") + 1 :]
    assert table[0].split()[2:] == ["1.0000", "site4"]


@pytest.mark.parametrize("suffix", [".tsv", ".h5", ".parquet"])
def test_marginals__are_in_every_kind_of_table(score, values, suffix):
    values[:, 2] = 0.5
    write_matrix("x.h5", values)
    assert score("--marginals", "rank", output=f"out{suffix}").code == 0
    table = Table(f"out{suffix}")
    rho = table.column("rho").numbers()
    assert np.isnan(rho).sum() == 1
    assert np.nanmax(rho) == 1


def test_marginals__of_classes_have_no_correlation(score, age):
    write_table("kinds.csv", zip(IDS, np.where(age > 50, "old", "young"), strict=True))
    options = ["--task", "classification", "--marginals", "rank"]
    assert score(*options, target="kinds.csv").code == 0
    assert list(read_scores()[0]) == ["feature", "score", "selected", "rank", "index"]


def test_marginals__that_are_none_are_refused(score):
    assert "--marginals: invalid choice: 'ranks'" in score("--marginals", "ranks").error


def test_score__names_a_target_once(call, folder):
    error = call("score", "x.h5", "--target", "ages.csv", "--target-column", "age", "age").error
    assert "--target-column age age names a target twice." in error


def test_score__says_where_classes_look_like_numbers(score):
    done = score("--task", "classification")
    assert "--task classification is left out" in done.err


def test_score__warns_in_one_line_when_k_exceeds_the_features(score):
    done = score("-k", 99)
    assert done.code == 0
    assert done.err.startswith("skpar-select: warning: -k 99 is greater than 7 features.")
    assert done.err.count("\n") == 1
    assert len(selected()) == N_FEATURES


def test_score__warns_when_nothing_is_selected(score):
    done = score("--threshold", 99)
    assert done.code == 0
    assert done.err.startswith("skpar-select: warning: No features were selected by -k auto")
    assert done.err.endswith("Loosen one.\n")
    assert selected() == []


def test_score__names_the_columns_that_are_not_finite(score, values):
    values[3, 5] = np.inf
    with h5py.File("x.h5", "r+") as file:
        file["data"][:] = values
    assert "contains infinity: 1 value in 1 column, 'site5' (1 infinity)." in score().error


def test_score__says_what_can_be_done_about_nan(score, values):
    values[3, 5] = np.nan
    with h5py.File("x.h5", "r+") as file:
        file["data"][:] = values
    assert "contains NaN: 1 value in 1 column, 'site5' (1 NaN)." in score().error


def test_score__needs_more_samples_than_neighbours(score):
    assert "--n-neighbors 60 is too large for 60 samples" in score("--n-neighbors", 60).error


def test_score__needs_a_target(call, folder):
    error = call("score", "x.h5").error
    assert "Name its column with --target-column, and the table" in error


def test_score__needs_the_column_of_a_table(call, folder):
    error = call("score", "x.h5", "--target", "ages.csv").error
    assert "Name it with --target-column." in error


def test_store__keeps_the_scores_of_a_command(score):
    for _ in range(2):
        assert score("-k", 2, "--store", "kept").code == 0
    assert "note: --store kept holds 7 of 7 features of this run" in score("--store", "kept").err
    error = score("--store", "kept", "--n-neighbors", 4).err
    assert "--store kept holds nothing of this run, the nearest is that of --n-neighbors 3" in error


def test_store__that_cannot_be_made_is_an_error(score):
    assert "--store ages.csv" in score("--store", "ages.csv").error


class TestOutput:
    @pytest.mark.parametrize(
        ("output", "expected"),
        [
            ("gone/out.csv", "no folder 'gone'"),
            ("x.h5", "'x.h5' is an input"),
            ("out.xlsx", "'out.xlsx' ends in '.xlsx'"),
            ("ages.csv", "'ages.csv' is an input"),
        ],
    )
    def test_output__that_cannot_be_is_refused_before_scoring(self, score, output, expected):
        assert expected in score(output=output).error

    def test_output__that_exists_is_replaced_on_request_only(self, call, folder):
        fixed = ["score", "x.h5", "--target", "ages.csv", "--target-column", "age", "-o", "o.csv"]
        assert call(*fixed).code == 0
        before = (folder / "o.csv").read_bytes()
        assert (
            "'o.csv' exists. Results replace a file only when they are told to."
            in call(*fixed, "-k", 1).error
        )
        assert (folder / "o.csv").read_bytes() == before
        assert call(*fixed, "-k", 1, "--overwrite").code == 0
        assert (folder / "o.csv").read_bytes() != before

    def test_output__is_not_there_after_an_error(self, score, folder):
        assert "Set --memory-budget to at least" in score("--memory-budget", "1").error
        assert not (folder / "out.csv").exists()

    @pytest.mark.parametrize("output", ["out.tsv", "out.csv.gz", "out.parquet"])
    def test_output__is_written_in_the_format_of_its_suffix(self, score, output):
        pd = pytest.importorskip("pandas")
        assert score(output=output).code == 0
        read = pd.read_parquet if output.endswith("parquet") else pd.read_csv
        frame = read(output, sep="\t") if output.endswith("tsv") else read(output)
        assert frame["feature"][0] == "site4"

    def test_stdout__is_left_to_the_table(self, score):
        done = score("-k", 1, output="-")
        assert done.code == 0
        assert done.lines[0] == "feature,score,selected,rank,index"
        assert len(done.lines) == N_FEATURES + 1


def test_score__refuses_where_no_column_can_be_scored(tmp_path, capsys):
    X = np.random.default_rng(0).normal(size=(30, 4))
    X[:20] = np.nan
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["data"] = X
        file["samples"] = [f"s{row}" for row in range(30)]
        file["y"] = np.arange(30.0)
    arguments = ["score", str(tmp_path / "x.h5"), "--target-column", "y", "--missing", "omit"]
    assert main(arguments) == 2
    assert "No column was scored" in capsys.readouterr().err
