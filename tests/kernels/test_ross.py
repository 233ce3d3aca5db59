"""One continuous and one discrete variable: the estimator of Ross."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kinds import (
    KINDS,
    block_of_kinds,
    clipped,
    continuous_target,
    discrete_target,
    score,
    seen_block,
    seen_target,
)
from naive import is_noise, ross
from scipy.special import digamma
from sklearn.feature_selection._mutual_info import _compute_mi_cd

LABELS = {
    "halves": lambda rng, n: rng.integers(0, 2, size=n),
    "rare class": lambda rng, n: (rng.random(n) < 0.05).astype(int),
    "one class": lambda rng, n: np.zeros(n, dtype=int),
    "pairs": lambda rng, n: rng.permutation(np.arange(n) // 2),
    "many of unequal size": lambda rng, n: rng.geometric(0.3, size=n),
    "some alone": lambda rng, n: np.where(
        rng.random(n) < 0.3, np.arange(n) + 2, rng.random(n) < 0.5
    ),
    "two alone": lambda rng, n: np.minimum(np.arange(n), 2)[::-1].copy(),
    "all alone": lambda rng, n: rng.permutation(n),
    "ages": lambda rng, n: rng.integers(18, 98, size=n),
    "of huge and tiny values": lambda rng, n: rng.choice(
        [-1e308, -1e-310, 0.0, 1e-310, 1e308], size=n
    ),
}
SIZES = [2, 3, 4, 5, 7, 8, 9, 16, 17, 63, 64, 65, 200]


@pytest.fixture
def rng():
    return np.random.default_rng(20240)


def neighbors_of(n_samples):
    return sorted({k for k in (1, 2, 3, 8, 9, n_samples - 1) if 1 <= k < n_samples})


def scikit_learn(values, labels, n_neighbors):
    """Score with scikit-learn, which clips, but for a constant side, of which it scores the noise: 0."""
    constant = is_noise(values) or (labels == labels[0]).all()
    return 0.0 if constant else _compute_mi_cd(values.copy(), labels, n_neighbors)


def overlapping_uniforms(rng, p, shift, n):
    """Class 1 with probability p; the value is uniform on (0, 1), moved by `shift` in class 1."""
    label = rng.random(n) < p
    return rng.random(n) + shift * label, label


@pytest.mark.parametrize("p", [0.5, 0.2])
@pytest.mark.parametrize("shift", [0.25, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("side", ["column", "target"])
def test_bernoulli_uniform_mixture__is_its_closed_form(p, shift, side):
    # Where only one class lies, a sample tells all: -log of the class's probability. In the
    # overlap, of share 1 - shift, it tells nothing: MI = min(shift, 1) * H(p).
    # The information density has variance below log(1/p)^2 / 4 + H(p)^2 < 1, the k-th neighbour's
    # distance adds about 1/k.
    n, k = 4_000, 3
    x, label = overlapping_uniforms(np.random.default_rng(2), p, shift, n)
    expected = min(shift, 1.0) * -(p * np.log(p) + (1 - p) * np.log(1 - p))
    if side == "column":
        (mi,) = score(x[:, np.newaxis], discrete_target(label, k))
    else:
        column = label.astype(float)[:, np.newaxis]
        (mi,) = score(column, continuous_target(x, k), discrete=True)
    assert abs(mi - expected) < 4 * np.sqrt((1 + 1 / k) / n)


def test_separate_classes__count_to_a_closed_form():
    # Two classes of m samples far apart: the k - 1 nearer neighbours of a sample are all of its own
    # class, itself included k are counted: psi(2m) + psi(k) - psi(m) - psi(k).
    m, k = 40, 4
    x = np.concatenate([np.arange(m) ** 1.5, 1e4 + np.arange(m) ** 1.5])
    (mi,) = score(x[:, np.newaxis], discrete_target(np.repeat([0, 1], m), k))
    assert abs(mi - (digamma(2 * m) - digamma(m))) < 1e-12


def test_one_class__tells_nothing(rng):
    # psi(n) + psi(k) - psi(n) - psi(k): the neighbours of the class are those of all.
    assert (score(block_of_kinds(rng, 50), discrete_target(np.zeros(50))) == 0).all()
    assert score(np.ones((50, 1)), continuous_target(rng.normal(size=50)), discrete=True) == 0


def test_classes_of_one_sample__score_zero(rng):
    X = block_of_kinds(rng, 30)
    assert (score(X, discrete_target(np.arange(30))) == 0).all()
    classes = rng.permutation(30).astype(float)[:, np.newaxis]
    assert score(classes, continuous_target(X[:, 0]), discrete=True) == 0


def test_independent__is_near_zero(rng):
    # As above, with an information density of 0: four deviations of the k-th neighbour's distance.
    n, k = 2_000, 5
    scores = score(rng.normal(size=(n, 20)), discrete_target(rng.integers(0, 3, size=n), k))
    assert np.abs(scores).max() < 4 * np.sqrt(1 / k / n)


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("n_samples", SIZES)
def test_continuous_columns__are_the_naive_twin(labels, n_samples):
    rng = np.random.default_rng([n_samples, list(LABELS).index(labels)])
    X, y = block_of_kinds(rng, n_samples), LABELS[labels](rng, n_samples)
    for k in neighbors_of(n_samples):
        target = discrete_target(y, k, seed=5)
        Z = seen_block(X, target, 3)
        expected = [ross(Z[:, j], y, k) for j in range(X.shape[1])]
        np.testing.assert_allclose(score(X, target, first_column=3), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_samples", SIZES)
def test_discrete_columns__are_the_naive_twin(kind, n_samples):
    rng = np.random.default_rng([n_samples, list(KINDS).index(kind)])
    y = KINDS[kind](rng, n_samples)
    labels = np.column_stack([make(rng, n_samples) for make in LABELS.values()])
    X = np.column_stack([labels, block_of_kinds(rng, n_samples)])
    for k in neighbors_of(n_samples):
        target = continuous_target(y, k, seed=5)
        z = seen_target(target)
        expected = [ross(z, X[:, j], k) for j in range(X.shape[1])]
        scores = score(X, target, discrete=True)
        np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-12)


def large_classes(labels, n_neighbors):
    """Every class is large enough for scikit-learn's exact search; see the last test."""
    return (np.unique(labels, return_counts=True)[1] // 2 > n_neighbors).all()


@pytest.mark.parametrize("n_neighbors", [1, 3, 9])
@pytest.mark.parametrize("labels", ["halves", "rare class", "one class", "ages"])
def test_thousands_of_samples__are_scikit_learn_on_the_same_values(labels, n_neighbors):
    n = 3_000
    rng = np.random.default_rng(n_neighbors)
    X, y = block_of_kinds(rng, n), LABELS[labels](rng, n)
    assert large_classes(y, n_neighbors)
    target = discrete_target(y, n_neighbors, seed=7)
    Z = seen_block(X, target, 11)
    expected = [scikit_learn(Z[:, j], y, n_neighbors) for j in range(X.shape[1])]
    np.testing.assert_allclose(
        clipped(score(X, target, first_column=11)), expected, rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_samples_and_discrete_columns__are_scikit_learn(kind):
    n, k = 3_000, 3
    rng = np.random.default_rng(list(KINDS).index(kind))
    y = KINDS[kind](rng, n)
    chosen = ("halves", "rare class", "ages")
    X = np.column_stack([LABELS[labels](rng, n) for labels in chosen]).astype(float)
    assert all(large_classes(X[:, j], k) for j in range(3))
    target = continuous_target(y, k, seed=7)
    expected = [scikit_learn(seen_target(target), X[:, j], k) for j in range(3)]
    np.testing.assert_allclose(
        clipped(score(X, target, discrete=True)), expected, rtol=0, atol=1e-12
    )


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=40), st.integers(0, 2**32 - 1))
def test_relabelled_classes__give_the_same_bits(labels, seed):
    rng = np.random.default_rng(seed)
    labels = np.array(labels)
    X = block_of_kinds(rng, len(labels))
    names = np.array(["ape", "bee", "cow", "dog", "elk", "fox", "gnu"])
    before = score(X, discrete_target(labels, 1))
    for other in (names[labels + 3], labels + 10, labels * 0.5, labels.astype("i1")):
        np.testing.assert_array_equal(score(X, discrete_target(other, 1)), before)
    # another order of the classes changes only the order of a sum
    after = score(X, discrete_target(-labels, 1))
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-12)


