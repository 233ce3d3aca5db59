"""Thirty-one things that worked and got in the way, and how they go now."""

import os
import re
import warnings
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from shell import PYTHON, read_scores, selected
from sklearn.feature_selection import RFE, SelectFromModel, f_regression, mutual_info_classif

from skpar_select import MutualInfoDisplay, ParallelMutualInfoSelector, open_matrix

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
IDS = [f"s{i:03}" for i in range(80)]
NAMES = [f"site{i}" for i in range(12)]
TELLING = 3  # the site that tells the age


@pytest.fixture
def table(age):
    table = pd.DataFrame({"": range(80), "title": "blood", "sample": IDS, "age": age})
    table = table.sample(frac=1, random_state=1)
    table.to_csv("t.csv", index=False)
    return table


@pytest.fixture
def score(write, table, typed):
    """Type `score m.h5 --target t.csv --target-column age --output o.csv` and more."""

    def score(more="", output="o.csv"):
        if not Path("m.h5").exists():
            write()
        line = "score m.h5 --target t.csv --target-column age --progress none "
        return typed(f"{line}{more} --output {output}")

    return score


class TestF1:
    def test_f1__rows_are_not_joined_by_position_unless_asked(self, write, score):
        write(ids=None)
        error = score().error
        assert "by position only on request" in error
        assert "--same-order" in error
        assert not Path("o.csv").exists()

    @pytest.mark.parametrize("asked", ["--same-order", "--sample-ids none"])
    def test_f1__asked_for_it_is_done_without_a_warning(self, write, score, table, age, asked):
        write(ids=None)
        table.sort_values("sample").to_csv("t.csv", index=False)
        done = score(f"{asked} -k 1")
        assert (done.code, done.err) == (0, "")
        assert selected("o.csv") == ["site3"]


class TestF2:
    @pytest.mark.parametrize("output", ["x.xyz", "x", "x.h5ad"])
    def test_f2__scores_of_an_unknown_suffix_are_refused_before_scoring(self, score, output):
        error = score(output=output).error
        assert ".csv" in error
        assert not Path(output).exists()

    @pytest.mark.parametrize("output", ["red.xyz", "red", "red.npy"])
    def test_f2__so_are_matrices(self, write, table, typed, output):
        line = f"select {write()} --target t.csv --target-column age --output {output}"
        assert ".h5" in typed(line).error
        assert not Path(output).exists()


def test_f3__all_bad_columns_are_said_at_once(values, age):
    X = pd.DataFrame(values[:, :3], columns=list("abc"))
    X["town"], X["day"], X.loc[4, "c"] = "Berlin", pd.Timestamp("2020-01-01"), np.nan
    with pytest.raises(ValueError, match="town") as error:
        ParallelMutualInfoSelector(1).fit(X, age)
    assert "'day'" in str(error.value)


def test_f4__the_error_of_dates_is_one_screen(values, age, python):
    X = pd.DataFrame(values[:, :3], columns=list("abc")).assign(day=pd.Timestamp("2020-01-01"))
    code = "import sys, pickle, skpar_select; X, y = pickle.load(open('p', 'rb')); "
    code += "skpar_select.ParallelMutualInfoSelector(1).fit(X, y)"
    pd.to_pickle((X, age), "p")
    done = python("-c", code)
    assert done.returncode == 1
    assert "1 column of dates or times: 'day'" in done.stderr
    assert len(done.stderr) < 3000


class TestF5:
    @pytest.mark.parametrize(
        "more",
        [
            "-k 1.5",
            "-k -1",
            "--percentile 120",
            "--n-jobs 0",
            "--n-neighbors 80",
            "--memory-budget 10",
            "--memory-budget plenty",
            "--threshold 99",
            "--dataset M",
            "--sample-ids people",
            "--feature-names names",
            "--store t.csv",
            "--random-state -1",
            "-k 99",
            "--orientation features_by_samples",
            "--target-column nothing",
            "--id-column nothing",
            "--discrete-features gone.txt",
            "--where height=3",
            "--samples gone.txt",
            "--min-observed 0",
            "--missing omit --min-observed 900",
        ],
    )
    def test_f5__the_command_line_speaks_no_python(self, score, more):
        done = score(more)
        assert done.err
        for line in done.err.splitlines():
            assert not PYTHON.search(line)

    def test_f5__several_matrices_are_asked_for_by_the_option(self, score, values):
        with h5py.File("m.h5", "w") as f:
            f["M"], f["beta"] = values, values
        error = score().error
        assert "--dataset" in error
        assert not PYTHON.search(error)


