"""What users looked for and did not find, and how it is done now."""

import gzip
import io
import re
import sys
from importlib.metadata import entry_points
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
from numpy.testing import assert_array_equal
from shell import read_scores, selected
from sklearn.compose import make_column_selector

import skpar_select
from skpar_select import (
    DroppedSamplesWarning,
    ParallelMutualInfoSelector,
    align,
    mutual_info_regression,
    open_matrix,
    read_targets,
)

DOCS = Path(__file__).parents[2] / "docs"
IDS = [f"GSM{1000000 + i}" for i in range(120)]
NAMES = [f"cg{i:08d}" for i in range(30)]
TELLING = 7  # the site that tells the age


@pytest.fixture
def pheno(age, rng):
    """A table of the same people, in another order."""
    table = pd.DataFrame({"geo_accession": IDS, "age": age, "sex": ["F", "M"] * 60})
    table["bmi"] = np.round(rng.normal(25, 3, 120), 1)
    table.sample(frac=1, random_state=1).to_csv("pheno.csv", index=False)
    return table


@pytest.fixture
def score(write, pheno, typed):
    """Type `score m.h5 --target pheno.csv --target-column age -o out.csv` and more."""

    def score(more="", output="out.csv", matrix="m.h5"):
        if not Path(matrix).exists():
            write(name=matrix)
        line = f"score {matrix} --target pheno.csv --target-column age {more}"
        return typed(line if output is None else f"{line} --output {output} --overwrite")

    return score


def by_feature(name="out.csv"):
    return {row["feature"]: float(row["score"]) for row in read_scores(name)}


class TestG1:
    @pytest.fixture
    def gaps(self, values, age, write, rng):
        values[rng.random(values.shape) < 0.05] = np.nan
        values[:, 20:] = rng.normal(size=(120, 10))  # these are complete
        values[10:, 3] = np.nan
        write(values)
        return values

    def test_g1__nan_is_an_error_that_tells_what_can_be_done(self, gaps, score):
        error = score().error
        assert f"contains NaN: {np.isnan(gaps).sum()} values in " in error
        assert "--missing omit" in error

    def test_g1__omit_scores_the_complete_cases_of_each_column(self, gaps, age, score):
        assert score("--missing omit").code == 0
        scores = by_feature()
        for column in (0, 7, 25):
            there = ~np.isnan(gaps[:, column])
            alone = np.zeros((there.sum(), 30), "f4")
            alone[:, column] = gaps[there, column]  # the noise depends on the index of the column
            by_hand = mutual_info_regression(alone, age[there], random_state=0)
            assert scores[NAMES[column]] == by_hand[column]
        rows = {row["feature"]: row for row in read_scores("out.csv")}
        assert rows[NAMES[7]]["n_observed"] == str((~np.isnan(gaps[:, 7])).sum())
        assert rows[NAMES[7]]["rank"] == "1"
        # Ten values are less than half of 120.
        assert rows[NAMES[3]]["rank"] == "30"
        assert rows[NAMES[3]]["score"] == "NaN"

    def test_g1__omit_and_skip_warn_with_a_count(self, gaps, score):
        assert "1 of 30 columns were not scored" in score("--missing omit").err
        n_gaps = np.isnan(gaps).any(axis=0).sum()
        done = score("--missing skip")
        assert done.code == 0
        assert f"{n_gaps} of 30 columns were not scored" in done.err
        scores = by_feature()
        assert sum(np.isnan(one) for one in scores.values()) == n_gaps
        assert np.isnan(list(scores.values()))[-n_gaps:].all()

    def test_g1__in_python_too(self, gaps, age, score):
        score("--missing omit -k 3")
        with pytest.warns(UserWarning, match="1 of 30 columns were not scored"):
            selector = ParallelMutualInfoSelector(3, missing="omit", random_state=0).fit(gaps, age)
        scores = by_feature()
        assert_array_equal(selector.scores_, [scores[site] for site in NAMES])
        assert np.isnan(selector.transform(gaps)).any()


