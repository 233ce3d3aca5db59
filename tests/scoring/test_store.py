"""The store: what it keeps apart, what it finds again, and that a grid scores each fold once."""

import os
import shutil
import time
from contextlib import suppress
from functools import partial
from typing import ClassVar

import h5py
import numpy as np
import pytest
from containers import write_anndata
from numpy.testing import assert_array_equal
from scipy import sparse
from scorings import Counting, Marking, means
from sklearn.feature_selection import f_regression, r_regression
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skpar_select import ParallelMutualInfoSelector, open_matrix

N_SAMPLES, N_FEATURES = 60, 30


@pytest.fixture
def problem():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(N_SAMPLES, N_FEATURES))
    return X, X[:, 3] + 0.3 * rng.normal(size=N_SAMPLES)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "kept"


class Selector(ParallelMutualInfoSelector):
    """Takes note of every fit that scores, in this process."""

    noted: ClassVar[list] = []

    def _scorer(self, *checked):
        return Marking(super()._scorer(*checked), lambda name, _: self.noted.append(name))


@pytest.fixture
def n_scored():
    """How often this process scores."""
    Selector.noted.clear()
    return lambda: len(set(Selector.noted))


def entries(folder):
    return list(folder.glob("*/manifest.json"))


def fitted(folder, X, y, **options):
    options = {"k": 5, "random_state": 0} | options
    return Selector(store=folder, **options).fit(X, y)


class TestSelector:
    def test_scores__are_those_of_a_fit_without_it(self, problem, folder):
        plain = fitted(None, *problem)
        for _ in range(2):
            cached = fitted(folder, *problem)
            assert_array_equal(cached.scores_, plain.scores_)
            assert cached.scores_.dtype == np.float64
            assert cached.scores_.flags.writeable
            assert cached.pvalues_ is None
            assert_array_equal(cached.get_support(), plain.get_support())

    @pytest.mark.parametrize(
        "options",
        [
            {"k": 9},
            {"k": "all", "threshold": 0.2},
            {"percentile": 10},
            {"n_jobs": 2},
            {"memory_budget": "1MB"},
            {"verbose": 1},
        ],
    )
    def test_scores__are_found_whatever_they_do_not_depend_on(
        self, problem, folder, n_scored, options
    ):
        fitted(folder, *problem)
        fitted(folder, *problem, **options)
        assert n_scored() == 1

    @pytest.mark.parametrize(
        "options",
        [
            {"random_state": 1},
            {"n_neighbors": 4},
            {"marginals": "rank"},
            {"discrete_features": [0]},
            {"discrete_features": True},
        ],
    )
    def test_scores__of_another_question_are_not_taken(self, problem, folder, n_scored, options):
        fitted(folder, *problem)
        other = fitted(folder, *problem, **options)
        assert n_scored() == 2
        assert_array_equal(other.scores_, fitted(None, *problem, **options).scores_)

    @pytest.mark.filterwarnings("ignore:y holds two distinct values:UserWarning")
    def test_task__keeps_scores_apart(self, problem, folder, n_scored):
        X, y = problem[0], (problem[1] > 0).astype(int)
        fitted(folder, X, y, task="classification")
        fitted(folder, X, y, task="regression")
        assert n_scored() == 2

    def test_content__keeps_scores_apart(self, problem, folder, n_scored):
        X, y = problem
        variants = [X, X.astype(np.float32), X[::-1], X[:, ::-1], np.where(X > 0, X, 0)]
        changed = X.copy()
        changed[-1, -1] = np.nextafter(changed[-1, -1], 9)
        swapped = X.copy()
        swapped[[0, 1]] = swapped[[1, 0]]
        for matrix in [*variants, changed, swapped, sparse.csc_array(np.where(X > 0, X, 0))]:
            fitted(folder, matrix, y)
        assert n_scored() == len(variants) + 3
        fitted(folder, X, y + 1e-9)
        fitted(folder, X, y[::-1])
        assert n_scored() == len(variants) + 5

    def test_random_state_none__has_the_noise_of_0(self, problem, folder, n_scored):
        """A fit that goes on must have the same, and None asks for any."""
        state = np.random.get_state()[2]  # noqa: NPY002  # what None draws from elsewhere
        first = fitted(folder, *problem, random_state=None)
        assert_array_equal(fitted(folder, *problem, random_state=0).scores_, first.scores_)
        assert n_scored() == 1
        assert np.random.get_state()[2] == state  # noqa: NPY002

    def test_random_state_instance__moves_on_with_every_fit(self, problem, folder, n_scored):
        rng = np.random.RandomState(0)
        fitted(folder, *problem, random_state=rng)
        fitted(folder, *problem, random_state=rng)
        assert n_scored() == 2

    def test_score_func__of_a_module_is_kept_and_others_are_told(self, problem, folder, n_scored):
        for score_func in (f_regression, partial(f_regression, center=False), r_regression):
            plain = fitted(None, *problem, score_func=score_func)
            for _ in range(2):
                kept = fitted(folder, *problem, score_func=score_func)
                assert_array_equal(kept.scores_, plain.scores_)
                if plain.pvalues_ is not None:
                    assert_array_equal(kept.pvalues_, plain.pvalues_)
        assert n_scored() == 6  # with the three that are plain
        for unknown in (
            means,
            lambda X, y: np.abs(X).sum(axis=0),
            partial(f_regression, center=object()),
        ):
            n_entries = len(list(folder.iterdir()))
            with pytest.warns(UserWarning, match="keeps nothing of this fit"), suppress(ValueError):
                fitted(folder, *problem, score_func=unknown)
            assert len(list(folder.iterdir())) == n_entries

    def test_input__is_checked_before_it_is_looked_up(self, problem, folder):
        X, y = problem
        fitted(folder, X, y)
        with pytest.raises(ValueError, match="NaN"):
            fitted(folder, np.where(X[0, 0] == X, np.nan, X), y)
        with pytest.raises(ValueError, match="n_neighbors=60"):
            fitted(folder, X, y, n_neighbors=60)
        assert len(entries(folder)) == 1

    @pytest.mark.parametrize("folder", ["a file", "below a file"])
    def test_folder__that_cannot_be_made_is_refused_before_work(
        self, problem, tmp_path, n_scored, folder
    ):
        (tmp_path / "file").touch()
        path = tmp_path / "file" / "x" if folder == "below a file" else tmp_path / "file"
        with pytest.raises(OSError, match=r"store='.*file.*' cannot be used.*Name one"):
            fitted(path, *problem)
        assert n_scored() == 0

    def test_home__is_found(self, problem, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))
        fitted("~/kept", *problem)
        assert len(entries(tmp_path / "kept")) == 1


