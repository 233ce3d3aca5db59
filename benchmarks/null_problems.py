"""Columns and targets that have nothing to do with each other, or only by what drives both, or by a known signal."""

import numpy as np
from scipy.special import expit


def beta(rng, shape):
    """Return methylation-like values: low, high or between."""
    low = rng.random(shape) < 0.4
    return np.where(low, rng.beta(1, 9, shape), rng.beta(9, 2, shape))


def with_zeros(rng, shape):
    values = rng.lognormal(size=shape)
    values[rng.random(shape) < 0.6] = 0.0
    return values


MARGINALS = {
    "uniform": lambda rng, shape: rng.random(shape),
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "lognormal": lambda rng, shape: rng.lognormal(size=shape),
    "t2": lambda rng, shape: rng.standard_t(2, shape),
    "Cauchy": lambda rng, shape: rng.standard_cauchy(shape),
    "bimodal beta": beta,
    "two decimals": lambda rng, shape: beta(rng, shape).round(2),
    "float16": lambda rng, shape: beta(rng, shape).astype(np.float16),
    "60 % zeros": with_zeros,
    "binary": lambda rng, shape: (rng.random(shape) < 0.3).astype(float),
}

TARGETS = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "integer age": lambda rng, n: rng.integers(18, 90, n).astype(float),
    "lognormal": lambda rng, n: rng.lognormal(size=n),
}


def of_shares(*shares):
    """Return a function that draws classes of these sizes: exactly so many of each, in random order."""

    def draw(rng, n):
        sizes = np.diff(np.round(np.cumsum([0.0, *shares]) * n).astype(int))
        return rng.permutation(np.repeat(np.arange(float(len(sizes))), sizes))

    return draw


CLASS_TARGETS = {
    "2 equal": of_shares(0.5, 0.5),
    "2, one 10 %": of_shares(0.9, 0.1),
    "3 classes": of_shares(0.5, 0.3, 0.2),
    "10 classes": of_shares(*[0.1] * 10),
}


def alleles(rng, shape):
    share = rng.uniform(0.05, 0.5, shape[1])
    return rng.binomial(2, share, shape).astype(float)


DISCRETE = {
    "binary 30 %": lambda rng, shape: (rng.random(shape) < 0.3).astype(float),
    "binary 2 %": lambda rng, shape: (rng.random(shape) < 0.02).astype(float),
    "alleles": alleles,
    "10 classes": lambda rng, shape: rng.integers(0, 10, shape).astype(float),
}


def gaps(rng, values, share):
    """Return a copy that lacks some values at random, of each column its own."""
    values = values.astype(float)
    values[rng.random(values.shape) < share] = np.nan
    return values


def mixed_problem(rng, n, *, n_features=2000, n_signals=200, n_blocks=40, r=0.5):
    """Return correlated columns of five marginals, integer ages, and which columns follow these.

    Each block has as many signals, of which half rise with age and half are highest in the middle. All columns of
    a block share a normal variable, so that they are correlated by `r` before their marginals are given to
    them; of the signals the rest follows the age. So the others tell nothing of it.
    """
    y = rng.integers(18, 90, n).astype(float)
    age = (y - y.mean()) / y.std()
    curved = age**2 - 1
    curved /= curved.std()
    block = np.arange(n_features) % n_blocks
    signal = np.zeros(n_features, dtype=bool)
    signal[
        rng.permutation(n_features // n_blocks)[:, None][: n_signals // n_blocks] * n_blocks
        + block[:n_blocks]
    ] = True
    own = rng.standard_normal((n, n_features))
    strength = rng.uniform(0.3, 0.9, n_features) * signal
    shape_of = np.where(np.arange(n_features) // n_blocks % 2, age[:, None], curved[:, None])
    own = strength * shape_of + np.sqrt(1 - strength**2) * own
    X = np.sqrt(r) * rng.standard_normal((n, n_blocks))[:, block] + np.sqrt(1 - r) * own
    kind = rng.integers(0, 5, n_features)
    X[:, kind == 1] = np.exp(X[:, kind == 1])
    X[:, kind == 2] = expit(3 * X[:, kind == 2])
    X[:, kind == 3] = np.maximum(X[:, kind == 3] - 0.25, 0)
    X[:, kind == 4] = X[:, kind == 4].round(1)
    return X, y, signal


BATCHES = {
    "5 equal batches": (0.2, 0.2, 0.2, 0.2, 0.2),
    "5 unequal batches": (0.5, 0.25, 0.125, 0.075, 0.05),
}


def batch_problem(rng, n, n_features, shares, *, spreads=False):
    """Return columns and a target that a batch shifts, or spreads, and the batch of each sample."""
    batch = of_shares(*shares)(rng, n).astype(int)
    n_batches = len(shares)
    y = rng.standard_normal(n)
    X = rng.standard_normal((n, n_features))
    if spreads:
        by_batch = 4.0 ** np.arange(n_batches)
        return X * by_batch[batch][:, None], y * by_batch[batch], batch
    shift = 1.5 * rng.permuted(np.tile(np.arange(n_batches), (n_features, 1)), axis=1).T
    return X + shift[batch], y + 1.5 * batch, batch


DEPENDENCES = {
    "linear, r = .3": lambda rng, y: 0.3 * y + np.sqrt(1 - 0.3**2) * rng.standard_normal(len(y)),
    "linear, r = .4": lambda rng, y: 0.4 * y + np.sqrt(1 - 0.4**2) * rng.standard_normal(len(y)),
    "quadratic .3": lambda rng, y: (
        0.3 * (y**2 - 1) / np.sqrt(2) + np.sqrt(1 - 0.3**2) * rng.standard_normal(len(y))
    ),
    "spread only": lambda rng, y: np.exp(0.5 * y) * rng.standard_normal(len(y)),
    "5 periods": lambda rng, y: (
        np.sin(10 * np.pi * _uniform(y)) + 0.5 * rng.standard_normal(len(y))
    ),
    "12 % tight": lambda rng, y: np.where(
        rng.random(len(y)) < 0.12,
        y + 0.05 * rng.standard_normal(len(y)),
        rng.standard_normal(len(y)),
    ),
    "r = .5, 2 decimals": lambda rng, y: (
        0.5 * y + np.sqrt(0.75) * rng.standard_normal(len(y))
    ).round(2),
    "nothing": lambda rng, y: rng.standard_normal(len(y)),
}


def _uniform(y):
    return np.argsort(np.argsort(y)) / len(y)
