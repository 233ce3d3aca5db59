"""Bad input: every error names the value, the rule and the remedy, before any work starts."""

import datetime as dt
from decimal import Decimal

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.feature_selection import f_regression
from sklearn.pipeline import make_pipeline

from skpar_select import (
    ParallelMutualInfoSelector,
    mutual_info_classif,
    mutual_info_regression,
    open_matrix,
)
from skpar_select._validation import check_matrix, check_target
from skpar_select.scoring import DiscreteFeatures


class NoWork(joblib.parallel.ParallelBackendBase):
    """A pool that must not be asked to start."""

    supports_retrieve_callback = True

    def effective_n_jobs(self, n_jobs):
        return 2

    def configure(self, *args, **options):
        raise AssertionError("work has started")


joblib.register_parallel_backend("no work", NoWork)


@pytest.fixture(autouse=True)
def no_work():
    """Every check comes before the pool starts."""
    with joblib.parallel_config("no work"):
        yield


@pytest.fixture
def work(no_work):
    """What a test finds out by scoring, or after it."""
    with joblib.parallel_config("threading", n_jobs=1):
        yield


def test_no_work__is_in_the_way_of_work(X, y):
    with pytest.raises(AssertionError, match="work has started"):
        fit(X, y)
    with pytest.raises(AssertionError, match="work has started"):
        mutual_info_regression(X, y)


@pytest.fixture
def X(problem):
    return problem[0].copy()


@pytest.fixture
def y(problem):
    return problem[1]


def fit(X, y, **parameters):
    return ParallelMutualInfoSelector(**parameters).fit(X, y)


def test_y__of_another_length(X, y):
    message = "y has 59 values, X has 60 samples.*one value for each sample.*Check"
    for call in (fit, mutual_info_regression):
        with pytest.raises(ValueError, match=message):
            call(X, y[:-1])


def test_y__of_another_length_for_a_file(X, y, write_h5):
    with pytest.raises(ValueError, match="y has 59 values, X has 60 samples"):
        fit(open_matrix(write_h5(X)), y[:-1])


def test_y__missing(X):
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        fit(X, None)


@pytest.mark.parametrize(("value", "what"), [(np.nan, "NaN"), (np.inf, "infinity")])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_y__not_finite(X, y, value, what, task):
    y = y.copy()
    y[[3, 7]] = value
    message = f"y contains {what}: 2 of 60 values, the first at position 3.*Leave these samples"
    with pytest.raises(ValueError, match=message):
        fit(X, y, task=task)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
def test_y__missing_labels(X, missing):
    labels = pd.Series(["a", "b", missing] * 20, dtype=object)
    with pytest.raises(ValueError, match="y contains NaN: 20 of 60 values"):
        fit(X, labels, task="classification")


def test_y__text_for_regression(X):
    with pytest.raises(
        ValueError, match=r"such as .*'a'.*task='regression'.*task='classification'"
    ):
        fit(X, np.array(["a", "b"] * 30))


def test_y__numbers_for_classification(X, y):
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        fit(X, y, task="classification")
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        mutual_info_classif(X, y)


def test_y__three_dimensions(X, y):
    with pytest.raises(ValueError, match="dim 3"):
        fit(X, np.ones((*y.shape, 2, 2)))


def test_y__sparse(X, y):
    with pytest.raises(TypeError, match="y is a sparse matrix"):
        fit(X, sparse.csc_array(y[:, None]))


def test_X__not_finite_in_memory_names_columns_and_counts(X, y, work):
    X[:3, 5] = np.nan
    X[0, 20] = -np.inf
    message = (
        r"X contains NaN and infinity: 4 values in 2 columns, column 5 \(3 NaN\), "
        r"column 20 \(1 infinity\)\. All values must be finite\. .*missing="
    )
    for call in (fit, mutual_info_regression):
        with pytest.raises(ValueError, match=message):
            call(X, y)


def test_X__not_finite_in_a_frame_names_columns(X, y, frame, work):
    X = frame({f"cg{i}": X[:, i] for i in range(23)})
    values = {name: np.array(X[name]) for name in X.columns}
    values["cg7"][4] = np.nan
    with pytest.raises(ValueError, match=r"'cg7' \(1 NaN\)"):
        fit(frame(values), y)


