"""Thirteen wrong results, false statements and crashes that users met, and what is there instead."""

import re
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from shell import read_scores, selected
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skpar_select import (
    MutualInfoDisplay,
    ParallelMutualInfoSelector,
    mutual_info_classif,
    mutual_info_regression,
    open_matrix,
    read_targets,
)


def labels(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


class TestB1:
    @pytest.fixture
    def cells(self, rng):
        ad = pytest.importorskip("anndata")
        n = 300
        kind = rng.choice(list("ABC"), n)
        rate = np.full((n, 400), 0.05)
        rate[:, 160:] = 0
        for gene in range(10):
            rate[kind == "ABC"[gene % 3], gene] = 0.4
        genes = ["marker", "low", "ALLZERO"]
        cells = ad.AnnData(
            sp.csr_matrix(rng.poisson(rate).astype("f4")),
            obs=pd.DataFrame({"ct": kind}, index=[f"c{i}" for i in range(n)]),
            var=pd.DataFrame(
                index=[genes[(i >= 10) + (i >= 160)] + str(i) for i in range(rate.shape[1])]
            ),
        )
        cells.write_h5ad("z.h5ad")
        cells.obs.to_csv("z.csv")
        return cells

    @pytest.mark.parametrize("discrete", ["auto", True, False])
    def test_b1__the_same_counts_have_the_same_genes_from_a_file(self, cells, discrete):
        def selector():
            return ParallelMutualInfoSelector(
                20, task="classification", discrete_features=discrete, random_state=0
            )

        memory = selector().fit(cells.X, cells.obs["ct"].to_numpy())
        file = selector().fit(open_matrix("z.h5ad"), cells.obs["ct"].to_numpy())
        assert_array_equal(file.scores_, memory.scores_)
        chosen = file.get_feature_names_out()
        assert list(chosen) == list(cells.var_names[memory.get_support()])
        if discrete != False:  # noqa: E712  # "auto" is not
            assert {f"marker{i}" for i in range(10)} <= set(chosen)
            assert not [name for name in chosen if name.startswith("ALLZERO")]

    @pytest.mark.parametrize("which", ["", " --discrete-features all"])
    def test_b1__the_command_line_finds_the_markers(self, cells, typed, which):
        done = typed(
            "score z.h5ad --target z.csv --target-column ct --task classification -k 10 "
            f"--output o.csv{which}"
        )
        assert done.code == 0
        assert sorted(selected("o.csv")) == [f"marker{i}" for i in range(10)]


def test_b2__constant_columns_score_zero_with_classes(rng):
    X = np.zeros((400, 2000))
    X[:, 0] = rng.normal(size=400)
    c = (X[:, 0] + 3 * rng.normal(size=400) > 0).astype(int)
    s = ParallelMutualInfoSelector(10, task="classification", random_state=0).fit(X, c)
    assert s.scores_[0] > 0
    assert (s.scores_[1:] == 0).all()
    assert s.get_support()[0]


@pytest.mark.parametrize("constant", [0.0, 1.0, -1e300, 0.1])
@pytest.mark.parametrize("discrete", [True, False])
def test_b2__constants_score_zero_with_every_kind_of_target(rng, constant, discrete):
    y = rng.integers(2, size=100)
    X = np.column_stack([np.full(100, constant), rng.normal(size=100).round()])
    options = {"discrete_features": discrete, "random_state": 0}
    assert mutual_info_regression(X, y, **options)[0] == 0
    assert mutual_info_regression(X, rng.normal(size=100), **options)[0] == 0
    assert mutual_info_classif(X, y, **options)[0] == 0


@pytest.mark.parametrize("dataset", ["samples", "ids", "barcodes"])
def test_b3__integer_ids_are_ids(rng, typed, dataset):
    ids, p, age = np.arange(1000, 1200), rng.permutation(200), rng.uniform(20, 80, 200)
    Z = age[:, None] + rng.normal(size=(200, 3))
    with h5py.File("m.h5", "w") as f:
        f["data"], f[dataset] = Z[p], ids[p]
    pd.DataFrame({"id": ids, "age": age}).to_csv("t.csv", index=False)
    assert typed("score m.h5 --target t.csv --target-column age --output o.csv").code == 0
    assert float(read_scores("o.csv")[0]["score"]) > 2


class TestB4:
    @pytest.fixture
    def values(self, rng):
        values = rng.normal(size=(40, 60)).astype("f4")
        with h5py.File("big.h5", "w") as f:
            f["data"] = values
        return values

    def test_b4__a_dataset_is_opened_as_its_file(self, values):
        with h5py.File("big.h5") as f:
            X = open_matrix(f["data"])
        assert_array_equal(np.asarray(X), values)

    def test_b4__so_is_a_file_with_the_name_of_a_dataset(self, values):
        with h5py.File("big.h5") as f:
            assert_array_equal(np.asarray(open_matrix(f, "data")), values)


class TestB5:
    # The memory that each takes is measured in tests/test_out_of_core.py.
    @pytest.fixture
    def y(self, rng):
        self.values = rng.normal(size=(100, 3000))
        return self.values[:, 5] + rng.normal(size=100)

    def h5py_dataset(self):
        with h5py.File("big.h5", "w") as f:
            f.create_dataset("data", data=self.values, chunks=(100, 100))
        return h5py.File("big.h5")["data"]

    def zarr_array(self):
        zarr = pytest.importorskip("zarr")
        return zarr.create_array("big.zarr", data=self.values, chunks=(100, 100))

    def dask_array(self):
        return pytest.importorskip("dask.array").from_array(self.values, chunks=(100, 100))

    @pytest.mark.parametrize("hold", [h5py_dataset, zarr_array, dask_array])
    def test_b5__the_budget_holds_for_what_people_hold(self, hold, y):
        held = hold(self)
        select = ParallelMutualInfoSelector(5, random_state=0, memory_budget="8MB").fit(held, y)
        memory = ParallelMutualInfoSelector(5, random_state=0).fit(self.values, y)
        assert_array_equal(select.scores_, memory.scores_)
        with pytest.raises(ValueError, match="memory_budget=20000 bytes is too small"):
            ParallelMutualInfoSelector(5, memory_budget="20kB").fit(held, y)


def test_b6__the_count_of_nan_is_the_whole_count_in_every_run(rng):
    values = rng.normal(size=(100, 4000)).astype("f4")
    missing = np.sort(rng.choice(4000, 299, replace=False))
    values[0, missing] = np.nan
    values[1:, missing[7]] = np.nan
    with h5py.File("nan.h5", "w") as f:
        f.create_dataset("data", data=values, chunks=(100, 50))
        f["features"] = [f"cg{i}" for i in range(4000)]
    said = set()
    for X in [open_matrix("nan.h5")] * 4 + [values]:
        with pytest.raises(ValueError, match=r"contains NaN: 398 values in 299 columns, ") as error:
            ParallelMutualInfoSelector(1, n_jobs=2, memory_budget="5MB").fit(X, np.arange(100.0))
        said.add(re.sub(r"column |'cg|'", "", str(error.value)).split(" contains ")[1])
    assert len(said) == 1


class TestB7:
    @pytest.fixture
    def X(self, rng):
        with h5py.File("mis.h5", "w") as f:
            f["data"] = rng.normal(size=(300, 5))
            f["samples"] = [f"s{i}" for i in range(300)]
        return open_matrix("mis.h5", sample_ids="auto")

    def test_b7__a_series_in_another_order_is_put_into_that_of_the_matrix(self, X):
        y = pd.Series(np.asarray(X)[:, 0], index=X.sample_ids)
        scores = ParallelMutualInfoSelector(1, random_state=0).fit(X, y).scores_
        assert scores[0] > 3
        shuffled = y.sample(frac=1, random_state=0)
        for target in (shuffled, shuffled.to_frame("age")):
            with pytest.warns(
                UserWarning, match=r"y was put into the order.*y\.loc\[X\.sample_ids\]"
            ):
                again = ParallelMutualInfoSelector(1, random_state=0).fit(X, target).scores_
            assert_array_equal(again, scores)

    def test_b7__a_series_that_lacks_samples_is_refused(self, X):
        y = pd.Series(np.asarray(X)[:, 0], index=X.sample_ids).drop("s7")
        y["other"] = 1.0
        with pytest.raises(
            ValueError, match=r"299 of the 300 sample ids of the matrix, and 1 other"
        ):
            ParallelMutualInfoSelector(1).fit(X, y)


class TestB8:
    v = np.random.default_rng(0).normal(size=200)
    times = pd.date_range("2020-01-01", periods=200)
    zips = ("10115", "80331") * 100

    @pytest.mark.parametrize(
        ("frame", "kind"),
        [
            (lambda o: pd.DataFrame({"a": o.v, "d": o.times}), "dates or times"),
            (lambda o: pl.DataFrame({"a": o.v, "d": o.times.date.tolist()}), "dates or times"),
            (lambda o: pl.DataFrame({"a": o.v, "d": o.times.to_numpy()}), "dates or times"),
            (
                lambda o: pl.DataFrame({"a": o.v, "d": (o.times - o.times[0]).to_numpy()}),
                "dates or times",
            ),
            (
                lambda o: pd.DataFrame({"a": o.v, "d": o.times.astype("timestamp[ns][pyarrow]")}),
                "dates or times",
            ),
            (lambda o: pd.DataFrame({"a": o.v, "d": o.times.to_period("D")}), "dates or times"),
            (
                lambda o: pd.DataFrame({"a": o.v, "d": pd.interval_range(0, 200)}),
                "neither numbers nor text",
            ),
            (lambda o: pd.DataFrame({"a": o.v, "d": o.zips}), "text"),
            (
                lambda o: pd.DataFrame({"a": o.v, "d": pd.array(o.zips, dtype="string")}),
                "text",
            ),
            (lambda o: pl.DataFrame({"a": o.v, "d": o.zips}), "text"),
        ],
        ids=[
            "pandas-datetime64",
            "polars-date",
            "polars-datetime",
            "polars-duration",
            "pandas-timestamp-pyarrow",
            "pandas-period",
            "pandas-interval",
            "pandas-text-of-digits",
            "pandas-string-of-digits",
            "polars-text-of-digits",
        ],
    )
    def test_b8__what_is_no_number_is_refused_whoever_stores_it(self, frame, kind):
        said = "1 text column" if kind == "text" else f"1 column of {kind}"
        with pytest.raises(ValueError, match=rf"X has {said}: 'd'\. "):
            ParallelMutualInfoSelector(1).fit(frame(self), self.v)


class TestB9:
    @pytest.mark.parametrize("name", ["cost_$a_$b", "price $ (US$)", "cost $50-$100", r"a\$b$c"])
    def test_b9__a_name_is_drawn_as_it_is(self, name):
        display = MutualInfoDisplay.from_scores([0.3], feature_names=[name])
        display.figure_.savefig("x.png")
        (label,) = display.ax_.get_yticklabels()
        assert label.get_text() == name
        assert not label.get_parse_math()


class TestB10:
    def test_b10__the_index_of_a_series_is_its_names(self):
        scores = pd.Series({"height": 0.1, "age": 0.9}).sort_values(ascending=False)
        assert labels(MutualInfoDisplay.from_scores(scores)) == ["age", "height"]

    def test_b10__the_table_of_the_package_is_taken(self, rng):
        X = pd.DataFrame(rng.normal(size=(50, 4)), columns=[f"num_{i}" for i in range(4)])
        selector = ParallelMutualInfoSelector(2, random_state=0).fit(X, X["num_3"])
        display = MutualInfoDisplay.from_scores(selector.to_frame())
        assert labels(display) == labels(MutualInfoDisplay.from_estimator(selector))
        assert labels(display)[0] == "num_3"


class TestB11:
    @pytest.fixture
    def problem(self, rng):
        X = rng.normal(size=(60, 5))
        return X, X[:, 2]

    @pytest.mark.parametrize("last", [False, True])
    def test_b11__the_selector_of_a_fitted_pipeline_is_drawn(self, problem, last):
        selector = ParallelMutualInfoSelector(2, random_state=0)
        pipe = make_pipeline(selector) if last else make_pipeline(selector, Ridge())
        assert labels(MutualInfoDisplay.from_estimator(pipe.fit(*problem)))[0] == "x2"

    def test_b11__so_is_that_of_a_search(self, problem):
        pipe = make_pipeline(ParallelMutualInfoSelector(random_state=0), Ridge())
        grid = {"parallelmutualinfoselector__k": [1, 2]}
        search = GridSearchCV(pipe, grid, cv=2).fit(*problem)
        assert labels(MutualInfoDisplay.from_estimator(search))[0] == "x2"

    def test_b11__what_is_not_fitted_is_not(self):
        with pytest.raises(NotFittedError):
            MutualInfoDisplay.from_estimator(make_pipeline(ParallelMutualInfoSelector(), Ridge()))

    def test_b11__an_array_is_refused_in_a_line(self, problem):
        with pytest.raises(TypeError, match="ndarray") as error:
            MutualInfoDisplay.from_estimator(problem[0])
        assert len(str(error.value)) < 300


class TestB12:
    @pytest.fixture(autouse=True)
    def _files(self, rng):
        with h5py.File("m.h5", "w") as f:
            f["data"] = rng.normal(size=(60, 4))
            f["samples"] = [f"s{i}" for i in range(60)]
        ids = [f"s{i}" for i in range(60)]
        table = pd.DataFrame({"id": ids, "age": rng.normal(size=60), "BMI": rng.normal(size=60)})
        table.to_csv("t.csv", index=False)

    def test_b12__a_column_that_is_named_twice_is_one_more_target(self, typed):
        line = "score m.h5 --target t.csv --target-column age --target-column BMI --output x.csv"
        assert typed(line).code == 0
        assert {"score_age", "score_BMI"} <= set(read_scores("x.csv")[0])

    def test_b12__another_option_that_is_given_twice_is_an_error(self, typed):
        line = "score m.h5 --target t.csv --target-column age --n-jobs 1 --n-jobs 2 -o x.csv"
        assert "--n-jobs is given twice: 1 and 2" in typed(line).error
        assert not Path("x.csv").exists()


class TestB13:
    def test_b13__infinity_is_answered_with_a_remedy_that_works(self, rng):
        X, y = rng.normal(size=(60, 3)), rng.normal(size=60)
        X[4, 1] = np.inf
        with pytest.raises(ValueError, match="Replace infinity by NaN, which missing='omit' takes"):
            ParallelMutualInfoSelector(1).fit(X, y)
        X[np.isinf(X)] = np.nan
        assert ParallelMutualInfoSelector(1, missing="omit").fit(X, y).n_observed_[1] == 59

    def test_b13__all_bars_are_drawn_for_none(self):
        display = MutualInfoDisplay.from_scores(np.arange(30.0), max_features=None)
        assert labels(display) == [f"x{i}" for i in reversed(range(30))]

    def test_b13__several_targets_are_read_from_a_table(self):
        pd.DataFrame({"age": [1.0, 2.0], "bmi": [3.0, 4.0]}).to_csv("t.csv", index=False)
        assert_array_equal(read_targets("t.csv", ["age", "bmi"]), [[1, 3], [2, 4]])

    def test_b13__a_path_holds_names(self, rng):
        with h5py.File("m.h5", "w") as f:
            f["data"] = rng.normal(size=(6, 3))
        Path("sites.txt").write_text("cg1\ncg2\ncg3\n")
        X = open_matrix("m.h5", feature_names=Path("sites.txt"))
        assert list(X.feature_names) == ["cg1", "cg2", "cg3"]

    @pytest.mark.parametrize("hold", ["memory", "backed", "X of backed"])
    def test_b13__anndata_is_fitted(self, rng, hold):
        ad = pytest.importorskip("anndata")
        values = sp.csr_matrix(rng.poisson(0.3, size=(80, 7)).astype("f4"))
        cells = ad.AnnData(values)
        cells.var_names, cells.obs_names = list("abcdefg"), [f"c{i}" for i in range(80)]
        cells.write_h5ad("c.h5ad")
        backed = ad.read_h5ad("c.h5ad", backed="r")
        held = {"memory": cells, "backed": backed, "X of backed": backed.X}[hold]
        y = rng.normal(size=80)
        selector = ParallelMutualInfoSelector(2, random_state=0).fit(held, y)
        same = ParallelMutualInfoSelector(2, random_state=0).fit(values, y)
        assert_array_equal(selector.scores_, same.scores_)
        if hold != "X of backed":
            assert list(selector.feature_names_in_) == list("abcdefg")
        backed.file.close()

    def test_b13__a_column_of_var_is_found_in_the_spelling_of_its_path(self, rng):
        ad = pytest.importorskip("anndata")
        symbols = ["TP53", "BRCA1", "EGFR"]
        var = pd.DataFrame({"symbol": symbols, "known": [True] * 3}, index=["g1", "g2", "g3"])
        obs = pd.DataFrame(index=["c1", "c2"])
        ad.AnnData(rng.normal(size=(2, 3)), obs=obs, var=var).write_h5ad("c.h5ad")
        for spelling in ("symbol", "var/symbol"):
            assert list(open_matrix("c.h5ad", feature_names=spelling).feature_names) == symbols
        with pytest.raises(ValueError, match="symbol") as error:
            open_matrix("c.h5ad", feature_names="var/symbl")
        assert "'var' does not exist" not in str(error.value)

    def test_b13__what_a_mask_hides_is_missing(self, rng):
        X, y = rng.normal(size=(60, 3)), rng.normal(size=60)
        masked = np.ma.masked_array(X, mask=np.zeros(X.shape, dtype=bool))
        masked[:9, 1] = np.ma.masked
        with pytest.raises(ValueError, match="contains NaN: 9 values in 1 column"):
            ParallelMutualInfoSelector(1).fit(masked, y)
        selector = ParallelMutualInfoSelector(1, missing="omit", random_state=0).fit(masked, y)
        X[:9, 1] = np.nan
        same = ParallelMutualInfoSelector(1, missing="omit", random_state=0).fit(X, y)
        assert_array_equal(selector.scores_, same.scores_)
