"""p-values of whole fits: uniform when nothing is there, the same however columns are scored."""

import pickle
import warnings

import numpy as np
import pytest
import sklearn
from naive import ranks
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.stats import kstest
from sklearn.base import clone
from sklearn.feature_selection import GenericUnivariateSelect, SelectFdr, SelectFpr, SelectFwe
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator

from skpar_select import (
    ParallelMutualInfoSelector,
    mutual_info_classif_test,
    mutual_info_regression_test,
    open_matrix,
)
from skpar_select.kernels import mutual_information, prepare_target
from skpar_select.significance import (
    Moments,
    kraskov_moments,
    log_pvalues_of_rho,
    log_qvalues,
    log_upper_tail,
    smaller_of_two,
)

N_SAMPLES, N_FEATURES = 120, 12


def fitted(X, y, *, strata=None, covariates=None, **parameters):
    options = {"k": "all", "pvalues": True, "random_state": 0}
    selector = ParallelMutualInfoSelector(**options | parameters)
    return selector.fit(X, y, strata=strata, covariates=covariates)


def log_p(X, y, **parameters):
    return fitted(X, y, **parameters).log_pvalues_


def is_uniform(log_pvalues):
    p = np.exp(log_pvalues)
    # Of 1,000 uniform ones 1 is below 0.001, and more than 7 in one of a million cases.
    return kstest(p, "uniform").pvalue > 1e-4 and np.mean(p < 0.001) < 0.007


