"""Least squares on covariates, of any unit."""

import numpy as np
import pytest

from skpar_select.scoring._regression import Regression

RNG = np.random.default_rng(0)
COVARIATES = RNG.normal(size=(50, 2))
VALUES = RNG.normal(size=(50, 3)) + COVARIATES[:, :1]


def residuals(regression, values, first=0):
    columns = np.arange(first, first + values.shape[1])
    return regression.residuals(values, columns=columns, seed=0)


@pytest.mark.parametrize("exponent", [-1000, -500, 0, 500, 1000, 1021])
def test_residuals__are_the_same_bits_in_every_unit_of_a_covariate(exponent):
    scaled = np.ldexp(COVARIATES, exponent)
    assert np.isfinite(scaled).all()
    got = residuals(Regression(scaled), VALUES)
    assert got.tobytes() == residuals(Regression(COVARIATES), VALUES).tobytes()
    assert Regression(scaled).n_terms == 3


@pytest.mark.parametrize("exponent", [-1000, 1021])
def test_residuals__of_columns_of_any_unit_have_the_same_order(exponent):
    regression = Regression(COVARIATES)
    values = np.ldexp(VALUES, exponent)
    assert residuals(regression, values).tobytes() == residuals(regression, VALUES).tobytes()


def test_residuals__are_those_of_least_squares():
    design = np.column_stack([np.ones(50), COVARIATES])
    expected = VALUES - design @ np.linalg.lstsq(design, VALUES, rcond=None)[0]
    got = residuals(Regression(COVARIATES), VALUES)
    # In the unit of each column: a power of two.
    unit = np.exp2(np.round(np.log2(np.abs(expected).max(axis=0) / np.abs(got).max(axis=0))))
    np.testing.assert_allclose(got * unit, expected, atol=1e-13)


def test_residuals__of_gaps_are_those_of_the_samples_that_are_there():
    gappy = VALUES.copy()
    gappy[::3, 1] = np.nan
    got = residuals(Regression(COVARIATES), gappy)
    there = ~np.isnan(gappy[:, 1])
    alone = residuals(Regression(COVARIATES[there]), gappy[there])
    np.testing.assert_allclose(got[there, 1], alone[:, 1], atol=1e-12)
    assert np.isnan(got[~there, 1]).all()
    assert got[:, 0].tobytes() == residuals(Regression(COVARIATES), VALUES)[:, 0].tobytes()


def test_residuals__of_what_follows_from_the_covariates_are_0():
    years = 1990.0 + np.arange(50) % 7
    regression = Regression(np.column_stack([COVARIATES, years]))
    follows = np.column_stack([years * 3 - COVARIATES[:, 0], np.full(50, 1e9 / 3), years])
    assert not residuals(regression, follows).any()


def test_terms__that_follow_from_others_do_not_count():
    design = np.column_stack([COVARIATES, COVARIATES.sum(axis=1), np.ones(50)])
    assert Regression(design).n_terms == 3


def test_residuals__are_the_same_bits_whatever_stands_beside():
    regression = Regression(COVARIATES)
    together = residuals(regression, VALUES)
    for column in range(3):
        alone = residuals(regression, np.ascontiguousarray(VALUES[:, [column]]), column)
        assert alone.tobytes() == together[:, [column]].tobytes()


def test_residuals__of_ties_are_not_in_the_order_of_a_covariate():
    zeros = np.where(RNG.random((50, 2)) < 0.6, 0.0, RNG.lognormal(size=(50, 2)))
    regression = Regression(COVARIATES[:, :1])
    got = residuals(regression, zeros)
    for column in range(2):
        of_zeros = zeros[:, column] == 0
        rho = np.corrcoef(got[of_zeros, column], COVARIATES[of_zeros, 0])[0, 1]
        assert abs(rho) < 0.9
        assert len(np.unique(got[:, column])) == 50
    alone = residuals(regression, zeros[:, 1:], 1)
    assert alone[:, 0].tobytes() == got[:, 1].tobytes()
    other = regression.residuals(zeros[:, 1:], columns=np.array([1]), seed=1)
    assert (other != alone).any()


def test_residuals__of_ties_with_gaps_are_those_of_the_samples_that_are_there():
    gappy = VALUES.round(1)
    gappy[::3] = np.nan
    there = ~np.isnan(gappy[:, 0])
    got = residuals(Regression(COVARIATES), gappy)
    alone = residuals(Regression(COVARIATES[there]), gappy[there])
    np.testing.assert_allclose(got[there], alone, atol=1e-12)


def test_residuals__of_integers_beyond_float64_are_those_less_the_least():
    places = np.random.default_rng(1).permutation(50)
    identifiers = np.column_stack([places + 2**60, -places - 2**60])
    got = residuals(Regression(COVARIATES), identifiers)
    expected = residuals(Regression(COVARIATES), np.column_stack([places, 49.0 - places]))
    assert got.tobytes() == expected.tobytes()
