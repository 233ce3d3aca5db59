"""What users of scikit-learn expect of a selector: in their models, in notebooks, beside SelectKBest."""

import copy
import os
import pickle
import sys
import time
import warnings
from functools import partial
from pathlib import Path
from typing import ClassVar

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import StackingRegressor, VotingRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  # it enables by being there
from sklearn.feature_selection import SelectKBest, SelectPercentile, f_regression
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

from skpar_select import ParallelMutualInfoSelector, open_matrix
from skpar_select.scoring import Scorer

N_SAMPLES, N_FEATURES = 90, 12


@pytest.fixture
def problem():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N_SAMPLES, N_FEATURES)).astype(np.float32)
    return X, X[:, 3] + 0.9 * X[:, 7] + 0.2 * rng.normal(size=N_SAMPLES)


@pytest.fixture
def lazy(problem, tmp_path):
    np.save(tmp_path / "x.npy", problem[0])
    return open_matrix(tmp_path / "x.npy")


def pipeline(k=3):
    selector = ParallelMutualInfoSelector(k=k, random_state=0)
    return Pipeline([("select", selector), ("model", Ridge())])


def union():
    selectors = [("mi", ParallelMutualInfoSelector(k=2, random_state=0)), ("f", SelectF())]
    return make_pipeline(FeatureUnion(selectors, n_jobs=2), Ridge())


def SelectF():
    return ParallelMutualInfoSelector(k=1, score_func=f_regression)


class TestMetaEstimators:
    MODELS: ClassVar = {
        "feature union": union,
        "stacking": lambda: StackingRegressor([("a", pipeline(2)), ("b", pipeline(5))], cv=3),
        "voting": lambda: VotingRegressor([("a", pipeline(2)), ("b", pipeline(5))], n_jobs=2),
        "transformed target": lambda: TransformedTargetRegressor(
            pipeline(), func=np.cbrt, inverse_func=lambda y: y**3
        ),
        "halving": lambda: HalvingGridSearchCV(
            pipeline(), {"select__k": [1, 2, 4]}, cv=3, n_jobs=2, random_state=0
        ),
        "randomized": lambda: RandomizedSearchCV(
            pipeline(), {"select__k": [1, 2, 4]}, n_iter=2, cv=3, random_state=0
        ),
    }

    @pytest.mark.parametrize("model", MODELS)
    def test_model__predicts_the_same_from_an_array_and_a_file(self, problem, lazy, model):
        X, y = problem
        of_array = self.MODELS[model]().fit(X, y).predict(X)
        assert_allclose(self.MODELS[model]().fit(lazy, y).predict(lazy), of_array, rtol=1e-3)

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_cross_validate__scores_the_same(self, problem, lazy, n_jobs):
        X, y = problem
        scores = [
            cross_validate(pipeline(), matrix, y, cv=3, n_jobs=n_jobs, return_estimator=True)
            for matrix in (X, lazy)
        ]
        assert_allclose(scores[1]["test_score"], scores[0]["test_score"], rtol=1e-4)

    def test_learning_curve__of_a_file(self, problem, lazy):
        X, y = problem
        curves = [
            learning_curve(pipeline(), matrix, y, cv=3, train_sizes=[0.5, 1.0])[2]
            for matrix in (X, lazy)
        ]
        assert_allclose(curves[1], curves[0], rtol=1e-4)

    @pytest.mark.parametrize("lazily", [False, True])
    def test_pipeline_memory__keeps_the_selector(self, problem, lazy, lazily, tmp_path):
        X, y = (lazy if lazily else problem[0]), problem[1]
        model = pipeline().set_params(memory=joblib.Memory(tmp_path / "cache", verbose=0))
        first = model.fit(X, y).predict(X)
        assert_array_equal(model.fit(X, y).predict(X), first)