@given(st.permutations(range(30)), st.integers(0, 2**32 - 1))
def test_samples_in_another_order__score_the_same(order, seed):
    rng = np.random.default_rng(seed)
    # twenty roots of different primes: no distance repeats, no noise decides
    x = rng.permutation(np.sqrt(PRIMES))[:, np.newaxis]
    y = rng.integers(0, 3, size=30)
    before = score(x, discrete_target(y))
    after = score(x[order], discrete_target(y[order]))
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-12)


PRIMES = [n for n in range(2, 114) if all(n % d for d in range(2, n))]


def test_small_classes__differ_from_scikit_learn_where_its_search_is_inexact():
    # For a class of at most 2k + 1 samples, scikit-learn's neighbour search is a brute force over
    # |a|^2 - 2ab + |b|^2. The radius is then off by rounding, and the neighbour that it reaches is
    # now and then counted as nearer. The differences themselves say who is right.
    rng = np.random.default_rng(0)
    n, k = 60, 3
    X, y = rng.normal(size=(n, 20)), np.repeat(np.arange(n // 6), 6)
    assert not large_classes(y, k)
    target = discrete_target(y, k)
    Z = seen_block(X, target)
    exact = np.array([ross(Z[:, j], y, k) for j in range(20)])
    of_scikit_learn = np.array([_compute_mi_cd(Z[:, j].copy(), y, k) for j in range(20)])
    np.testing.assert_allclose(score(X, target), exact, rtol=0, atol=1e-12)
    assert np.abs(of_scikit_learn - clipped(exact)).max() > 1e-3
    # counted too many lowers the estimate
    assert (of_scikit_learn <= clipped(exact) + 1e-12).all()