def test_f6__a_column_that_is_nearly_named_is_suggested(write, table, typed):
    error = typed(f"score {write()} --target t.csv --target-column Age -o o.csv").error
    assert "Did you mean 'age'?" in error
    assert all(f"'{name}'" in error for name in ("title", "sample", "age"))


@pytest.mark.parametrize(
    ("ids", "in_table", "difference"),
    [
        ([one.upper() for one in IDS], IDS, "case"),
        ([f"{i}" for i in range(1000, 1080)], [f"{i}.0" for i in range(1000, 1080)], "'.0'"),
        ([f"{i:04}" for i in range(80)], [f"{i}" for i in range(80)], "zeros"),
        (IDS, [f"{one[:2]} {one[2:]}" for one in IDS], "blanks"),
    ],
)
def test_f7__ids_that_nearly_match_are_shown(write, table, typed, ids, in_table, difference):
    write(ids=ids)
    pd.DataFrame({"sample": in_table, "age": table["age"]}).to_csv("t.csv", index=False)
    error = typed("score m.h5 --target t.csv --target-column age -o o.csv").error
    assert difference in error
    assert f"'{ids[0]}'" in error
    assert f"'{in_table[0]}'" in error


class TestF8:
    @pytest.fixture
    def turned(self, values, table):
        others = pd.DataFrame({"sample": [f"other{i}" for i in range(15)], "age": 50.0})
        pd.concat([table, others]).to_csv("t.csv", index=False)
        with h5py.File("m.h5", "w") as f:
            f["data"], f["probes"], f["people"] = values.T, NAMES, IDS

    def test_f8__the_lengths_of_names_and_ids_tell_the_orientation(self, turned, typed):
        line = "score m.h5 --feature-names probes --sample-ids people --target t.csv "
        line += "--target-column age --unmatched drop -k 1 -o o.csv"
        assert typed(line).code == 0
        assert selected("o.csv") == ["site3"]

    def test_f8__inspect_shows_the_plan_of_the_run(self, turned, typed):
        done = typed("inspect m.h5 --feature-names probes --sample-ids people")
        assert done.described["feature names"].startswith("12: site0")
        assert done.described["sample ids"].startswith("80: s000")


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (lambda t: t.to_csv(index=False, sep=";"), ""),
        (lambda t: t.to_csv(index=False, sep=";", decimal=","), ""),
        (lambda t: "# made by hand\n" + t.to_csv(index=False), ""),
        (
            lambda t: "\ufeff" + t.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n"),
            "",
        ),
    ],
    ids=["semicolons", "decimal-commas", "comment", "as-a-spreadsheet-saves-it"],
)
def test_f9__tables_of_the_other_half_of_europe_are_read(score, table, text, options):
    Path("t.csv").write_bytes(text(table).encode())
    assert score(f"-k 1 {options}").code == 0
    assert selected("o.csv") == ["site3"]


@pytest.mark.parametrize("y", [np.arange(80) % 2, np.arange(80) % 2 == 0])
def test_f10__two_values_scored_as_numbers_are_pointed_out(values, y):
    with pytest.warns(UserWarning, match="y holds two distinct values.*task='classification'"):
        ParallelMutualInfoSelector(1).fit(values, y)
    ParallelMutualInfoSelector(1, task="classification").fit(values, y)


def test_f11__open_matrix_finds_names_and_ids_by_itself(write):
    X = open_matrix(write())
    assert list(X.feature_names) == NAMES
    assert list(X.sample_ids) == IDS


def test_f12__a_function_in_the_first_place_is_pointed_out(values, age):
    with pytest.raises(ValueError, match="score_func=mutual_info_classif"):
        ParallelMutualInfoSelector(mutual_info_classif).fit(values, age)