class TestBesideSelectKBest:
    """The same mask; where not, it says so."""

    @staticmethod
    def masks(k, scores, **ours):
        X = np.random.default_rng(0).normal(size=(20, len(scores)))
        score = partial(_given, np.asarray(scores))
        theirs = SelectKBest(score, k=k)
        mine = ParallelMutualInfoSelector(k=k, score_func=score, **ours)
        return [selector.fit(X, X[:, 0]).get_support() for selector in (theirs, mine)]

    @pytest.mark.parametrize("k", [1, 2, 3, 4, 5, "all"])
    @pytest.mark.parametrize(
        "scores",
        [
            [1.0, 3.0, 2.0, 5.0, 4.0],
            [1.0, 1.0, 1.0, 1.0, 1.0],
            [2.0, 1.0, 2.0, 1.0, 2.0],
            [np.nan, 3.0, np.nan, 5.0, 4.0],
            [0.0, 0.0, 0.0, 0.0, 7.0],
        ],
    )
    def test_mask__is_the_same(self, k, scores):
        theirs, ours = self.masks(k, scores)
        assert_array_equal(ours, theirs)

    @pytest.mark.parametrize("percentile", [0, 10, 25, 50, 99, 100])
    @pytest.mark.parametrize("most", [2, 40])
    def test_percentile__is_the_same(self, percentile, most):
        scores = np.random.default_rng(1).permutation(40).astype(float) % most
        score = partial(_given, scores)
        X = np.random.default_rng(0).normal(size=(20, 40))
        theirs = SelectPercentile(score, percentile=percentile).fit(X, X[:, 0])
        ours = ParallelMutualInfoSelector(percentile=percentile, score_func=score)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            assert_array_equal(ours.fit(X, X[:, 0]).get_support(), theirs.get_support())

    def test_k_of_zero__selects_nothing_and_says_so_once_it_transforms(self):
        X = np.random.default_rng(0).normal(size=(20, 4))
        for selector in (SelectKBest(f_regression, k=0), ParallelMutualInfoSelector(k=0)):
            selector.fit(X, X[:, 0])
            with pytest.warns(UserWarning, match="No features were selected|0 of 4 columns"):
                assert selector.transform(X).shape == (20, 0)

    def test_k_above_the_features__warns_and_keeps_all(self):
        X = np.random.default_rng(0).normal(size=(20, 4))
        for selector in (SelectKBest(f_regression, k=9), ParallelMutualInfoSelector(k=9)):
            with pytest.warns(UserWarning, match="9"):
                assert selector.fit(X, X[:, 0]).get_support().all()


def _given(scores, X, y):
    # A block may be narrower; the scores of these tests are asked for by one block or all.
    assert X.shape[1] <= len(scores)
    return scores[_columns_of(X)]


def _columns_of(X):
    """Find columns of the matrix that all tests above draw, by their first value."""
    for width in (5, 40):
        first = np.random.default_rng(0).normal(size=(20, width))[0]
        places = [int(np.argmin(np.abs(first - value))) for value in X[0]]
        if np.allclose(first[places], X[0]):
            return places
    raise AssertionError("unknown columns")


