"""Missing values and several targets: every score is that of the complete cases, done by hand."""

import itertools

import h5py
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from recorded import RecordedMatrix
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_selector
from sklearn.feature_selection import f_regression
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator

from skpar_select import ParallelMutualInfoSelector, mutual_info_regression, open_matrix
from skpar_select.matrices import LazyMatrix

N_SAMPLES, N_FEATURES = 80, 12
# Task and discrete_features: continuous and discrete pairs of both sides, and a mix.
KINDS = {
    "both continuous": ("regression", False),
    "discrete columns": ("regression", True),
    "discrete target": ("classification", False),
    "both discrete": ("classification", True),
    "some discrete": ("regression", [0, 4, 8]),
}
OMITTING = {
    "omit": ParallelMutualInfoSelector(missing="omit", min_observed=1, random_state=0),
    "skip": ParallelMutualInfoSelector(missing="skip", random_state=0),
    "classes": ParallelMutualInfoSelector(task="classification", missing="omit", min_observed=4),
}


@pytest.fixture(scope="module")
def values():
    """Quantities, ties and classes; every third column is complete, the others lack up to a half."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(N_SAMPLES, N_FEATURES))
    values[:, ::4] = values[:, ::4].round()
    values[:, 1::4] = values[:, 1::4].round(1)
    lacking = rng.random(values.shape) < np.linspace(0, 0.4, N_FEATURES)
    lacking[:, ::3] = False
    values[lacking] = np.nan
    return values


@pytest.fixture(scope="module")
def targets(values):
    rng = np.random.default_rng(4)
    y = np.nan_to_num(values[:, 3]) + np.nan_to_num(values[:, 5]) + rng.normal(size=N_SAMPLES)
    return {"regression": y.round(1), "classification": np.digitize(y, [-1, 0, 1])}


def by_hand(X, y, **parameters):
    """Score each column on its complete cases, in a fit of its own."""
    scores = np.empty(X.shape[1])
    for column in range(X.shape[1]):
        keep = ~np.isnan(X[:, column]) & ~pd.isna(y)
        # The other columns are there so that this one keeps its index.
        whole = np.where(np.isnan(X[keep]), 0, X[keep])
        selector = ParallelMutualInfoSelector(random_state=7, **parameters)
        scores[column] = selector.fit(whole, y[keep]).scores_[column]
    return scores


def omitting(X, y, **parameters):
    parameters = {"missing": "omit", "min_observed": 5, "random_state": 7} | parameters
    return ParallelMutualInfoSelector(**parameters).fit(X, y)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_omit__scores_the_complete_cases_of_each_column(values, targets, kind, n_jobs):
    task, discrete = KINDS[kind]
    parameters = {"task": task, "discrete_features": discrete}
    fitted = omitting(values, targets[task], n_jobs=n_jobs, **parameters)
    assert_array_equal(fitted.scores_, by_hand(values, targets[task], **parameters))
    assert_array_equal(fitted.n_observed_, (~np.isnan(values)).sum(axis=0))
    assert len(np.unique(fitted.scores_)) > N_FEATURES // 2


def test_omit__leaves_the_scores_of_complete_columns(values, targets):
    complete = np.where(np.isnan(values), 0, values)
    expected = ParallelMutualInfoSelector(random_state=7).fit(complete, targets["regression"])
    got = omitting(values, targets["regression"])
    assert_array_equal(got.scores_[::3], expected.scores_[::3])
    assert_array_equal(
        omitting(complete, targets["regression"], missing="raise").scores_, expected.scores_
    )


def containers_of(values, folder):
    made = {
        "C": values,
        "F": np.asfortranarray(values),
        "frame": pd.DataFrame(values),
        "nullable frame": pd.DataFrame(values).convert_dtypes(convert_integer=False),
        "polars": pl.DataFrame(
            values, schema=[f"c{i}" for i in range(N_FEATURES)], nan_to_null=True
        ),
        "masked": np.ma.masked_invalid(values),
        "sparse": sparse.csr_array(values),
    }
    np.save(folder / "x.npy", values)
    made["npy"] = open_matrix(folder / "x.npy")
    with h5py.File(folder / "x.h5", "w") as file:
        file["whole"] = values
        file.create_dataset("chunks", data=values, chunks=(7, 5), compression="gzip")
    made["hdf5"] = open_matrix(folder / "x.h5", "whole")
    made["chunks"] = open_matrix(folder / "x.h5", "chunks")
    return made


def test_omit__gives_the_same_bits_in_every_container(values, targets, tmp_path):
    y = targets["regression"]
    expected = omitting(values, y).scores_
    for name, X in containers_of(values, tmp_path).items():
        fitted = omitting(X, y, discrete_features=False)
        assert_array_equal(fitted.scores_, expected, err_msg=name)
        assert_array_equal(fitted.n_observed_, (~np.isnan(values)).sum(axis=0), err_msg=name)


def test_omit__gives_nan_to_a_column_with_too_few_values(targets):
    X = np.random.default_rng(0).normal(size=(N_SAMPLES, 6))
    for column, n_missing in enumerate([0, 39, 40, 41, 79, 80]):
        X[:n_missing, column] = np.nan
    with pytest.warns(UserWarning, match=r"3 of 6 columns were not scored.*min_observed=0\.5"):
        fitted = omitting(X, targets["regression"], min_observed=0.5, k=4)
    assert_array_equal(np.isnan(fitted.scores_), [False, False, False, True, True, True])
    assert_array_equal(fitted.n_observed_, [80, 41, 40, 39, 1, 0])
    # Such a column ranks last; of these, as of equal scores, the highest index first.
    assert_array_equal(fitted.get_support(indices=True), [0, 1, 2, 5])
    with pytest.warns(UserWarning, match="2 of 6 columns were not scored"):
        few = omitting(X, targets["regression"], min_observed=30)
    assert_array_equal(np.isnan(few.scores_), [False, False, False, False, True, True])


def test_omit__refuses_more_values_than_there_are(targets):
    X = np.full((N_SAMPLES, 3), np.nan)
    with pytest.raises(ValueError, match="min_observed=81 is more than the 80 samples"):
        omitting(X, targets["regression"], min_observed=81)


def test_skip__scores_complete_columns_only(values, targets):
    y = targets["regression"]
    with pytest.warns(UserWarning, match="columns were not scored: they lack values"):
        fitted = omitting(values, y, missing="skip")
    complete = ~np.isnan(values).any(axis=0)
    assert_array_equal(~np.isnan(fitted.scores_), complete)
    assert_array_equal(fitted.scores_[complete], omitting(values, y).scores_[complete])


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("rows", [1, 3, N_SAMPLES])
def test_raise__counts_all_nan_whatever_block_comes_first(values, targets, tmp_path, n_jobs, rows):
    wide = np.tile(values, 40)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("data", data=wide, chunks=(rows, 7), compression="gzip")
    n_nan, n_columns = np.isnan(wide).sum(), np.isnan(wide).any(axis=0).sum()
    first = int(np.flatnonzero(np.isnan(wide).any(axis=0))[0])
    message = (
        rf"contains NaN: {n_nan} values in {n_columns} columns, column {first} .*missing='omit'"
    )
    for X in (wide, open_matrix(tmp_path / "x.h5"), sparse.csc_array(wide)):
        selector = ParallelMutualInfoSelector(n_jobs=n_jobs, memory_budget="5MB")
        with pytest.raises(ValueError, match=message):
            selector.fit(X, targets["regression"])
        with pytest.raises(ValueError, match=message):
            selector.set_params(score_func=f_regression, n_jobs=1).fit(X, targets["regression"])


@pytest.mark.parametrize("missing", ["raise", "omit", "skip"])
@pytest.mark.parametrize("wrong", [np.inf, -np.inf])
def test_infinity__is_an_error_with_a_remedy_that_works(values, targets, missing, wrong):
    X, y = values.copy(), targets["regression"]
    X[3, 2] = X[4, 2] = wrong
    selector = ParallelMutualInfoSelector(missing=missing, min_observed=5, random_state=7)
    with pytest.raises(ValueError, match=r"infinity.*column 2 .*Replace infinity by NaN") as error:
        selector.fit(X, y)
    assert ("NaN and infinity" in str(error.value)) == (missing == "raise")
    X[np.isinf(X)] = np.nan
    fitted = selector.set_params(missing="omit").fit(X, y)
    assert fitted.n_observed_[2] == (~np.isnan(X[:, 2])).sum()


class TestMissingTargets:
    @pytest.mark.parametrize("kind", KINDS)
    def test_omit__leaves_samples_without_a_target_out(self, values, targets, kind):
        task, discrete = KINDS[kind]
        y = targets[task].astype(object if task == "classification" else float)
        y[[3, 50, 51]] = None if task == "classification" else np.nan
        parameters = {"task": task, "discrete_features": discrete}
        with pytest.warns(UserWarning, match=r"Of 80 samples some have no target, y \(3\)"):
            fitted = omitting(values, y, **parameters)
        expected = by_hand(values, y, **parameters)
        assert_array_equal(fitted.scores_, expected)
        there = ~np.isnan(values) & ~pd.isna(y)[:, np.newaxis]
        assert_array_equal(fitted.n_observed_, there.sum(axis=0))

    def test_raise__says_how_many(self, values, targets):
        y = targets["regression"].copy()
        y[[3, 50]] = np.nan
        with pytest.raises(
            ValueError, match=r"y contains NaN: 2 of 80 values, the first at position 3"
        ):
            ParallelMutualInfoSelector().fit(np.nan_to_num(values), y)

    @pytest.mark.parametrize("missing", ["raise", "omit"])
    def test_infinity__is_an_error(self, values, targets, missing):
        y = targets["regression"].copy()
        y[3] = np.inf
        with pytest.raises(ValueError, match="y contains infinity: 1 of 80"):
            omitting(np.nan_to_num(values), y, missing=missing)

    def test_target__without_any_value_is_refused(self, values):
        with pytest.raises(ValueError, match="y has no value: all 80 are NaN"):
            omitting(values, np.full(N_SAMPLES, np.nan))

    @pytest.mark.parametrize(
        "make",
        [
            pd.Series,
            lambda y: pd.Series(y).convert_dtypes(),
            lambda y: pl.Series(y, nan_to_null=True),
            np.ma.masked_invalid,
            list,
        ],
    )
    def test_target__may_come_in_any_holder(self, values, targets, make):
        y = targets["regression"].copy()
        y[[3, 50]] = np.nan
        with pytest.warns(UserWarning, match=r"y \(2\)"):
            expected = omitting(values, y).scores_
        with pytest.warns(UserWarning, match=r"y \(2\)"):
            assert_array_equal(omitting(values, make(y)).scores_, expected)


class TestSeveralTargets:
    @pytest.fixture
    def several(self, targets):
        rng = np.random.default_rng(5)
        y = targets["regression"]
        return np.c_[y, rng.normal(size=N_SAMPLES), -y, rng.integers(0, 9, N_SAMPLES)]

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_scores__are_those_of_each_target_alone(self, values, several, n_jobs):
        fitted = omitting(values, several, n_jobs=n_jobs)
        assert fitted.scores_by_target_.shape == (4, N_FEATURES)
        for target, scores in zip(several.T, fitted.scores_by_target_, strict=True):
            assert_array_equal(scores, omitting(values, target).scores_)
        assert_array_equal(fitted.scores_, fitted.scores_by_target_.max(axis=0))
        mean = omitting(values, several, aggregate="mean")
        assert_array_equal(mean.scores_by_target_, fitted.scores_by_target_)
        np.testing.assert_allclose(mean.scores_, fitted.scores_by_target_.mean(axis=0), rtol=1e-15)

    def test_scores__of_classes(self, values, targets):
        y = np.c_[targets["classification"], targets["classification"] > 1].astype(str)
        fitted = omitting(values, y, task="classification", discrete_features=[0, 4])
        for target, scores in zip(y.T, fitted.scores_by_target_, strict=True):
            alone = omitting(values, target, task="classification", discrete_features=[0, 4])
            assert_array_equal(scores, alone.scores_)

    def test_missing_values__are_those_of_each_target(self, values, several):
        several[:5, 0] = np.nan
        several[::7, 2] = np.nan
        several[::7, 1] = np.nan
        with pytest.warns(
            UserWarning, match=r"y\[:, 0\] \(5\), y\[:, 1\] \(12\), y\[:, 2\] \(12\)"
        ):
            fitted = omitting(values, several)
        there = ~np.isnan(values)[:, np.newaxis, :] & ~np.isnan(several)[:, :, np.newaxis]
        assert_array_equal(fitted.n_observed_, there.sum(axis=0))
        for target, scores in zip(several.T, fitted.scores_by_target_, strict=True):
            assert_array_equal(scores, by_hand(values, target))

    def test_frame__names_the_targets(self, values, several):
        y = pd.DataFrame(several, columns=["age", "bmi", "height", "sex"])
        fitted = omitting(values, y)
        assert fitted.target_names_ == ["age", "bmi", "height", "sex"]
        assert_array_equal(fitted.scores_by_target_, omitting(values, several).scores_by_target_)
        assert omitting(values, several).target_names_ is None
        assert fitted.to_frame().columns[5:].tolist() == [
            f"{what}_{name}" for what in ("n_observed", "score") for name in y.columns
        ]
        again = fitted.fit(values, several[:, 0])
        assert again.scores_by_target_ is None
        assert again.to_frame().columns[5:].tolist() == ["n_observed"]

    def test_column_vector__is_one_target_of_several(self, values, several):
        fitted = omitting(values, several[:, [0]])
        assert_array_equal(fitted.scores_by_target_, [omitting(values, several[:, 0]).scores_])

    def test_score_func__is_called_for_each(self, values, several):
        X = np.nan_to_num(values)
        fitted = ParallelMutualInfoSelector(2, score_func=f_regression).fit(X, several)
        pvalues = []
        for target, scores in zip(several.T, fitted.scores_by_target_, strict=True):
            expected, of_target = f_regression(X, target)
            np.testing.assert_allclose(scores, expected, rtol=1e-9)
            pvalues.append(of_target)
        joined = np.minimum(1, 4 * np.min(pvalues, axis=0))
        np.testing.assert_allclose(fitted.pvalues_, joined, rtol=1e-9)

    def test_matrix__is_read_once(self, values, several, tmp_path):
        X = RecordedMatrix(np.nan_to_num(values), order="column-major")
        ParallelMutualInfoSelector().fit(LazyMatrix(X), several)
        columns = sorted(itertools.chain.from_iterable(read.columns for read in X.reads))
        assert columns == list(range(N_FEATURES))


class TestScoreFunc:
    def test_omit__hands_nan_over(self, values, targets):
        def n_missing(X, y):
            return np.isnan(X).sum(axis=0)

        fitted = omitting(values, targets["regression"], score_func=n_missing)
        assert_array_equal(fitted.scores_, np.isnan(values).sum(axis=0))
        assert_array_equal(fitted.n_observed_, N_SAMPLES - np.isnan(values).sum(axis=0))

    def test_skip__hands_over_complete_columns(self, values, targets):
        y = targets["regression"]
        complete = ~np.isnan(values).any(axis=0)
        with pytest.warns(UserWarning, match="they lack values"):
            fitted = omitting(values, y, missing="skip", score_func=f_regression)
        scores, pvalues = f_regression(values[:, complete], y)
        np.testing.assert_allclose(fitted.scores_[complete], scores, rtol=1e-9)
        np.testing.assert_allclose(fitted.pvalues_[complete], pvalues, rtol=1e-9)
        assert np.isnan(fitted.scores_[~complete]).all()


def test_store__keeps_what_was_observed(values, targets, tmp_path):
    options = {"store": tmp_path / "kept", "random_state": 0}
    y = np.c_[targets["regression"], targets["classification"]]
    first, again = (omitting(values, y, **options) for _ in range(2))
    assert len(list((tmp_path / "kept").glob("*/manifest.json"))) == 1
    for name in ("scores_", "scores_by_target_", "n_observed_"):
        assert_array_equal(getattr(again, name), getattr(first, name))
    omitting(values, y, **options | {"min_observed": 6})
    assert len(list((tmp_path / "kept").glob("*/manifest.json"))) == 2


def test_transform__passes_nan_on(values, targets):
    fitted = omitting(values, targets["regression"], k=4)
    assert_array_equal(fitted.transform(values), values[:, fitted.get_support()])
    with pytest.raises(ValueError, match="NaN"):
        fitted.set_params(missing="raise").transform(values)


def test_transform__of_a_file_passes_nan_on(values, targets, tmp_path):
    np.save(tmp_path / "x.npy", values)
    X = open_matrix(tmp_path / "x.npy")
    fitted = omitting(X, targets["regression"], k=4)
    assert_array_equal(fitted.transform(X), values[:, fitted.get_support()])
    if np.isnan(values[:, fitted.get_support()]).any():
        with pytest.raises(ValueError, match="contains NaN"):
            fitted.set_params(missing="raise").transform(X)


def test_pipeline__imputes_what_was_selected(values, targets):
    pipe = make_pipeline(OMITTING["omit"], SimpleImputer(), Ridge())
    search = GridSearchCV(pipe, {"parallelmutualinfoselector__k": [2, 5]}, cv=3)
    search.fit(values, targets["regression"])
    assert search.best_score_ > 0.2


@pytest.mark.filterwarnings("ignore:.* columns were not scored:UserWarning")
@pytest.mark.parametrize("variant", OMITTING)
def test_selector__passes_the_checks_of_scikit_learn(variant):
    for estimator, check in estimator_checks_generator(clone(OMITTING[variant])):
        check(estimator)


class TestDiscreteFeatures:
    @pytest.fixture
    def frame(self):
        rng = np.random.default_rng(0)
        return pd.DataFrame(
            {
                "a": rng.normal(size=100),
                "flag": rng.random(100) < 0.5,
                "kind": pd.Categorical(rng.choice(["x", "y", "z"], 100)),
                "n": rng.integers(0, 4, 100),
            }
        )

    @pytest.fixture
    def numbers(self, frame):
        return np.c_[frame["a"], frame["flag"], frame["kind"].cat.codes, frame["n"]].astype(float)

    @pytest.fixture
    def y(self, frame):
        return frame["a"] + frame["flag"] + (frame["kind"] == "x") * 1.0 + frame["n"]

    def test_names_mask_indices_and_function__say_the_same(self, frame, numbers, y):
        expected = ParallelMutualInfoSelector(discrete_features=[1, 3], random_state=0)
        expected = expected.fit(numbers, y).scores_
        X = frame.assign(kind=frame["kind"].cat.codes)
        for given in (
            ["n", "flag"],
            np.array(["flag", "n"]),
            pd.Index(["flag", "n"]),
            [False, True, False, True],
            [-1, 1],
            lambda X: ["flag", "n"],
            make_column_selector(pattern="flag|n"),
        ):
            selector = ParallelMutualInfoSelector(discrete_features=given, random_state=0)
            assert_array_equal(selector.fit(X, y).scores_, expected)

    def test_from_dtype__is_bools_and_categories(self, frame, numbers, y):
        expected = ParallelMutualInfoSelector(discrete_features=[1, 2], random_state=0)
        expected = expected.fit(numbers, y).scores_
        selector = ParallelMutualInfoSelector(k=2, discrete_features="from_dtype", random_state=0)
        for X in (frame, pl.from_pandas(frame)):
            assert_array_equal(selector.fit(X, y).scores_, expected)
            selected = selector.transform(X)
            assert selected.shape == (100, 2)
            assert list(selected.columns) == list(selector.get_feature_names_out())
        assert selector.fit(numbers, y).scores_[0] != 0

    def test_names__that_are_not_there_are_refused(self, frame, y):
        X = frame.drop(columns="kind")
        with pytest.raises(
            ValueError, match=r"names 1 column that X lacks \('flog'\)\. .*Did you mean 'flag'\?"
        ):
            ParallelMutualInfoSelector(discrete_features=["flog"]).fit(X, y)
        with pytest.raises(ValueError, match="X has no feature names"):
            ParallelMutualInfoSelector(discrete_features=["flag"]).fit(X.to_numpy(), y)

    def test_names__of_a_file(self, frame, numbers, y, tmp_path):
        with h5py.File(tmp_path / "x.h5", "w") as file:
            file["data"] = numbers
            file["features"] = list(frame.columns)
        X = open_matrix(tmp_path / "x.h5")
        selector = ParallelMutualInfoSelector(discrete_features=["flag", "n"], random_state=0)
        expected = ParallelMutualInfoSelector(discrete_features=[1, 3], random_state=0)
        assert_array_equal(selector.fit(X, y).scores_, expected.fit(numbers, y).scores_)


def test_mean_score__of_values_missing_at_random_is_that_of_all():
    """r = 0.5, 5 % and 20 % missing, 300 repeats: within two standard errors of the full data."""
    rng = np.random.default_rng(0)
    n_samples, n_repeats = 500, 300
    y = rng.normal(size=n_samples)
    X = 0.5 * y[:, np.newaxis] + np.sqrt(0.75) * rng.normal(size=(n_samples, n_repeats))
    full = mutual_info_regression(X, y, random_state=0)
    for share in (0.05, 0.2):
        gappy = np.where(rng.random(X.shape) < share, np.nan, X)
        scores = omitting(gappy, y).scores_
        difference = scores - full
        assert abs(difference.mean()) < 2 * difference.std() / np.sqrt(n_repeats)


def test_class__that_is_a_missing_date_is_left_out():
    # NaT was a class of its own.
    X = np.random.default_rng(0).normal(size=(80, 3))
    y = np.array(["2020", "NaT", "2021", "2020"] * 20, dtype="M8[D]")
    selector = ParallelMutualInfoSelector(task="classification", missing="omit", random_state=0)
    with pytest.warns(UserWarning, match=r"have no target, y \(20\)"):
        fitted = selector.fit(X, y)
    assert fitted.n_observed_.tolist() == [60] * 3
    there = ~np.isnat(y)
    expected = clone(selector).fit(X[there], y[there])
    assert_array_equal(fitted.scores_, expected.scores_)
    with pytest.raises(ValueError, match="y contains NaN: 20 of 80 values"):
        clone(selector).set_params(missing="raise").fit(X, y)
