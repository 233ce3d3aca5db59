"""The kinds of columns that the kernel is held to, and how the tests call it."""

import numpy as np

from skpar_select.kernels import mutual_information, prepare_target, standardize

KINDS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "tied": lambda rng, n: rng.normal(size=n).round(1),
    "constant": lambda rng, n: np.full(n, 0.1),
    "duplicated": lambda rng, n: np.resize(rng.normal(size=n // 2 + 1), n),
    "two_valued": lambda rng, n: rng.integers(0, 2, size=n).astype(float),
    "rare": lambda rng, n: (rng.random(n) < 0.03).astype(float),
    "zero_inflated": lambda rng, n: np.where(rng.random(n) < 0.7, 0.0, rng.exponential(size=n)),
    "lattice": lambda rng, n: rng.integers(-3, 4, size=n).astype(float),
    "ages": lambda rng, n: rng.integers(18, 98, size=n).astype(float),
    "cauchy": lambda rng, n: rng.standard_cauchy(size=n),
    "heavy_tailed": lambda rng, n: np.exp(5 * rng.normal(size=n)),
    "huge_offset": lambda rng, n: 1e12 + rng.normal(size=n),
    "huge_scale": lambda rng, n: 1e300 * rng.normal(size=n),
    "denormal": lambda rng, n: 1e-310 * rng.normal(size=n),
    "nearly_constant": lambda rng, n: 1.0 + 1e-9 * (np.arange(n) == n // 2),
    "float16": lambda rng, n: rng.beta(2, 5, size=n).astype(np.float16).astype(float),
}


def block_of_kinds(rng, n_samples):
    """Return one column of every kind, in the order of `KINDS`."""
    return np.column_stack([make(rng, n_samples) for make in KINDS.values()])


def score(block, target, *, discrete=False, first_column=0):
    """Score a block of adjacent columns; `discrete` is one for all, or a mask."""
    width = block.shape[1]
    scored = mutual_information(
        block,
        [target],
        columns=adjacent(first_column, width),
        discrete=np.broadcast_to(discrete, width),
    )
    assert (scored.n_observed == len(block)).all()
    return scored.scores[0]


def clipped(scores):
    """Return scores as the scorer does, and scikit-learn."""
    return np.maximum(scores, 0.0)


def standardize_adjacent(block, *, seed=0, first_column=0):
    """Return adjacent columns as the estimators see them."""
    return standardize(block, seed=seed, columns=adjacent(first_column, block.shape[1]))


def adjacent(first_column, width):
    """Return the indices of adjacent columns, up to 2**64 - 1."""
    return np.uint64(first_column) + np.arange(width, dtype=np.uint64)


def continuous_target(y, n_neighbors=3, seed=0, marginals="raw"):
    """Prepare a target of numbers."""
    return prepare_target(
        y, discrete=False, n_neighbors=n_neighbors, seed=seed, marginals=marginals
    )


def discrete_target(y, n_neighbors=3, seed=0, marginals="raw"):
    """Prepare a target of classes."""
    return prepare_target(y, discrete=True, n_neighbors=n_neighbors, seed=seed, marginals=marginals)


def seen_block(block, target, first_column=0):
    """Return the columns as the estimators see them."""
    return standardize_adjacent(block, seed=target.seed, first_column=first_column)


def seen_target(target):
    """Return a continuous target as the estimators see it, in the order of the samples."""
    y = np.empty(target.n_samples)
    y[target.order] = target.values
    return y
