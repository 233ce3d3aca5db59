"""The target, prepared once for all columns."""

import copy
import pickle
import threading
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

from skpar_select.kernels import Target, _kernels

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


PROPERTIES = [
    "n_samples", "discrete", "n_neighbors", "seed", "marginals", "order", "values", "class_start", "digamma", "log"
]  # fmt: skip


def state(target):
    """All that a target tells, in a form that can be compared."""
    told = [getattr(target, name) for name in PROPERTIES]
    return [value.tolist() if isinstance(value, np.ndarray) else value for value in told]


@pytest.mark.parametrize("prepare", [continuous_target, discrete_target])
def test_target__cannot_be_changed(rng, prepare):
    X = block_of_kinds(rng, 40)
    target = prepare(rng.integers(0, 3, size=40))
    before, scores = state(target), score(X, target)
    for name in (*PROPERTIES, "other"):
        with pytest.raises(AttributeError):
            setattr(target, name, getattr(target, name, 1))
        with pytest.raises(AttributeError):
            delattr(target, name)
    for name in PROPERTIES:
        if isinstance(value := getattr(target, name), np.ndarray):
            value.flags.writeable = True  # a copy: nothing of the target is in it
            value[...] = 1
    with pytest.warns(RuntimeWarning, match="already-initialized"), pytest.raises(TypeError):
        target.__init__(np.zeros(40), True, target.digamma, target.log, 1, 0, False)
    with pytest.raises(TypeError):
        type("Mine", (Target,), {})
    assert state(target) == before
    np.testing.assert_array_equal(score(X, target), scores)


@pytest.mark.parametrize("prepare", [continuous_target, discrete_target])
@pytest.mark.parametrize("kind", ["normal", "lattice", "constant", "zero_inflated"])
def test_target__survives_pickling_to_the_last_bit(rng, prepare, kind):
    X, y = block_of_kinds(rng, 400), KINDS[kind](rng, 400)
    target = prepare(y, 3, seed=2**64 - 1)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(target, protocol))
        assert state(again) == state(target)
        for discrete in (False, True):
            np.testing.assert_array_equal(
                score(X, again, discrete=discrete), score(X, target, discrete=discrete)
            )
    assert len(pickle.dumps(target)) < 500 + 24 * 400  # the values and two tables
    assert state(copy.deepcopy(target)) == state(target)


def wrong(array, place, value):
    array = array.copy()
    array[place] = value
    return array


HOSTILE = {
    "values of NaN": {"y": lambda y: wrong(y, 3, np.nan)},
    "values of infinity": {"y": lambda y: wrong(y, 0, -np.inf)},
    "no values": {"y": lambda y: y[:0]},
    "fewer values": {"y": lambda y: y[:-1]},
    "more values": {"y": lambda y: np.append(y, 0.0)},
    "short digamma": {"digamma": lambda table: table[:-1]},
    "long digamma": {"digamma": lambda table: np.append(table, 0.0)},
    "digamma of NaN": {"digamma": lambda table: wrong(table, 9, np.nan)},
    "empty log": {"log": lambda table: table[:0]},
    "huge log": {"log": lambda table: wrong(table, 9, 1e300)},
    "no neighbours": {"n_neighbors": lambda k: 0},
    "negative neighbours": {"n_neighbors": lambda k: -3},
    "too many neighbours": {"n_neighbors": lambda k: 20},
    "very many neighbours": {"n_neighbors": lambda k: 2**40},
    "negative seed": {"seed": lambda seed: -1},
    "seed beyond 64 bits": {"seed": lambda seed: 2**64},
    "values of another type": {"y": lambda y: y.astype("f4")},
    "square values": {"y": lambda y: y.reshape(4, 5)},
    "values that are no array": {"y": lambda y: y.tolist()},
    "a kind that is no bool": {"discrete": lambda discrete: 1},
    "marginals that are no bool": {"ranked": lambda ranked: "rank"},
}


@pytest.mark.parametrize("prepare", [continuous_target, discrete_target])
@pytest.mark.parametrize("changes", HOSTILE.values(), ids=HOSTILE)
def test_hostile_state__is_refused(rng, prepare, changes):
    make, arguments = prepare(rng.integers(0, 3, size=20)).__reduce__()
    assert make is Target
    names = ["y", "discrete", "digamma", "log", "n_neighbors", "seed", "ranked"]
    named = dict(zip(names, arguments, strict=True))
    assert isinstance(Target(**named), Target)
    named |= {name: change(named[name]) for name, change in changes.items()}

    class Hostile:
        def __reduce__(self):
            return make, tuple(named.values())

    with pytest.raises((ValueError, TypeError)):
        pickle.loads(pickle.dumps(Hostile()))


def test_target_that_was_never_made__is_refused():
    empty = Target.__new__(Target)
    columns, results = np.arange(2, dtype=np.uint64), (np.empty((1, 2)), np.empty(2, np.int64))
    with pytest.raises(TypeError, match="that prepare_target made"):
        _kernels.score(
            (empty,), np.zeros((20, 2)), np.zeros(2, bool), columns, None, *results, None
        )


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


def test_ranked_integers_of_any_size__count_by_their_order(rng):
    X, y = rng.normal(size=(60, 4)), rng.integers(0, 30, size=60)
    before = score(X, continuous_target(y.astype(float), marginals="rank"))
    for form in [y, y.astype("u1"), y.astype(">i4"), y + 2**62, y.astype("u8") + 2**63]:
        target = continuous_target(form, marginals="rank")
        np.testing.assert_array_equal(score(X, target), before)


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
        with pytest.raises(ValueError, match="samples"):
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


@pytest.mark.parametrize("prepare", [continuous_target, discrete_target])
def test_thread_that_writes_to_what_a_target_told_or_was_made_of__changes_no_score(rng, prepare):
    blocks = [block_of_kinds(rng, 150) for _ in range(40)]
    y = rng.integers(0, 9, size=150).astype(float)
    target = prepare(y)
    alone = [score(block, target) for block in blocks]
    arguments = target.__reduce__()[1]
    arrays = [y, *(value for value in arguments if isinstance(value, np.ndarray))]
    arrays += [getattr(target, name) for name in PROPERTIES]
    arrays = [array for array in arrays if isinstance(array, np.ndarray)]
    stop = threading.Event()

    def write():
        while not stop.is_set():
            for array in arrays:
                array.flags.writeable = True
                array[...] = rng.integers(0, 99)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda block: score(block, target), blocks))
    finally:
        stop.set()
        writer.join()
    np.testing.assert_array_equal(together, alone)