@pytest.fixture(scope="module")
def columns():
    """Quantities, ties and zeros; the first two tell the target."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(N_SAMPLES, N_FEATURES))
    X[:, 4:7] = X[:, 4:7].round(1)
    X[:, 7:9] = np.where(X[:, 7:9] < 0.3, 0, X[:, 7:9])
    X.flags.writeable = False
    return X


@pytest.fixture(scope="module")
def target(columns):
    rng = np.random.default_rng(6)
    return 1.5 * columns[:, 0] + 1.5 * columns[:, 1] ** 2 + rng.normal(size=N_SAMPLES)


@pytest.fixture(scope="module")
def batch():
    return np.random.default_rng(7).permutation(np.arange(N_SAMPLES) % 3)


DRAWS = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "Cauchy": lambda rng, shape: rng.standard_cauchy(shape),
    "zeros": lambda rng, shape: np.maximum(rng.standard_normal(shape) - 0.3, 0),
    "binary": lambda rng, shape: (rng.random(shape) < 0.3).astype(float),
    "float16": lambda rng, shape: rng.random(shape).astype(np.float16),
}


class TestNull:
    """Columns that have nothing to do with the target."""

    @pytest.mark.parametrize("k", [3, "auto"])
    @pytest.mark.parametrize("name", DRAWS)
    def test_quantities__have_uniform_pvalues_whatever_their_distributions(self, name, k):
        rng = np.random.default_rng(1)
        X = DRAWS[name](rng, (150, 1000))
        ages = rng.integers(20, 60, 150).astype(float)
        assert is_uniform(log_p(X, ages, test_neighbors=k))

    @pytest.mark.parametrize("shares", [(0.5, 0.5), (0.9, 0.1), (0.5, 0.3, 0.2)])
    def test_class_targets__have_uniform_pvalues(self, shares):
        rng = np.random.default_rng(2)
        y = rng.choice(len(shares), size=200, p=shares)
        X = DRAWS["zeros"](rng, (200, 1000))
        assert is_uniform(log_p(X, y, task="classification", test_neighbors=3))

    def test_discrete_columns__have_uniform_pvalues(self):
        rng = np.random.default_rng(3)
        X = DRAWS["binary"](rng, (200, 1000))
        assert is_uniform(log_p(X, rng.lognormal(size=200), discrete_features=True))

    @pytest.mark.parametrize("share", [0.5, 0.1, 0.03])
    def test_discrete_pairs__have_no_pvalues_that_are_too_small(self, share):
        rng = np.random.default_rng(4)
        X = (rng.random((100, 2000)) < share).astype(float) + (rng.random((100, 2000)) < share)
        y = rng.integers(0, 3, 100)
        p = np.exp(log_p(X, y, task="classification", discrete_features=True))
        for a in (0.01, 0.05, 0.2):
            assert np.mean(p <= a) <= a + 4 * np.sqrt(a / 2000)

    @pytest.mark.parametrize("task", ["regression", "classification"])
    def test_gaps__leave_each_column_the_null_of_its_samples(self, task):
        rng = np.random.default_rng(5)
        X = DRAWS["normal"](rng, (200, 1000))
        X[rng.random(X.shape) < np.linspace(0, 0.4, 1000)] = np.nan
        y = rng.integers(0, 3, 200)
        assert is_uniform(log_p(X, y, task=task, missing="omit", test_neighbors=3))

    def test_combined__is_not_too_small(self):
        rng = np.random.default_rng(6)
        X, y = rng.normal(size=(100, 2000)), rng.normal(size=100)
        p = np.exp(log_p(X, y, test="combined"))
        for a in (0.01, 0.05, 0.2):
            assert np.mean(p <= a) <= a + 4 * np.sqrt(a / 2000)

    def test_several_targets__are_judged_together(self):
        rng = np.random.default_rng(7)
        X, Y = rng.normal(size=(100, 2000)), rng.normal(size=(100, 5))
        share = np.mean(np.exp(log_p(X, Y)) < 0.05)
        assert 0.03 < share < 0.065


class TestConfounders:
    """What strata and covariates do, done by hand, and that it helps."""

    def test_strata__give_the_weighted_score_within_them_and_its_null(self, columns, target, batch):
        unequal = np.where(batch == 2, 1, batch)
        got = fitted(columns, target, strata=unequal, marginals="rank", test_neighbors=3)
        parts, scores, rhos = [], [], []
        for code in np.unique(unequal):
            of = unequal == code
            # Ties are broken by the seed that the fit draws of random_state.
            y = prepare_target(
                target[of], discrete=False, n_neighbors=3, seed=seed_of(0), marginals="rank"
            )
            scored = mutual_information(
                columns[of],
                [y],
                columns=np.arange(N_FEATURES),
                discrete=np.zeros(N_FEATURES, dtype=bool),
            )
            share = of.mean()
            mean, variance, third, *fourth = kraskov_moments(np.array(of.sum()), 3)
            parts.append(
                [share * mean, share**2 * variance, share**3 * third]
                + [share**4 * one for one in fourth]
            )
            scores.append(share * scored.scores[0])
            rhos.append(share * scored.rho[0])
        score, null = np.sum(scores, axis=0), Moments(*np.sum(parts, axis=0))
        assert_allclose(got.scores_, np.maximum(score, 0), atol=1e-12)
        assert_allclose(got.rho_, np.sum(rhos, axis=0), atol=1e-12)
        assert_allclose(got.log_pvalues_, log_upper_tail(score, null), rtol=1e-6)
        combined = log_p(columns, target, strata=unequal, test_neighbors=3, test="combined")
        sizes = np.bincount(unequal)
        variance = np.sum((sizes / sizes.sum()) ** 2 / (sizes - 1))
        of_rho = log_pvalues_of_rho(np.sum(rhos, axis=0), variance)
        assert_allclose(combined, smaller_of_two(got.log_pvalues_, of_rho), rtol=1e-6)

    def test_covariates__give_the_pvalues_of_residuals(self, target):
        rng = np.random.default_rng(8)
        z = rng.normal(size=(N_SAMPLES, 2))
        X = rng.normal(size=(N_SAMPLES, N_FEATURES)) + z[:, :1]
        design = np.column_stack([np.ones(N_SAMPLES), z])
        left, y = (
            one - design @ np.linalg.lstsq(design, one, rcond=None)[0] for one in (X, target)
        )
        got, expected = fitted(X, target, covariates=z), fitted(left, y)
        assert_allclose(got.log_pvalues_, expected.log_pvalues_, rtol=1e-9)
        assert_allclose(got.scores_, expected.scores_, atol=1e-6)

    @pytest.mark.parametrize("spread", [False, True])
    @pytest.mark.parametrize("task", ["regression", "classification"])
    def test_a_batch_that_drives_both_sides__is_held_fixed_by_strata(self, spread, task):
        rng = np.random.default_rng(9)
        strata = np.repeat([0, 1, 2], [200, 60, 40])
        X, y = rng.normal(size=(300, 1000)), rng.normal(size=300)
        scale, shift = (4.0**strata, 0) if spread else (1, 2.0 * strata)
        X, y = X * np.reshape(scale, (-1, 1)) + np.reshape(shift, (-1, 1)), y * scale + shift
        if task == "classification":
            y = np.abs(y) > np.median(np.abs(y))
        how = {"task": task, "test_neighbors": 3}
        assert np.mean(log_p(X, y, **how) < np.log(0.001)) > (0.01 if spread else 0.8)
        assert is_uniform(log_p(X, y, strata=strata, **how))

    def test_a_batch_with_gaps__is_held_fixed_by_strata(self):
        rng = np.random.default_rng(10)
        strata = np.arange(300) % 3
        X, y = rng.normal(size=(300, 1000)) + 3 * strata[:, None], rng.normal(size=300) + 3 * strata
        X[rng.random(X.shape) < 0.1] = np.nan
        # Of some columns one stratum has too few samples to be scored.
        X[strata == 1, ::4] = np.nan
        X[np.flatnonzero(strata == 1)[:2], ::4] = 1.0
        assert is_uniform(log_p(X, y, strata=strata, missing="omit", test_neighbors=3))

    def test_strata_where_a_class_has_one_sample__tell_nothing(self):
        rng = np.random.default_rng(14)
        strata = np.repeat([0, 1, 2], 60)
        X = (rng.random((180, 1000)) < 0.3).astype(float)
        X[60:] = 0
        X[100] = 1
        y = rng.normal(size=180)
        how = {"discrete_features": True, "test_neighbors": 10}
        got = log_p(X, y, strata=strata, **how)
        assert is_uniform(got)
        assert_allclose(got, log_p(X[:60], y[:60], **how), rtol=1e-6)
        assert_array_equal(log_p(X[60:], y[60:], strata=strata[60:], **how), 0.0)

    def test_quadratic_confounding__is_taken_out_by_splines(self):
        rng = np.random.default_rng(11)
        z = rng.normal(size=400)
        X = z[:, np.newaxis] ** 2 + rng.normal(size=(400, 1000))
        y = z**2 + rng.normal(size=400)
        assert np.mean(log_p(X, y, covariates=z) < np.log(0.001)) > 0.9
        assert is_uniform(log_p(X, y, covariates=z, covariate_knots=5))

    @pytest.mark.parametrize("name", ["zeros", "binary"])
    def test_ties__are_not_put_in_order_by_a_covariate(self, name):
        rng = np.random.default_rng(12)
        z = rng.normal(size=300)
        X, counts = DRAWS[name](rng, (300, 1000)), rng.poisson(1, 300).astype(float)
        for knots in (0, 5):
            assert is_uniform(log_p(X, counts, covariates=z, covariate_knots=knots))

    def test_many_covariates__leave_combined_pvalues_as_large(self):
        rng = np.random.default_rng(13)
        Z, X, y = rng.normal(size=(100, 40)), rng.normal(size=(100, 2000)), rng.normal(size=100)
        p = np.exp(log_p(X, y, covariates=Z, test="combined", test_neighbors=3))
        assert np.mean(p < 0.01) < 0.018
        assert np.mean(p < 0.05) < 0.065

    def test_an_effect_within_batches__is_found(self, columns, target, batch):
        shifted = target + 30 * batch
        got = log_p(columns + 10 * batch[:, None], shifted, strata=batch, test_neighbors=3)
        assert got[0] < np.log(0.01)


def seed_of(random_state):
    return np.random.RandomState(random_state).randint(np.iinfo(np.int32).max)


class TestInvariance:
    """The same p-values, to the last bit, however they come about."""

    HOW = (
        {},
        {"test": "combined"},
        {"test_neighbors": 3, "marginals": "rank"},
        {"task": "classification"},
        {"discrete_features": [4, 5, 6]},
    )

    @pytest.mark.parametrize("how", HOW, ids=str)
    def test_width_of_blocks_and_workers__change_nothing(
        self, columns, target, batch, how, tmp_path
    ):
        y = target > 0 if "task" in how else target
        X = np.where(np.random.default_rng(0).random(columns.shape) < 0.05, np.nan, columns)
        how = {"missing": "omit", **how}
        for strata in (None, batch):
            if strata is not None:
                how = {**how, "test_neighbors": 3}
            expected = fitted(X, y, strata=strata, **how)
            for changes in (
                {"memory_budget": "300kB"},
                {"n_jobs": 2, "memory_budget": "600kB"},
                {"store": tmp_path},
                {"store": tmp_path},
            ):
                got = fitted(X, y, strata=strata, **how | changes)
                assert_array_equal(got.log_pvalues_, expected.log_pvalues_)
                assert_array_equal(got.qvalues_, expected.qvalues_)
            for column in (3, 5):
                alone = fitted(X[:, : column + 1], y, strata=strata, **cut(how, column))
                assert alone.log_pvalues_[column] == expected.log_pvalues_[column]

    def test_containers__give_the_same(self, columns, target, batch, write_h5):
        path = write_h5(columns, chunks=(16, 5), compression="gzip")
        how = {"strata": batch, "covariates": columns[:, 11], "test": "combined"}
        expected = fitted(columns, target, test_neighbors=3, **how)
        assert (expected.log_pvalues_ < -5).any()
        for X in (open_matrix(path), np.asfortranarray(columns), columns.astype(np.longdouble)):
            got = fitted(X, target, test_neighbors=3, **how)
            assert_array_equal(got.log_pvalues_, expected.log_pvalues_)

    def test_sparse_columns__have_the_pvalues_of_dense_ones(self, columns, target):
        matrix = sparse.csc_matrix(np.where(columns > 0.5, columns.round(1), 0))
        for discrete in (True, False):
            of_sparse = log_p(matrix, target, discrete_features=discrete)
            assert_array_equal(
                of_sparse, log_p(matrix.toarray(), target, discrete_features=discrete)
            )

    def test_order__alone_matters(self, columns, target):
        X = columns[:, :4]
        expected = log_p(X, target, test="combined")
        assert_array_equal(log_p(np.exp(3 * X), np.cbrt(target), test="combined"), expected)
        assert_array_equal(log_p(X.astype(np.longdouble), target, test="combined"), expected)

    def test_rank_scores__are_those_that_are_tested(self, columns, target):
        raw = fitted(columns, target, test_neighbors=5)
        ranked = fitted(columns, target, test_neighbors=5, n_neighbors=5, marginals="rank")
        assert_array_equal(raw.log_pvalues_, ranked.log_pvalues_)
        assert_array_equal(raw.rho_, ranked.rho_)
        order = ranks(columns[:, 4], seed=seed_of(0), column=4)
        assert len(np.unique(order)) == N_SAMPLES

    def test_fit_that_did_not_ask__has_the_same_scores(self, columns, target):
        for marginals in ("raw", "rank"):
            how = {"marginals": marginals, "random_state": 0}
            without = ParallelMutualInfoSelector(**how).fit(columns, target)
            assert without.pvalues_ is without.log_pvalues_ is without.qvalues_ is None
            assert_array_equal(without.scores_, fitted(columns, target, **how).scores_)


def cut(how, column):
    """Return parameters for the columns up to this one."""
    if "discrete_features" in how:
        how = {
            **how,
            "discrete_features": [one for one in how["discrete_features"] if one <= column],
        }
    return how


class TestValues:
    def test_constant_columns__have_p_1(self, columns, target, batch):
        X = columns.copy()
        X[:, 2] = 7.0
        for strata in (None, batch):
            got = fitted(X, target, strata=strata, test="combined", test_neighbors=3)
            assert got.pvalues_[2] == 1.0

    def test_a_column_that_is_constant_in_all_strata_but_one__is_judged_by_that(
        self, target, batch
    ):
        rng = np.random.default_rng(0)
        X = np.where(batch[:, None] == 0, rng.normal(size=(N_SAMPLES, 500)), batch[:, None])
        got = log_p(X, target, strata=batch, test_neighbors=3)
        alone = log_p(X[batch == 0], target[batch == 0], test_neighbors=3)
        assert_allclose(got, alone, rtol=1e-6)

    def test_a_target_that_is_constant__leaves_p_1(self, columns):
        with pytest.warns(UserWarning, match="for every sample"):
            got = fitted(columns, np.ones(N_SAMPLES), test="combined")
        assert_array_equal(got.pvalues_, 1.0)

    @pytest.mark.filterwarnings("ignore:The number of unique classes:UserWarning")
    def test_classes_of_one_sample_each__leave_p_1(self, columns):
        for discrete in (False, True):
            how = {"task": "classification", "discrete_features": discrete}
            assert_array_equal(fitted(columns[:, :3], np.arange(120), **how).pvalues_, 1.0)

    def test_columns_that_are_not_scored__are_no_tests(self, columns, target):
        X = columns.copy()
        X[10:, 2] = np.nan
        X[19:, 3] = np.nan
        X[20:, 5] = np.nan
        how = {"missing": "omit", "min_observed": 4, "test_neighbors": 3}
        got = fitted(X, target, **how)
        # Too few samples for a null that is known: scored, but not tested.
        assert np.isnan(got.pvalues_[[2, 3]]).all()
        assert np.isfinite(got.scores_[[2, 3]]).all()
        assert np.isfinite(got.pvalues_[5])
        tested = np.delete(np.arange(N_FEATURES), [2, 3])
        of_tested = np.exp(log_qvalues(got.log_pvalues_[tested]))
        assert_array_equal(got.qvalues_[tested], of_tested)
        assert np.isnan(got.qvalues_[[2, 3]]).all()
        assert not got.set_params(fdr=1.0).get_support()[[2, 3]].any()

    def test_strong_columns__keep_their_order_below_the_least_float(self):
        rng = np.random.default_rng(0)
        y = rng.normal(size=6000)
        X = y[:, np.newaxis] + np.linspace(0.001, 0.01, 10) * rng.normal(size=(6000, 10))
        for how in ({}, {"test": "combined"}, {"test_neighbors": 3}):
            got = fitted(X, y, **how)
            assert (got.pvalues_ == 0).all()
            assert (got.log_pvalues_ < -745).all()
            assert np.isfinite(got.log_pvalues_).all()
            assert len(np.unique(got.log_pvalues_)) == 10
            assert (np.diff(got.log_pvalues_) > 0).all()
            assert got.set_params(fdr=1e-300, fwer=1e-300, fpr=1e-300).get_support().all()

    def test_several_targets__take_the_smallest_times_their_number(self, columns, target):
        Y = np.column_stack([target, columns[:, 3] + columns[:, 5], target[::-1]])
        Y[::9, 1] = np.nan
        with pytest.warns(UserWarning, match="no target"):
            got = fitted(columns, Y, missing="omit")
        each = []
        for y in Y.T:
            there = ~np.isnan(y)
            each.append(log_p(columns[there], y[there]))
        assert_allclose(
            got.log_pvalues_, np.minimum(np.min(each, axis=0) + np.log(3), 0), rtol=1e-9
        )
        assert got.noise_floor_.shape == (3, N_FEATURES)

    def test_combined__finds_what_either_finds(self, columns, target):
        of_mi, both = log_p(columns, target), fitted(columns, target, test="combined")
        of_rho = log_pvalues_of_rho(both.rho_, 1 / (N_SAMPLES - 1))
        assert_allclose(both.log_pvalues_, smaller_of_two(of_mi, of_rho), rtol=1e-9)
        assert of_mi[1] < of_rho[1]
        assert of_rho[0] < of_mi[0]

    def test_noise_floor__is_what_one_noise_column_exceeds(self):
        rng = np.random.default_rng(3)
        got = fitted(rng.normal(size=(200, 2000)), rng.normal(size=200))
        n_above = int((got.scores_ > got.noise_floor_).sum())
        assert n_above <= 6
        assert got.scores_.max() > got.noise_floor_[0] * 0.8


class TestRules:
    def test_rules__change_after_fit_without_scoring(self, columns, target):
        selector = fitted(columns, target, test_neighbors=3)
        p = selector.pvalues_
        assert_array_equal(selector.set_params(fpr=0.05).get_support(), p < 0.05)
        assert_array_equal(
            selector.set_params(fpr=None, fwer=0.1).get_support(), p < 0.1 / N_FEATURES
        )
        selector.set_params(fwer=None, fdr=0.2)
        assert_array_equal(selector.get_support(), selector.qvalues_ <= 0.2)
        less = selector.qvalues_
        assert (selector.set_params(fdr_method="by").qvalues_ >= less).all()
        assert_array_equal(
            selector.set_params(k=1).get_support(indices=True), selector.scores_.argmax()
        )

    def test_rules_without_pvalues__say_what_to_do(self, columns, target):
        selector = ParallelMutualInfoSelector().fit(columns, target)
        for rule in ("fdr", "fwer", "fpr"):
            with pytest.raises(ValueError, match=rf"{rule}=0\.1.*pvalues=True"):
                clone_with(selector, **{rule: 0.1}).get_support()

    def test_selector__can_be_cloned_and_pickled(self, columns, target):
        selector = fitted(columns, target, fdr=0.1, test="combined", test_neighbors=7)
        assert clone(selector).get_params() == selector.get_params()
        again = pickle.loads(pickle.dumps(selector))
        assert_array_equal(again.log_pvalues_, selector.log_pvalues_)
        assert_array_equal(again.get_support(), selector.get_support())

    def test_where_nothing_passes__the_least_p_and_the_noise_floor_are_said(self):
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(50, 8)), rng.normal(size=50)
        with pytest.warns(UserWarning, match=r"least p-value \d.*noise alone reaches 0\.\d+ nats"):
            fitted(X, y, fdr=0.01)

    def test_where_most_columns_pass__nats_are_recommended(self):
        rng = np.random.default_rng(0)
        y = rng.normal(size=200)
        X = y[:, np.newaxis] + 0.5 * rng.normal(size=(200, 30))
        with pytest.warns(UserWarning, match="30 of 30 columns pass.*threshold"):
            fitted(X, y, fwer=0.01)

    def test_samples_that_repeat__are_warned_of(self, columns, target):
        with pytest.warns(UserWarning, match="240 samples of 240 equal another"):
            fitted(np.vstack([columns, columns]), np.r_[target, target])


def clone_with(selector, **parameters):
    return pickle.loads(pickle.dumps(selector)).set_params(**parameters)


class TestPeers:
    """scikit-learn's selectors, pipelines and metadata."""

    MODES = ("percentile", "k_best", "fpr", "fdr", "fwe")

    @pytest.mark.parametrize("mode", MODES)
    def test_generic_selector__takes_the_test_in_a_pipeline(self, columns, target, mode):
        param = {"percentile": 20, "k_best": 2}.get(mode, 0.05)
        for function, y in (
            (mutual_info_regression_test, target),
            (mutual_info_classif_test, target > np.median(target)),
        ):
            pipeline = make_pipeline(
                GenericUnivariateSelect(function, mode=mode, param=param), Ridge()
            )
            selector = pipeline.fit(columns, y)[0]
            assert selector.get_support()[:2].any()
            assert (selector.pvalues_ >= 0).all() & (selector.pvalues_ <= 1).all()

    def test_rules__keep_what_scikit_learns_selectors_keep(self, columns, target):
        def test(X, y):
            return mutual_info_regression_test(X, y, random_state=0)

        for peer, rule in ((SelectFdr, "fdr"), (SelectFwe, "fwer"), (SelectFpr, "fpr")):
            for rate in (1e-4, 0.05, 0.5):
                theirs = peer(test, alpha=rate).fit(columns, target)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)
                    ours = fitted(columns, target, **{rule: rate})
                assert_array_equal(ours.get_support(), theirs.get_support())
                assert_array_equal(ours.pvalues_, theirs.pvalues_)
                assert_array_equal(ours.scores_, theirs.scores_)

    def test_metadata__is_cut_with_the_folds(self, columns, target, batch):
        z = columns[:, 3:5]
        with sklearn.config_context(enable_metadata_routing=True):
            selector = RecordingSelector(fdr=0.9, k="all", test_neighbors=3, random_state=0)
            selector.set_fit_request(strata=True, covariates=True)
            batch = np.arange(N_SAMPLES) % 2
            pipeline = make_pipeline(selector, Ridge())
            search = GridSearchCV(pipeline, {"recordingselector__fdr": [0.9, 1.0]}, cv=2)
            RecordingSelector.seen.clear()
            search.fit(columns, target, strata=batch, covariates=z)
            assert sorted({len(one[0]) for one in RecordingSelector.seen}) == [60, 120]
            whole = fitted(columns, target, strata=batch, covariates=z, test_neighbors=3)
            assert_array_equal(search.best_estimator_[0].log_pvalues_, whole.log_pvalues_)
            RecordingSelector.seen.clear()
            cross_validate(
                pipeline, columns, target, cv=3, params={"strata": batch, "covariates": z}
            )
            for X, strata, covariates in RecordingSelector.seen:
                assert len(X) == len(strata) == 80
                assert_array_equal(covariates, X[:, 3:5])


