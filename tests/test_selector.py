import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from containers import write_anndata
from numpy.testing import assert_allclose, assert_array_equal
from recorded import RecordedMatrix
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest, SelectPercentile, f_regression
from sklearn.feature_selection import mutual_info_regression as sklearn_regression
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_validate,
    train_test_split,
)
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_get_feature_names_out_error,
    check_global_output_transform_pandas,
    check_global_set_output_transform_polars,
    check_param_validation,
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_set_output_transform_polars,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
    estimator_checks_generator,
)
from sklearn.utils.validation import check_is_fitted

from skpar_select import ParallelMutualInfoSelector, open_matrix
from skpar_select.matrices import LazyMatrix

VARIANTS = {
    "regression": ParallelMutualInfoSelector(random_state=0),
    "classification": ParallelMutualInfoSelector(task="classification", random_state=0),
    "threshold": ParallelMutualInfoSelector(k="all", threshold=0.0),
    "percentile": ParallelMutualInfoSelector(percentile=50, n_jobs=2),
    "fraction": ParallelMutualInfoSelector(k=0.5, memory_budget="1MB"),
    "score_func": ParallelMutualInfoSelector(k=2, score_func=f_regression),
}


# Many checks fit a regression to two values, and two values alone are warned of.
two_values = pytest.mark.filterwarnings("ignore:y holds two distinct values:UserWarning")


# Not parametrize_with_checks: that of scikit-learn 1.6 warns with pytest 9.
@two_values
@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(*case, id=f"{variant}-{case[1].func.__name__}")
        for variant in VARIANTS
        for case in estimator_checks_generator(VARIANTS[variant])
    ],
)
def test_selector__passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@two_values
# The checks fit frames and transform arrays, and the reverse, on purpose.
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
@pytest.mark.filterwarnings("ignore:X has feature names, but:UserWarning")
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "check",
    [
        check_dataframe_column_names_consistency,
        check_get_feature_names_out_error,
        check_global_output_transform_pandas,
        check_global_set_output_transform_polars,
        check_param_validation,
        check_set_output_transform,
        check_set_output_transform_pandas,
        check_set_output_transform_polars,
        check_transformer_get_feature_names_out,
        check_transformer_get_feature_names_out_pandas,
    ],
)
def test_selector__passes_the_checks_that_are_called_by_hand(variant, check):
    check("ParallelMutualInfoSelector", clone(VARIANTS[variant]))


@pytest.fixture
def lazy(problem, write_h5):
    path = write_h5(problem[0], chunks=(16, 5), compression="gzip")
    return open_matrix(path, feature_names="features", sample_ids="samples")


class TestFit:
    def test_fit__finds_the_columns_that_tell(self, problem):
        selector = ParallelMutualInfoSelector(k=2).fit(*problem)
        assert_array_equal(selector.get_support(indices=True), [4, 11])
        assert selector.scores_.shape == (23,)
        assert selector.scores_.dtype == np.float64
        assert selector.pvalues_ is None
        assert selector.n_features_in_ == 23

    def test_fit__leaves_the_parameters(self, problem):
        selector = ParallelMutualInfoSelector(k=0.3, memory_budget="1GB", n_jobs=2)
        before = copy.deepcopy(selector.get_params())
        selector.fit(*problem)
        assert selector.get_params() == before

    def test_fit__keeps_no_matrix(self, problem):
        big = np.random.default_rng(0).normal(size=(60, 500))
        selector = ParallelMutualInfoSelector().fit(big, problem[1])
        assert len(pickle.dumps(selector)) < 10_000

    def test_fit__takes_the_pvalues_of_a_score_function(self, problem):
        selector = ParallelMutualInfoSelector(score_func=f_regression).fit(*problem)
        assert_allclose(selector.pvalues_, f_regression(*problem)[1], rtol=1e-5)

    def test_fit__of_a_file_is_that_of_the_array(self, problem, lazy):
        X, y = problem
        of_array = ParallelMutualInfoSelector(k=3, random_state=0).fit(X, y)
        of_file = ParallelMutualInfoSelector(k=3, random_state=0, n_jobs=2).fit(lazy, y)
        assert_array_equal(of_file.scores_, of_array.scores_)
        assert list(of_file.get_feature_names_out()) == [
            f"f{i}" for i in of_array.get_support(indices=True)
        ]
        assert of_file.n_features_in_ == 23

    def test_fit__of_a_file_reads_blocks_only(self, problem, lazy):
        class Unloadable(LazyMatrix):
            def __array__(self, dtype=None, copy=None):
                raise AssertionError("the whole was loaded")

        X = Unloadable(lazy)
        selector = ParallelMutualInfoSelector(k=3).fit(X, problem[1])
        assert selector.transform(X).shape == (60, 3)

    def test_fit__again_forgets_the_names(self, problem, lazy, write_h5):
        selector = ParallelMutualInfoSelector(k=3).fit(lazy, problem[1])
        assert list(selector.feature_names_in_[:2]) == ["f0", "f1"]
        nameless = open_matrix(write_h5(problem[0], file="bare.h5"), feature_names=None)
        assert not hasattr(selector.fit(nameless, problem[1]), "feature_names_in_")

    def test_fit__of_float32_makes_no_copy(self, problem):
        seen = []
        ParallelMutualInfoSelector(
            score_func=lambda X, y: seen.append(X) or f_regression(X, y)
        ).fit(*problem)
        assert sum(block.shape[1] for block in seen) == 23
        assert all(np.shares_memory(block, problem[0]) for block in seen)

    def test_selector__pickles_clones_and_copies(self, problem):
        selector = ParallelMutualInfoSelector(k=2).fit(*problem)
        for other in (pickle.loads(pickle.dumps(selector)), copy.deepcopy(selector)):
            assert_array_equal(other.transform(problem[0]), selector.transform(problem[0]))
        with pytest.raises(sklearn.exceptions.NotFittedError):
            check_is_fitted(clone(selector))

    def test_selector__not_fitted(self, problem, lazy):
        for X in (problem[0], lazy):
            with pytest.raises(sklearn.exceptions.NotFittedError):
                ParallelMutualInfoSelector().transform(X)