class TestG2:
    @pytest.fixture
    def people(self, pheno, rng):
        """The table as it is: people without a sample, missing ages, a repeated row."""
        table = pheno.copy()
        table.loc[rng.choice(120, 20, replace=False), "age"] = np.nan
        others = pd.DataFrame({"geo_accession": [f"GSM9{i:06d}" for i in range(15)], "age": 50.0})
        table = pd.concat([table, others, table.iloc[[5]]]).sample(frac=1, random_state=2)
        table.to_csv("pheno.csv", index=False, na_rep="NA")
        return table

    def by_hand(self, people, X):
        ph = people.dropna(subset="age").drop_duplicates("geo_accession").set_index("geo_accession")
        Xs = X[np.flatnonzero(np.isin(X.sample_ids, ph.index))]
        y = ph.loc[Xs.sample_ids, "age"].to_numpy()
        return ParallelMutualInfoSelector(random_state=0).fit(Xs, y).scores_

    def test_g2__a_table_with_more_and_with_fewer_people_is_joined_in_one_command(
        self, score, people
    ):
        done = score("--unmatched drop --missing-targets drop")
        assert done.code == 0
        (note,) = done.notes
        assert "15 of 136 rows of 'pheno.csv' without a sample" in note
        assert "20 samples without a value in 'age'" in note
        assert "1 row of 'pheno.csv' that repeats another" in note
        assert "100 of 120 samples are kept." in note
        scores = by_feature()
        assert_array_equal(
            [scores[site] for site in NAMES], self.by_hand(people, open_matrix("m.h5"))
        )

    def test_g2__each_error_names_the_option_that_helps(self, score, people):
        first = score().error
        assert "--unmatched drop" in first
        second = score("--unmatched drop").error
        assert "--missing-targets drop" in second

    def test_g2__in_python_too(self, write, people):
        X = open_matrix(write())
        with pytest.warns(DroppedSamplesWarning, match="100 of 120 samples are kept"):
            Xs, y = align(X, people, "age", unmatched="drop", missing_targets="drop")
        scores = ParallelMutualInfoSelector(random_state=0).fit(Xs, y).scores_
        assert_array_equal(scores, self.by_hand(people, X))

    def test_g2__a_split_is_served(self, write, pheno):
        X = open_matrix(write())
        with pytest.warns(DroppedSamplesWarning, match="20 of 120 rows"):
            train, y = align(X[:100], "pheno.csv", "age", unmatched="drop")
        assert_array_equal(y, pheno["age"][:100])
        assert list(train.sample_ids) == IDS[:100]

    def test_g2__lists_and_conditions_choose_samples(self, score, pheno, values, age):
        Path("keep.txt").write_text("".join(f"{one}\n" for one in IDS[10:110]))
        Path("remove.txt").write_text(f"{IDS[12]}\n{IDS[14]}\n")
        done = score("--samples keep.txt --exclude-samples remove.txt --where sex=F")
        assert done.code == 0
        kept = np.array([10 <= i < 110 and i % 2 == 0 and i not in (12, 14) for i in range(120)])
        assert f"{kept.sum()} of 120 samples are kept" in done.notes[0]
        assert_array_equal(
            [by_feature()[site] for site in NAMES],
            mutual_info_regression(values[kept], age[kept], random_state=0),
        )


class TestG3:
    @pytest.fixture
    def counts(self, rng):
        X = pd.DataFrame(rng.normal(size=(120, 4)), columns=list("abcd"))
        X["b"], X["d"] = rng.integers(3, size=120), rng.integers(4, size=120)
        return X

    @pytest.fixture
    def y(self, counts, rng):
        return counts["a"] + counts["b"] + rng.normal(size=120)

    @pytest.mark.parametrize(
        "which",
        [["b", "d"], [1, 3], make_column_selector("^[bd]$"), lambda X: ["b", "d"]],
        ids=["names", "indices", "make_column_selector", "callable"],
    )
    def test_g3__discrete_columns_are_named_as_people_name_them(self, counts, y, which):
        selector = ParallelMutualInfoSelector(discrete_features=which, random_state=0)
        mask = np.array([False, True, False, True])
        same = ParallelMutualInfoSelector(discrete_features=mask, random_state=0)
        assert_array_equal(selector.fit(counts, y).scores_, same.fit(counts, y).scores_)

    def test_g3__types_tell_which_columns_are_discrete(self, counts, y):
        typed = counts.assign(b=counts["b"].astype("category"), d=counts["d"] > 1)
        by_type = ParallelMutualInfoSelector(discrete_features="from_dtype", random_state=0)
        numbers = counts.assign(d=(counts["d"] > 1).astype(int))
        named = ParallelMutualInfoSelector(discrete_features=["b", "d"], random_state=0)
        assert_array_equal(by_type.fit(typed, y).scores_, named.fit(numbers, y).scores_)

    @pytest.mark.parametrize(
        ("which", "discrete"),
        [("all", True), ("none", False), ("auto", False), ("sites.txt", NAMES[:3])],
    )
    def test_g3__on_the_command_line_too(self, write, score, age, rng, which, discrete):
        counts = rng.poisson(1, size=(120, 30)).astype("f4")
        write(counts)
        Path("sites.txt").write_text("\n".join(NAMES[:3]))
        assert score(f"--discrete-features {which}").code == 0
        if isinstance(discrete, list):
            discrete = [0, 1, 2]
        expected = mutual_info_regression(counts, age, discrete_features=discrete, random_state=0)
        assert_array_equal([by_feature()[site] for site in NAMES], expected)