def test_X__not_finite_in_many_columns_names_the_first(X, y, work):
    X[1] = np.inf
    with pytest.raises(ValueError, match=r"23 values in 23 columns, column 0 .* and 18 more"):
        fit(X, y)


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_matrix])
def test_X__not_finite_in_a_sparse_matrix(X, y, container, work):
    X[2, 3] = np.nan
    with pytest.raises(ValueError, match=r"contains NaN: 1 value in 1 column, column 3 \(1 NaN\)"):
        mutual_info_classif(container(X), y > 0)


def test_X__text_columns_of_a_frame(X, y):
    X = pd.DataFrame(X, columns=[f"cg{i}" for i in range(23)]).assign(sex="f", site="x")
    message = r"X has 2 text columns: 'sex', 'site'.*must be numbers.*Leave these out or encode"
    with pytest.raises(ValueError, match=message):
        fit(X, y)
    with pytest.raises(ValueError, match=message):
        fit(pl.DataFrame({name: X[name].to_numpy() for name in X.columns}), y)


def test_X__text_columns_of_an_array(X, y):
    values = X.astype(object)
    values[:, 3] = "a"
    with pytest.raises(ValueError, match="X has 1 text column: column 3\\."):
        fit(values, y)
    with pytest.raises(ValueError, match="X has 23 text columns: column 0, column 1"):
        fit(np.full((60, 23), "word"), y)


def test_X__objects_that_are_numbers_are_welcome(X):
    assert check_matrix(X.astype(object)).dtype == np.float64


@pytest.mark.parametrize("shape", [(60,), (60, 2, 2)])
def test_X__not_a_matrix(shape):
    with pytest.raises(ValueError, match=r"Expected 2D array|dim"):
        fit(np.zeros(shape), np.arange(60))


def test_X__dates(y):
    with pytest.raises(ValueError, match="X has 2 columns of dates or times: column 0, column 1"):
        fit(np.zeros((60, 2), "M8[s]"), y)


def test_X__complex(y):
    with pytest.raises(ValueError, match="Complex data not supported"):
        fit(np.zeros((60, 2), complex), y)


@pytest.mark.parametrize("n_neighbors", [60, 61, 1000])
def test_n_neighbors__too_large(X, y, n_neighbors):
    message = f"n_neighbors={n_neighbors} is too large for n_samples=60: .*set n_neighbors to 59"
    with pytest.raises(ValueError, match=message):
        fit(X, y, n_neighbors=n_neighbors)
    with pytest.raises(ValueError, match=message):
        mutual_info_classif(X, y > 0, n_neighbors=n_neighbors)


def test_n_neighbors__of_a_single_sample():
    with pytest.raises(ValueError, match=r"too large for n_samples=1: .*more than 3 samples\.$"):
        fit(np.zeros((1, 2)), [0.0])


@pytest.mark.parametrize("k", [24, 1000])
def test_k__above_the_number_of_columns_warns(X, y, k, work):
    with pytest.warns(UserWarning, match=f"k={k} is greater than n_features=23.*all will be"):
        selector = fit(X, y, k=k)
    assert selector.get_support().all()