class RecordingSelector(ParallelMutualInfoSelector):
    """Keeps what it was handed."""

    seen: list = []  # noqa: RUF012  # of the class, as clones are what is fitted

    def fit(self, X, y=None, *, strata=None, covariates=None):
        self.seen.append((X, strata, covariates))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return super().fit(X, y, strata=strata, covariates=covariates)


# Checks that fit 10 or 15 samples, of which no p-values are given.
TOO_FEW = {"check_n_features_in_after_fitting", "check_fit2d_1feature", "check_estimators_nan_inf"}
VARIANTS = {
    "fdr": ParallelMutualInfoSelector(fdr=0.5),
    "pvalues": ParallelMutualInfoSelector(pvalues=True, test="combined", random_state=0),
    "classes": ParallelMutualInfoSelector(fwer=0.9, task="classification"),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(*case, id=f"{variant}-{case[1].func.__name__}")
        for variant in VARIANTS
        for case in estimator_checks_generator(VARIANTS[variant])
        if case[1].func.__name__ != "check_array_api_input"
    ],
)
def test_selector_with_pvalues__passes_the_checks_of_scikit_learn(estimator, check):
    if check.func.__name__ in TOO_FEW:
        with pytest.raises((ValueError, AssertionError)):
            check(estimator)
    else:
        check(estimator)


