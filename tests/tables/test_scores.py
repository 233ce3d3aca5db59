"""Scores as a table: its rows and columns, its bits in every format, and that it is read back."""

import gzip
import io
import sys

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skpar_select._rules import Rules
from skpar_select.tables import (
    SCORE_FORMATS,
    details_of,
    read_scores,
    score_frame,
    write_scores,
)

NAMES = ["a", "b", 'c,"d"', "e", "f"]
SCORES = np.array([0.1, np.nan, 0.5, 0.1, 0.1])
SELECTED = np.array([False, False, True, False, True])
MORE = {"n_observed": np.array([5, 0, 4, 3, 2]), "score_age": np.array([1 / 3, np.nan, 0, 1, 2])}


def test_write_scores__puts_the_best_first_and_the_rest_in_order(tmp_path):
    file = tmp_path / "scores.csv"
    write_scores(file, NAMES, SCORES, SELECTED)
    assert file.read_bytes().decode() == (
        "feature,score,selected,rank,index\n"
        '"c,""d""",0.5,true,1,2\n'
        "f,0.1,true,2,4\n"
        "a,0.1,false,3,0\n"
        "e,0.1,false,4,3\n"
        "b,NaN,false,5,1\n"
    )


def test_write_scores__has_further_columns_behind(tmp_path):
    stream = io.StringIO()
    write_scores(stream, NAMES, SCORES, SELECTED, MORE)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "feature,score,selected,rank,index,n_observed,score_age"
    assert lines[3] == f"a,0.1,false,3,0,5,{1 / 3!r}"
    assert lines[5] == "b,NaN,false,5,1,0,NaN"


def frame_of(path, suffix):
    if suffix == ".parquet":
        return pd.read_parquet(path)
    if suffix in (".h5", ".hdf5"):
        with h5py.File(path) as file:
            names = ["feature", "score", "selected", "rank", "index", *MORE]
            assert set(file) == set(names)
            columns = {name: file[name][:] for name in names}
            columns["feature"] = file["feature"].asstr()[:]
        return pd.DataFrame(columns)
    separator = "\t" if suffix.startswith(".tsv") else ","
    return pd.read_csv(path, sep=separator, float_precision="round_trip")


@pytest.mark.parametrize("suffix", SCORE_FORMATS)
def test_write_scores__writes_the_same_table_in_every_format(tmp_path, suffix):
    # F2, G15: suffixes were ignored.
    file = tmp_path / f"scores{suffix}"
    write_scores(file, NAMES, SCORES, SELECTED, MORE)
    expected = score_frame(NAMES, SCORES, SELECTED, MORE)
    pd.testing.assert_frame_equal(
        frame_of(file, suffix), expected, check_dtype=False, check_exact=True
    )
    if suffix.endswith(".gz"):
        first = file.read_bytes()
        assert gzip.decompress(first)[:8] in (b"feature,", b"feature\t")
        write_scores(tmp_path / f"again{suffix}", NAMES, SCORES, SELECTED, MORE)
        assert (tmp_path / f"again{suffix}").read_bytes() == first


@pytest.mark.parametrize("name", ["scores.xlsx", "scores", "-"])
def test_write_scores__refuses_other_formats(tmp_path, name):
    message = r"Results are written in the format .*: \.csv, \.tsv, \.csv\.gz, .*, \.hdf5\. Give"
    with pytest.raises(ValueError, match=message):
        write_scores(tmp_path / name, NAMES, SCORES, SELECTED)
    assert list(tmp_path.iterdir()) == []


def test_write_scores__prints_to_a_stream(capsys):
    # G16
    write_scores(sys.stdout, ["a"], np.array([1.0]), np.array([True]))
    assert capsys.readouterr().out == "feature,score,selected,rank,index\na,1.0,true,1,0\n"


class Unwritable:
    def __str__(self):
        raise RuntimeError("this is no value")


def test_write_scores__refuses_names_of_another_number():
    with pytest.raises(IndexError):
        write_scores(io.StringIO(), ["a"], SCORES, SELECTED)