def test_selection__of_nothing_warns(X, y, work):
    message = r"No features were selected by k='auto', threshold=50.0: of 23 scores the best is "
    with pytest.warns(UserWarning, match=message):
        selector = fit(X, y, threshold=50.0)
    with pytest.warns(UserWarning, match="No features were selected"):
        assert selector.transform(X).shape == (60, 0)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"k": -1}, "'k' parameter .* Got -1"),
        ({"k": 0.0}, r"'k' parameter .* range \(0.0, 1.0\]"),
        ({"k": f_regression}, r"k=f_regression is a function\. .*Write score_func=f_regression"),
        ({"k": 1.5}, "'k' parameter .* Got 1.5"),
        ({"k": "most"}, "'k' parameter .* Got 'most'"),
        ({"threshold": np.nan}, "'threshold' parameter .* Got nan"),
        ({"threshold": "0.1"}, "'threshold' parameter"),
        ({"percentile": 101}, r"'percentile' parameter .* \[0.0, 100.0\] or None. Got 101"),
        ({"percentile": np.nan}, "'percentile' parameter .* Got nan"),
        ({"task": "ranking"}, "'task' parameter .* Got 'ranking'"),
        ({"score_func": "f_regression"}, "'score_func' parameter .* must be a callable or None"),
        ({"n_neighbors": 0}, "'n_neighbors' parameter .* Got 0"),
        ({"n_neighbors": 2.5}, "'n_neighbors' parameter .* Got 2.5"),
        ({"memory_budget": 0}, "'memory_budget' parameter .* Got 0"),
        ({"memory_budget": "much"}, "memory_budget='much' is no amount of memory"),
        ({"n_jobs": 1.5}, "'n_jobs' parameter .* Got 1.5"),
        ({"random_state": "seed"}, "'random_state' parameter .* Got 'seed'"),
        ({"discrete_features": "manual"}, "'discrete_features' parameter .* Got 'manual'"),
    ],
)
def test_parameters__out_of_range(X, y, parameters, message):
    with pytest.raises(ValueError, match=message):
        fit(X, y, **parameters)


@pytest.mark.parametrize(
    ("discrete_features", "message"),
    [
        ([True, False], "has 2 entries, X has 23 features.*one entry for each feature"),
        ([1, 23], "holds index 23, X has 23 features.*0 to 22"),
        ([-24], "holds index -24"),
        ([0.5, 1.5], "boolean mask or a list of column indices"),
        (["f1"], "X has no feature names"),
    ],
)
def test_discrete_features__that_do_not_fit(X, y, discrete_features, message):
    # Both: scikit-learn's functions raise IndexError, its estimators ValueError.
    for kind in (IndexError, ValueError):
        for call in (fit, mutual_info_regression):
            with pytest.raises(kind, match=message):
                call(X, y, discrete_features=discrete_features)


def test_discrete_features__of_a_sparse_matrix_are_all(X, y):
    with pytest.raises(ValueError, match=r"Sparse matrix `X` can't have continuous features\."):
        mutual_info_regression(sparse.csr_array(X), y, discrete_features=False)


@pytest.mark.parametrize(
    ("discrete_features", "sparse_X", "expected"),
    [
        ("auto", False, [False] * 4),
        ("auto", True, [True] * 4),
        (True, False, [True] * 4),
        (np.bool_(False), False, [False] * 4),
        ([1, -1], False, [False, True, False, True]),
        ([], False, [False] * 4),
        (np.array([True, False, True, False]), False, [True, False, True, False]),
        (pd.Series([True, False, True, False]), False, [True, False, True, False]),
    ],
)
def test_discrete_features__of_all_forms(discrete_features, sparse_X, expected):
    discrete = DiscreteFeatures(discrete_features, 4, sparse=sparse_X)
    assert_array_equal(discrete.mask(np.arange(4)), expected)


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f8", "i1", "u8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_check_matrix__neither_copies_nor_converts(dtype, order):
    values = np.zeros((5, 4), dtype, order=order)
    values.flags.writeable = False
    checked = check_matrix(values)
    assert checked.dtype == values.dtype
    assert np.shares_memory(checked, values)


def test_check_matrix__takes_a_frame_of_one_type_as_it_lies():
    values = np.zeros((5, 4), np.float32)
    frame = pd.DataFrame(values, copy=False)
    assert np.shares_memory(check_matrix(frame), frame.to_numpy())


@pytest.mark.parametrize("dtype", ["i4", "f4", "f8", "?", object])
def test_masked_arrays__miss_what_they_hide(dtype):
    X = np.ma.masked_array(np.ones((3, 2), dtype), mask=[[1, 0], [0, 0], [0, 1]])
    assert_array_equal(check_matrix(X), [[np.nan, 1], [1, 1], [1, np.nan]])
    assert check_matrix(X).dtype == (np.float32 if dtype == "f4" else np.float64)


