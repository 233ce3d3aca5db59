"""The target, prepared once for all columns."""

import dataclasses
import pickle
from concurrent.futures import ThreadPoolExecutor

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kinds import (
    KINDS,
    block_of_kinds,
    continuous_target,
    discrete_target,
    score,
    seen_target,
)
from scipy.special import digamma

TARGET_COLUMN = 2**63  # a column index that no matrix reaches


@pytest.fixture
def rng():
    return np.random.default_rng(20240)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_samples", [2, 3, 9, 100])
def test_continuous_target__is_sorted_and_standardized(kind, n_samples):
    y = KINDS[kind](np.random.default_rng(n_samples), n_samples)
    target = continuous_target(y, 1, seed=6)
    np.testing.assert_array_equal(np.sort(target.order), np.arange(n_samples))
    assert (np.diff(target.values) >= 0).all()
    expected = naive.standardize(y, seed=6, column=TARGET_COLUMN)
    np.testing.assert_array_equal(seen_target(target), expected)
    assert target.class_start is None
    assert target.n_samples == n_samples


@given(st.lists(st.integers(-4, 4), min_size=2, max_size=50))
def test_discrete_target__is_grouped_with_lone_samples_last(labels):
    labels = np.array(labels)
    target = discrete_target(labels, 1)
    np.testing.assert_array_equal(np.sort(target.order), np.arange(len(labels)))
    groups = np.split(labels[target.order], target.class_start[1:-1])
    assert all((group == group[0]).all() for group in groups)
    assert sorted(group[0] for group in groups) == np.unique(labels).tolist()
    alone = [len(group) == 1 for group in groups]
    assert alone == sorted(alone)
    assert target.class_start[0] == 0
    assert target.class_start[-1] == len(labels)
    assert target.values is None


def test_tables__are_functions_of_whole_numbers():
    target = continuous_target(np.arange(50.0))
    counts = np.arange(1, 51)
    np.testing.assert_array_equal(target.digamma[1:], digamma(counts))
    np.testing.assert_array_equal(target.log[1:], np.log(counts))


@pytest.mark.parametrize("prepare", [continuous_target, discrete_target])
def test_target__is_frozen_and_survives_pickling(rng, prepare):
    X, y = block_of_kinds(rng, 40), rng.integers(0, 3, size=40)
    target = prepare(y, 3, seed=8)
    with pytest.raises(dataclasses.FrozenInstanceError):
        target.seed = 1
    copy = pickle.loads(pickle.dumps(target))
    np.testing.assert_array_equal(score(X, copy), score(X, target))


@pytest.mark.parametrize("prepare", [continuous_target, discrete_target])
def test_same_numbers_in_any_form__give_the_same_bits(rng, prepare):
    X, y = rng.normal(size=(60, 4)), rng.integers(0, 5, size=60)
    before = score(X, prepare(y.astype(float)))
    backwards = y[::-1].copy()[::-1]
    forms = [
        y,
        y.tolist(),
        y.astype("i1"),
        y.astype("u8"),
        y.astype("f2"),
        y.astype(">f4"),
        backwards,
    ]
    for form in forms:
        np.testing.assert_array_equal(score(X, prepare(form)), before)


@pytest.mark.parametrize("prepare", [continuous_target, discrete_target])
def test_target__is_never_written_to(rng, prepare):
    y = rng.integers(0, 5, size=60).astype(float)
    y.flags.writeable = False
    score(rng.normal(size=(60, 2)), prepare(y))


def test_labels__are_of_any_sortable_type(rng):
    X, codes = rng.normal(size=(60, 4)), rng.integers(0, 3, size=60)
    expected = score(X, discrete_target(codes))
    days = np.array(["2020-01-01", "2020-01-02", "2020-02-01"], dtype="M8[D]")
    objects = np.array(["a", "b", "c"], dtype=object)
    for names in (np.array(["a", "b", "c"]), objects, days, np.array([b"x", b"y", b"z"])):
        np.testing.assert_array_equal(score(X, discrete_target(names[codes])), expected)


def test_seed__moves_a_score_by_no_more_than_ties_do(rng):
    X, y = rng.normal(size=(200, 4)), rng.normal(size=200)
    scores = [score(X, continuous_target(y, seed=seed)) for seed in range(5)]
    assert np.ptp(scores, axis=0).max() < 1e-12  # tie-free: the noise decides nothing
    tied = [score(X.round(1), continuous_target(y.round(1), seed=seed)) for seed in range(5)]
    assert 0 < np.ptp(tied, axis=0).max() < 0.2


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_continuous_target_that_is_not_finite__raises(bad):
    with pytest.raises(ValueError, match="NaN or infinity"):
        continuous_target([0.0, bad, 1.0, 2.0])


@pytest.mark.parametrize("y", [[], [1.0]])
def test_target_without_two_samples__raises(y):
    with pytest.raises(ValueError, match="at least 2 samples"):
        continuous_target(y)


@pytest.mark.parametrize("n_neighbors", [0, -1, 20, 2**40])
@pytest.mark.parametrize("prepare", [continuous_target, discrete_target])
def test_number_of_neighbors__is_from_1_to_one_less_than_the_samples(rng, prepare, n_neighbors):
    X, y = rng.normal(size=(20, 3)), rng.integers(0, 2, size=20)
    with pytest.raises(ValueError, match="n_neighbors"):
        score(X, prepare(y, n_neighbors))


@pytest.mark.parametrize("prepare", [continuous_target, discrete_target])
def test_block_of_other_length__raises(rng, prepare):
    target = prepare(rng.integers(0, 2, size=20))
    for n_samples in (19, 21, 1):
        with pytest.raises(ValueError, match=r"samples?|order"):
            score(rng.normal(size=(n_samples, 3)), target)


@pytest.mark.parametrize("prepare", [continuous_target, discrete_target])
def test_target__is_shared_by_threads(rng, prepare):
    # 40 calls on 8 threads: scratch that two of them shared would show as another score
    blocks = [block_of_kinds(rng, 150) for _ in range(40)]
    target = prepare(rng.integers(0, 9, size=150))
    alone = [score(block, target) for block in blocks]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda block: score(block, target), blocks))
    np.testing.assert_array_equal(together, alone)
