"""Options that are repeated, misspelt, or written in a file."""

import pytest
from shell import write_lines


@pytest.mark.parametrize(
    ("option", "one", "other"),
    [
        ("--output", "a.csv", "b.csv"),
        ("-o", "a.csv", "b.csv"),
        ("--target", "a.csv", "b.csv"),
        ("-k", "3", "4"),
        ("--n-jobs", "1", "2"),
        ("--missing", "omit", "skip"),
        ("--threshold", "0.1", "0.2"),
        ("--samples", "a.txt", "b.txt"),
    ],
)
def test_option__that_is_given_twice_is_an_error_with_both_values(call, option, one, other):
    error = call("score", "x.h5", option, one, option, other).error
    assert "is given twice" in error
    assert one in error
    assert other in error
    assert "Leave one out." in error


@pytest.mark.parametrize("option", ["-o", "--target", "--features", "--store", "--samples"])
def test_option__that_is_empty_is_an_error(call, option):
    """What a shell makes of a variable that is not set."""
    assert f"{option} is empty." in call("score", "x.h5", option, "").error


def test_option__is_the_same_in_its_short_form(call):
    error = call("score", "x.h5", "-o", "a.csv", "--output", "b.csv").error
    assert "--output is given twice: 'a.csv' and 'b.csv'." in error


def test_lists__may_be_given_in_parts(score, folder, age):
    both = score("--where", "age>40", "--where", "age<60", "--unmatched", "drop")
    assert both.code == 0


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("--memory-bugdet", "--memory-budget"),
        ("--targetcolumn", "--target-column"),
        ("--nan", None),
        ("--samplesids=x", "--sample-ids"),
    ],
)
def test_unknown_option__is_named_with_the_one_that_is_near(call, given, meant):
    error = call("score", "x.h5", given, "2").error
    assert f"{given} is no option of score" in error
    assert (f"(did you mean {meant}?)" in error) == (meant is not None)


def test_option__is_not_known_by_its_beginning(call):
    error = call("score", "x.h5", "--percent", "5").error
    assert "--percent is no option of score (did you mean --percentile?)" in error


def test_second_matrix__belongs_beside_the_first(call):
    error = call("score", "x.h5", "-k", "3", "y.h5").error
    assert "'y.h5' belongs to no option. All files of the matrix are named together" in error


def test_matrix__may_be_swallowed_by_the_columns(call):
    error = call("score", "--target-column", "age", "x.h5").error
    assert "Name the file of the matrix before the options." in error


def test_options__may_be_in_a_file(score):
    write_lines("mine.txt", ["-k 2  # how many", "--percentile 90", "--feature-names 'features'"])
    assert score("@mine.txt").code == 0


def test_file_of_options__that_is_missing_is_an_error(call):
    assert "No such file" in call("score", "x.h5", "@gone.txt").error


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"@mine.txt\n", "names itself by @"),
        (b"--target 'ages.csv\n", "cannot be split into options (No closing quotation)"),
        (b"\xff\xfe\x00", "cannot be read as text"),
    ],
)
def test_file_of_options__that_cannot_be_read_is_an_error(call, folder, content, expected):
    (folder / "mine.txt").write_bytes(content)
    assert expected in call("score", "x.h5", "@mine.txt").error