@pytest.mark.parametrize("suffix", SCORE_FORMATS)
def test_write_scores__leaves_the_old_file_when_it_fails(tmp_path, suffix):
    file = tmp_path / f"scores{suffix}"
    file.write_text("before")
    more = {"x": np.array([Unwritable() for _ in NAMES])}
    with pytest.raises((RuntimeError, TypeError, ValueError)):
        write_scores(file, NAMES, SCORES, SELECTED, more)
    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_score_frame__has_what_is_given_besides():
    frame = score_frame(NAMES, SCORES, SELECTED, {"pvalue": np.arange(5.0)})
    assert list(frame.columns) == ["feature", "score", "selected", "rank", "index", "pvalue"]
    assert frame["pvalue"].tolist() == [2.0, 4.0, 0.0, 3.0, 1.0]
    assert frame["index"].tolist() == [2, 4, 0, 3, 1]
    assert frame["rank"].tolist() == [1, 2, 3, 4, 5]


@given(
    scores=st.lists(
        st.floats(0, 3) | st.just(float("nan")) | st.sampled_from([0.0, 0.5]), max_size=12
    ),
    k=st.integers(0, 13),
    suffix=st.sampled_from([".csv", ".h5", ".parquet"]),
)
def test_read_scores__gives_the_scores_to_the_bit_and_the_same_choice(
    scores, k, suffix, tmp_path_factory
):
    scores = np.array(scores, dtype=float)
    if not len(scores):
        return
    names = [f"f{place}" for place in range(len(scores))]
    rules = {"k": k, "threshold": None, "percentile": 60.0}
    file = tmp_path_factory.mktemp("scores") / f"s{suffix}"
    write_scores(file, names, scores, Rules(**rules).select(scores))
    got = read_scores(file, names)
    assert_array_equal(got.columns, np.arange(len(scores)))
    assert got.scores.tobytes() == scores.tobytes()
    assert_array_equal(Rules(**rules).select(got.scores), Rules(**rules).select(scores))


def test_read_scores__takes_some_of_the_columns(tmp_path):
    # After head -n 3, or a filter of one's own.
    write_scores(tmp_path / "s.csv", NAMES, SCORES, SELECTED)
    some = "".join((tmp_path / "s.csv").read_text().splitlines(keepends=True)[:4])
    (tmp_path / "s.csv").write_text(some)
    got = read_scores(tmp_path / "s.csv", NAMES)
    assert got.columns.tolist() == [0, 2, 4]
    assert got.scores.tolist() == [0.1, 0.5, 0.1]


def test_read_scores__finds_features_by_name_where_the_matrix_has_another_order():
    table = {"feature": ["b", "a"], "score": [2.0, 1.0], "index": [1, 0]}
    got = read_scores(table, ["c", "b", "a"])
    assert got.columns.tolist() == [1, 2]
    assert got.scores.tolist() == [2.0, 1.0]


def test_read_scores__finds_features_by_index_where_names_repeat_or_have_blanks():
    table = {"feature": ["a", "b", "a"], "score": [3.0, 2.0, 1.0], "index": [2, 1, 0]}
    assert read_scores(table, ["a", " b", "a"]).columns.tolist() == [0, 1, 2]


@pytest.mark.parametrize("index", [[0, 0], [0, 5], [-1, 0], [0.5, 1], ["x", "y"]])
def test_read_scores__does_without_an_index_that_is_none(index):
    table = {"feature": ["b", "a"], "score": [2.0, 1.0], "index": index}
    assert read_scores(table, ["a", "b"]).columns.tolist() == [0, 1]


class Fitted:
    """What a table of scores asks a selector for."""

    missing, target_names_, rho_, scores_by_target_ = "raise", None, None, None

    def __init__(self, log_pvalues):
        self.log_pvalues_ = log_pvalues
        self.pvalues_ = None if log_pvalues is None else np.exp(log_pvalues)
        self.qvalues_ = None if log_pvalues is None else np.exp(log_pvalues / 2)


LOGS = np.array([-2000.0, -1000.0, np.nan, -0.5, 0.0])


def test_details_of__without_pvalues_has_none():
    assert details_of(Fitted(None)) == {}


def test_details_of__keeps_the_order_of_pvalues_that_underflow():
    details = details_of(Fitted(LOGS))
    assert list(details) == ["pvalue", "qvalue", "log10_pvalue"]
    assert details["pvalue"][:2].tolist() == [0, 0]
    assert details["log10_pvalue"][0] < details["log10_pvalue"][1] < -400
    assert_array_equal(np.isnan(details["log10_pvalue"]), np.isnan(LOGS))


