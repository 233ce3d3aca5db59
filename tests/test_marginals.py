"""marginals="rank": scores of ranks, and rank correlations, wherever a fit or a call goes."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.feature_selection import f_regression
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import check_random_state

from skpar_select import (
    ParallelMutualInfoSelector,
    mutual_info_classif,
    mutual_info_regression,
    open_matrix,
)
from skpar_select.kernels import mutual_information, prepare_target
from skpar_select.sharding import merge_shards, score_shard

N_SAMPLES, N_FEATURES = 80, 9


@pytest.fixture
def values():
    """Quantities that rise and fall with the target, long tails, ties, and a constant."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N_SAMPLES, N_FEATURES))
    X[:, 4] = -X[:, 3]
    X[:, 5] = np.exp(5 * X[:, 3])
    X[:, 6] = X[:, 3].round()
    X[:, 7] = 2.5
    return X


@pytest.fixture
def y(values):
    return values[:, 3] + 0.5 * np.random.default_rng(4).normal(size=N_SAMPLES)


def ranked(X, y, **parameters):
    """A fit in rank space."""
    return ParallelMutualInfoSelector(
        **{"k": 2, "random_state": 7, "marginals": "rank"} | parameters
    ).fit(X, y)


def by_hand(X, y, *, classes=False, discrete=False, random_state=7):
    """Scores and rank correlations by the kernel, each column alone and where it is there."""
    seed = int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    scores, rho = [], []
    for j in range(X.shape[1]):
        keep = ~np.isnan(X[:, j]) & ~np.isnan(y)
        target = prepare_target(
            y[keep], discrete=classes, n_neighbors=3, seed=seed, marginals="rank"
        )
        scored = mutual_information(
            X[keep][:, [j]], [target], columns=[j], discrete=[discrete], min_observed=0
        )
        scores.append(max(0.0, scored.scores[0, 0]))
        rho.append(np.nan if scored.rho is None else scored.rho[0, 0])
    return np.array(scores), np.array(rho)


class TestScores:
    def test_scores__are_those_of_the_kernel_clipped(self, values, y):
        fitted = ranked(values, y)
        scores, rho = by_hand(values, y)
        assert_array_equal(fitted.scores_, scores)
        assert_array_equal(fitted.rho_, rho)
        assert (fitted.scores_ == 0).any()
        assert not np.signbit(fitted.scores_).any()

    def test_raw__is_the_default_and_as_before(self, values, y):
        plain = ParallelMutualInfoSelector(random_state=7).fit(values, y)
        assert plain.rho_ is None
        assert_array_equal(plain.scores_, ranked(values, y, marginals="raw").scores_)
        assert (plain.scores_ != ranked(values, y).scores_).any()
        assert "rho" not in plain.to_frame().columns

    def test_rising_maps__change_no_bit(self, values, y):
        fitted = ranked(values, y)
        for X, target in ((np.cbrt(values), y), (values, np.exp(y)), (values**3, y**3)):
            other = ranked(X, target)
            assert_array_equal(other.scores_, fitted.scores_)
            assert_array_equal(other.rho_, fitted.rho_)

    def test_correlations__are_those_of_scipy_without_ties(self, values, y):
        fitted = ranked(values, y)
        tie_free = [0, 1, 2, 3, 4, 5, 8]
        expected = [spearmanr(values[:, j], y).statistic for j in tie_free]
        assert_allclose(fitted.rho_[tie_free], expected, rtol=0, atol=1e-12)
        # the sign tells what rises with the target
        assert fitted.rho_[3] == fitted.rho_[5] == -fitted.rho_[4] > 0.5
        assert fitted.scores_[7] == 0
        assert np.isnan(fitted.rho_[7])

    def test_random_state__breaks_the_ties(self, values, y):
        tied = values.round()
        scores = [ranked(tied, y.round(), random_state=seed).scores_ for seed in (1, 1, 2)]
        assert_array_equal(scores[0], scores[1])
        assert (scores[0] != scores[2]).any()

    def test_discrete_columns__have_no_correlation(self, values, y):
        fitted = ranked(values.round(), y, discrete_features=[0, 3])
        assert_array_equal(np.flatnonzero(np.isnan(fitted.rho_)), [0, 3, 7])
        assert_array_equal(fitted.scores_[3], by_hand(values.round(), y, discrete=True)[0][3])
        assert np.isnan(ranked(values.round(), y, discrete_features=True).rho_).all()

    def test_classes__have_no_correlation(self, values, y):
        fitted = ranked(values, y > 0, task="classification")
        assert fitted.rho_ is None
        assert_array_equal(fitted.scores_, by_hand(values, y > 0, classes=True)[0])
        assert "rho" not in fitted.to_frame().columns

    def test_classes_of_classes__are_counted_as_ever(self, values, y):
        options = {"task": "classification", "discrete_features": True}
        counted = [
            ranked(values.round(), y > 0, marginals=marginals, **options).scores_
            for marginals in ("raw", "rank")
        ]
        assert_array_equal(*counted)

    def test_score_func__knows_nothing_of_it(self, values, y):
        X = np.delete(values, 7, axis=1)
        fitted = ranked(X, y, score_func=f_regression)
        assert fitted.rho_ is None
        assert_allclose(fitted.scores_, f_regression(X, y)[0])

    @pytest.mark.parametrize("dense", [True, False])
    def test_sparse_columns__are_those_of_dense_ones(self, values, y, dense):
        counts = np.where(values > 0.5, values, 0.0)
        X = counts if dense else sparse.csr_array(counts)
        fitted = ranked(X, y, discrete_features=False)
        scores, rho = by_hand(counts, y)
        assert_array_equal(fitted.scores_, scores)
        assert_array_equal(fitted.rho_, rho)

    def test_file_and_jobs__change_no_bit(self, values, y, write_h5):
        X = open_matrix(write_h5(values, chunks=(20, 2), compression="gzip"))
        fitted, expected = ranked(X, y, n_jobs=2), ranked(values, y)
        assert_array_equal(fitted.scores_, expected.scores_)
        assert_array_equal(fitted.rho_, expected.rho_)