class TestNotebook:
    def test_to_frame__is_the_table_of_scores(self, problem):
        X, y = problem
        names = [f"cg{column}" for column in range(N_FEATURES)]
        selector = ParallelMutualInfoSelector(k=2, random_state=0).fit(
            pd.DataFrame(X, columns=names), y
        )
        frame = selector.to_frame()
        assert list(frame.columns) == ["feature", "score", "selected", "rank", "index"]
        assert list(frame["feature"][:2]) == ["cg3", "cg7"]
        assert list(frame["selected"]) == [True] * 2 + [False] * (N_FEATURES - 2)
        assert frame["score"].is_monotonic_decreasing
        assert set(frame["feature"]) == set(names)
        assert frame.dtypes["selected"].kind == "b"

    def test_to_frame__has_p_values_where_there_are_any(self, problem):
        frame = SelectF().fit(*problem).to_frame()
        always = ["feature", "score", "selected", "rank", "index"]
        assert list(frame.columns) == [*always, "pvalue", "qvalue", "log10_pvalue"]
        assert frame["feature"][0] == "x3"
        assert frame["pvalue"].is_monotonic_increasing

    def test_to_frame__without_pandas_says_what_to_do(self, problem, monkeypatch):
        selector = ParallelMutualInfoSelector().fit(*problem)
        monkeypatch.setitem(sys.modules, "pandas", None)
        with pytest.raises(ImportError, match="pandas, which is not installed"):
            selector.to_frame()

    def test_html__is_scikit_learns(self, problem):
        selector = ParallelMutualInfoSelector(k=2).fit(*problem)
        html = selector._repr_html_()
        assert "ParallelMutualInfoSelector" in html
        assert "Fitted" in html
        if hasattr(selector, "_get_fitted_attr_html"):  # scikit-learn 1.9
            assert "scores_" in html
            assert "n_features_in_" in html

    @pytest.mark.parametrize("way", [clone, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
    @pytest.mark.parametrize("lazily", [False, True])
    def test_copies__are_small_and_select_the_same(self, problem, lazy, way, lazily):
        X = lazy if lazily else problem[0]
        selector = ParallelMutualInfoSelector(k=2, random_state=0).fit(X, problem[1])
        # Names of parameters and 12 scores: nothing of X.
        assert len(pickle.dumps(selector)) < 1500 < problem[0].nbytes
        copied = way(selector)
        assert copied.get_params() == selector.get_params()
        if way is not clone:
            assert_array_equal(copied.transform(X), selector.transform(X))

    def test_skops__loads_it(self, problem):
        skops = pytest.importorskip("skops.io")
        model = make_pipeline(ParallelMutualInfoSelector(k=2, random_state=0), Ridge())
        raw = skops.dumps(model.fit(*problem))
        # The one type that scikit-learn does not vouch for is the selector itself.
        unknown = skops.get_untrusted_types(data=raw)
        assert unknown == ["skpar_select._selector.ParallelMutualInfoSelector"]
        loaded = skops.loads(raw, trusted=unknown)
        assert_array_equal(loaded.predict(problem[0]), model.predict(problem[0]))

    @pytest.mark.parametrize("order", ["C", "F"])
    def test_memory_maps__are_not_loaded(self, problem, tmp_path, order):
        X, y = problem
        np.save(tmp_path / "m.npy", np.asarray(X, order=order))
        mapped = np.load(tmp_path / "m.npy", mmap_mode="r")
        selector = ParallelMutualInfoSelector(k=2, random_state=0, n_jobs=2).fit(mapped, y)
        assert_array_equal(
            selector.scores_, ParallelMutualInfoSelector(k=2, random_state=0).fit(X, y).scores_
        )

    @pytest.mark.parametrize("dtype", [float, np.float32, int, bool])
    def test_polars__goes_in_and_comes_out(self, problem, dtype):
        pl = pytest.importorskip("polars")
        X, y = (np.round(4 * problem[0])).astype(dtype), problem[1]
        frame = pl.DataFrame({f"cg{column}": X[:, column] for column in range(N_FEATURES)})
        selector = ParallelMutualInfoSelector(k=2, random_state=0).set_output(transform="polars")
        got = selector.fit(frame, y).transform(frame)
        assert isinstance(got, pl.DataFrame)
        assert got.columns == list(selector.get_feature_names_out())
        expected = ParallelMutualInfoSelector(k=2, random_state=0).fit(X, y)
        assert_array_equal(selector.scores_, expected.scores_)
        assert_array_equal(selector.fit(frame, pl.Series(y)).scores_, expected.scores_)


class Timed(ParallelMutualInfoSelector):
    """Leaves a file for every block, with the times at which it was begun and done."""

    def __init__(self, k="auto", *, random_state=None, n_jobs=None, marks=None):
        super().__init__(k, random_state=random_state, n_jobs=n_jobs)
        self.marks = marks

    @classmethod
    def _get_param_names(cls):
        return ["k", "random_state", "n_jobs", "marks"]

    def _scorer(self, *checked):
        return TimedScorer(super()._scorer(*checked), self.marks)


class TimedScorer(Scorer):
    """Scores as another one does, and leaves the times in a folder."""

    def __init__(self, scorer, folder):
        self.scorer = scorer
        self.folder = folder

    def needs(self, n_samples, dtype):
        return self.scorer.needs(n_samples, dtype)

    def __call__(self, values, columns):
        begun = time.monotonic()
        result = self.scorer(values, columns)
        time.sleep(0.005)
        Path(self.folder, os.urandom(8).hex()).write_text(f"{begun} {time.monotonic()}")
        return result


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_nested_jobs__are_never_more_than_there_are_cores(problem, tmp_path, backend, monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    X, y = problem
    model = make_pipeline(Timed(random_state=0, n_jobs=-1, marks=str(tmp_path)), Ridge())
    with joblib.parallel_config(backend):
        search = GridSearchCV(model, {"timed__k": [1, 2, 3]}, cv=2, n_jobs=2, refit=False)
        search.fit(X, y)
    events = []
    for mark in tmp_path.iterdir():
        begun, done = map(float, mark.read_text().split())
        events += [(begun, 1), (done, -1)]
    assert len(events) >= 2 * 6
    at_once = np.cumsum([change for _, change in sorted(events)])
    assert at_once.max() <= max(2, joblib.cpu_count())
