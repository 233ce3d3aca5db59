import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal
from sklearn.feature_selection import SelectKBest, SelectPercentile

from skpar_select._rules import above, number_of_features, select, top_k, top_percentile

# Few values, so that ties are common.
SCORES = arrays(
    np.float64,
    st.integers(1, 30),
    elements=st.sampled_from([0.0, 0.1, 0.5, 2.0, -1.0, np.nan]),
)


def of_scikit_learn(selector, scores):
    selector.score_func = lambda X, y: scores
    return selector.fit(np.zeros((2, len(scores))), [0, 1]).get_support()


@given(SCORES, st.integers(0, 30))
def test_top_k__is_that_of_select_k_best(scores, k):
    k = min(k, len(scores))
    assert_array_equal(top_k(scores, k), of_scikit_learn(SelectKBest(k=k), scores))


@given(SCORES, st.sampled_from([0, 1, 10, 33.3, 50, 99, 100]))
def test_top_percentile__is_that_of_select_percentile(scores, percentile):
    expected = of_scikit_learn(SelectPercentile(percentile=percentile), scores)
    assert_array_equal(top_percentile(scores, percentile), expected)


def test_top_k__gives_ties_to_the_highest_index():
    assert_array_equal(top_k(np.array([1.0, 1, 0, 1]), 2), [False, True, False, True])


def test_top_k__ranks_nan_below_every_number():
    scores = np.array([np.nan, -np.inf, 0, np.nan])
    assert_array_equal(top_k(scores, 2), [False, True, True, False])


def test_top_k__above_the_number_of_scores_keeps_all():
    assert top_k(np.arange(3.0), 7).all()


def test_above__holds_at_the_threshold_and_never_for_nan():
    assert_array_equal(above(np.array([0.5, 0.49, np.nan]), 0.5), [True, False, False])


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        (3, 3),
        (0, 0),
        (np.int64(3), 3),
        (1000, 1000),
        ("all", 100),
        ("auto", 10),
        (0.29, 29),
        (0.125, 12),
        (0.001, 1),
        (np.float32(0.5), 50),
    ],
)
def test_number_of_features__of_k(k, expected):
    assert number_of_features(k, 100, None, None) == expected


def test_number_of_features__auto_sets_no_limit_beside_another_rule():
    assert number_of_features("auto", 100, 0.1, None) == 100
    assert number_of_features("auto", 100, None, 5) == 100


@given(SCORES, st.integers(0, 10), st.sampled_from([0.1, 1.0]), st.sampled_from([0, 20, 80, 100]))
def test_select__is_the_logical_and_of_all_rules(scores, k, threshold, percentile):
    expected = top_k(scores, k) & above(scores, threshold) & top_percentile(scores, percentile)
    got = select(scores, k=k, threshold=threshold, percentile=percentile)
    assert_array_equal(got, expected)