@pytest.fixture(scope="module")
def fitted(problem):
    return ParallelMutualInfoSelector(random_state=0).fit(*problem)


class TestRules:
    @pytest.mark.parametrize("k", [0, 1, 5, 23, "all"])
    def test_k__is_that_of_select_k_best(self, fitted, problem, k):
        selector = copy.deepcopy(fitted).set_params(k=k)
        other = SelectKBest(lambda X, y: fitted.scores_, k=k).fit(*problem)
        assert_array_equal(selector.get_support(), other.get_support())

    @pytest.mark.parametrize("percentile", [0, 10, 50, 100])
    def test_percentile__is_that_of_select_percentile(self, fitted, problem, percentile):
        selector = copy.deepcopy(fitted).set_params(percentile=percentile)
        other = SelectPercentile(lambda X, y: fitted.scores_, percentile=percentile).fit(*problem)
        assert_array_equal(selector.get_support(), other.get_support())

    def test_k__auto_is_ten_alone_and_no_limit_beside_a_rule(self, fitted):
        selector = copy.deepcopy(fitted)
        assert selector.get_support().sum() == 10
        assert selector.set_params(threshold=-1.0).get_support().all()

    def test_rules__given_together_all_hold(self, fitted):
        best = np.sort(fitted.scores_)[::-1]
        selector = copy.deepcopy(fitted).set_params(k=5, threshold=best[2], percentile=50)
        assert selector.get_support().sum() == 3
        assert selector.set_params(k=2).get_support().sum() == 2

    def test_rules__changed_after_fit_hold_at_once(self, problem):
        scored = []
        selector = ParallelMutualInfoSelector(
            score_func=lambda X, y: scored.append(X.shape) or f_regression(X, y)
        ).fit(*problem)
        n_scored = len(scored)
        for k in (1, 0.5, "all", 7):
            expected = {0.5: 12, "all": 23}.get(k, k)
            assert selector.set_params(k=k).transform(problem[0]).shape == (60, expected)
        assert len(scored) == n_scored > 0

    def test_k__of_zero_keeps_nothing_and_warns_where_select_k_best_does(self, problem, lazy):
        selector = ParallelMutualInfoSelector(k=0).fit(*problem)
        for X in (problem[0], lazy):
            selector.__dict__.pop("feature_names_in_", None)
            with pytest.warns(UserWarning, match="No features were selected"):
                assert selector.fit(X, problem[1]).transform(X).shape == (60, 0)


