"""Two continuous variables: the estimator of Kraskov et al."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from kinds import KINDS, block_of_kinds, clipped, continuous_target, score, seen_block, seen_target
from naive import is_noise, kraskov
from scipy.special import digamma
from sklearn.feature_selection._mutual_info import _compute_mi_cc

SIZES = [2, 3, 4, 5, 7, 8, 9, 16, 17, 63, 64, 65, 200]


@pytest.fixture
def rng():
    return np.random.default_rng(20240)


def neighbors_of(n_samples):
    return sorted({k for k in (1, 2, 3, 8, 9, n_samples - 1) if 1 <= k < n_samples})


def scikit_learn(x, y, n_neighbors):
    """Score with scikit-learn, which clips, but for a constant side, of which it scores the noise: 0."""
    return 0.0 if is_noise(x) or is_noise(y) else _compute_mi_cc(x.copy(), y, n_neighbors)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6, 0.9, -0.99])
@pytest.mark.parametrize("n_neighbors", [1, 3, 10])
def test_bivariate_gaussian__is_its_closed_form(rho, n_neighbors):
    # MI = -log(1 - rho^2) / 2. The information density of a sample has variance rho^2, and the
    # distance to its k-th neighbour adds about trigamma(k) ~ 1/k: the mean of n samples stays
    # within four deviations of both.
    n = 4_000
    rng = np.random.default_rng(1)
    x, e = rng.normal(size=(2, n))
    y = rho * x + np.sqrt(1 - rho**2) * e
    expected = -np.log(1 - rho**2) / 2
    (mi,) = score(x[:, np.newaxis], continuous_target(y, n_neighbors))
    assert abs(mi - expected) < 4 * np.sqrt((rho**2 + 1 / n_neighbors) / n)


def test_uniform_square__is_near_zero(rng):
    # Independent: MI = 0; four deviations as above, with rho = 0.
    n, k = 2_000, 5
    X = rng.random((n, 20))
    scores = score(X, continuous_target(rng.random(n), k))
    assert np.abs(scores).max() < 4 * np.sqrt(1 / k / n)


def test_sum_of_uniforms__is_its_closed_form(rng):
    # y = x + u/2 with x, u uniform on (0, 1): h(y) is that of a trapezoid on (0, 3/2) with slopes
    # 1/2 wide and height 1, h(y) = 2 * integral_0^(1/2) -2t log(2t) dt = 1/4; h(y|x) = -log 2.
    # The information density is log 2 - log f(y), where -log f is 0 on the plateau (weight 1/2)
    # and exponential of rate 2 on the slopes: its variance is (1/4 + 1/4) / 2 - 1/16 = 3/16.
    n, k = 4_000, 3
    x = rng.random(n)
    y = x + rng.random(n) / 2
    (mi,) = score(x[:, np.newaxis], continuous_target(y, k))
    assert abs(mi - (0.25 + np.log(2))) < 4 * np.sqrt((3 / 16 + 1 / k) / n)


@pytest.mark.parametrize("n_neighbors", [1, 2, 3, 7, 8, 9, 30])
@pytest.mark.parametrize("sign", [1, -1])
def test_target_itself__counts_to_a_closed_form(n_neighbors, sign):
    # With x = y up to the noise, both axes have the same k - 1 nearer neighbours. The k-th one
    # sets the radius on the axis where the noise makes it farther, and is strictly nearer on the
    # other: the counts, the point included, are k and k + 1 for each sample, so that
    # MI = psi(n) + psi(k) - psi(k) - psi(k + 1). No two gaps of i^1.5 are equal.
    n = 500
    y = np.arange(n) ** 1.5
    (mi,) = score(sign * y[:, np.newaxis], continuous_target(y, n_neighbors))
    assert abs(mi - (digamma(n) - digamma(n_neighbors + 1))) < 1e-12


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_samples", SIZES)
def test_all_kinds__are_the_naive_twin(kind, n_samples):
    rng = np.random.default_rng([n_samples, list(KINDS).index(kind)])
    y = KINDS[kind](rng, n_samples)
    # besides a column of each kind: the target, its mirror image, and a monotone function of it
    X = np.column_stack([block_of_kinds(rng, n_samples), y, -y, np.arctan(y)])
    for k in neighbors_of(n_samples):
        target = continuous_target(y, k, seed=5)
        Z, z = seen_block(X, target, 3), seen_target(target)
        expected = [kraskov(Z[:, j], z, k) for j in range(X.shape[1])]
        np.testing.assert_allclose(score(X, target, first_column=3), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_neighbors", range(1, 13))
def test_every_small_number_of_neighbors__is_the_naive_twin(rng, n_neighbors):
    X, y = block_of_kinds(rng, 100), rng.normal(size=100)
    target = continuous_target(y, n_neighbors)
    Z, z = seen_block(X, target), seen_target(target)
    expected = [kraskov(Z[:, j], z, n_neighbors) for j in range(X.shape[1])]
    np.testing.assert_allclose(score(X, target), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_distinct", [1, 2, 5, 50])
def test_duplicated_rows__are_the_naive_twin(rng, n_distinct):
    n = 150
    rows = rng.integers(0, n_distinct, size=n)
    X, y = rng.normal(size=(n_distinct, 6))[rows], rng.normal(size=n_distinct)[rows]
    for k in (1, 3, 8, 9, n - 1):
        target = continuous_target(y, k)
        Z, z = seen_block(X, target), seen_target(target)
        expected = [kraskov(Z[:, j], z, k) for j in range(6)]
        np.testing.assert_allclose(score(X, target), expected, rtol=0, atol=1e-12)


# These sizes reach what small samples do not: ties higher than a band swap the axes, and ties on
# both axes cut bands into pieces.
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_samples__are_scikit_learn_on_the_same_values(kind):
    n, k = 2_500, 3
    rng = np.random.default_rng(list(KINDS).index(kind))
    X, y = block_of_kinds(rng, n), KINDS[kind](rng, n)
    target = continuous_target(y, k, seed=7)
    Z, z = seen_block(X, target, 11), seen_target(target)
    expected = [scikit_learn(Z[:, j], z, k) for j in range(X.shape[1])]
    np.testing.assert_allclose(
        clipped(score(X, target, first_column=11)), expected, rtol=0, atol=1e-12
    )


TIED = ["two_valued", "rare", "zero_inflated", "lattice", "ages", "constant"]


@pytest.mark.parametrize("n_neighbors", [1, 9, 40])
@pytest.mark.parametrize("kind", TIED)
def test_ties_on_both_axes__are_scikit_learn_on_the_same_values(kind, n_neighbors):
    n = 3_000
    rng = np.random.default_rng([n_neighbors, TIED.index(kind)])
    y = KINDS[kind](rng, n)
    columns = [KINDS[other](rng, n) for other in TIED]
    # ties that carry signal: the column repeats the target but for one sample in ten
    columns.append(np.where(rng.random(n) < 0.1, rng.permutation(y), y))
    X = np.column_stack(columns)
    target = continuous_target(y, n_neighbors)
    Z, z = seen_block(X, target), seen_target(target)
    expected = [scikit_learn(Z[:, j], z, n_neighbors) for j in range(X.shape[1])]
    np.testing.assert_allclose(clipped(score(X, target)), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kinds", [("normal", "ages"), ("two_valued", "ages"), ("ages", "normal")])
def test_twenty_thousand_samples__are_scikit_learn_on_the_same_values(kinds):
    rng = np.random.default_rng(3)
    x, y = (KINDS[kind](rng, 20_000) for kind in kinds)
    target = continuous_target(y)
    Z, z = seen_block(x[:, np.newaxis], target), seen_target(target)
    expected = _compute_mi_cc(Z[:, 0].copy(), z, 3)
    assert abs(clipped(score(x[:, np.newaxis], target))[0] - expected) < 1e-12


@st.composite
def tie_free_pairs(draw):
    n = draw(st.integers(4, 60))
    x, y, order = (np.array(draw(st.permutations(range(n)))) for _ in range(3))
    # roots of whole numbers repeat no distance; float32 leaves room for an exact shift
    x, y = np.sqrt(x + 0.1).astype(np.float32), np.sqrt(y + 0.7).astype(np.float32)
    # the noise moves with the place of a sample and the rounding with a shift: neither may decide
    # between two distances
    assume(clear_of_noise(x, y))
    return x.astype(float), y.astype(float), order


def clear_of_noise(x, y):
    distances = [np.abs(z[:, np.newaxis] - z)[np.triu_indices(len(z), 1)] / z.std() for z in (x, y)]
    return (np.diff(np.sort(np.concatenate(distances))) > 1e-8).all()


@given(tie_free_pairs(), st.integers(1, 3))
def test_samples_in_another_order__score_the_same(pair, n_neighbors):
    x, y, order = pair
    before = score(x[:, np.newaxis], continuous_target(y, n_neighbors))
    after = score(x[order][:, np.newaxis], continuous_target(y[order], n_neighbors))
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-12)


@given(tie_free_pairs(), st.integers(-40, 40), st.integers(-30, 30))
def test_shift_and_scale__score_the_same(pair, power, shift):
    x, y, _ = pair
    target = continuous_target(y)
    before = score(x[:, np.newaxis], target)
    np.testing.assert_array_equal(score(np.ldexp(x, power)[:, np.newaxis], target), before)
    after = score((x + shift)[:, np.newaxis], target)
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-12)


def test_columns_and_target_swapped__score_the_same(rng):
    # symmetric but for the noise, which is keyed by the column: on tie-free data no count changes
    x, y = rng.normal(size=(2, 300))
    forth = score(x[:, np.newaxis], continuous_target(y))
    back = score(y[:, np.newaxis], continuous_target(x))
    np.testing.assert_allclose(forth, back, rtol=0, atol=1e-12)


@pytest.mark.parametrize("offset", [1e6, 1e9, 1e12])
def test_huge_offset__keeps_the_signal(rng, offset):
    # scikit-learn scales the noise by the mean, and loses this signal (its issue 30772)
    y = rng.normal(size=1_000)
    x = y + 0.1 * rng.normal(size=1_000)
    near, far = score(np.column_stack([x, x + offset]), continuous_target(y))
    assert abs(near - far) < 0.02
    assert near > 1.5
