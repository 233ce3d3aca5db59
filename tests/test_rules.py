import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal
from sklearn.feature_selection import SelectFdr, SelectFpr, SelectFwe, SelectKBest, SelectPercentile

from skpar_select._rules import Rules, above, smallest_log_pvalue, top_k, top_percentile

PVALUES = arrays(
    np.float64,
    st.integers(1, 30),
    elements=st.floats(0, 1).map(lambda p: max(p**4, 1e-300)),
)

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
    assert Rules(k=k).number_of_features(100) == expected


def test_number_of_features__auto_sets_no_limit_beside_another_rule():
    for name in ("threshold", "percentile", "fdr", "fwer", "fpr"):
        assert Rules(**{name: 0.5}).number_of_features(100) == 100


@given(SCORES, st.integers(0, 10), st.sampled_from([0.1, 1.0]), st.sampled_from([0, 20, 80, 100]))
def test_select__is_the_logical_and_of_all_rules(scores, k, threshold, percentile):
    expected = top_k(scores, k) & above(scores, threshold) & top_percentile(scores, percentile)
    got = Rules(k=k, threshold=threshold, percentile=percentile).select(scores)
    assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("rule", "theirs"), [("fdr", SelectFdr), ("fwer", SelectFwe), ("fpr", SelectFpr)]
)
@given(pvalues=PVALUES, alpha=st.sampled_from([0.001, 0.05, 0.3]))
def test_select__by_an_error_rate_is_that_of_scikit_learn(rule, theirs, pvalues, alpha):
    selector = theirs(lambda X, y: (pvalues, pvalues), alpha=alpha)
    expected = selector.fit(np.zeros((2, len(pvalues))), [0, 1]).get_support()
    # A p-value at the border is one of rounding: powers and logarithms.
    got = Rules(**{rule: alpha}).select(1 - pvalues, np.log(pvalues))
    assert_array_equal(got, expected)


def test_select__joins_error_rates_with_the_other_rules_by_and():
    scores, log_pvalues = np.array([0.3, 0.2, 0.1]), np.log([1e-9, 1e-8, 1e-7])
    rules = Rules(k=2, fdr=0.05, threshold=0.15, fpr=2e-8)
    assert_array_equal(rules.select(scores, log_pvalues), [True, True, False])
    assert_array_equal(Rules(fpr=5e-9, k="all").select(scores, log_pvalues), [True, False, False])


def test_select__columns_without_a_pvalue_are_no_tests():
    log_pvalues = np.array([np.log(0.04), np.nan, np.nan])
    assert_array_equal(
        Rules(fwer=0.05).select(np.array([1, np.nan, np.nan]), log_pvalues), [True, False, False]
    )


def test_select__tells_strong_columns_apart_where_pvalues_underflow():
    log_pvalues = np.array([-2000.0, -1000.0])
    assert_array_equal(Rules(fpr=5e-324).select(np.ones(2), log_pvalues), [True, True])


def test_select__refuses_an_error_rate_without_pvalues():
    with pytest.raises(
        ValueError, match=r"fdr=0.05 is given, and there are no p-values.*pvalues=True"
    ):
        Rules(fdr=0.05).select(np.ones(3))


def test_smallest_log_pvalue__is_bonferronis_over_the_targets():
    joined = smallest_log_pvalue(np.log([[0.01, 0.2], [0.9, 0.8], [np.nan, 0.1]]))
    np.testing.assert_allclose(np.exp(joined), [0.02, 1, 0.2])
    assert np.isnan(smallest_log_pvalue(np.full((1, 2), np.nan))).all()


@pytest.mark.parametrize(
    ("n_tests", "n_kept", "fdr"), [(100, 5, 0.02), (200, 10, 0.02), (50, 7, 0.05)]
)
def test_fdr__keeps_what_is_exactly_at_the_rate(n_tests, n_kept, fdr):
    pvalues = np.ones(n_tests)
    pvalues[:n_kept] = fdr * n_kept / n_tests
    assert Rules(fdr=fdr).select(np.zeros(n_tests), np.log(pvalues)).sum() == n_kept