class TestG4:
    def test_g4__columns_are_selected_lazily(self, write, values):
        X = open_matrix(write())
        mask = np.arange(30) % 3 == 0
        for view in (X[:, mask], X[:, np.flatnonzero(mask)], X[:, list(np.array(NAMES)[mask])]):
            assert_array_equal(np.asarray(view), values[:, mask])
            assert list(view.feature_names) == list(np.array(NAMES)[mask])
        assert_array_equal(X.read([NAMES[4]]), values[:, [4]])

    def test_g4__by_lists_on_the_command_line(self, score):
        Path("keep.txt").write_text("\n".join(NAMES[3:10]))
        Path("drop.txt").write_text(f"{NAMES[4]}\n")
        assert score("--features keep.txt --exclude-features drop.txt").code == 0
        assert set(by_feature()) == {*NAMES[3:10]} - {NAMES[4]}

    def test_g4__is_the_remedy_for_columns_with_nan(self, write, values, score):
        values[4, 5] = np.nan
        write(values)
        Path("drop.txt").write_text(f"{NAMES[5]}\n")
        assert score().code == 2
        assert score("--exclude-features drop.txt").code == 0


class TestG5:
    @pytest.fixture
    def cells(self, values, age):
        ad = pytest.importorskip("anndata")
        obs = pd.DataFrame({"cell_type": np.where(age > 50, "T", "B")}, index=IDS)
        ad.AnnData(values, obs=obs, var=pd.DataFrame(index=NAMES)).write_h5ad("cells.h5ad")
        return obs

    @pytest.mark.parametrize(
        "target",
        [
            "--target-column obs/cell_type",
            "--target-column cell_type",
            "--target cells.h5ad --target-column cell_type",
        ],
    )
    def test_g5__the_labels_of_the_file_are_the_target(self, cells, typed, target):
        done = typed(f"score cells.h5ad {target} --task classification -k 1 -o o.csv")
        assert done.code == 0
        assert selected("o.csv") == [NAMES[7]]

    def test_g5__in_python_too(self, cells):
        assert list(read_targets("cells.h5ad", "cell_type", task="classification")) == list(
            cells["cell_type"]
        )

    def test_g5__a_dataset_beside_the_matrix_is_a_target(self, write, age, typed):
        with h5py.File(write(), "r+") as f:
            f["y"] = age
        assert typed("score m.h5 --target-column y -k 1 -o o.csv").code == 0
        assert selected("o.csv") == [NAMES[7]]


def test_g6__scores_of_anndata_go_back_to_its_features(values, age):
    ad = pytest.importorskip("anndata")
    cells = ad.AnnData(values, obs=pd.DataFrame({"age": age}, index=IDS))
    cells.var_names = NAMES
    selector = ParallelMutualInfoSelector(1, random_state=0).fit(cells, cells.obs["age"])
    cells.var["mi"] = selector.scores_
    assert cells.var["mi"].idxmax() == NAMES[7]


class TestG7:
    def test_g7__a_log_has_lines_while_it_runs(self, write, pheno, python):
        line = ["-m", "skpar_select", "score", write()]
        line += ["--target", "pheno.csv", "--target-column", "age"]
        done = python(*line)
        assert done.returncode == 0
        assert re.search(r"\b100 ?%|30/30|30 of 30", done.stderr)
        assert "\r" not in done.stderr
        quiet = python(*line, "--quiet")
        assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")

    @pytest.mark.parametrize(
        ("progress", "marks"), [("line", "\r"), ("log", "\n"), ("none", ""), ("auto", "\n")]
    )
    def test_g7__progress_is_chosen(self, score, progress, marks):
        done = score(f"--progress {progress}")
        assert done.code == 0
        assert set(re.findall(r"[\r\n]", done.err)) - {"\n"} == set(marks) - {"\n"}
        assert bool(done.err) is (progress != "none")


