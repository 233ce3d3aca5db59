"""Functions of scikit-learn's form as scorers."""

import functools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scorings import Noting, score
from sklearn import feature_selection as sklearn_selection
from sklearn.feature_selection import chi2, f_classif, f_regression, r_regression

from skpar_select import open_matrix
from skpar_select.matrices import ArrayMatrix, ConcatenatedMatrix


def column_sums(X, y):
    return np.asarray(X.sum(axis=0)).ravel()


class TestScoreFunc:
    @pytest.mark.parametrize("n_jobs", [1, 2])
    @pytest.mark.parametrize("width", [1, 7, 23])
    @pytest.mark.parametrize("lazy", [False, True])
    def test_mutual_info_of_scikit_learn__is_what_it_gives_on_the_blocks(
        self, problem, write_h5, n_jobs, width, lazy
    ):
        X, y = np.round(problem[0], 1), problem[1]
        function = functools.partial(sklearn_selection.mutual_info_regression, random_state=3)
        # No block lies in two parts, so that the parts cut the blocks.
        starts = range(0, 23, width)
        parts = [
            open_matrix(write_h5(X[:, start : start + width], file=f"{start}.h5"), "data")
            if lazy
            else ArrayMatrix(X[:, start : start + width])
            for start in starts
        ]
        noting = Noting()
        matrix = ConcatenatedMatrix(parts, "X", "parts")
        scores, log_pvalues = score(matrix, y, score_func=function, n_jobs=n_jobs, sinks=[noting])
        blocks = sorted(noting.blocks, key=lambda block: block[0])
        assert max(map(len, blocks)) == min(width, noting.plan.width)
        assert {block[0] for block in blocks} >= set(starts)
        expected = np.concatenate([function(X[:, block], y) for block in blocks])
        assert_array_equal(scores, expected)
        assert log_pvalues is None

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_pvalues__come_with_the_scores(self, problem, n_jobs):
        scores, log_pvalues = score(*problem, score_func=f_regression, n_jobs=n_jobs)
        expected = f_regression(*problem)
        assert_allclose(scores, expected[0], rtol=1e-5)
        assert_allclose(np.exp(log_pvalues), expected[1], rtol=1e-5)

    def test_scores__may_be_negative(self, problem):
        assert_allclose(
            score(*problem, score_func=r_regression)[0], r_regression(*problem), rtol=1e-5
        )

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_sparse__blocks_stay_sparse(self, n_jobs):
        rng = np.random.default_rng(0)
        X = sparse.csr_array(rng.integers(0, 9, (60, 23)) * rng.integers(0, 2, (60, 23)))
        y = np.arange(60) % 3

        def by_format(block, y):
            assert block.format == "csc"
            return chi2(block, y)

        scores, log_pvalues = score(X, y, score_func=by_format, n_jobs=n_jobs)
        assert_allclose(scores, chi2(X, y)[0])
        assert_allclose(np.exp(log_pvalues), chi2(X, y)[1])

    def test_labels__reach_the_function_as_they_are(self, problem):
        labels = np.where(problem[1] > 0, "old", "young")
        expected = f_classif(problem[0], labels)[0]
        assert_allclose(score(problem[0], labels, score_func=f_classif)[0], expected, rtol=1e-5)

    @pytest.mark.parametrize("y", [np.arange(60), np.arange(60, dtype=np.float32), ["a", "b"] * 30])
    def test_y__keeps_its_type(self, problem, y):
        seen = []
        score(problem[0], y, score_func=lambda X, y: seen.append(y) or np.zeros(X.shape[1]))
        assert seen[0].dtype == np.asarray(y).dtype

    @pytest.mark.parametrize(
        ("given", "got"),
        [("f4", "f4"), ("f8", "f8"), ("i2", "i2"), ("f2", "f4"), (">f4", "f4"), (">i4", "i4")],
    )
    def test_blocks__have_a_type_that_scikit_learn_takes(self, problem, write_h5, given, got):
        seen = []

        def function(X, y):
            seen.append(X.dtype)
            return f_regression(X, y)

        X = problem[0].astype(given)
        for matrix in (X, open_matrix(write_h5(X))):
            score(matrix, problem[1], score_func=function)
        assert set(seen) == {np.dtype(got)}
        assert all(dtype.isnative for dtype in seen)

    @pytest.mark.parametrize(
        "returned",
        [list, np.ndarray.tolist, lambda scores: (scores, None), lambda s: s.astype("i8")],
    )
    def test_returned__forms(self, problem, returned):
        scores, log_pvalues = score(
            *problem, score_func=lambda X, y: returned(10 * column_sums(X, y))
        )
        assert_allclose(scores, 10 * problem[0].sum(axis=0), atol=1)
        assert log_pvalues is None

    def test_returned__list_of_two_scores_is_scores(self, problem):
        scores, log_pvalues = score(
            problem[0][:, :2], problem[1], score_func=lambda X, y: [0.5] * X.shape[1]
        )
        assert_array_equal(scores, [0.5, 0.5])
        assert log_pvalues is None

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            (
                lambda s: s[:-1],
                r"returned scores of shape \(22,\).*block of 23 columns, expected shape \(23,\)",
            ),
            (lambda s: s[0], r"returned scores of shape \(\)"),
            (lambda s: None, r"returned scores of shape \(\) and type object"),
            (lambda s: s.astype(str), "returned scores of shape .* and type <U32"),
            (lambda s: (s, s[:-1]), r"returned pvalues of shape \(22,\)"),
            (lambda s: [s, s[:-1]], r"returned pvalues of shape \(22,\)"),
            (lambda s: (s, s, s), "returned 3 things"),
        ],
    )
    def test_returned__wrong_forms_name_the_function(self, problem, wrong, message):
        def my_score(X, y):
            return wrong(np.zeros(X.shape[1]))

        with pytest.raises(ValueError, match=f"score_func=.*my_score {message}"):
            score(*problem, score_func=my_score)

    def test_returned__pvalues_for_some_blocks_only(self, problem):
        def sometimes(X, y):
            scores = column_sums(X, y)
            return (scores, 0 * scores) if scores[0] > 0 else scores

        with pytest.raises(
            ValueError, match=r"gave log_pvalue for \d+ of 23 columns.*the same for all"
        ):
            score(*problem, score_func=sometimes, n_jobs=2)

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_errors__of_the_function_are_its_own(self, problem, n_jobs):
        class MyError(Exception):
            pass

        def fails(X, y):
            raise MyError("the 7th column is sad")

        with pytest.raises(MyError, match="the 7th column is sad"):
            score(*problem, score_func=fails, n_jobs=n_jobs)