class TestMissing:
    @pytest.fixture
    def gappy(self, values, y):
        values[np.random.default_rng(0).random(values.shape) < 0.2] = np.nan
        values[4:, 8] = np.nan
        return values

    def test_omit__ranks_what_is_there(self, gappy, y):
        with pytest.warns(UserWarning, match="1 of 9 columns were not scored"):
            fitted = ranked(gappy, y, missing="omit")
        scores, rho = by_hand(gappy, y)
        assert_array_equal(fitted.scores_[:8], scores[:8])
        assert_array_equal(fitted.rho_[:8], rho[:8])
        assert np.isnan(fitted.scores_[8])
        assert np.isnan(fitted.rho_[8])
        j = 3
        keep = ~np.isnan(gappy[:, j])
        expected = spearmanr(gappy[keep, j], y[keep]).statistic
        assert abs(fitted.rho_[j] - expected) < 1e-12
        assert fitted.to_frame().columns[5:].tolist() == ["n_observed", "rho"]

    def test_skip__leaves_out_columns(self, values, y):
        values[3, 2] = np.nan
        with pytest.warns(UserWarning, match="1 of 9 columns were not scored"):
            fitted = ranked(values, y, missing="skip")
        assert_array_equal(np.flatnonzero(np.isnan(fitted.rho_)), [2, 7])

    def test_raise__is_an_error(self, gappy, y):
        with pytest.raises(ValueError, match="contains NaN"):
            ranked(gappy, y)


class TestSeveralTargets:
    @pytest.fixture
    def several(self, values, y):
        return np.column_stack([y, -(values[:, 1] ** 3), np.where(y > 1.2, np.nan, y)])

    def test_each_target__has_correlations_of_its_own(self, values, several):
        with pytest.warns(UserWarning, match="some have no target"):
            fitted = ranked(values, several, missing="omit", aggregate="mean")
        assert fitted.rho_.shape == fitted.scores_by_target_.shape == (3, N_FEATURES)
        for t, target in enumerate(several.T):
            scores, rho = by_hand(values, target)
            assert_array_equal(fitted.scores_by_target_[t], scores)
            assert_array_equal(fitted.rho_[t], rho)
        assert_allclose(fitted.scores_, fitted.scores_by_target_.mean(axis=0))
        assert fitted.rho_[1, 1] == -1

    def test_table__names_them(self, values, several):
        targets = pd.DataFrame(several[:, :2], columns=["age", "bmi"])
        table = ranked(values, targets).to_frame()
        assert table.columns[5:].tolist() == ["score_age", "score_bmi", "rho_age", "rho_bmi"]
        numbered = ranked(values, several[:, :2]).to_frame()
        assert numbered.columns[7:].tolist() == ["rho_0", "rho_1"]

    def test_column_vector__is_one_target_of_several(self, values, y):
        fitted = ranked(values, y[:, np.newaxis])
        assert_array_equal(fitted.rho_, [ranked(values, y).rho_])

    def test_classes__have_none(self, values, several):
        labels = several[:, :2] > 0
        assert ranked(values, labels, task="classification").rho_ is None


