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