def test_masked_arrays__that_hide_nothing_are_not_copied():
    X = np.ma.masked_array(np.ones((3, 2), np.int16))
    assert np.shares_memory(check_matrix(X), X.data)


@pytest.mark.parametrize("y", [np.arange(60.0), np.arange(60), np.array(["a", "b"] * 30)])
def test_y__that_is_masked_misses_what_it_hides(X, y):
    with pytest.raises(ValueError, match="y contains NaN: 2 of 60 values, the first at position 5"):
        fit(X, np.ma.masked_array(y, mask=np.isin(np.arange(60), [5, 9])))


def test_list__names_the_columns_of_text_alone():
    with pytest.raises(ValueError, match=r"X has 1 text column: column 1\."):
        check_matrix([[1.0, "2"], [3.0, "4"]])
    assert_array_equal(check_matrix([[1, None], [3, 4]]), [[1, np.nan], [3, 4]])


@pytest.mark.parametrize(
    "values",
    [
        np.array([["1"], ["2"]]),
        np.array([[b"1"], [b"2"]]),
        np.array([["01234"], ["2"]], dtype=object),
        np.array([[1], ["2"]], dtype=object),
        np.array([[1], [np.str_("2")]], dtype=object),
    ],
)
def test_X__text_of_digits_is_text(values):
    with pytest.raises(ValueError, match="X has 1 text column: column 0"):
        check_matrix(values)


@pytest.mark.parametrize(
    "value", [np.datetime64("2020"), np.timedelta64(1, "s"), pd.Timestamp(0), pd.Period("2020")]
)
def test_X__dates_among_objects(value):
    with pytest.raises(ValueError, match="X has 1 column of dates or times: column 1"):
        check_matrix(np.array([[1.0, value], [2.0, None]], dtype=object))


def test_X__whole_numbers_beyond_float64():
    with pytest.raises(ValueError, match=r"whole numbers beyond.*float64, which rounds them"):
        check_matrix(np.array([[10**400]], dtype=object))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (
            pd.Series(pd.date_range("2020", periods=60)),
            "dates or times such as .?2020-01-01.*days since",
        ),
        (pl.Series([dt.date(2020, 1, 1)] * 60), "dates or times such as .?2020-01-01.*days since"),
        ([dt.date(2020, 1, 1)] * 60, "dates or times such as 2020-01-01.*days since"),
        (np.arange(60).astype("m8[s]"), "dates or times such as"),
        (
            pd.Series(["a", "b"] * 30, dtype="category"),
            "categories such as 'a'.*if they are labels",
        ),
        (pl.Series(["a", "b"] * 30, dtype=pl.Categorical), "categories such as 'a'"),
        (["1", "2"] * 30, "text such as '1'.*Convert them, or set task='classification'"),
        ([[1], [2, 3]] * 30, "objects such as|inhomogeneous"),
    ],
)
def test_y__that_is_no_number_is_named_by_its_kind(X, y, message):
    with pytest.raises(ValueError, match=message):
        fit(X, y)


def test_y__of_objects_that_are_numbers(X, y, work):
    expected = fit(X, np.round(y, 3), random_state=0).scores_
    decimals = [Decimal(str(value)) for value in np.round(y, 3)]
    assert_array_equal(fit(X, decimals, random_state=0).scores_, expected)


@pytest.mark.parametrize(
    "two", [[True, False], [0, 1], [1.0, 2.0], pd.array([True, False], "boolean")]
)
def test_y__of_two_values_is_warned_of(X, two, work):
    y = pd.Series(two).repeat(30)
    with pytest.warns(UserWarning, match=r"two distinct values, .*Set task='classification'"):
        fit(X, y)
    fit(X, y, task="classification")
    mutual_info_regression(X, y.astype(float))


def test_k__of_one_in_a_fraction_is_all(X, y, work):
    assert fit(X, y, k=1.0).get_support().all()
    assert fit(X, y, k=1).get_support().sum() == 1


def test_warnings__point_to_the_line_of_the_caller(X, y, work):
    with pytest.warns(UserWarning, match="k=1000|two distinct") as caught:
        make_pipeline(ParallelMutualInfoSelector(k=1000)).fit(X, y > 0)
    assert {warning.filename for warning in caught} == {__file__}


