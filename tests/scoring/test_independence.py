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


def test_n_observed__counts_the_strata_that_have_a_score():
    X, y = RNG.normal(size=(60, 1)), RNG.normal(size=60)
    strata = np.repeat([0, 1], 30)
    X[:28, 0] = np.nan
    selector = ParallelMutualInfoSelector(missing="omit", min_observed=20, pvalues=True)
    selector.fit(X, y, strata=strata)
    # Two samples of a stratum have no third neighbour.
    assert selector.n_observed_ == [30]
    X[30:45, 0] = np.nan
    selector.set_params(min_observed=1).fit(X, y, strata=strata)
    assert np.isnan(selector.pvalues_).all()
    assert np.isfinite(selector.scores_).all()


@pytest.mark.parametrize(
    ("confounders", "message"),
    [
        ({"strata": 3}, r"strata are of shape \(\)"),
        ({"strata": np.zeros((40, 1, 1))}, "strata are of shape"),
        ({"strata": np.zeros(39)}, r"shape \(39,\), X has 40 samples"),
        ({"covariates": np.zeros(40) + 1j}, "of type complex128"),
        ({"covariates": np.zeros(40, "M8[D]")}, "of type datetime64"),
        ({"covariates": ["a"] * 40}, "covariates are not all numbers"),
        ({"covariates": [np.inf] + [1.0] * 39}, "covariates hold inf at row 0, column 0"),
        ({"strata": np.arange(40)}, "has 1 sample. Each must have"),
    ],
)
def test_confounders__that_do_not_fit_are_refused(confounders, message):
    X, y = RNG.normal(size=(40, 2)), RNG.normal(size=40)
    with pytest.raises(ValueError, match=message):
        fitted(X, y, **confounders)


def test_covariates__with_two_columns_of_one_name_are_refused():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(RNG.normal(size=(40, 2)), columns=["a", "a"])
    with pytest.raises(ValueError, match="two columns of one name"):
        fitted(RNG.normal(size=(40, 2)), RNG.normal(size=40), covariates=frame)