class TestFiles:
    @pytest.fixture
    def path(self, tmp_path, problem):
        path = tmp_path / "x.h5"
        with h5py.File(path, "w") as file:
            file["data"] = problem[0]
            file["other"] = problem[0][:, ::-1]
        return path

    def test_datasets__are_kept_apart_also_where_one_is_called_after_the_file(
        self, tmp_path, problem, folder, n_scored
    ):
        path = tmp_path / "d"
        inner = f"a{path}/x"
        with h5py.File(path, "w") as file:
            file["a/x"] = problem[0]
            file[inner] = problem[0][:, ::-1]
        for name in ("a/x", inner):
            kept = fitted(folder, open_matrix(path, name), problem[1])
            plain = fitted(None, open_matrix(path, name), problem[1])
            assert_array_equal(kept.scores_, plain.scores_)

    def test_memory_map__that_changes_a_file_is_noticed(self, tmp_path, problem, folder):
        np.save(tmp_path / "x.npy", problem[0])
        values = np.load(tmp_path / "x.npy", mmap_mode="r+")
        values[0, 0] = 1.0
        for column in (0, 1):
            values[:, column] = problem[1]
            values.flush()
            kept = fitted(folder, open_matrix(tmp_path / "x.npy"), problem[1])
            plain = fitted(None, np.array(values), problem[1])
            assert_array_equal(kept.scores_, plain.scores_)

    def test_doubt__whether_columns_are_discrete_keeps_results_apart(self, tmp_path, folder):
        counts = np.random.default_rng(0).poisson(1, size=(60, 30)).astype("f4")
        write_anndata(tmp_path / "x.h5ad", counts, encoding="csr_matrix")
        X = open_matrix(tmp_path / "x.h5ad")
        for discrete_features in (True, "auto", True):
            fitted(folder, X, counts[:, 0] + 0.5, discrete_features=discrete_features)

    def test_rows_and_datasets__are_kept_apart(self, path, problem, folder, n_scored):
        X, y = open_matrix(path, "data"), problem[1]
        for _ in range(2):
            fitted(folder, X, y)
            fitted(folder, open_matrix(path, "other"), y)
            fitted(folder, X[:50], y[:50])
            fitted(folder, X[np.arange(50)[::-1]], y[:50])
            fitted(folder, X[10:], y[10:])
        assert n_scored() == 5

    @pytest.mark.parametrize("settled", [False, True])
    def test_changed_file__is_scored_again(
        self, path, problem, folder, n_scored, settled, monkeypatch
    ):
        """Even if its size and its time of change are the same."""
        if settled:
            later = time.time_ns
            monkeypatch.setattr(time, "time_ns", lambda: later() + 10**10)
        X, y = open_matrix(path, "data"), problem[1]
        before = fitted(folder, X, y).scores_
        status = os.stat(path)
        with h5py.File(path, "r+") as file:
            file["data"][:, 0] = y
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert os.stat(path).st_size == status.st_size
        after = fitted(folder, open_matrix(path, "data"), y).scores_
        assert n_scored() == 2
        assert before[0] < after[0]
        assert_array_equal(after[1:], before[1:])

    def test_file_that_changed_after_it_was_opened__is_refused(self, path, problem, folder):
        X = open_matrix(path, "data")
        fitted(folder, X, problem[1])
        os.utime(path, ns=(1, 1))
        with pytest.raises(OSError, match="has changed since it was opened"):
            fitted(folder, X, problem[1])

    def test_file__that_is_copied_or_called_otherwise_is_the_same(
        self, path, tmp_path, problem, folder, n_scored
    ):
        fitted(folder, open_matrix(path, "data"), problem[1])
        shutil.copyfile(path, tmp_path / "copy.h5")
        fitted(folder, open_matrix(tmp_path / "copy.h5", "data"), problem[1])
        path.rename(tmp_path / "renamed.h5")
        fitted(folder, open_matrix(tmp_path / "renamed.h5", "data"), problem[1])
        assert n_scored() == 1

    def test_several_files__are_kept_apart(self, tmp_path, problem, folder, n_scored):
        X, y = problem
        for name, columns in (("a", np.s_[:10]), ("b", np.s_[10:])):
            np.save(tmp_path / f"{name}.npy", X[:, columns])
        ids = [str(row) for row in range(N_SAMPLES)]
        paths = [tmp_path / "a.npy", tmp_path / "b.npy"]
        for order in (paths, paths[::-1], paths):
            fitted(folder, open_matrix(order, sample_ids=ids), y)
        assert n_scored() == 2


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("seed", [0, None])
@pytest.mark.parametrize("lazy", [False, True])
def test_grid__scores_every_fold_once(problem, tmp_path, backend, seed, lazy):
    import joblib

    X, y = problem
    if lazy:
        np.save(tmp_path / "x.npy", X)
        X = open_matrix(tmp_path / "x.npy")
    marks = tmp_path / "marks"
    marks.mkdir()
    selector = Counting(random_state=seed, store=tmp_path / "kept", marks=str(marks))
    search = GridSearchCV(
        make_pipeline(selector, Ridge()), {"counting__k": [1, 2, 3, 5, 8, 13]}, cv=3, n_jobs=2
    )
    with joblib.parallel_config(backend):
        search.fit(X, y)
    # Three folds, and all samples at the end; two that begin a fold at once may both score
    # its only block, as nobody waits.
    n_columns = sum(int(mark.name.partition("-")[0]) for mark in marks.iterdir())
    assert 4 * N_FEATURES <= n_columns <= 8 * N_FEATURES
    plain = GridSearchCV(
        make_pipeline(ParallelMutualInfoSelector(random_state=seed or 0), Ridge()),
        {"parallelmutualinfoselector__k": [1, 2, 3, 5, 8, 13]},
        cv=3,
    ).fit(X, y)
    if seed is not None:
        assert_array_equal(
            search.best_estimator_[0].get_support(), plain.best_estimator_[0].get_support()
        )
        assert_array_equal(
            search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
        )


@pytest.mark.parametrize("missing", ["omit", "skip"])
def test_store__keeps_scores_of_classes_that_are_objects(problem, folder, missing):
    # Text with a class that is missing: the bytes of such an array are addresses.
    X, y = problem
    classes = np.where(y > 0, "old", "young").astype(object)
    other = np.where(y > 0.5, "old", "young").astype(object)
    classes[4] = other[4] = None

    def scored(target):
        selector = ParallelMutualInfoSelector(
            task="classification", missing=missing, random_state=0, store=folder
        )
        with pytest.warns(UserWarning, match="have no target"):
            return selector.fit(X, target).scores_

    first = scored(classes)
    assert_array_equal(scored(classes.copy()), first)
    assert len(entries(folder)) == 1
    assert not np.array_equal(scored(other), first)
