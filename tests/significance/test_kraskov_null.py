import numpy as np
import pytest
from scipy import stats

from skpar_select.kernels import mutual_information, prepare_target
from skpar_select.significance import kraskov_moments, log_upper_tail


def kernel_scores(n, k, n_draws, seed):
    target = prepare_target(
        np.arange(float(n)), discrete=False, n_neighbors=k, seed=0, marginals="rank"
    )
    block = np.random.default_rng(seed).random((n, n_draws), dtype=np.float32)
    return mutual_information(
        block, [target], columns=np.arange(n_draws), discrete=np.zeros(n_draws, dtype=bool)
    ).scores[0]


CASES = [(5, 3), (20, 3), (35, 17), (100, 3), (100, 10), (110, 64), (300, 3), (300, 17), (900, 30)]


@pytest.mark.parametrize(("n", "k"), CASES)
def test_kraskov_moments__are_those_of_fresh_scores(n, k):
    n_draws = 6000 if n < 500 else 2000
    scores = kernel_scores(n, k, n_draws, seed=n)
    mean, variance, third, _ = kraskov_moments(np.array(n), k)
    deviation = scores.std()
    kurtosis = stats.kurtosis(scores) + 3
    assert mean == pytest.approx(scores.mean(), abs=(0.02 + 5 / n_draws**0.5) * deviation)
    error = ((kurtosis - 1) / n_draws) ** 0.5 / 2
    assert variance**0.5 == pytest.approx(deviation, rel=0.01 + 5 * error)
    skewness = stats.skew(scores)
    assert third / variance**1.5 == pytest.approx(skewness, abs=0.05 + 8 * (6 / n_draws) ** 0.5)


def test_kraskov_moments__give_uniform_pvalues():
    for n, k in ((100, 3), (300, 10)):
        p = np.exp(
            log_upper_tail(kernel_scores(n, k, 8000, seed=7), kraskov_moments(np.array(n), k))
        )
        assert stats.kstest(p, "uniform").pvalue > 1e-4
        assert np.mean(p < 0.001) < 0.001 + 5 * (0.001 / 8000) ** 0.5


def test_kraskov_moments__are_known_for_every_size():
    n = np.unique(np.concatenate([np.arange(2, 300), np.logspace(2, 8, 500).astype(int)]))
    for k in (1, 2, 3, 10, 30, 64):
        mean, variance, third, fourth = kraskov_moments(n, k)
        enough = n > k
        assert np.isnan([mean[~enough], variance[~enough], third[~enough]]).all()
        assert np.isfinite([third[enough], fourth[enough]]).all()
        assert (variance[enough] >= 0).all()
        many = n > max(10 * k, 80)  # before, whole ranks make it rise and fall
        assert (np.diff(variance[many]) < 0).all()
        assert (third[many] > 0).all()


def test_kraskov_moments__of_two_samples_are_certain():
    assert kraskov_moments(np.array([2]), 1).variance[0] == 0.0


@pytest.mark.parametrize("k", [0, 65])
def test_kraskov_moments__refuse_neighbours_that_are_not_tabulated(k):
    with pytest.raises(ValueError, match=f"n_neighbors={k} has no tabulated null"):
        kraskov_moments(np.array([100]), k)
