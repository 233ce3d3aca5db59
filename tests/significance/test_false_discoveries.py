import numpy as np
import pytest
from scipy import stats

from skpar_select.significance import log_qvalues, smaller_of_two


def naive_qvalues(p, method):
    """The definition, for each column the least rate at which it passes."""
    n = len(p)
    factor = sum(1 / i for i in range(1, n + 1)) if method == "by" else 1.0
    q = np.empty(n)
    for i in range(n):
        cuts = p[p >= p[i]]
        q[i] = min(1.0, min(cut * n * factor / np.sum(p <= cut) for cut in cuts))
    return q


@pytest.fixture
def pvalues():
    rng = np.random.default_rng(3)
    p = np.concatenate([rng.random(80), rng.random(20) ** 8])
    p[5:12] = p[90]  # ties
    return p


@pytest.mark.parametrize("method", ["bh", "by"])
def test_log_qvalues__are_those_of_the_definition(pvalues, method):
    np.testing.assert_allclose(
        np.exp(log_qvalues(np.log(pvalues), method)), naive_qvalues(pvalues, method)
    )


@pytest.mark.parametrize("method", ["bh", "by"])
def test_log_qvalues__are_scipys(pvalues, method):
    if not hasattr(stats, "false_discovery_control"):
        pytest.skip("this scipy is older than 1.11")
    expected = stats.false_discovery_control(pvalues, method=method)
    np.testing.assert_allclose(np.exp(log_qvalues(np.log(pvalues), method)), expected)


def test_log_qvalues__do_not_count_what_was_not_tested(pvalues):
    log_p = np.log(pvalues)
    holes = np.full(2 * len(log_p), np.nan)
    holes[::2] = log_p
    log_q = log_qvalues(holes)
    np.testing.assert_array_equal(log_q[::2], log_qvalues(log_p))
    assert np.isnan(log_q[1::2]).all()
    assert np.isnan(log_qvalues(np.full(3, np.nan))).all()
    assert log_qvalues(np.array([])).shape == (0,)


def test_log_qvalues__do_not_underflow():
    log_q = log_qvalues(np.array([-1e5, -2e5, 0.0]))
    np.testing.assert_allclose(log_q, [-1e5 + np.log(3 / 2), -2e5 + np.log(3), 0.0])


def test_log_qvalues__refuse_another_method():
    with pytest.raises(ValueError, match="method='storey' is unknown"):
        log_qvalues(np.zeros(3), "storey")


def test_smaller_of_two__pays_for_two_tests():
    log_p = smaller_of_two(np.log([0.01, 0.9, 0.3]), np.log([0.2, 0.8, 0.001]))
    np.testing.assert_allclose(np.exp(log_p), [0.02, 1.0, 0.002])


def test_smaller_of_two__is_the_other_where_one_is_missing():
    log_p = smaller_of_two(np.array([-3.0, np.nan, np.nan]), np.array([np.nan, -2.0, np.nan]))
    np.testing.assert_array_equal(log_p, [-3.0, -2.0, np.nan])