def test_f13__a_vectorised_function_gets_wide_blocks(rng):
    X, y = rng.normal(size=(500, 2000)), rng.normal(size=500)
    widths = []

    def function(block, y):
        widths.append(block.shape[1])
        return f_regression(block, y)

    selector = ParallelMutualInfoSelector(10, score_func=function, n_jobs=2).fit(X, y)
    scores, pvalues = f_regression(X, y)
    np.testing.assert_allclose(selector.scores_, scores)
    np.testing.assert_allclose(selector.pvalues_, pvalues)
    assert len(widths) <= 16


class TestF14:
    def test_f14__all_is_a_fraction_too(self, values, age):
        assert ParallelMutualInfoSelector(1.0).fit(values, age).get_support().sum() == 12

    @pytest.mark.parametrize(
        ("k", "n_selected"), [("1e1", 10), ("25%", 3), ("ALL", 12), ("0.25", 3)]
    )
    def test_f14__numbers_are_read_as_people_type_them(self, score, k, n_selected):
        assert score(f"-k {k}").code == 0
        assert len(selected("o.csv")) == n_selected


@pytest.mark.parametrize("path", ["x.h5", Path("x.h5")])
def test_f15__a_path_in_the_place_of_a_matrix_is_pointed_out(age, path):
    with pytest.raises(TypeError, match=r"Give open_matrix\('x\.h5'\)"):
        ParallelMutualInfoSelector(5).fit(path, age)