class TestG9:
    def test_g9__two_phenotypes_are_one_table(self, score, pheno):
        assert score("--target-column bmi").code == 0
        rows = read_scores("out.csv")
        for name in ("age", "bmi"):
            alone = mutual_info_regression(
                np.asarray(open_matrix("m.h5")), pheno[name], random_state=0
            )
            held = {row["feature"]: float(row[f"score_{name}"]) for row in rows}
            assert_array_equal([held[site] for site in NAMES], alone)

    def test_g9__in_python_too(self, values, pheno):
        Y = pheno[["age", "bmi"]]
        selector = ParallelMutualInfoSelector(random_state=0).fit(values, Y)
        for position, name in enumerate(Y):
            alone = mutual_info_regression(values, pheno[name], random_state=0)
            assert_array_equal(selector.scores_by_target_[position], alone)


class TestG11:
    def test_g11__parquet_is_read(self, values, pheno, typed):
        pytest.importorskip("pyarrow")
        pd.DataFrame(values, columns=NAMES, index=pd.Index(IDS, name="sample")).to_parquet(
            "x.parquet"
        )
        done = typed("score x.parquet --target pheno.csv --target-column age -k 1 -o o.csv")
        assert done.code == 0
        assert selected("o.csv") == [NAMES[7]]

    @pytest.mark.parametrize("zarr_format", [2, 3])
    def test_g11__zarr_is_read(self, values, pheno, typed, zarr_format):
        zarr = pytest.importorskip("zarr")
        zarr.create_array("x.zarr", data=values, chunks=(120, 10), zarr_format=zarr_format)
        done = typed(
            "score x.zarr --target pheno.csv --target-column age --same-order -k 1 -o o.csv"
        )
        assert done.code == 0

    def test_g11__csv_is_converted_once(self, values, pheno, typed):
        pd.DataFrame(values, columns=NAMES, index=pd.Index(IDS, name="sample")).to_csv("x.csv")
        assert "skpar-select convert" in typed("inspect x.csv").error
        assert typed("convert x.csv x.h5").code == 0
        X = open_matrix("x.h5")
        assert_array_equal(np.asarray(X, dtype="f4"), values)
        assert list(X.feature_names) == NAMES
        assert list(X.sample_ids) == IDS

    @pytest.mark.parametrize(
        ("name", "write", "said"),
        [
            ("x.npz", lambda name, X: np.savez(name, X=X), r"NumPy|npz"),
            ("x.mat", lambda name, X: scipy.io.savemat(name, {"X": X}), "MATLAB"),
            ("x.feather", lambda name, X: pd.DataFrame(X).to_feather(name), "Feather|Arrow"),
            ("x.xlsx", lambda name, X: Path(name).write_bytes(b"PK\x03\x04 xl/"), "zip|ZIP|Excel"),
            ("x.tsv", lambda name, X: pd.DataFrame(X).to_csv(name, sep="\t"), "text"),
            ("x.csv.gz", lambda name, X: pd.DataFrame(X).to_csv(name), "text|gzip"),
        ],
        ids=lambda part: part if isinstance(part, str) and part.startswith("x.") else "",
    )
    def test_g11__what_is_not_read_is_recognised(self, name, write, said, values):
        write(name, values)
        with pytest.raises((OSError, ValueError), match=said) as error:
            open_matrix(name)
        assert "file signature not found" not in str(error.value)


class TestG12:
    def test_g12__names_are_lines_of_a_text_file(self, write, score, pheno):
        write(names=None)
        Path("sites.txt").write_text("\n".join(NAMES))
        assert score("--feature-names-file sites.txt -k 1").code == 0
        assert selected() == [NAMES[7]]

    def test_g12__ids_too(self, write, score):
        write(ids=None)
        Path("people.txt").write_text("\n".join(IDS))
        assert score("--sample-ids-file people.txt -k 1").code == 0
        assert selected() == [NAMES[7]]

    def test_g12__a_file_that_is_taken_for_a_dataset_is_pointed_out(self, write, score):
        write(names=None)
        Path("sites.txt").write_text("\n".join(NAMES))
        error = score("--feature-names sites.txt").error
        assert "--feature-names-file" in error
        assert "names themselves" not in error


