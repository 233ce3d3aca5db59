"""Least squares on covariates, of any unit."""

import numpy as np
import pytest

from skpar_select.scoring._regression import Regression

RNG = np.random.default_rng(0)
COVARIATES = RNG.normal(size=(50, 2))
VALUES = RNG.normal(size=(50, 3)) + COVARIATES[:, :1]


@pytest.mark.parametrize("exponent", [-1000, -500, 0, 500, 1000, 1021])
def test_residuals__are_the_same_bits_in_every_unit_of_a_covariate(exponent):
    scaled = np.ldexp(COVARIATES, exponent)
    assert np.isfinite(scaled).all()
    got = Regression(scaled).residuals(VALUES)
    assert got.tobytes() == Regression(COVARIATES).residuals(VALUES).tobytes()
    assert Regression(scaled).n_terms == 3


@pytest.mark.parametrize("exponent", [-1000, 1021])
def test_residuals__of_columns_of_any_unit_have_the_same_order(exponent):
    regression = Regression(COVARIATES)
    values = np.ldexp(VALUES, exponent)
    assert regression.residuals(values).tobytes() == regression.residuals(VALUES).tobytes()


def test_residuals__are_those_of_least_squares():
    design = np.column_stack([np.ones(50), COVARIATES])
    expected = VALUES - design @ np.linalg.lstsq(design, VALUES, rcond=None)[0]
    got = Regression(COVARIATES).residuals(VALUES)
    # In the unit of each column: a power of two.
    unit = np.exp2(np.round(np.log2(np.abs(expected).max(axis=0) / np.abs(got).max(axis=0))))
    np.testing.assert_allclose(got * unit, expected, atol=1e-13)


def test_residuals__of_gaps_are_those_of_the_samples_that_are_there():
    gappy = VALUES.copy()
    gappy[::3, 1] = np.nan
    got = Regression(COVARIATES).residuals(gappy)
    there = ~np.isnan(gappy[:, 1])
    alone = Regression(COVARIATES[there]).residuals(gappy[there])
    np.testing.assert_allclose(got[there, 1], alone[:, 1], atol=1e-12)
    assert np.isnan(got[~there, 1]).all()
    assert got[:, 0].tobytes() == Regression(COVARIATES).residuals(VALUES)[:, 0].tobytes()


def test_residuals__of_what_follows_from_the_covariates_are_0():
    years = 1990.0 + np.arange(50) % 7
    regression = Regression(np.column_stack([COVARIATES, years]))
    follows = np.column_stack([years * 3 - COVARIATES[:, 0], np.full(50, 1e9 / 3), years])
    assert not regression.residuals(follows).any()


def test_terms__that_follow_from_others_do_not_count():
    design = np.column_stack([COVARIATES, COVARIATES.sum(axis=1), np.ones(50)])
    assert Regression(design).n_terms == 3


def test_residuals__are_the_same_bits_whatever_stands_beside():
    regression = Regression(COVARIATES)
    together = regression.residuals(VALUES)
    for column in range(3):
        alone = regression.residuals(np.ascontiguousarray(VALUES[:, [column]]))
        assert alone.tobytes() == together[:, [column]].tobytes()
