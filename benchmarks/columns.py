"""Columns and targets to be scored: fresh ones in every repetition, of realistic kinds.

A column that was scored before flatters: the branch predictor has learnt it.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import h5py
import numpy as np

DATA = Path(__file__).parents[1] / "examples" / "data"
N_REAL = 8_085


@dataclass(frozen=True)
class Case:
    """One line of the table: a target, and a way to make columns."""

    name: str
    n_samples: int
    y: np.ndarray
    make: Callable[[np.random.Generator, int], np.ndarray]
    classification: bool = False
    discrete: bool = False
    marginals: str = "raw"


def cases(n_samples):
    """Return the five kinds of problem at one number of samples."""
    y, make = real_problem() if n_samples == N_REAL else made_up_problem(n_samples)
    years = np.floor(y)
    # age groups: three classes of nearly equal size
    groups = np.searchsorted(np.quantile(y, [1 / 3, 2 / 3]), y)
    return [
        Case("regression", n_samples, y, make),
        Case("regression, target of whole years", n_samples, years, make),
        Case("classification, 3 classes", n_samples, groups, make, classification=True),
        Case("regression, discrete columns", n_samples, y, in_three(make), discrete=True),
        Case(
            "classification, discrete columns",
            n_samples,
            groups,
            in_three(make),
            classification=True,
            discrete=True,
        ),
    ]


def cases_as_they_are():
    """Return the real sites and ages, with the ties that they have."""
    X, y = real_matrix()

    def make(rng, n_columns):
        rounds = -(-n_columns // X.shape[1])
        order = np.concatenate([rng.permutation(X.shape[1]) for _ in range(rounds)])
        return X[:, order[:n_columns]]

    groups = np.searchsorted(np.quantile(y, [1 / 3, 2 / 3]), y)
    return [
        Case("regression, as they are", N_REAL, y, make),
        Case("classification, 3 classes, as they are", N_REAL, groups, make, classification=True),
    ]


def ranked(cases_of_values):
    """Return the same in rank space, where a side is continuous: other scores are the raw ones."""
    return [
        replace(case, name=f"{case.name}, ranks", marginals="rank")
        for case in cases_of_values
        if not (case.classification and case.discrete)
    ]


def made_up_problem(n_samples):
    """Return ages, and columns that follow them more or less closely."""
    y = np.random.default_rng(n_samples).uniform(18, 98, size=n_samples)
    followed = (y - y.mean()) / y.std()

    def make(rng, n_columns):
        strength = rng.random(n_columns, dtype=np.float32) ** 2
        X = rng.standard_normal((n_samples, n_columns), dtype=np.float32)
        X += followed.astype(np.float32)[:, np.newaxis] * strength
        return X

    return y, make


@cache
def real_matrix():
    """Return the blood methylomes, float32 of float16 precision, and the ages of their donors."""
    with h5py.File(DATA / "blood_methylation.h5") as file:
        X, samples = file["data"][:], file["samples"].asstr()[:]
    with open(DATA / "trainmap.csv", newline="", encoding="utf-8") as file:
        ages = {row["sample_id"]: float(row["age"]) for row in csv.DictReader(file)}
    return X, np.array([ages[sample] for sample in samples])


def real_problem():
    """Return the real ages, and columns that are remixed from the real ones.

    Each is a real column under a random monotone map, jittered by the noise of the measurement
    and rounded to float16 as the real ones are, so that it has as many ties.
    """
    X, y = real_matrix()

    def make(rng, n_columns):
        remixed = np.empty((len(X), n_columns), dtype=np.float32)
        for j in range(n_columns):
            power, scale = np.exp(rng.normal(0, 0.3)), rng.uniform(0.6, 1.0)
            column = scale * X[:, rng.integers(X.shape[1])] ** power
            column += rng.normal(0, 0.01, size=len(X))
            remixed[:, j] = column.clip(0, 1).astype(np.float16)
        return remixed

    return y, make


def in_three(make):
    """Cut columns into three values, as genotypes are."""

    def make_discrete(rng, n_columns):
        X = make(rng, n_columns)
        lower, upper = np.quantile(X[:1000], [0.5, 0.85], axis=0).astype(np.float32)
        return (lower < X).astype(np.float32) + (upper < X)

    return make_discrete


KINDS = {
    "continuous": lambda rng, shape: rng.standard_normal(shape),
    "80 distinct values": lambda rng, shape: rng.integers(18, 98, size=shape).astype(float),
    "two values": lambda rng, shape: rng.integers(0, 2, size=shape).astype(float),
}
