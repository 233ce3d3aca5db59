"""How matrix and table are opened and joined: never by position unless that is asked for."""

import h5py
import numpy as np
import pytest
from containers import write_anndata
from shell import IDS, NAMES, read_scores, selected, write_lines, write_matrix, write_table


class TestFiles:
    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            ({"matrix": "gone.h5"}, "gone.h5"),
            ({"target": "gone.csv"}, "gone.csv"),
            ({"matrix": "ages.csv"}, "ages.csv"),
        ],
    )
    def test_file__that_cannot_be_is_refused(self, score, arguments, expected):
        assert expected in score(**arguments).error

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (["--dataset", "beta"], "beta"),
            (["--dataset", "features"], "features"),
            (["--feature-names", "probes"], "--feature-names probes"),
            (["--sample-ids", "people"], "--sample-ids people"),
            (["--id-column", "person"], "no column 'person'"),
        ],
    )
    def test_name__that_is_not_there_is_refused(self, score, arguments, expected):
        assert expected in score(*arguments).error

    def test_dataset__of_several_is_named_by_the_option(self, score, values):
        with h5py.File("x.h5", "r+") as file:
            file["M"] = values
        error = score().error
        assert "Name one, as in --dataset M." in error

    def test_column__that_is_nearly_right_is_suggested(self, call, folder):
        error = call("score", "x.h5", "--target", "ages.csv", "--target-column", "Age").error
        assert "'ages.csv' has no column 'Age'." in error
        assert "Did you mean 'age'?" in error

    def test_truncated_matrix__is_an_error(self, score, folder):
        whole = (folder / "x.h5").read_bytes()
        (folder / "x.h5").write_bytes(whole[: len(whole) // 2])
        assert "x.h5' cannot be opened as HDF5" in score().error


class TestJoin:
    def test_rows__are_joined_by_id(self, score):
        assert score("-k", 1).code == 0
        assert selected() == ["site4"]

    def test_rows_without_ids__are_not_joined_by_position(self, score, values):
        write_matrix("bare.h5", values, ids=None)
        error = score(matrix="bare.h5").error
        for option in ("--sample-ids", "--id-column", "--same-order"):
            assert option in error
        assert "by position only on request" in error

    @pytest.mark.parametrize("request_", [["--same-order"], ["--sample-ids", "none"]])
    def test_position__is_taken_on_request_without_a_word(self, score, values, age, request_):
        write_matrix("bare.h5", values, ids=None)
        write_table("in_order.csv", zip(age, strict=True), header=["age"])
        done = score("-k", 1, *request_, matrix="bare.h5", target="in_order.csv")
        assert done.code == 0
        assert done.err == ""
        assert selected() == ["site4"]

    def test_position__has_no_use_for_an_id_column(self, score):
        error = score("--sample-ids", "none", "--id-column", "sample_id").error
        assert "--id-column sample_id is given, and rows are joined by position." in error

    def test_position__needs_as_many_rows(self, score, values, age):
        write_table("short.csv", zip(age[1:], strict=True), header=["age"])
        error = score("--same-order", target="short.csv").error
        assert "59 rows" in error
        assert "60 samples" in error

    def test_integer_ids__are_ids(self, score, values, age):
        """B3: study numbers in another order were joined by position."""
        order = np.random.default_rng(1).permutation(60)
        write_matrix("x.h5", values[order], ids=1000 + order)
        write_table("ages.csv", zip(range(1000, 1060), age, strict=True))
        assert score("-k", 1, "--sample-ids", "samples").code == 0
        assert selected() == ["site4"]

    def test_unmatched__is_an_error_that_says_how_to_drop(self, score, age):
        rows = list(zip(IDS, age, strict=True))[5:]
        write_table("ages.csv", [*rows, ("ghost", 40)])
        error = score().error
        assert "lacks 5 samples ('s00', 's01', 's02' and 2 more) of the matrix" in error
        assert "holds 1 sample ('ghost') that the matrix lacks" in error
        assert "--unmatched drop leaves out what has no partner." in error

    def test_unmatched__is_dropped_and_counted(self, score, age):
        rows = list(zip(IDS, age, strict=True))[5:]
        write_table("ages.csv", [*rows, ("ghost", 40)])
        done = score("-k", 1, "--unmatched", "drop")
        assert done.code == 0
        (note,) = done.notes
        assert "1 of 56 rows of 'ages.csv' without a sample in the matrix" in note
        assert "5 samples without a row in 'ages.csv'" in note
        assert done.described["samples"] == "55"
        assert selected() == ["site4"]

    def test_table_without_a_partner__is_not_dropped(self, score):
        error = score("--id-column", "age", "--unmatched", "drop").error
        assert "Name the column of the ids as --id-column" in error

    def test_missing_target__is_an_error_that_says_how_to_drop(self, score, age):
        write_table("ages.csv", zip(IDS, ["NA", *age[1:]], strict=True))
        assert "--missing-targets drop leaves these samples out." in score().error

    def test_missing_target__is_dropped_and_counted(self, score, age):
        write_table("ages.csv", zip(IDS, ["NA", "", *age[2:]], strict=True))
        done = score("-k", 1, "--missing-targets", "drop")
        assert "2 samples without a value in 'age'" in done.notes[0]
        assert done.described["samples"] == "58"

    def test_ids__that_nearly_match_are_shown(self, score, age):
        write_table("ages.csv", zip(map(str.upper, IDS), age, strict=True))
        error = score().error
        assert "upper and lower case" in error
        assert "'S00' and 's00'" in error


class TestSubsets:
    def test_samples__are_kept_and_left_out(self, score):
        write_lines("keep.txt", IDS[:40])
        write_lines("leave.txt", IDS[30:35])
        done = score(
            "--samples", "keep.txt", "--exclude-samples", "leave.txt", "--unmatched", "drop"
        )
        assert done.described["samples"] == "35"
        assert len(done.notes) == 1

    def test_samples__that_are_not_there_are_an_error(self, score):
        write_lines("keep.txt", [*IDS[:40], "S50"])
        error = score("--samples", "keep.txt").error
        assert "--samples holds 1 sample ('S50') that the matrix lacks" in error

    def test_samples__are_known_by_ids(self, score, age):
        write_table("in_order.csv", zip(age, strict=True), header=["age"])
        write_lines("keep.txt", IDS[:40])
        error = score("--same-order", "--samples", "keep.txt", target="in_order.csv").error
        assert "--samples and --exclude-samples hold ids, and the matrix has none." in error

    def test_where__keeps_the_samples_of_which_it_holds(self, score, age):
        rows = [
            (one, years, "FM"[place % 2])
            for place, (one, years) in enumerate(zip(IDS, age, strict=True))
        ]
        write_table("ages.csv", rows, header=["sample_id", "age", "sex"])
        done = score("--where", "sex=F", "--where", "age>=50")
        assert done.code == 0
        expected = sum(years >= 50 and sex == "F" for _, years, sex in rows)
        assert done.described["samples"] == str(expected)
        assert "--where sex=F and --where 'age>=50'" in done.notes[0] or "sex=F" in done.notes[0]

    def test_where__that_is_no_condition_is_an_error(self, score):
        assert "--where age is no condition" in score("--where", "age").error


class TestSeveralFiles:
    def test_files__are_joined_by_id_or_on_request_by_position(self, score, call, values, age):
        np.save("a.npy", values[:, :3])
        np.save("b.npy", values[:, 3:])
        write_table("in_order.csv", zip(age, strict=True), header=["age"])
        fixed = ["score", "a.npy", "b.npy", "--target", "in_order.csv", "--target-column", "age"]
        error = call(*fixed).error
        assert "has no sample ids that can be found." in error
        assert "--sample-ids" in error
        assert "or set --same-order if all files have their rows in the same order." in error
        done = call(*fixed, "--same-order", "--quiet", "-k", 1, "-o", "out.csv")
        assert (done.code, done.out, done.err) == (0, "", "")
        assert selected() == ["x4"]
        done = call("inspect", "a.npy", "b.npy", "--same-order")
        assert done.described["sample ids"] == "none"


class TestOrientation:
    def test_orientation__of_anndata_is_what_the_file_says(self, score, folder):
        # 7 cells and 5 genes, and targets for 5 by mistake.
        write_anndata(folder / "x.h5ad", np.random.default_rng(0).random((7, 5)))
        write_table("five.csv", zip(range(5), strict=True), header=["age"])
        error = score("--sample-ids", "none", matrix="x.h5ad", target="five.csv").error
        assert "7 samples" in error

    def test_orientation__is_told_by_the_target(self, score, values):
        with h5py.File("turned.h5", "w") as file:
            file["data"] = values.T
            file["features"], file["samples"] = NAMES, IDS
        assert score("-k", 1, matrix="turned.h5").code == 0
        assert selected() == ["site4"]

    @pytest.mark.parametrize("turned", [False, True])
    def test_orientation__is_told_by_the_ids_of_the_table(self, score, values, age, turned):
        pd = pytest.importorskip("pandas")
        frame = pd.DataFrame(values, index=IDS, columns=NAMES)
        (frame.T if turned else frame).to_parquet("x.parquet")
        write_table("ages.csv", [*zip(IDS, age, strict=True), ("ghost", 40)])
        done = score("-k", 1, "--unmatched", "drop", matrix="x.parquet")
        assert done.code == 0, done.err
        assert selected() == ["site4"]

    def test_orientation__that_nothing_tells_is_asked_for(self, score, values):
        write_matrix("bare.h5", values, ids=None, names=None)
        write_table("short.csv", [("s00", 1), ("s01", 2)])
        error = score("--same-order", matrix="bare.h5", target="short.csv").error
        assert "Give --orientation samples_by_features or features_by_samples." in error


class TestTargetInTheMatrix:
    def test_target__may_lie_beside_the_matrix(self, call, folder, age):
        with h5py.File("x.h5", "r+") as file:
            file["age"] = age
        done = call("score", "x.h5", "--target-column", "age", "-k", 1, "-o", "out.csv")
        assert done.code == 0, done.err
        assert done.described["target"] == "age of 'x.h5', regression"
        assert selected() == ["site4"]

    def test_target__may_lie_in_obs(self, call, folder, values, age):
        ad = pytest.importorskip("anndata")
        pd = pytest.importorskip("pandas")
        obs = pd.DataFrame({"age": age}, index=IDS)
        ad.AnnData(values, obs=obs, var=pd.DataFrame(index=NAMES)).write_h5ad("cells.h5ad")
        done = call("score", "cells.h5ad", "--target-column", "age", "-k", 1, "-o", "out.csv")
        assert done.code == 0, done.err
        assert selected() == ["site4"]


def test_names__are_left_alone_when_told_to(score, age):
    write_table("ages.csv", zip(age, strict=True), header=["age"])
    assert score("-k", 1, "--feature-names", "none", "--sample-ids", "none").code == 0
    assert read_scores()[0]["feature"] == "x4"


def test_unmatched__has_no_meaning_where_rows_are_joined_by_position(score):
    write_table("ages.csv", [(one, 50 + place) for place, one in enumerate(IDS)])
    for by_position in (["--same-order"], ["--sample-ids", "none"]):
        assert "--unmatched drop is given" in score(*by_position, "--unmatched", "drop").error


def test_ids__that_are_named_stay_where_rows_are_joined_by_position(score):
    write_table("ages.csv", [(one, 50 + place) for place, one in enumerate(IDS)])
    options = ["--same-order", "--sample-ids", "samples"]
    assert score(*options, command="select", output="out.h5").code == 0
    with h5py.File("out.h5") as file:
        assert file["samples"].asstr()[:].tolist() == IDS
    write_lines("some.txt", IDS[:15])
    assert score(*options, "--samples", "some.txt", "-k", 1).described["samples"] == "15"


def test_target__in_the_file_of_the_matrix_is_not_scored_against_itself(call, folder, values, age):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(values, columns=NAMES, index=pd.Index(IDS, name="id")).assign(age=age)
    frame.to_parquet("all.parquet")
    done = call("score", "all.parquet", "--target-column", "age", "-o", "out.csv")
    assert done.code == 0
    assert "Left out: 1 feature of the name of a target, 'age'" in done.err
    assert sorted(row["feature"] for row in read_scores()) == sorted(NAMES)
