"""Scores as a table: the order of its rows, its bits, and that it is never half-written."""

import numpy as np
import pandas as pd
import pytest

from skpar_select.tables import score_frame, write_scores

SCORES = np.array([0.1, np.nan, 0.5, 0.1, 0.1])
SELECTED = np.array([False, False, True, False, True])


def test_write_scores__puts_the_best_first_and_the_rest_in_order(tmp_path):
    file = tmp_path / "scores.csv"
    scores = np.array([0.1, np.nan, 0.5, 0.1, 0.1])
    selected = np.array([False, False, True, False, True])
    write_scores(file, ["a", "b", 'c,"d"', "e", "f"], scores, selected)
    assert file.read_bytes().decode() == (
        "feature,score,selected\n"
        '"c,""d""",0.5,true\n'
        "f,0.1,true\n"
        "a,0.1,false\n"
        "e,0.1,false\n"
        "b,nan,false\n"
    )


def test_write_scores__keeps_every_bit_of_a_score(tmp_path):
    score = 1.0 / 3.0
    write_scores(tmp_path / "scores.csv", ["a"], np.array([score]), np.array([True]))
    text = (tmp_path / "scores.csv").read_text().splitlines()[1].split(",")[1]
    assert float(text) == score


def test_write_scores__leaves_the_old_file_when_it_fails(tmp_path):
    file = tmp_path / "scores.csv"
    file.write_text("before")
    with pytest.raises(IndexError):
        write_scores(file, ["a"], SCORES, SELECTED)
    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


def test_score_frame__has_the_rows_of_the_file(tmp_path):
    names = np.array(list("abcde"), dtype=object)
    write_scores(tmp_path / "scores.csv", names, SCORES, SELECTED)
    frame = score_frame(names, SCORES, SELECTED, None)
    pd.testing.assert_frame_equal(
        frame, pd.read_csv(tmp_path / "scores.csv"), check_dtype=False, check_exact=True
    )


def test_score_frame__has_p_values_where_there_are_any():
    frame = score_frame(list("abcde"), SCORES, SELECTED, np.arange(5.0))
    assert list(frame.columns) == ["feature", "score", "pvalue", "selected"]
    assert frame["pvalue"].tolist() == [2.0, 4.0, 0.0, 3.0, 1.0]
