"""Two discrete variables: the mutual information of the observed frequencies."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kinds import KINDS, block_of_kinds, discrete_target, score
from naive import plugin
from sklearn.metrics import mutual_info_score

from skpar_select.kernels import mutual_information

LOG2, LOG3 = np.log(2), np.log(3)


@pytest.fixture
def rng():
    return np.random.default_rng(20240)


def spread(table):
    """The samples of a contingency table, row by row."""
    rows, columns = np.nonzero(table)
    return (np.repeat(side, np.array(table)[rows, columns]) for side in (rows, columns))


# Each sum over cells of n_xy / n * log(n n_xy / (n_x n_y)), by hand.
TABLES = [
    # two equal halves: the label itself, log 2
    ([[5, 0], [0, 5]], LOG2),
    # independent: every ratio is 1
    ([[2, 4], [3, 6]], 0.0),
    # n = 8, both margins 4: cells of 3 have ratio 8*3/16 = 3/2, cells of 1 have 1/2
    ([[3, 1], [1, 3]], 6 / 8 * np.log(3 / 2) - 2 / 8 * LOG2),
    # n = 3, rows 2 and 1, columns 1 and 2: ratios 3*1/(2*1) = 3/2, 3*1/(2*2) = 3/4, 3*1/(1*2) = 3/2
    ([[1, 1], [0, 1]], 2 / 3 * np.log(3 / 2) + 1 / 3 * np.log(3 / 4)),
    # three classes told apart wholly by four columns: the entropy of (1/4, 1/4, 1/2)
    ([[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 1, 3]], 1.5 * LOG2),
    # one row: it tells nothing
    ([[1, 2, 3]], 0.0),
    # one sample in each cell of the diagonal: log n
    (np.eye(3, dtype=int), LOG3),
]


@pytest.mark.parametrize(("table", "expected"), TABLES)
def test_contingency_table__counts_to_its_sum(table, expected):
    # tolerance: tens of terms of rounding 1e-16
    x, y = spread(table)
    (mi,) = score(x.astype(float)[:, np.newaxis], discrete_target(y, 1), discrete=True)
    assert abs(mi - expected) < 1e-14


def test_entropy_of_the_target__is_what_it_tells_of_itself(rng):
    y = rng.integers(0, 6, size=300)
    p = np.unique(y, return_counts=True)[1] / 300
    (mi,) = score(y[:, np.newaxis], discrete_target(y), discrete=True)
    assert abs(mi + (p * np.log(p)).sum()) < 1e-13


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_samples", [2, 3, 8, 9, 65, 200])
def test_all_kinds__are_the_naive_twin_and_scikit_learn(kind, n_samples):
    rng = np.random.default_rng([n_samples, list(KINDS).index(kind)])
    X, y = block_of_kinds(rng, n_samples), KINDS[kind](rng, n_samples)
    y_codes = np.unique(y, return_inverse=True)[1]
    scores = score(X, discrete_target(y, 1), discrete=True)
    for j in range(X.shape[1]):
        codes = np.unique(X[:, j], return_inverse=True)[1]
        assert abs(scores[j] - plugin(X[:, j], y)) < 1e-12
        assert abs(scores[j] - mutual_info_score(codes, y_codes)) < 1e-12


def test_thousands_of_samples__are_scikit_learn(rng):
    x, y = rng.integers(0, 80, size=(2, 20_000))
    (mi,) = score(x[:, np.newaxis], discrete_target(y), discrete=True)
    assert abs(mi - mutual_info_score(x, y)) < 1e-12


@pytest.mark.parametrize(
    "values",
    [
        [0.0, -0.0],  # one class: equal numbers
        [1e308, -1e308],
        [1e308, np.nextafter(1e308, 0)],
        [5e-324, 0.0],
        [1.0, 1.0 + 2**-52],
        [2.0**53, 2.0**53 - 1],
        [1e308, 1.0],
        [1e308, 5e-324],
        [1e308, 1.0, 1.0 + 2**-52],
        [-1.0, 0.0, 1e-20],  # broke once: their distances to the least are rounded
        [-2.0, 0.0, 5e-324, 1.0],
        [-1e308, 0.0, 5e-324],
        [2**-53 - 1, 1.0],  # two apart, as distances round, though less than two
        [2**-53 - 1, 1.0, 0.0],
    ],
    ids=str,
)
def test_classes__are_equal_numbers_however_near_or_far(values):
    n_classes = len(set(values))
    x = np.tile(values, 6)
    label = np.array([sorted(set(values)).index(value) for value in x])
    (mi,) = score(x[:, np.newaxis], discrete_target(label), discrete=True)
    assert abs(mi - np.log(n_classes)) < 1e-14
    x, target = np.append(x, np.nan)[:, np.newaxis], discrete_target(np.append(label, 0))
    options = {"columns": [0], "discrete": [True], "min_observed": 2}
    with_a_gap = mutual_information(x, [target], **options).scores
    assert abs(with_a_gap - np.log(n_classes)) < 1e-14


labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=60)


@given(labels)
def test_two_labellings__obey_the_laws_of_information(pairs):
    x, y = np.array(pairs).T
    joint = 5 * x + y
    scores = score(np.column_stack([x, joint, y]), discrete_target(y, 1), discrete=True)
    (back,) = score(y[:, np.newaxis], discrete_target(x, 1), discrete=True)
    assert abs(scores[0] - back) < 1e-13  # symmetric
    assert scores[0] <= scores[1] + 1e-13  # a refinement tells no less
    assert abs(scores[1] - scores[2]) < 1e-13  # what holds y tells all of it
    assert (scores >= -1e-15).all()  # but for the rounding of the sum


@given(labels, st.randoms(use_true_random=False))
def test_samples_in_another_order_and_other_labels__score_the_same(pairs, random):
    x, y = np.array(pairs).T
    order = random.sample(range(len(x)), len(x))
    (before,) = score(x[:, np.newaxis], discrete_target(y, 1), discrete=True)
    for a, b in ((x[order], y[order]), (-7.5 * x, y), (x, np.array(list("vwxyz"))[y])):
        (after,) = score(a[:, np.newaxis], discrete_target(b, 1), discrete=True)
        assert abs(before - after) < 1e-13


def test_number_of_neighbors_and_noise__do_not_matter(rng):
    X, y = rng.integers(0, 3, size=(40, 5)), rng.integers(0, 3, size=40)
    before = score(X, discrete_target(y, 1), discrete=True)
    for k, seed, first in [(39, 0, 0), (3, 99, 0), (3, 0, 12_345)]:
        after = score(X, discrete_target(y, k, seed), discrete=True, first_column=first)
        np.testing.assert_array_equal(after, before)


def test_naive_twin__is_right_in_whole_numbers():
    # the twin itself, by exact fractions: 2/3 log(3/2) + 1/3 log(3/4)
    terms = [(Fraction(2, 3), Fraction(3, 2)), (Fraction(1, 3), Fraction(3, 4))]
    expected = sum(float(p) * np.log(float(ratio)) for p, ratio in terms)
    assert abs(plugin([0, 0, 1], [0, 1, 1]) - expected) < 1e-15


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_classes__of_integers_beyond_float64_stay_apart(dtype):
    # hashed identifiers are such integers; broke once: 2**60 .. 2**60 + 3 became one class
    label = np.arange(60) % 4
    block = (2**60 + label).astype(dtype)[:, np.newaxis]
    (mi,) = score(block, discrete_target(label), discrete=True)
    assert abs(mi - np.log(4)) < 1e-14