def test_g13__dimnames_of_hdf5array_are_found(values, age, pheno, typed):
    with h5py.File("beta.h5", "w") as f:
        # writeHDF5Array(with.dimnames=TRUE) of features x samples; R writes the axes reversed.
        data = f.create_dataset("beta", data=values)
        for axis, names in enumerate([IDS, NAMES]):
            scale = f.create_dataset(f".beta_dimnames/{2 - axis}", data=names)
            scale.make_scale("dimnames")
            data.dims[axis].attach_scale(scale)
    X = open_matrix("beta.h5")
    assert list(X.feature_names) == NAMES
    assert list(X.sample_ids) == IDS
    assert typed("score beta.h5 --target pheno.csv --target-column age -k 1 -o o.csv").code == 0
    assert selected("o.csv") == [NAMES[7]]


def test_g13__rownames_and_colnames_are_found(values):
    with h5py.File("m.h5", "w") as f:
        f["M"], f["rownames"], f["colnames"] = values, IDS, NAMES
    X = open_matrix("m.h5")
    assert list(X.feature_names) == NAMES
    assert list(X.sample_ids) == IDS


def test_g14__select_takes_the_scores_of_a_run(score, typed, values):
    assert score().code == 0
    assert typed("select m.h5 --from out.csv -k 5 -o red.h5").code == 0
    best = [row["feature"] for row in read_scores("out.csv")[:5]]
    X = open_matrix("red.h5")
    assert set(X.feature_names) == set(best)
    columns = [NAMES.index(name) for name in X.feature_names]
    assert columns == sorted(columns)
    assert_array_equal(np.asarray(X), values[:, columns])


class TestG15:
    @pytest.mark.parametrize(
        ("name", "read"),
        [
            ("s.tsv", lambda name: pd.read_csv(name, sep="\t", float_precision="round_trip")),
            ("s.csv.gz", lambda name: pd.read_csv(name, float_precision="round_trip")),
            ("s.parquet", pd.read_parquet),
        ],
    )
    def test_g15__scores_are_written_as_the_suffix_says(self, score, name, read):
        assert score().code == 0
        assert score(output=name).code == 0
        expected = pd.read_csv("out.csv", float_precision="round_trip")
        pd.testing.assert_frame_equal(read(name), expected, check_exact=True, check_dtype=False)

    def test_g15__a_reduced_anndata_is_opened_by_anndata(self, score, typed):
        ad = pytest.importorskip("anndata")
        score()
        assert typed("select m.h5 --from out.csv -k 5 -o red.h5ad").code == 0
        reduced = ad.read_h5ad("red.h5ad")
        assert reduced.shape == (120, 5)
        assert NAMES[7] in reduced.var_names
        assert list(reduced.obs_names) == IDS

    @pytest.mark.parametrize(
        ("name", "read"), [("red.csv", pd.read_csv), ("red.parquet", pd.read_parquet)]
    )
    def test_g15__a_small_matrix_is_a_table(self, score, typed, name, read, values):
        score()
        assert typed(f"select m.h5 --from out.csv -k 2 -o {name}").code == 0
        table = read(name)
        assert list(table.iloc[:, 0]) == IDS
        assert_array_equal(table[NAMES[7]].to_numpy("f4"), values[:, 7])


class TestG16:
    def test_g16__the_table_goes_to_stdout(self, score):
        score()
        done = score(output="-")
        assert done.code == 0
        assert done.out == Path("out.csv").read_text()

    def test_g16__the_target_comes_from_stdin(self, write, pheno, typed, monkeypatch):
        score = f"score {write()} --target - --target-column age -k 1 -o o.csv"
        monkeypatch.setattr(sys, "stdin", io.StringIO(Path("pheno.csv").read_text()))
        assert typed(score).code == 0
        assert selected("o.csv") == [NAMES[7]]

    def test_g16__the_best_ten_are_shown_without_an_output(self, score, folder):
        done = score(output=None)
        assert done.code == 0
        shown = [line.split() for line in done.lines if line.split()[0].isdecimal()]
        assert [row[0] for row in shown] == [str(rank) for rank in range(1, 11)]
        assert shown[0][2] == NAMES[7]
        assert not list(folder.glob("*out*"))


