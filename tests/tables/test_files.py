"""Files of results: which may be written, and that none is ever seen half-written."""

import os
import sys

import pytest

from skpar_select.tables import check_output, format_of


def test_check_output__accepts_a_new_file_and_one_to_replace(tmp_path):
    file = tmp_path / "scores.csv"
    assert check_output(file) == file
    file.touch()
    assert check_output(str(file), inputs=(tmp_path / "other",), overwrite=True) == file


def test_check_output__replaces_a_file_only_when_told_to(tmp_path):
    (tmp_path / "scores.csv").touch()
    message = r"scores\.csv' exists\. .* told to\. Choose another name, or give overwrite=True"
    with pytest.raises(FileExistsError, match=message):
        check_output(tmp_path / "scores.csv")


def test_check_output__refuses_a_read_only_file(tmp_path):
    # F19: it was replaced.
    file = tmp_path / "scores.csv"
    file.touch(mode=0o444)
    with pytest.raises(PermissionError, match=r"scores\.csv' is read-only\. .*make it writable"):
        check_output(file, overwrite=True)


def test_check_output__follows_a_link_to_what_is_written(tmp_path):
    (tmp_path / "results").mkdir()
    target, link = tmp_path / "results" / "scores.csv", tmp_path / "link.csv"
    link.symlink_to(target)
    assert check_output(link) == link
    target.touch()
    with pytest.raises(FileExistsError, match=r"link\.csv' exists"):
        check_output(link)


def test_check_output__refuses_the_link_of_another_user(tmp_path):
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "elsewhere.csv")
    if os.geteuid():
        pytest.skip("only root gives files to others")
    os.lchown(link, 12345, 12345)
    with pytest.raises(PermissionError, match=r"link that another user has laid \(number 12345\)"):
        check_output(link)


@pytest.mark.parametrize(
    "name", ["x" * 252 + ".csv", "é" * 126 + ".csv", "a\0.csv", "d/" * 2048], ids=range(4)
)
def test_check_output__refuses_what_no_file_can_be_called(tmp_path, name):
    with pytest.raises(
        ValueError, match=r"is no name of a file: it has \d+ bytes, .* Give another"
    ):
        check_output(tmp_path / name)


def test_check_output__takes_the_longest_name(tmp_path):
    check_output(tmp_path / ("x" * 251 + ".csv"))


def test_check_output__refuses_a_format_that_is_not_written(tmp_path, monkeypatch):
    # F2
    message = r"x\.xlsx' ends in '\.xlsx'\. .*: \.csv, \.parquet\. Give it one"
    with pytest.raises(ValueError, match=message):
        check_output(tmp_path / "x.xlsx", formats=(".csv", ".parquet"))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        ImportError,
        match=r"x\.parquet' is of Parquet, and pyarrow is not installed\. .*pip install",
    ):
        check_output(tmp_path / "x.parquet", formats=(".csv", ".parquet"))


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("a.csv", ".csv"), ("a.b.CSV.GZ", ".csv.gz"), ("a.csv.h5", ".h5"), ("a.h5ad", ".h5ad")],
)
def test_format_of__is_told_by_the_end_of_the_name(name, suffix):
    assert format_of(name, (".csv", ".csv.gz", ".h5", ".h5ad")) == suffix


@pytest.mark.parametrize("name", ["a", ".csv", "csv", "a.csv.", "a.gz", "-"])
def test_format_of__refuses_other_ends(name):
    with pytest.raises(ValueError, match=r"Results are written in the format"):
        format_of(name, (".csv", ".csv.gz"))


def test_check_output__refuses_a_missing_folder(tmp_path):
    message = r"There is no folder '.*gone' for 'a\.csv'\. .* that exists\. Make it first"
    with pytest.raises(FileNotFoundError, match=message):
        check_output(tmp_path / "gone" / "a.csv")


def test_check_output__refuses_a_folder_in_place_of_a_file(tmp_path):
    with pytest.raises(
        ValueError, match=r"is not a regular file\. .* only .*\. Choose another name"
    ):
        check_output(tmp_path)


def test_check_output__refuses_an_input_by_any_name(tmp_path):
    matrix, link = tmp_path / "matrix.h5", tmp_path / "link.h5"
    matrix.touch()
    link.symlink_to(matrix)
    with pytest.raises(
        ValueError, match=r"link\.h5' is an input\. .* must not replace it\. Choose"
    ):
        check_output(link, inputs=(matrix,), overwrite=True)


def test_check_output__refuses_a_folder_without_the_right_to_write(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    message = r"The folder '.*' cannot be written to\. 'a\.csv' .*\. Choose another folder"
    with pytest.raises(PermissionError, match=message):
        check_output(tmp_path / "a.csv")


def test_check_output__refuses_what_lies_in_an_input(tmp_path):
    # The first file of a Parquet folder was replaced by the reduced matrix of the folder.
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "a.parquet").write_text("")
    for name in ("a.parquet", "new.parquet"):
        with pytest.raises(ValueError, match=r"lies in the folder .*, which is an input"):
            check_output(folder / name, inputs=(folder,), overwrite=True)
    check_output(tmp_path / "parts.parquet", inputs=(folder,))
