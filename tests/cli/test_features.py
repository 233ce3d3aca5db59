"""Which features are scored, what they are called, and which are discrete."""

import os

import h5py
import numpy as np
import pytest
from shell import IDS, NAMES, read_scores, write_lines, write_matrix

from skpar_select import ParallelMutualInfoSelector


def features(name="out.csv"):
    return {row["feature"] for row in read_scores(name)}


class TestSubsets:
    def test_features__are_kept_in_the_order_of_the_matrix(self, score, values):
        write_lines("keep.txt", ["site4", "site1", "site6"])
        done = score("--features", "keep.txt", "-k", "all", command="select", output="out.h5")
        assert done.described["features"] == "3"
        with h5py.File("out.h5") as file:
            assert list(file["features"].asstr()) == ["site1", "site4", "site6"]
            np.testing.assert_array_equal(file["data"], values[:, [1, 4, 6]])

    def test_features__are_left_out(self, score):
        write_lines("leave.txt", ["site4"])
        assert score("--exclude-features", "leave.txt").code == 0
        assert features() == set(NAMES) - {"site4"}

    def test_features__kept_and_left_out_both_count(self, score):
        write_lines("keep.txt", NAMES[:3])
        write_lines("leave.txt", NAMES[2:])
        assert score("--features", "keep.txt", "--exclude-features", "leave.txt").code == 0
        assert features() == {"site0", "site1"}

    @pytest.mark.parametrize("option", ["--features", "--exclude-features"])
    def test_name__that_the_matrix_lacks_is_counted(self, score, option):
        write_lines("list.txt", ["Site1", "site2", "cg1"])
        error = score(option, "list.txt").error
        assert "'list.txt' lists 3 features, of which the matrix lacks 2 ('Site1', 'cg1')" in error
        assert "Did you mean 'site1'?" in error

    def test_none_left__is_an_error(self, score):
        write_lines("list.txt", NAMES)
        error = score("--exclude-features", "list.txt").error
        assert "leave none of 7 features" in error

    def test_names__are_needed(self, score, values):
        write_matrix("bare.h5", values, names=None)
        write_lines("list.txt", ["site1"])
        error = score("--features", "list.txt", matrix="bare.h5").error
        assert "Name them with --feature-names or --feature-names-file." in error

    def test_column_with_nan__may_be_left_out(self, score, values):
        values[3, 5] = np.nan
        write_matrix("x.h5", values)
        write_lines("leave.txt", ["site5"])
        assert score("--exclude-features", "leave.txt").code == 0


class TestNamesInFiles:
    def test_names_and_ids__are_read_from_text_files(self, score, values):
        write_matrix("bare.h5", values, names=None, ids=None)
        write_lines("names.txt", [f"cg{index}" for index in range(7)])
        write_lines("ids.txt", IDS)
        done = score(
            "--feature-names-file", "names.txt", "--sample-ids-file", "ids.txt", matrix="bare.h5"
        )
        assert done.code == 0
        assert read_scores()[0]["feature"] == "cg4"

    def test_file__that_is_given_as_a_dataset_is_recognised(self, score):
        write_lines("names.txt", NAMES)
        error = score("--feature-names", "names.txt").error
        assert "its lines are given by --feature-names-file names.txt." in error

    @pytest.mark.parametrize("option", ["--feature-names-file", "--sample-ids-file"])
    def test_file__must_have_as_many_lines(self, score, option):
        write_lines("few.txt", ["a", "b"])
        error = score(option, "few.txt").error
        assert "few.txt" in error
        assert "2" in error

    @pytest.mark.parametrize("option", ["--feature-names-file", "--sample-ids-file", "--features"])
    def test_file__must_be_there(self, score, option):
        assert "'gone.txt' does not exist. Names are read" in score(option, "gone.txt").error

    def test_file__that_can_be_read_once_is_refused(self, score, folder):
        os.mkfifo("pipe")
        assert "is a folder, a pipe or a device" in score("--features", "pipe").error

    def test_dataset_and_file__exclude_each_other(self, score):
        error = score("--feature-names", "x", "--feature-names-file", "y").error
        assert "not allowed with" in error


class TestDiscreteFeatures:
    @pytest.mark.parametrize(
        ("which", "expected"), [("all", True), ("none", False), ("auto", "auto")]
    )
    def test_word__is_that_of_the_selector(self, score, values, age, which, expected):
        values = np.round(values * 2)
        write_matrix("x.h5", values)
        assert score("--discrete-features", which).code == 0
        selector = ParallelMutualInfoSelector(discrete_features=expected, random_state=0)
        scores = selector.fit(values, age).scores_
        held = {row["feature"]: float(row["score"]) for row in read_scores()}
        assert held == dict(zip(NAMES, scores, strict=True))

    def test_file__names_them_also_where_some_are_left_out(self, score, values, age):
        values[:, :3] = np.round(values[:, :3] * 2)
        write_matrix("x.h5", values)
        write_lines("counts.txt", NAMES[:3])
        write_lines("leave.txt", NAMES[:1])
        done = score("--discrete-features", "counts.txt", "--exclude-features", "leave.txt")
        assert done.code == 0
        selector = ParallelMutualInfoSelector(discrete_features=[0, 1], random_state=0)
        scores = selector.fit(values[:, 1:], age).scores_
        held = {row["feature"]: float(row["score"]) for row in read_scores()}
        assert held == dict(zip(NAMES[1:], scores, strict=True))

    def test_name__that_the_matrix_lacks_is_an_error(self, score):
        write_lines("counts.txt", ["site9"])
        assert "the matrix lacks 1 ('site9')" in score("--discrete-features", "counts.txt").error

    def test_file__that_is_not_there_is_an_error(self, score):
        assert "'gone'" in score("--discrete-features", "gone").error
