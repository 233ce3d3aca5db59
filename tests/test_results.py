"""Files of results: what is in them, and that none is ever seen half-written."""

import h5py
import numpy as np
import pytest

from skpar_select._results import check_output, write_matrix, write_scores
from skpar_select._storage import Storage
from skpar_select.sources import open_matrix


class Recorded:
    """A lazy matrix that notes what was read together."""

    def __init__(self, values, sample_ids=None, kind="rows", chunks=None, first=0, reads=None):
        self.values = values
        self.shape = values.shape
        self.dtype = values.dtype
        self.sample_ids = sample_ids
        self.storage = Storage(kind=kind, chunks=chunks)
        self.first = first
        self.reads = [] if reads is None else reads

    def __getitem__(self, rows):
        return type(self)(self.values[rows], first=rows.start, reads=self.reads)

    def read(self, columns):
        self.reads.append((range(self.first, self.first + len(self.values)), list(columns)))
        return self.values[:, columns]


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


@pytest.mark.parametrize("budget", [1, 2 * 6 * 4 * 2, "1GB"])
def test_write_matrix__is_read_back_whatever_the_panels(tmp_path, budget):
    values = np.arange(30, dtype=np.float32).reshape(6, 5)
    ids = [f"sample {index}" for index in range(6)]
    columns = np.array([0, 2, 4])
    file = tmp_path / "reduced.h5"
    write_matrix(file, Recorded(values, ids), columns, ["a", "ç", "e"], memory_budget=budget)
    X = open_matrix(file, feature_names="auto", sample_ids="auto")
    assert X.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(X), values[:, columns])
    assert list(X.feature_names) == ["a", "ç", "e"]
    assert list(X.sample_ids) == ids


@pytest.mark.parametrize(
    ("source", "panels"),
    [
        # Two copies of at most twelve values are held.
        ({"kind": "rows"}, [(range(2), 5), (range(2, 4), 5), (range(4, 6), 5)]),
        ({"kind": "chunks", "chunks": (2, 5)}, [(range(2), 5), (range(2, 4), 5), (range(4, 6), 5)]),
        ({"kind": "chunks", "chunks": (6, 1)}, [(range(6), 2), (range(6), 2), (range(6), 1)]),
        ({"kind": "columns"}, [(range(6), 2), (range(6), 2), (range(6), 1)]),
    ],
)  # fmt: skip
def test_write_matrix__reads_no_more_at_a_time_than_the_budget(tmp_path, source, panels):
    source = Recorded(np.ones((6, 5), dtype=np.float32), **source)
    write_matrix(
        tmp_path / "x.h5", source, np.arange(5), list("abcde"), memory_budget=2 * 6 * 4 * 2
    )
    assert [(rows, len(columns)) for rows, columns in source.reads] == panels
    assert {column for _, columns in source.reads for column in columns} == set(range(5))
    with h5py.File(tmp_path / "x.h5") as file:
        assert sorted(file) == ["data", "features"]


def test_write_matrix__leaves_what_was_there_when_it_fails(tmp_path):
    class Broken(Recorded):
        def read(self, columns):
            raise OSError("the disk is gone")

    file = tmp_path / "reduced.h5"
    file.write_text("before")
    with pytest.raises(OSError, match="the disk is gone"):
        write_matrix(file, Broken(np.ones((2, 2))), np.arange(2), ["a", "b"])
    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["reduced.h5"]


def test_check_output__accepts_a_new_file_and_one_to_replace(tmp_path):
    file = tmp_path / "scores.csv"
    assert check_output(file) == file
    file.touch()
    assert check_output(str(file), inputs=(tmp_path / "other",)) == file


def test_check_output__refuses_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*gone for a\.csv: .*; make it first"):
        check_output(tmp_path / "gone" / "a.csv")


def test_check_output__refuses_a_folder_in_place_of_a_file(tmp_path):
    with pytest.raises(ValueError, match=r"is not a regular file: .*; choose another name"):
        check_output(tmp_path)


def test_check_output__refuses_an_input_by_any_name(tmp_path):
    matrix, link = tmp_path / "matrix.h5", tmp_path / "link.h5"
    matrix.touch()
    link.symlink_to(matrix)
    with pytest.raises(ValueError, match=r"link\.h5 is an input: .* must not replace it"):
        check_output(link, inputs=(matrix,))