class TestLazy:
    @pytest.fixture
    def fitted(self, X, y, write_h5, work):
        return fit(open_matrix(write_h5(X), feature_names="features"), y, k=3)

    def test_transform__of_another_width(self, fitted, X, write_h5):
        message = "X has 22 features, but ParallelMutualInfoSelector is expecting 23 features"
        with pytest.raises(ValueError, match=message):
            fitted.transform(open_matrix(write_h5(X[:, 1:])))

    def test_transform__with_other_names(self, fitted, X, write_h5):
        names = [f"f{i}" for i in range(22)] + ["other"]
        with pytest.raises(
            ValueError, match=r"1 feature name differs.*column 22: 'other', not 'f22'"
        ):
            fitted.transform(open_matrix(write_h5(X), feature_names=names))

    def test_transform__without_names_warns(self, fitted, X, write_h5):
        with pytest.warns(UserWarning, match="X has no feature names, but the fit has"):
            fitted.transform(open_matrix(write_h5(X), feature_names=None))

    def test_transform__not_finite(self, fitted, X, write_h5):
        column = fitted.get_support(indices=True)[1]
        X[7, column] = np.nan
        matrix = open_matrix(write_h5(X), feature_names="features")
        with pytest.raises(
            ValueError, match=rf"matrix\.h5', dataset 'data' contains NaN.*'f{column}'"
        ):
            fitted.transform(matrix)

    def test_fit__not_finite_names_file_column_and_count(self, X, y, write_h5, work):
        X[[3, 9], 21] = np.nan
        path = write_h5(X)
        for names, column in ((None, "column 21"), ("features", "'f21'")):
            message = rf"matrix\.h5', dataset 'data' contains NaN: 2 values in 1 column, {column} \(2 NaN\)"
            for score_func in (None, lambda X, y: np.zeros(X.shape[1])):
                with pytest.raises(ValueError, match=message):
                    fit(open_matrix(path, feature_names=names), y, score_func=score_func)

    def test_fit__of_no_samples(self, X, y, write_h5):
        with pytest.raises(ValueError, match=r"X has shape \(0, 23\)"):
            fit(open_matrix(write_h5(X))[:0], y[:0])


def test_n_samples__of_one_is_refused_where_no_neighbour_is_looked_for():
    with pytest.raises(ValueError, match=r"n_samples=1\. .*at least 2 samples"):
        mutual_info_classif(np.zeros((1, 2)), [1], discrete_features=True)


def test_X__columns_of_dates_are_named(X, y):
    frame = pd.DataFrame(X[:, :3], columns=["a", "b", "c"])
    frame["b"] = pd.date_range("2020", periods=len(X))
    with pytest.raises(ValueError, match=r"X has 1 column of dates or times: 'b'\. .*days since"):
        fit(frame, y)


def test_y__beyond_float64(X, y):
    if np.finfo(np.longdouble).max == np.finfo(np.float64).max:
        pytest.skip("longdouble is float64 here")
    with pytest.raises(ValueError, match=r"y holds .* values beyond those of float64.*Scale y"):
        fit(X, y.astype(np.longdouble) * np.longdouble("1e4000"))


class TestTargetOfAScoreFunction:
    """The function alone decides what a target is, besides its length and that none is missing."""

    @pytest.mark.parametrize("given", [np.arange(3), np.array(["a", "b", "c"])])
    def test_check_target__leaves_its_type(self, given):
        rows, checked = check_target(given, 3, task=None)
        assert rows is None
        assert checked.dtype == given.dtype
        assert_array_equal(checked, given)

    @pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
    def test_check_target__refuses_what_is_missing(self, missing):
        message = r"y contains NaN: 1 of 3 values, the first at position 1.*Leave these samples"
        with pytest.raises(ValueError, match=message):
            check_target(pd.Series(["a", missing, "b"], dtype=object), 3, task=None)

    def test_check_target__refuses_another_length(self):
        with pytest.raises(ValueError, match="y has 2 values, X has 3 samples"):
            check_target(["a", "b"], 3, task=None)