def test_f16__the_page_says_which_columns_transform_checks(values, age):
    selector = ParallelMutualInfoSelector(1, random_state=0).fit(values, age)
    values[4, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        selector.transform(values)
    said = " ".join((DOCS / "missing_values.md").read_text().split())
    assert "scikit-learn demands that `transform` of an array refuses NaN in any column" in said
    selector.set_params(missing="omit")
    assert_array_equal(selector.transform(values), values[:, [3]])


def test_f17__a_warning_is_given_once_and_points_to_the_line_of_the_caller(values, age):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        ParallelMutualInfoSelector(threshold=99).fit(values, age)
    assert len(said) == 1
    assert said[0].filename == __file__


class TestF18:
    def test_f18__categories_of_text_are_called_so(self, values):
        y = pd.Series(["malignant", "benign"] * 40, dtype="category")
        with pytest.raises(ValueError, match="y holds categories such as 'malignant'"):
            ParallelMutualInfoSelector(1).fit(values, y)

    def test_f18__dates_are_shown_as_dates_with_another_remedy(self, values):
        y = pd.Series(pd.date_range("2020-01-01", periods=80))
        with pytest.raises(ValueError, match=r"such as '2020-01-01T.*days since") as error:
            ParallelMutualInfoSelector(1).fit(values, y)
        assert "15778368" not in str(error.value)
        assert "classification" not in str(error.value)


class TestF19:
    def test_f19__an_output_is_replaced_on_request_alone(self, score):
        assert score().code == 0
        before = Path("o.csv").read_bytes()
        assert "--overwrite" in score("-k 1").error
        assert Path("o.csv").read_bytes() == before
        assert score("-k 1 --overwrite").code == 0

    def test_f19__a_file_that_is_read_only_stays(self, score):
        Path("o.csv").write_text("precious")
        Path("o.csv").chmod(0o444)
        assert score("--overwrite").code == 2
        assert Path("o.csv").read_text() == "precious"

    def test_f19__a_link_stays_a_link(self, score, folder):
        (folder / "far").mkdir()
        Path("far/o.csv").write_text("old")
        os.symlink("far/o.csv", "o.csv")
        assert score("--overwrite").code == 0
        assert Path("o.csv").is_symlink()
        assert read_scores("far/o.csv")

    def test_f19__a_matrix_without_columns_is_warned_of(self, write, table, typed):
        done = typed(f"select {write()} --target t.csv --target-column age -k 0 -o r.h5 --quiet")
        loud = typed("select m.h5 --target t.csv --target-column age -k 0 -o s.h5 --progress none")
        assert (done.code, done.err) == (0, "")
        assert "No features were selected" in loud.err


def test_f20__the_page_says_how_scores_are_an_importance(values, age):
    selector = ParallelMutualInfoSelector(2, random_state=0)
    for outer in (
        RFE(selector, n_features_to_select=2, importance_getter="scores_"),
        SelectFromModel(selector, max_features=2, threshold=-np.inf, importance_getter="scores_"),
    ):
        assert outer.fit(values, age).get_support()[3]
    assert 'importance_getter="scores_"' in (DOCS / "scikit_learn.md").read_text()


def test_f21__inspect_tells_what_the_process_takes_in_all(write, typed):
    done = typed(f"inspect {write()} --memory-budget 30MB")
    assert re.search(r"\d+(\.\d)? [MG]B", done.described["whole process"])


def test_f22__progress_tells_no_time_that_is_not_known(values, age, capsys):
    ParallelMutualInfoSelector(1, verbose=1).fit(values, age)
    said = capsys.readouterr().err
    assert said
    assert "0 s left" not in said
    assert "left" not in said.splitlines()[0]


def test_f23__the_page_says_why_the_picture_of_an_estimator_has_no_link():
    assert "_doc_link_module" in (DOCS / "scikit_learn.md").read_text()


class TestF24:
    def test_f24__selected_features_are_told_from_the_others(self, values, age):
        selector = ParallelMutualInfoSelector(5, random_state=0).fit(values, age)
        display = MutualInfoDisplay.from_estimator(selector)
        colors = [bar.get_facecolor() for bar in display.bars_]
        assert len(set(colors[:5])) == len(set(colors[5:])) == 1
        assert colors[4] != colors[5]
        legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
        assert legend == ["selected", "not selected"]

    def test_f24__a_hundred_features_have_an_axis_at_both_ends(self):
        display = MutualInfoDisplay.from_scores(np.arange(100.0), max_features=100)
        assert display.figure_.get_figheight() < 20
        display.figure_.canvas.draw()
        tick = display.ax_.xaxis.get_major_ticks()[0]
        assert tick.label2.get_visible()


def test_f25__the_page_says_whose_rule_distinct_names_are(values, age):
    said = " ".join((DOCS / "scikit_learn.md").read_text().split())
    assert "Names must be distinct: scikit-learn 1.9 refuses others too." in said


@pytest.mark.parametrize("frame", [pd.DataFrame(index=range(80)), pl.DataFrame()])
def test_f26__a_frame_without_columns_is_called_so(age, frame):
    with pytest.raises(
        ValueError, match=r"At least one sample and one feature are needed"
    ) as error:
        ParallelMutualInfoSelector(1).fit(frame, age)
    assert "at least one array or dtype" not in str(error.value)


def test_f27__the_version_waits_for_no_library(python):
    code = "import sys; from skpar_select.cli import main\n"
    code += "try: main(['--version'])\nexcept SystemExit: print(*sys.modules)"
    done = python("-c", code)
    assert {"numpy", "sklearn", "scipy", "h5py", "joblib"}.isdisjoint(done.stdout.split())


def test_f28__options_that_are_always_the_same_lie_in_a_file(score, typed):
    score()
    Path("study.txt").write_text(
        "# of every command\n--target t.csv --target-column age\n--dataset data --sample-ids samples\n"
    )
    assert typed("score m.h5 @study.txt -k 1 -o again.csv").code == 0
    assert selected("again.csv") == ["site3"]
    assert "@study.txt" in (DOCS / "command_line.md").read_text()


def test_f29__the_first_example_of_the_readme_runs_anywhere(python):
    readme = (ROOT / "README.md").read_text()
    first = re.search(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)[1]
    assert "examples/" not in first
    done = python("-c", first)
    assert (done.returncode, done.stderr) == (0, "")


def test_f30__the_page_for_contributors_says_how_a_change_of_cpp_is_built():
    page = (ROOT / "CONTRIBUTING.md").read_text()
    assert "--no-build-isolation" in page


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_f31__messages_are_the_same_in_every_process(seed, python):
    code = "import skpar_select as s\ntry: s.ParallelMutualInfoSelector('best').fit([[1.], [2.]], [1, 2])"
    code += "\nexcept ValueError as error: print(error)"
    done = python("-c", code, PYTHONHASHSEED=seed)
    assert "{'all', 'auto'}" in done.stdout