class TestTransform:
    @pytest.mark.parametrize("rows", [np.s_[:], np.s_[50:3:-2], [5, 5, 1]])
    def test_transform__of_a_file_is_that_of_the_array(self, problem, lazy, rows):
        selector = ParallelMutualInfoSelector(k=6, random_state=0).fit(lazy, problem[1])
        got = selector.transform(lazy[rows])
        assert isinstance(got, np.ndarray)
        assert got.dtype == np.float32
        assert_array_equal(got, problem[0][rows][:, selector.get_support()])

    def test_transform__of_a_file_reads_the_chosen_columns(self, problem):
        recorded = RecordedMatrix(problem[0])
        selector = ParallelMutualInfoSelector(k=2).fit(*problem)
        assert_array_equal(selector.transform(LazyMatrix(recorded)), problem[0][:, [4, 11]])
        assert {read.columns for read in recorded.reads} == {(4, 11)}
        assert sorted(row for read in recorded.reads for row in read.rows) == list(range(60))

    @pytest.mark.parametrize(
        ("library", "frame"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)]
    )
    def test_set_output__gives_frames_with_names(self, problem, lazy, library, frame):
        selector = ParallelMutualInfoSelector(k=2).set_output(transform=library)
        got = selector.fit_transform(lazy, problem[1])
        assert isinstance(got, frame)
        assert list(got.columns) == ["f4", "f11"]
        assert_array_equal(got.to_numpy(), problem[0][:, [4, 11]])

    def test_frames__give_their_names(self, problem, frame):
        X = frame({f"cg{i}": problem[0][:, i] for i in range(23)})
        selector = ParallelMutualInfoSelector(k=2).fit(X, problem[1])
        assert list(selector.get_feature_names_out()) == ["cg4", "cg11"]
        assert selector.transform(X).shape == (60, 2)

    @pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_matrix])
    def test_sparse__stays_sparse(self, container):
        X = np.random.default_rng(0).integers(0, 2, size=(50, 8))
        selector = ParallelMutualInfoSelector(k=1, task="classification").fit(container(X), X[:, 5])
        got = selector.transform(container(X))
        assert sparse.issparse(got)
        assert_array_equal(got.toarray()[:, 0], X[:, 5])

    def test_inverse_transform__puts_zeros_where_columns_were(self, problem, lazy):
        selector = ParallelMutualInfoSelector(k=2).fit(lazy, problem[1])
        back = selector.inverse_transform(selector.transform(lazy))
        assert_array_equal(back[:, [4, 11]], problem[0][:, [4, 11]])
        assert np.count_nonzero(np.delete(back, [4, 11], axis=1)) == 0


def pipeline(k=3, **parameters):
    selector = ParallelMutualInfoSelector(k=k, random_state=0, **parameters)
    return Pipeline([("select", selector), ("model", Ridge())])


class TestModelSelection:
    """What works on an array works on a file, with the same result."""

    @pytest.mark.parametrize("n_jobs", [None, 2])
    def test_grid_search__over_k(self, problem, lazy, n_jobs):
        X, y = problem
        grid = {"select__k": [1, 2, 0.5, "all"]}
        of_file = GridSearchCV(pipeline(), grid, cv=3, n_jobs=n_jobs).fit(lazy, y)
        of_array = GridSearchCV(pipeline(), grid, cv=3).fit(X, y)
        assert of_file.best_params_ == of_array.best_params_
        for key in ("mean_test_score", "std_test_score"):
            assert_allclose(of_file.cv_results_[key], of_array.cv_results_[key], rtol=1e-4)

    @pytest.mark.parametrize("n_jobs", [None, 2])
    def test_cross_val_predict__with_shuffled_folds(self, problem, lazy, n_jobs):
        X, y = problem
        cv = KFold(4, shuffle=True, random_state=0)
        got = cross_val_predict(pipeline(n_jobs=2), lazy, y, cv=cv, n_jobs=n_jobs)
        assert_allclose(got, cross_val_predict(pipeline(), X, y, cv=cv), rtol=1e-3)

    def test_cross_validate__with_a_score_function(self, problem, lazy):
        X, y = problem
        model = pipeline(score_func=f_regression, n_jobs=2)
        got = cross_validate(model, lazy, y, cv=3)["test_score"]
        assert_allclose(got, cross_validate(model, X, y, cv=3)["test_score"], rtol=1e-5)

    def test_train_test_split__gives_lazy_matrices(self, problem, lazy):
        X, y = problem
        parts = train_test_split(lazy, y, random_state=0)
        assert isinstance(parts[0], LazyMatrix)
        assert isinstance(parts[1], LazyMatrix)
        expected = train_test_split(X, y, random_state=0)
        for got, want in zip(parts, expected, strict=True):
            assert_array_equal(np.asarray(got), want)
        score = pipeline().fit(parts[0], parts[2]).score(parts[1], parts[3])
        assert score == pytest.approx(
            pipeline().fit(expected[0], expected[2]).score(expected[1], expected[3])
        )

    def test_model__without_a_selector_loads_what_fits(self, problem, lazy):
        X, y = problem
        assert_allclose(Ridge().fit(lazy, y).predict(lazy), Ridge().fit(X, y).predict(X))

    def test_feature_union__of_two_selectors(self, problem, lazy):
        union = FeatureUnion(
            [
                ("mi", ParallelMutualInfoSelector(k=2)),
                ("f", ParallelMutualInfoSelector(k=1, score_func=f_regression)),
            ]
        )
        assert make_pipeline(union, Ridge()).fit(lazy, problem[1]).predict(lazy).shape == (60,)

    def test_pipeline_memory__notices_a_changed_file(self, problem, tmp_path, write_h5):
        X, y = problem
        model = pipeline().set_params(memory=joblib.Memory(tmp_path / "cache", verbose=0))
        path = write_h5(X)
        first = model.fit(open_matrix(path), y)["select"].get_support(indices=True)
        again = model.fit(open_matrix(path), y)["select"].get_support(indices=True)
        assert_array_equal(first, again)
        write_h5(np.ascontiguousarray(X[:, ::-1]), compression="gzip")
        changed = model.fit(open_matrix(path), y)["select"].get_support(indices=True)
        assert not np.array_equal(changed, first)

    def test_real_matrix__fits_and_predicts_lazily(self, real_matrix):
        X = open_matrix(real_matrix, feature_names="features")[:400]
        y = X.read(np.array([0]))[:, 0] * 100.0
        model = pipeline(k=20).fit(X, y)
        assert model.predict(X).shape == (400,)
        assert model["select"].get_support()[0]
        search = GridSearchCV(pipeline(), {"select__k": [1, 5]}, cv=3, n_jobs=2).fit(X, y)
        assert search.best_score_ > 0.9