def test_details_of__puts_pvalues_behind_the_scores_of_the_targets():
    fitted = Fitted(LOGS)
    fitted.missing, fitted.n_observed_ = "omit", np.ones((2, 5))
    fitted.scores_by_target_, fitted.rho_ = np.zeros((2, 5)), np.zeros((2, 5))
    assert list(details_of(fitted, ["x", "y"])) == [
        "n_observed_x", "n_observed_y", "score_x", "score_y",
        "pvalue", "qvalue", "log10_pvalue", "rho_x", "rho_y",
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", [".csv", ".h5", ".parquet"])
def test_read_scores__reads_pvalues_that_underflow_and_those_that_are_missing(tmp_path, suffix):
    file = tmp_path / f"s{suffix}"
    write_scores(file, NAMES, SCORES, SELECTED, details_of(Fitted(LOGS)))
    got = read_scores(file, NAMES, pvalues=True)
    np.testing.assert_allclose(got.log_pvalues, LOGS, rtol=1e-15)
    assert read_scores(file, NAMES).log_pvalues is None


def test_read_scores__takes_pvalues_of_a_table_without_their_logarithms():
    table = {"feature": ["b", "a", "c"], "score": [2, 1, 0], "pvalue": ["0", "0.25", "NA"]}
    got = read_scores(table, ["a", "b", "c"], pvalues=True)
    np.testing.assert_allclose(got.log_pvalues, [np.log(0.25), np.log(5e-324), np.nan])


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        (
            "pvalue",
            "2",
            r"holds 1 value that are no p-values \('2' in row 1\)\. A p-value is from 0 ",
        ),
        ("pvalue", "-1", r"\('-1' in row 1\)"),
        ("pvalue", "-inf", r"\('-inf' in row 1\)"),
        ("pvalue", "small", r"\('small' in row 1\).*score again"),
        ("log10_pvalue", "0.5", r"are no logarithms of p-values \('0.5' in row 1\)"),
        ("log10_pvalue", "-inf", r"\('-inf' in row 1\)"),
        ("log10_pvalue", "<1e-300", r"\('<1e-300' in row 1\)"),
        ("qvalue", "0.5", r"no column 'log10_pvalue' or 'pvalue'\. .* with pvalues=True, or leave"),
    ],
)
def test_read_scores__refuses_pvalues_that_are_none(column, cell, message):
    table = {"feature": ["a", "b"], "score": [2, 1], column: [cell, "-0.0"]}
    with pytest.raises(ValueError, match=message):
        read_scores(table, ["a", "b"], pvalues=True)
    # Rules that need none do not look at them.
    assert read_scores(table, ["a", "b"]).scores.tolist() == [2, 1]


def test_read_scores__refuses_columns_of_other_lengths(tmp_path):
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file["feature"], file["score"] = ["a", "b", "c"], np.zeros(3)
        file["pvalue"] = np.zeros(2)
    with pytest.raises(ValueError, match=r"'pvalue' of .* has 2 rows, and 'feature' 3"):
        read_scores(tmp_path / "s.h5", ["a", "b", "c"], pvalues=True)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"name": ["a"], "score": [1]}, r"no column 'feature'\. In a table of scores the name .*"),
        ({"feature": ["a"], "Score": [1]}, r"no column 'score'\. .*Did you mean 'Score'\?"),
        ({"feature": ["a", "a"], "score": [1, 2]}, r"repeats 1 feature \('a'\)\. .*score again"),
        ({"feature": ["a"], "score": ["high"]}, r"1 value that are no scores \('high' in row 1\)"),
        ({"feature": ["a"], "score": ["inf"]}, r"\('inf' in row 1\)"),
        (
            {"feature": ["a", "C"], "score": [1, 2]},
            r"holds 1 feature \('C'\) that the matrix lacks \('a', 'b', 'c'\)\. .*'C' and 'c'\. Take",
        ),
    ],
)
def test_read_scores__says_what_is_wrong(table, message):
    with pytest.raises(ValueError, match=message):
        read_scores(table, ["a", "b", "c"])


def test_write_scores__of_more_rows_than_are_written_at_a_time_has_each_once():
    n_rows, text = 2**16 + 3, io.StringIO()
    names = [f"site{row}" for row in range(n_rows)]
    write_scores(text, names, -np.arange(n_rows) / 7, np.zeros(n_rows, dtype=bool))
    rows = text.getvalue().splitlines()[1:]
    assert rows == [f"{name},{-row / 7!r},false,{row + 1},{row}" for row, name in enumerate(names)]