class TestBadInput:
    """Refused before the matrix is read."""

    CASES = (
        ({"strata": np.zeros(100)}, {}, r"strata are of shape \(100,\), X has 120 samples"),
        ({"strata": np.arange(120) // 5}, {}, r"stratum '\d+' has 5 samples\. Each must have \d+"),
        ({"strata": [None] * 120}, {}, "strata lack 120 values"),
        ({"covariates": np.full(120, np.nan)}, {}, "covariates hold nan at row 0"),
        ({"covariates": np.full(120, np.inf)}, {}, "covariates hold inf at row 0"),
        ({"covariates": np.zeros((60, 2))}, {}, r"covariates are of shape \(60, 2\)"),
        ({"covariates": ["a"] * 120}, {}, "covariates are not all numbers"),
        ({"covariates": np.zeros((120, 70))}, {}, None),
        (
            {"covariates": np.random.default_rng(0).normal(size=(120, 70))},
            {},
            "71 terms that are regressed out",
        ),
        ({"covariates": np.arange(120)}, {"task": "classification"}, "classes have no residuals"),
        ({"covariates": np.arange(120)}, {"discrete_features": [0]}, "classes have no residuals"),
        ({}, {"test_neighbors": 65}, "test_neighbors"),
        ({}, {"test_neighbors": 0}, "test_neighbors"),
        ({}, {"test": "rho"}, "'test' parameter"),
        ({}, {"fdr": 0}, "'fdr' parameter"),
        ({}, {"fdr": 1.5}, "'fdr' parameter"),
        ({}, {"fwer": -0.1}, "'fwer' parameter"),
        ({}, {"fpr": "low"}, "'fpr' parameter"),
        ({}, {"fdr_method": "storey"}, "'fdr_method' parameter"),
        ({}, {"covariate_knots": 2}, "'covariate_knots' parameter"),
        ({}, {"n_permutations": 100}, "n_permutations=100 is given without score_func"),
    )

    @pytest.mark.parametrize(("metadata", "parameters", "message"), CASES)
    def test_bad_input__is_refused_before_work_starts(
        self, columns, target, metadata, parameters, message, monkeypatch
    ):
        def never(*args, **options):
            raise AssertionError("scored")

        if message is not None:
            monkeypatch.setattr("skpar_select._selector.score_columns", never)
        y = np.arange(N_SAMPLES) % 2 if "task" in parameters else target
        # Of covariates that are constant nothing is regressed out.
        if message is None:
            assert_array_equal(log_p(columns, y, **metadata), log_p(columns, y))
            return
        with pytest.raises(ValueError, match=message):
            fitted(columns, y, **parameters, **metadata)

    def test_too_few_samples__are_refused(self, columns, target):
        for rule in ({"pvalues": True}, {"fdr": 0.1}, {"fwer": 0.1}, {"fpr": 0.1}):
            with pytest.raises(ValueError, match="p-values are asked for of 19 samples"):
                ParallelMutualInfoSelector(**rule).fit(columns[:19], target[:19])
        with pytest.raises(ValueError, match="p-values are asked for of 19 samples"):
            mutual_info_regression_test(columns[:19], target[:19])
        assert np.isfinite(fitted(columns[:20], target[:20]).pvalues_).all()

    def test_neighbors_of_the_test__are_fewer_than_the_samples(self, columns, target):
        with pytest.raises(ValueError, match="test_neighbors=25 is too large for n_samples=22"):
            fitted(columns[:22], target[:22], test_neighbors=25)
        assert np.isfinite(fitted(columns[:22], target[:22], test_neighbors=21).log_pvalues_).all()
