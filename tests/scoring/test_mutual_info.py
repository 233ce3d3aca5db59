"""The built-in scorer, by the functions that take it alone."""

import csv
import inspect
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scorings import kernel_scorer
from sklearn import feature_selection as sklearn_selection

from skpar_select import _functions, mutual_info_classif, mutual_info_regression, open_matrix
from skpar_select.kernels import mutual_information
from skpar_select.matrices import as_matrix

TRAINMAP = Path(__file__).parents[2] / "examples" / "data" / "trainmap.csv"


class TestKernel:
    def test_scores__are_those_of_scikit_learn_on_data_without_ties(self, problem):
        X, y = problem
        ours = mutual_info_regression(X, y, random_state=0)
        theirs = sklearn_selection.mutual_info_regression(X, y, random_state=0)
        assert_allclose(ours, theirs, atol=1e-6)
        ours = mutual_info_classif(X, y > 0, random_state=0)
        theirs = sklearn_selection.mutual_info_classif(X, y > 0, random_state=0)
        assert_allclose(ours, theirs, atol=1e-6)

    def test_random_state__fixes_the_scores_of_tied_data(self, problem):
        X, y = np.round(problem[0], 1), np.round(problem[1])
        first, again = (mutual_info_regression(X, y, random_state=3) for _ in range(2))
        assert_array_equal(first, again)
        assert (mutual_info_regression(X, y, random_state=4) != first).any()
        state = np.random.RandomState(3)
        assert_array_equal(mutual_info_regression(X, y, random_state=state), first)
        assert (mutual_info_regression(X, y, random_state=state) != first).any()

    def test_target__constant_tells_nothing(self, problem):
        assert_array_equal(mutual_info_classif(problem[0], np.zeros(60)), np.zeros(23))
        assert mutual_info_regression(problem[0], np.zeros(60), random_state=0).max() < 0.3

    @pytest.mark.parametrize("n_neighbors", [1, 59])
    def test_n_neighbors__up_to_one_less_than_the_samples(self, problem, n_neighbors):
        assert np.isfinite(mutual_info_regression(*problem, n_neighbors=n_neighbors)).all()

    def test_n_neighbors__do_not_matter_for_discrete_pairs(self):
        X, y = np.array([[0, 1], [1, 1], [0, 0]]), [0, 1, 0]
        expected = sklearn_selection.mutual_info_classif(X, y, discrete_features=True)
        got = mutual_info_classif(X, y, discrete_features=True, n_neighbors=3)
        assert_allclose(got, expected, atol=1e-12)

    def test_scores__below_zero_are_zero(self, problem):
        X, y = problem
        scorer = kernel_scorer(as_matrix(X), y)
        ((prepared,),) = scorer.prepared
        (target,) = prepared.targets
        plain = mutual_information(X, [target], columns=range(23), discrete=np.zeros(23, bool))
        assert plain.scores.min() < -0.01
        got = scorer(X, range(23))["score"]
        assert_array_equal(got, np.where(plain.scores[0] > 0, plain.scores[0], 0.0))
        assert not np.signbit(got).any()

    def test_results__are_those_that_say_something(self, problem):
        X, y = problem
        for task, marginals, names in (
            ("regression", "raw", ["score"]),
            ("regression", "rank", ["score", "rho"]),
            ("classification", "rank", ["score"]),
        ):
            for targets in (y > 0, np.column_stack([y > 0, y > 1])):
                scorer = kernel_scorer(as_matrix(X), targets, task=task, marginals=marginals)
                results = scorer(X, range(23))
                assert list(results) == names
                assert all(values.shape == (23, *targets.shape[1:]) for values in results.values())
                gaps = kernel_scorer(
                    as_matrix(X), targets, task=task, marginals=marginals, min_observed=2
                )
                assert sorted(gaps(X, range(23))) == sorted([*names, "n_observed"])

    def test_functions__take_lazy_matrices(self, problem, write_h5):
        X, y = problem
        matrix = open_matrix(write_h5(X))
        expected = mutual_info_regression(X, y, random_state=0)
        assert_array_equal(mutual_info_regression(matrix, y, random_state=0, n_jobs=2), expected)
        expected = mutual_info_classif(X, y > 0, random_state=0)
        assert_array_equal(mutual_info_classif(matrix, y > 0, random_state=0), expected)

    @pytest.mark.parametrize("copy", [True, False])
    def test_functions__never_write_into_their_input(self, problem, copy):
        X, y = problem[0].copy(), problem[1].copy()
        mutual_info_regression(X, y, copy=copy)
        assert_array_equal(X, problem[0])
        assert_array_equal(y, problem[1])

    def test_functions__have_the_parameters_of_scikit_learn_and_marginals(self):
        for name in ("mutual_info_regression", "mutual_info_classif"):
            ours = inspect.signature(getattr(_functions, name)).parameters
            theirs = inspect.signature(getattr(sklearn_selection, name)).parameters
            marginals = ours["marginals"]
            assert (marginals.default, marginals.kind) == ("raw", marginals.KEYWORD_ONLY)
            assert {n: (p.default, p.kind) for n, p in ours.items() if n != "marginals"} == {
                n: (p.default, p.kind) for n, p in theirs.items()
            }


# Means over the seeds 0 to 4 of scikit-learn 1.9.1's mutual_info_regression on the real matrix.
# fmt: off
OF_SCIKIT_LEARN = [
    1.1651, 0.9503, 0.8038, 0.6551, 0.8103, 0.6707, 0.6628, 0.6817, 0.6878, 0.6667, 0.5497, 0.6268,
    0.7024, 0.4587, 0.5907, 0.4870, 0.5784, 0.5582, 0.5969, 0.4877, 0.4903, 0.4839, 0.6056, 0.3194,
    0.4072, 0.4905, 0.4772, 0.4959, 0.4567, 0.5270, 0.3780, 0.5579, 0.3812, 0.3262, 0.3685, 0.5760,
    0.4164, 0.4783, 0.3392, 0.3952, 0.3766, 0.3487, 0.4827, 0.5209, 0.5806, 0.6179, 0.4019, 0.3124,
    0.2977, 0.2678, 0.4138, 0.2586, 0.2904, 0.2989, 0.3647, 0.4267, 0.3169, 0.4840, 0.4083, 0.4063,
    0.3698, 0.3601, 0.2905, 0.4209, 0.2777, 0.2198, 0.4289, 0.3103, 0.1638, 0.4033, 0.3519,
]
# fmt: on


@pytest.fixture(scope="module")
def age():
    with TRAINMAP.open(newline="") as file:
        return np.array([float(row["age"]) for row in csv.DictReader(file)])


def test_real_matrix__scores_are_within_the_spread_of_scikit_learn(real_matrix, age):
    X = open_matrix(real_matrix, "data", feature_names="features")
    scores = mutual_info_regression(X, age, random_state=0, n_jobs=2)
    assert X.feature_names[scores.argmax()] == "cg16867657"
    # One draw of the noise against the mean of five: the standard deviation of a score is about
    # 0.0005 nats over seeds, in scikit-learn and here, and 0.001 in the worst column.
    assert_allclose(scores, OF_SCIKIT_LEARN, atol=0.003)
    assert abs(np.mean(scores - OF_SCIKIT_LEARN)) < 0.0003
