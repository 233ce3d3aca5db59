import numpy as np
import pytest

from skpar_select.significance import (
    Moments,
    mean_over_strata,
    moments_over_strata,
    shares_of_strata,
)


def over_strata(scores, weights, moments):
    shares = shares_of_strata(scores, weights)
    return mean_over_strata(scores, shares), moments_over_strata(scores, shares, moments)


SHAPES = np.array([[2.0], [5.0]])


@pytest.mark.parametrize("fourth", [None, 6 * SHAPES])
def test_over_strata__is_that_of_independent_terms(fourth):
    # of gammas, whose cumulants are known: shape, shape, 2 shape, 6 shape
    scores, moments = over_strata(
        np.array([[1.0], [3.0]]),
        np.array([[30], [10]]),
        Moments(SHAPES, SHAPES, 2 * SHAPES, fourth),
    )
    np.testing.assert_allclose(scores, [1.5])
    np.testing.assert_allclose(moments.mean, [0.75 * 2 + 0.25 * 5])
    np.testing.assert_allclose(moments.variance, [0.75**2 * 2 + 0.25**2 * 5])
    np.testing.assert_allclose(moments.third, [0.75**3 * 4 + 0.25**3 * 10])
    np.testing.assert_allclose(moments.fourth, [0.75**4 * 12 + 0.25**4 * 30])


def test_over_strata__leaves_out_a_stratum_without_a_score():
    ones = np.ones((2, 3))
    unknown = np.array([[1.0, np.nan, np.nan], [1.0, 1.0, np.nan]])
    scores = np.array([[0.2, np.nan, np.nan], [0.4, 0.4, np.nan]])
    weighted, moments = over_strata(scores, 50.0 * ones, Moments(unknown, unknown, unknown))
    np.testing.assert_allclose(weighted, [0.3, 0.4, np.nan])
    np.testing.assert_allclose(moments.mean, [1.0, 1.0, np.nan])
    np.testing.assert_allclose(moments.variance, [0.5, 1.0, np.nan])
    np.testing.assert_allclose(moments.third, [0.25, 1.0, np.nan])


def test_over_strata__of_a_stratum_where_the_column_is_constant_is_certain_there():
    scores = np.array([[0.0, 0.0], [0.4, 0.0]])
    weighted, moments = over_strata(scores, np.ones((2, 1)), Moments(*np.ones((3, 2, 2))))
    np.testing.assert_allclose(weighted, [0.2, 0.0])
    np.testing.assert_allclose(moments.mean, [0.5, 0.0])
    np.testing.assert_allclose(moments.variance, [0.25, 0.0])
    np.testing.assert_allclose(moments.third, [0.125, 0.0])


def test_over_strata__of_many_strata_does_not_depend_on_the_columns_beside():
    rng = np.random.default_rng(0)
    scores, weights = rng.normal(size=(30, 20)), rng.integers(20, 90, (30, 20))
    moments = Moments(*rng.random((4, 30, 20)))
    together = over_strata(scores, weights, moments)
    for one in range(20):
        part = slice(one, one + 1)
        alone = over_strata(
            scores[:, part], weights[:, part], Moments(*(values[:, part] for values in moments))
        )
        assert alone[0] == together[0][part]
        np.testing.assert_array_equal(alone[1], np.array(together[1])[:, part])