class TestParameter:
    @pytest.mark.parametrize("marginals", ["ranks", None, 1, ["rank"]])
    def test_others__are_refused(self, values, y, marginals):
        for call in (ranked, mutual_info_regression):
            with pytest.raises(ValueError, match=r"'marginals' parameter .*'raw', 'rank'"):
                call(values, y, marginals=marginals)

    def test_clone_and_pipeline__keep_it(self, values, y):
        selector = ParallelMutualInfoSelector(2, marginals="rank", random_state=7)
        assert clone(selector).marginals == "rank"
        model = make_pipeline(selector, Ridge())
        model.set_params(parallelmutualinfoselector__marginals="raw").fit(values, y)
        assert model[0].rho_ is None
        model.set_params(parallelmutualinfoselector__marginals="rank").fit(values, y)
        assert_array_equal(model[0].rho_, ranked(values, y).rho_)

    def test_grid__searches_over_it(self, values, y, tmp_path):
        model = make_pipeline(
            ParallelMutualInfoSelector(2, random_state=0, store=tmp_path / "kept"), Ridge()
        )
        grid = {"parallelmutualinfoselector__marginals": ["raw", "rank"]}
        search = GridSearchCV(model, grid, cv=3).fit(values, y)
        assert len(search.cv_results_["params"]) == 2
        # two spaces, three folds and the fit of the best on all samples
        assert len(list((tmp_path / "kept").glob("*/manifest.json"))) == 7

    def test_next_fit__leaves_nothing_of_the_last(self, values, y):
        fitted = ranked(values, y)
        fitted.set_params(marginals="raw").fit(values, y)
        assert fitted.rho_ is None
        fitted = ranked(values, y)
        with pytest.raises(ValueError, match="n_neighbors=80"):
            fitted.set_params(n_neighbors=80).fit(values, y)
        assert not hasattr(fitted, "rho_")


class TestFunctions:
    def test_regression__is_the_selector(self, values, y):
        scores = mutual_info_regression(values, y, random_state=7, marginals="rank")
        assert_array_equal(scores, ranked(values, y).scores_)

    def test_classif__is_the_selector(self, values, y):
        scores = mutual_info_classif(values, y > 0, random_state=7, marginals="rank")
        assert_array_equal(scores, ranked(values, y > 0, task="classification").scores_)


class TestKept:
    def test_store__keeps_spaces_apart_and_correlations_too(self, values, y, tmp_path):
        several = np.column_stack([y, values[:, 0]])
        for targets, count in ((y, 2), (several, 4)):
            options = {"store": tmp_path / "kept", "random_state": 0}
            first = ranked(values, targets, **options)
            raw = ranked(values, targets, marginals="raw", **options)
            again = ranked(values, targets, **options)
            assert len(list((tmp_path / "kept").glob("*/manifest.json"))) == count
            assert raw.rho_ is None
            assert (raw.scores_ != first.scores_).any()
            assert_array_equal(again.scores_, first.scores_)
            assert_array_equal(again.rho_, first.rho_)

    @pytest.mark.parametrize("n_targets", [1, 2])
    @pytest.mark.parametrize("count", [1, 3, 12])
    def test_merged_shards__are_the_fit(self, values, y, tmp_path, count, n_targets):
        targets = np.column_stack([y, values[:, 0]]) if n_targets == 2 else y
        selector = ParallelMutualInfoSelector(marginals="rank", random_state=7)
        parts = [tmp_path / f"part{number}" for number in range(count)]
        for number, part in enumerate(parts, start=1):
            score_shard(selector, values, targets, part, shard=(number, count))
        merged = merge_shards(parts, k=2)
        expected = ranked(values, targets)
        assert merged.marginals == "rank"
        assert_array_equal(merged.scores_, expected.scores_)
        assert_array_equal(merged.rho_, expected.rho_)
        pd.testing.assert_frame_equal(merged.to_frame(), expected.to_frame())

    def test_shards_of_other_marginals__are_told(self, values, y, tmp_path):
        parts = [tmp_path / "part1", tmp_path / "part2"]
        for number, (part, marginals) in enumerate(zip(parts, ("raw", "rank"), strict=True), 1):
            selector = ParallelMutualInfoSelector(marginals=marginals, random_state=7)
            score_shard(selector, values, y, part, shard=(number, 2))
        with pytest.raises(ValueError, match=r"marginals='(raw|rank)', not '(raw|rank)'"):
            merge_shards(parts)