class TestG19:
    @pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("packed", [False, True])
    def test_g19__a_table_is_read_whatever_separates_and_packs_it(
        self, score, pheno, age, separator, packed
    ):
        text = pheno.to_csv(index=False, sep=separator).encode()
        Path("pheno.csv").write_bytes(gzip.compress(text) if packed else text)
        assert score("-k 1").code == 0
        assert selected() == [NAMES[7]]

    def test_g19__a_spreadsheet_is_recognised(self, score):
        Path("pheno.csv").write_bytes(b"PK\x03\x04" + b"\x00\xff" * 100)
        error = score().error
        assert "codec" not in error
        assert re.search("spreadsheet|Excel|xlsx|zip", error)


class TestG20:
    def test_g20__the_table_of_scores_has_ranks_and_positions(self, values, age):
        frame = ParallelMutualInfoSelector(2, random_state=0).fit(values, age).to_frame()
        assert list(frame["rank"]) == list(range(1, 31))
        assert frame["index"][0] == 7
        assert list(frame["feature"]) == [f"x{index}" for index in frame["index"]]
        values[3, 9] = np.nan
        selector = ParallelMutualInfoSelector(2, missing="omit", random_state=0).fit(values, age)
        frame = selector.to_frame().set_index("index")
        assert frame["n_observed"][9] == 119

    def test_g20__a_frame_of_a_lazy_matrix_has_its_ids(self, write, age):
        X = open_matrix(write())
        selector = ParallelMutualInfoSelector(2, random_state=0).set_output(transform="pandas")
        chosen = selector.fit(X, age).transform(X)
        assert list(chosen.index) == IDS
        assert list(selector.transform(X[5:9]).index) == IDS[5:9]


def test_g21__the_pages_say_what_the_functions_leave_to_the_selector():
    said = " ".join((DOCS / "scikit_learn.md").read_text().split())
    assert re.search(
        "`mutual_info_regression` and `mutual_info_classif`[^.]* no others[^.]* `memory_budget`, a "
        "`store` or progress, take the selector",
        said,
    )


class TestG22:
    def test_g22__what_the_first_lines_need_is_at_the_top(self):
        from skpar_select import LazyMatrix, read_targets  # noqa: F401  # that they are is the test

    def test_g22__a_lazy_matrix_tells_its_bytes(self, write):
        assert open_matrix(write()).nbytes == 120 * 30 * 4

    def test_g22__a_frame_is_made_of_a_lazy_matrix(self, write, values):
        X = open_matrix(write())
        frame = pd.DataFrame(np.asarray(X), index=X.sample_ids, columns=X.feature_names)
        assert_array_equal(frame.to_numpy(), values)


def test_g23__the_page_says_why_there_are_no_weights():
    said = (DOCS / "scikit_learn.md").read_text()
    assert "sample_weight" in said


class TestErrorRates:
    """Nobody could say how many columns are real, or take a batch out: neither was there."""

    def test_error_rate__and_sex_are_words_of_the_same_line(self, score):
        done = score("--strata sex --covariates bmi --fdr 5%")
        assert done.code == 0
        assert selected() == [NAMES[TELLING]]
        assert "within strata of 'sex', covariates 'bmi' regressed out" in done.out
        assert re.search("1 of 30 features have q <= 0.05; the least p is ", done.out)

    def test_error_rate__is_another_one_without_scoring(self, score, typed):
        assert score("--pvalues").code == 0
        assert typed("select m.h5 --from out.csv --fwer 0.001 -o small.h5").code == 0
        assert list(open_matrix("small.h5").feature_names) == [NAMES[TELLING]]


class TestG24:
    def test_g24__python_runs_the_package(self, python):
        done = python("-m", "skpar_select", "--version")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.strip() == f"skpar-select {skpar_select.__version__}"

    def test_g24__output_has_a_letter(self, score, pheno, typed, write):
        write()
        assert typed("score m.h5 --target pheno.csv --target-column age -o o.csv").code == 0
        assert read_scores("o.csv")

    def test_g24__the_page_says_why_the_shell_completes_nothing(self):
        said = (DOCS / "command_line.md").read_text()
        assert "no shell completion" in said
        assert "no manual page" in said

    def test_g24__the_program_is_installed_by_its_name(self):
        (command,) = entry_points(group="console_scripts", name="skpar-select")
        assert command.load() is skpar_select.cli.main


class TestG25:
    def test_g25__a_page_has_all_that_is_public(self):
        page = (DOCS / "api.md").read_text()
        for name in skpar_select.__all__:
            assert name == "__version__" or f"### {name}\n" in page

    def test_g25__the_page_is_found(self):
        assert "(api.md)" in (DOCS / "index.md").read_text()
