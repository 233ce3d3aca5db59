"""Progress, notes and silence."""

import io
import sys

import pytest
from shell import N_FEATURES, NAMES, write_matrix, write_table

FIXED = ["score", "x.h5", "--target", "ages.csv", "--target-column", "age"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress__is_a_line_on_a_terminal(call, folder, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert call(*FIXED).code == 0
    assert f"] {N_FEATURES} of {N_FEATURES} features" in terminal.getvalue()
    assert terminal.getvalue().endswith("\n")


def test_progress__is_a_log_elsewhere(call, folder):
    assert call(*FIXED).err == "100 %: 7 of 7 features\n"


@pytest.mark.parametrize(
    ("how", "expected"), [("line", "\r["), ("log", "100 %: "), ("none", ""), ("auto", "100 %: ")]
)
def test_progress__is_as_asked_for(call, folder, how, expected):
    said = call(*FIXED, "--progress", how).err
    assert said.startswith(expected)
    assert bool(said) == bool(expected)


def test_quiet__says_errors_alone(call, folder):
    done = call(*FIXED, "--quiet", "--where", "age>50", "-k", 99)
    assert (done.code, done.out, done.err) == (0, "", "")
    assert call(*FIXED, "--quiet", "--where", "age>500").error


def test_quiet__and_progress_exclude_each_other(call):
    assert "not allowed with" in call(*FIXED, "--quiet", "--progress", "log").error


def test_drop__is_a_note_in_one_line(call, folder):
    write_table("extra.csv", [("s00", 1), ("s01", 2), ("s02", 3), ("s03", 5), ("s04", 7), ("t", 9)])
    done = call(
        *FIXED[:2], "--target", "extra.csv", "--target-column", "age", "--unmatched", "drop",
        "--progress", "none",
    )  # fmt: skip
    assert len(done.notes) == 1
    assert done.err.count("\n") == 1


BAD = "cg\x1b]0;owned\x07\x9b2J\u202e"


def test_names__reach_no_terminal_raw(call, folder, values):
    write_matrix("bad.h5", values, names=[f"{BAD}{name}" for name in NAMES])
    fixed = ["bad.h5", "--target", "ages.csv", "--target-column", "age", "--progress", "none"]
    said = [
        call("score", *fixed),
        call("inspect", "bad.h5"),
        call("score", *fixed, "--dataset", BAD),
    ]
    assert [done.code for done in said] == [0, 0, 2]
    for done in said:
        text = (done.out + done.err).replace("\n", "")
        assert text.isprintable(), text
        assert "x1b]0;owned" in text


def test_table__is_exact_in_a_pipe_and_shown_on_a_terminal(call, folder, values, monkeypatch):
    write_matrix("bad.h5", values, names=[f"{BAD}{name}" for name in NAMES])
    fixed = ["score", "bad.h5", "--target", "ages.csv", "--target-column", "age", "-o", "-"]
    assert BAD in call(*fixed).out
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    assert call(*fixed, "--quiet").code == 0
    assert terminal.getvalue().replace("\n", "").isprintable()
    assert terminal.getvalue().count("\n") == N_FEATURES + 1
