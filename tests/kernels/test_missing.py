"""Columns with gaps: each is scored, to the last bit, as its complete cases alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kinds import KINDS, adjacent, block_of_kinds, continuous_target, discrete_target, score

from skpar_select.kernels import NonFiniteColumnError, mutual_information

PREPARE = {"continuous": continuous_target, "discrete": discrete_target}
LABELS = {
    "halves": lambda rng, n: rng.integers(0, 2, size=n),
    "rare class": lambda rng, n: (rng.random(n) < 0.05).astype(int),
    "pairs": lambda rng, n: rng.permutation(np.arange(n) // 2),
    "many of unequal size": lambda rng, n: rng.geometric(0.3, size=n),
    "some alone": lambda rng, n: np.where(
        rng.random(n) < 0.3, np.arange(n) + 2, rng.random(n) < 0.5
    ),
    "all alone": lambda rng, n: rng.permutation(n),
    "ages": lambda rng, n: rng.integers(18, 98, size=n),
}
SIZES = [2, 3, 5, 8, 9, 17, 40, 64, 200]


def with_gaps(rng, block, share):
    """Return a copy with NaN in a share of the values, anew in each column."""
    return np.where(rng.random(block.shape) < share, np.nan, block)


def with_every_share_of_gaps(rng, block):
    """Return the block without a gap, with some, with many, and with little else."""
    return np.column_stack([with_gaps(rng, block, share) for share in (0.0, 0.02, 0.3, 0.8, 0.97)])


def complete_cases(block, y, prepare, *, discrete, n_neighbors=3, seed=0, min_observed=0):
    """The twin: each column is scored alone, on the samples where it is there."""
    scores, counts = [], []
    for j in range(block.shape[1]):
        keep = ~np.isnan(block[:, j])
        count = int(keep.sum())
        counts.append(count)
        of_classes = discrete and prepare is discrete_target
        fewest = 2 if of_classes else n_neighbors + 1
        if count < max(2, fewest, min_observed):
            scores.append(np.nan)
            continue
        k = min(n_neighbors, count - 1)
        target = prepare(y[keep], k, seed)
        scores.append(score(block[keep][:, [j]], target, discrete=discrete, first_column=j)[0])
    return np.array(scores), np.array(counts)


def score_observed(block, targets, *, discrete=False, min_observed=0):
    """Score a block with gaps; give the scores and the numbers of samples that are there."""
    width = block.shape[1]
    scored = mutual_information(
        block,
        targets,
        columns=adjacent(0, width),
        discrete=np.broadcast_to(discrete, width),
        min_observed=min_observed,
    )
    return scored.scores, scored.n_observed


def assert_is_the_twin(block, y, prepare, *, discrete, n_neighbors=3, seed=0, min_observed=0):
    target = prepare(y, n_neighbors, seed)
    scores, counts = score_observed(block, [target], discrete=discrete, min_observed=min_observed)
    expected, expected_counts = complete_cases(
        block,
        y,
        prepare,
        discrete=discrete,
        n_neighbors=n_neighbors,
        seed=seed,
        min_observed=min_observed,
    )
    np.testing.assert_array_equal(counts, expected_counts)
    np.testing.assert_array_equal(scores[0], expected)


def neighbors_of(n_samples):
    return sorted({k for k in (1, 3, 9, n_samples - 1) if 1 <= k < n_samples})


def assert_columns_of_all_kinds_are_the_twin(rng, y, prepare):
    columns = np.column_stack([block_of_kinds(rng, len(y)), y])
    labels = np.column_stack([make(rng, len(y)) for make in LABELS.values()])
    for k in neighbors_of(len(y)):
        block = with_every_share_of_gaps(rng, columns)
        assert_is_the_twin(block, y, prepare, discrete=False, n_neighbors=k, seed=k)
        block = with_every_share_of_gaps(rng, np.column_stack([labels, columns]))
        assert_is_the_twin(block, y, prepare, discrete=True, n_neighbors=k, seed=k)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_samples", SIZES)
def test_continuous_targets_of_all_kinds__are_the_twin(kind, n_samples):
    rng = np.random.default_rng([n_samples, list(KINDS).index(kind)])
    y = KINDS[kind](rng, n_samples)
    assert_columns_of_all_kinds_are_the_twin(rng, y, continuous_target)


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("n_samples", SIZES)
def test_discrete_targets_of_all_kinds__are_the_twin(labels, n_samples):
    rng = np.random.default_rng([n_samples, list(LABELS).index(labels)])
    y = LABELS[labels](rng, n_samples)
    assert_columns_of_all_kinds_are_the_twin(rng, y, discrete_target)


@pytest.mark.parametrize("prepare", PREPARE.values(), ids=PREPARE)
@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize("kind", ["normal", "ages", "zero_inflated", "lattice", "cauchy"])
def test_thousands_of_samples__are_the_twin(prepare, discrete, kind):
    rng = np.random.default_rng(5)
    n = 3_000
    y = KINDS[kind](rng, n)
    block = with_gaps(rng, block_of_kinds(rng, n), 0.02)
    block[:, ::3] = with_gaps(rng, block[:, ::3], 0.2)
    assert_is_the_twin(block, y.round(), prepare, discrete=discrete)
    assert_is_the_twin(block, y, prepare, discrete=discrete)


@pytest.mark.parametrize("prepare", PREPARE.values(), ids=PREPARE)
@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g", ">f4", "O"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_dtype_and_order__is_the_twin(prepare, discrete, dtype, order):
    rng = np.random.default_rng(3)
    block = with_every_share_of_gaps(rng, (20 * rng.normal(size=(70, 5))).round())
    y = rng.integers(0, 9, size=70)
    expected, counts = complete_cases(block, y, prepare, discrete=discrete)
    views = block.astype(dtype, order=order), np.repeat(block.astype(dtype), 2, axis=0)[::2]
    for view in (*views, views[0][::-1].copy()[::-1]):
        scores, n_observed = score_observed(view, [prepare(y)], discrete=discrete)
        np.testing.assert_array_equal(scores[0], expected)
        np.testing.assert_array_equal(n_observed, counts)


@pytest.mark.parametrize("prepare", PREPARE.values(), ids=PREPARE)
@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize("dtype", ["i1", "u8", "?"])
def test_integers__have_no_gaps(prepare, discrete, dtype):
    rng = np.random.default_rng(3)
    block, target = rng.integers(0, 2, (50, 4)).astype(dtype), prepare(rng.integers(0, 4, 50))
    scores, n_observed = score_observed(block, [target], discrete=discrete)
    np.testing.assert_array_equal(scores[0], score(block, target, discrete=discrete))
    assert n_observed.tolist() == [50] * 4


@given(
    st.lists(
        st.tuples(st.integers(-2, 2), st.sampled_from([0.0, 1.0, 2.5, np.nan])),
        min_size=2,
        max_size=40,
    ),
    st.integers(1, 39),
    st.sampled_from(list(PREPARE)),
    st.booleans(),
)
def test_classes_that_vanish_or_shrink__are_the_twin(pairs, n_neighbors, kind, discrete):
    y, x = np.array(pairs, dtype=float).T
    assert_is_the_twin(
        x[:, np.newaxis],
        y,
        PREPARE[kind],
        discrete=discrete,
        n_neighbors=min(n_neighbors, len(y) - 1),
    )


@given(st.data())
def test_spreads_that_a_gap_changes__are_the_twin(data):
    # An outlier that is missing makes a tie of others, which the noise had ordered, a spread.
    n = data.draw(st.integers(4, 60))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    sizes = st.sampled_from([0.0, 1e-13, 1e-10, 1e-9, 1e-7, 1.0, 1e6])
    y = rng.normal(size=n) * data.draw(sizes) + rng.integers(0, 3, size=n) * data.draw(sizes)
    y[0] += data.draw(sizes)
    x = np.where(rng.random((n, 4)) < 0.2, np.nan, rng.normal(size=(n, 4)))
    x[0, :2] = np.nan
    for discrete in (False, True):
        assert_is_the_twin(x.round(1), y, continuous_target, discrete=discrete, n_neighbors=1)


@pytest.mark.parametrize("discrete", [False, True])
def test_order_that_a_missing_outlier_turns_over__is_the_twin(discrete):
    # Beside the outlier the others differ by less than the noise, which orders them; without it, by more.
    rng = np.random.default_rng(5)
    n = 700
    y = np.where(np.arange(n) == 3, 1e6, 1e-6 * rng.normal(size=n))
    block = rng.normal(size=(n, 3)).round(1)
    block[3] = np.nan
    block[3, 2] = 0.0
    block[5, 2] = np.nan
    assert_is_the_twin(block, y, continuous_target, discrete=discrete)


@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize("n_distinct", [2, 30, 350])
def test_ties_of_any_size__are_the_twin(discrete, n_distinct):
    rng = np.random.default_rng(5)
    n = 700
    block = with_every_share_of_gaps(rng, rng.integers(0, 40, (n, 6)).astype(float))
    y = rng.integers(0, n_distinct, n) / 7
    assert_is_the_twin(block, y, continuous_target, discrete=discrete)
    assert_is_the_twin(block, y, discrete_target, discrete=discrete)


@pytest.mark.parametrize("prepare", PREPARE.values(), ids=PREPARE)
@pytest.mark.parametrize("discrete", [False, True])
def test_number_observed__decides_between_a_score_and_nan(prepare, discrete):
    rng = np.random.default_rng(3)
    n, k = 20, 5
    y = rng.integers(0, 3, size=n)
    # column m has m values
    block = np.where(np.arange(n)[:, np.newaxis] < np.arange(n + 1), rng.random((n, n + 1)), np.nan)
    block = block.round(1)
    needed = 2 if discrete and prepare is discrete_target else k + 1
    for min_observed in (0, 1, 2, k, k + 1, 10, n, n + 1, 2**40):
        scores, counts = score_observed(
            block, [prepare(y, k)], discrete=discrete, min_observed=min_observed
        )
        np.testing.assert_array_equal(counts, np.arange(n + 1))
        np.testing.assert_array_equal(np.isnan(scores[0]), counts < max(needed, min_observed))


@pytest.mark.parametrize("prepare", PREPARE.values(), ids=PREPARE)
@pytest.mark.parametrize("discrete", [False, True])
def test_columns_without_a_gap__have_the_bits_of_a_call_without_gaps(prepare, discrete):
    rng = np.random.default_rng(3)
    X, y = block_of_kinds(rng, 200), rng.integers(0, 9, size=200)
    target = prepare(y)
    between = with_gaps(rng, X, 0.1)
    between[:, ::2] = X[:, ::2]
    scores, _ = score_observed(between, [target], discrete=discrete)
    np.testing.assert_array_equal(scores[0, ::2], score(X, target, discrete=discrete)[::2])


@pytest.mark.parametrize("prepare", PREPARE.values(), ids=PREPARE)
@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize("bad", [np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_infinity__is_refused_beside_gaps_too(prepare, discrete, bad, dtype):
    rng = np.random.default_rng(3)
    block = with_gaps(rng, rng.normal(size=(40, 9)), 0.1).astype(dtype)
    block[7, 4] = bad
    block[8, 6] = bad
    with pytest.raises(NonFiniteColumnError) as caught:
        score_observed(block, [prepare(rng.integers(0, 3, 40))], discrete=discrete)
    assert (caught.value.position, caught.value.column) == (4, 4)


@pytest.mark.parametrize("prepare", PREPARE.values(), ids=PREPARE)
@pytest.mark.parametrize("discrete", [False, True])
def test_nan_where_none_may_be_missing__is_refused(prepare, discrete):
    block = np.arange(30.0).reshape(10, 3)
    block[4, 1] = np.nan
    with pytest.raises(NonFiniteColumnError, match="column 1 holds NaN or infinity"):
        score(block, prepare(np.arange(10) % 3), discrete=discrete)


def test_negative_number_observed__is_refused():
    with pytest.raises(ValueError, match=r"min_observed=-1 is no number of samples\. Give 0"):
        score_observed(np.zeros((9, 2)), [continuous_target(np.arange(9))], min_observed=-1)


@pytest.mark.parametrize("prepare", PREPARE.values(), ids=PREPARE)
@pytest.mark.parametrize("discrete", [False, True])
def test_constant_columns__score_exactly_zero(prepare, discrete):
    rng = np.random.default_rng(3)
    values = [0.0, 0.1, -1e300, 1e-310, 1e12 + 0.1]
    block = np.tile(values, (50, 1))
    y = rng.integers(0, 9, size=50)
    for n_samples in (4, 5, 9, 50):
        target = prepare(y[:n_samples])
        assert (score(block[:n_samples], target, discrete=discrete) == 0.0).all()
        scores, _ = score_observed(
            with_gaps(rng, block[:n_samples], 0.2), [target], discrete=discrete
        )
        assert ((scores == 0.0) | np.isnan(scores)).all()
    assert (scores == 0.0).all()
    # constant but for what is missing
    block[:, 1] = np.where(np.arange(50) % 2, np.nan, 7.0)
    assert score_observed(block, [prepare(y)], discrete=discrete)[0][0, 1] == 0.0


def test_spread_below_rounding__scores_exactly_zero():
    x = np.where(np.arange(100) % 2, 1.0, 1.0 + 2**-52)[:, np.newaxis]
    y = np.arange(100) % 4
    assert score(x, continuous_target(y)) == 0.0
    assert score(x, discrete_target(y)) == 0.0
    # classes are equal values, and these are not
    assert score(x, discrete_target(y), discrete=True) > 0.5


@pytest.mark.parametrize("prepare", PREPARE.values(), ids=PREPARE)
@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize("n_samples", [4, 9, 200])
def test_constant_target__scores_exactly_zero(prepare, discrete, n_samples):
    rng = np.random.default_rng(3)
    X = block_of_kinds(rng, n_samples)
    assert (score(X, prepare(np.full(n_samples, 0.1)), discrete=discrete) == 0.0).all()
    # a target that is constant where the column is there
    y = np.where(np.arange(n_samples) < 4, 0.1, rng.random(n_samples))
    X[4:] = np.nan
    scores, _ = score_observed(X, [prepare(y)], discrete=discrete)
    assert (scores == 0.0).all()


def test_constant_target__still_refuses_what_is_not_finite():
    block = np.ones((9, 2))
    block[2, 1] = np.nan
    with pytest.raises(NonFiniteColumnError):
        score(block, continuous_target(np.ones(9)))
