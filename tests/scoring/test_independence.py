"""p-values of a fit: of which null, of how many samples, and when they are refused."""

import numpy as np
import pytest

from skpar_select import ParallelMutualInfoSelector
from skpar_select.scoring._nulls import Sides
from skpar_select.significance import Moments

RNG = np.random.default_rng(0)


def fitted(X, y, *, strata=None, covariates=None, **parameters):
    selector = ParallelMutualInfoSelector(pvalues=True, random_state=0, **parameters)
    return selector.fit(X, y, strata=strata, covariates=covariates)


def test_test_neighbors__must_be_below_the_samples():
    X, y = RNG.normal(size=(50, 2)), RNG.normal(size=50)
    assert fitted(X, y, test_neighbors=49).pvalues_.min() > 0
    with pytest.raises(ValueError, match="test_neighbors=50 is too large for n_samples=50"):
        fitted(X, y, test_neighbors=50)


def test_combined__counts_the_covariates_that_are_regressed_out():
    # Residuals of 100 covariates correlate by chance as 200 samples do: 2.7 % were below 0.01.
    rng = np.random.default_rng(0)
    pvalues = [
        fitted(
            rng.normal(size=(300, 1000)),
            rng.normal(size=300),
            covariates=rng.normal(size=(300, 100)),
            test="combined",
        ).pvalues_
        for _ in range(4)
    ]
    assert np.mean(np.array(pvalues) < 0.01) < 0.017


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_strata__that_are_missing_in_a_list_are_refused(missing):
    X, y = RNG.normal(size=(40, 2)), RNG.normal(size=40)
    with pytest.raises(ValueError, match="strata lack 20 values, the first at position 1"):
        fitted(X, y, strata=["a", missing] * 20)


@pytest.mark.parametrize("n_features", [1, 2])
def test_noise_floor__of_few_columns_is_no_less_than_any_score(n_features):
    X, y = RNG.normal(size=(50, n_features)), RNG.normal(size=50)
    assert (fitted(X, y).noise_floor_ >= 0).all()


def test_moments__of_classes_on_both_sides_are_not_simulated(monkeypatch):
    asked = []

    def ross_moments(counts, n_neighbors):
        asked.append(len(counts))
        return Moments(*np.ones((4, len(counts))))

    monkeypatch.setattr("skpar_select.scoring._nulls.ross_moments", ross_moments)
    values, discrete = RNG.integers(0, 2, (30, 3)), np.array([True, False, True])
    sides = Sides.of(values, discrete, [np.arange(30) % 2], np.full(3, 30))
    moments = sides.moments(3, 1)
    assert asked == [1]
    np.testing.assert_array_equal(moments.mean, [[np.nan, 1, np.nan]])