def test_swap_of_select_k_best__selects_the_same(problem):
    X, y = problem
    theirs = SelectKBest(sklearn_regression, k=4).fit(X, y)
    ours = ParallelMutualInfoSelector(k=4, random_state=0).fit(X, y)
    assert_array_equal(ours.get_support(), theirs.get_support())


@pytest.mark.parametrize("rule", [{"k": "foo"}, {"k": 2.5}, {"k": -3}, {"percentile": 200}])
def test_rule_set_after_fit__is_checked_like_any_parameter(rule):
    X = np.random.default_rng(0).normal(size=(30, 4))
    selector = ParallelMutualInfoSelector(k=2).fit(X, X[:, 0])
    with pytest.raises(ValueError, match=f"The '{next(iter(rule))}' parameter .* must be"):
        selector.set_params(**rule).get_support()


def test_failed_fit__leaves_no_old_scores_beside_new_names():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 2)), columns=["a", "b"])
    selector = ParallelMutualInfoSelector(k=1).fit(X, X["b"])
    with pytest.raises(ValueError, match="y has 29 values"):
        selector.fit(X.rename(columns={"a": "d", "b": "e"}), X["b"][:29])
    with pytest.raises(NotFittedError):
        selector.get_feature_names_out()


class TestFractions:
    """Of a sparse file, whose columns count as discrete unless somebody says otherwise."""

    @pytest.fixture
    def counts(self):
        rng = np.random.default_rng(0)
        return rng.poisson(0.4, size=(90, 70)).astype(np.float32)

    @pytest.fixture
    def opened(self, tmp_path):
        def opened(values):
            return open_matrix(write_anndata(tmp_path / "x.h5ad", values, "csr_matrix"))

        return opened

    def fit(self, X, **options):
        y = np.arange(90) % 3
        options = {"task": "classification", "random_state": 0} | options
        return ParallelMutualInfoSelector(5, **options).fit(X, y)

    @pytest.mark.parametrize("missing", ["raise", "omit"])
    def test_logarithms_of_counts__are_warned_of(self, counts, opened, missing):
        counts[:, 3:] = np.log1p(counts[:, 3:])
        X = opened(counts)
        n_fractions = (counts != np.rint(counts)).any(axis=0).sum()
        said = f"'auto' counts its columns as discrete, and {n_fractions} of 70 hold fractions"
        with pytest.warns(UserWarning, match=said):
            doubted = self.fit(X, missing=missing)
        # Whoever says what they are is not asked again.
        told = self.fit(X, missing=missing, discrete_features=True)
        np.testing.assert_array_equal(doubted.scores_, told.scores_)
        self.fit(X, missing=missing, discrete_features=False)

    def test_several_targets__are_warned_of_once(self, counts, opened):
        with pytest.warns(UserWarning, match="70 of 70 hold fractions") as said:
            ParallelMutualInfoSelector(5).fit(opened(counts + 0.5), np.arange(180.0).reshape(90, 2))
        assert len(said) == 1

    def test_counts__are_not(self, counts, opened):
        self.fit(opened(counts))
        counts[4, 7] = np.nan
        self.fit(opened(counts), missing="omit")
