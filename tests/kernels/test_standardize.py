"""Columns as the estimators see them: centred, scaled, jittered, from any layout of memory."""

import pickle

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from kinds import (
    KINDS,
    block_of_kinds,
    continuous_target,
    discrete_target,
    score,
    standardize_adjacent,
)
from sklearn.preprocessing import scale

from skpar_select._exact import floats_up_to_shift
from skpar_select.kernels import NonFiniteColumnError, mutual_information, standardize


@pytest.fixture
def rng():
    return np.random.default_rng(20240)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_samples", [2, 3, 7, 8, 9, 16, 100, 1001])
def test_all_kinds__have_the_bits_of_the_naive_twin(kind, n_samples):
    x = KINDS[kind](np.random.default_rng(n_samples), n_samples)
    seen = standardize_adjacent(x[:, np.newaxis], seed=3, first_column=17)[:, 0]
    np.testing.assert_array_equal(seen, naive.standardize(x, seed=3, column=17))


@pytest.mark.parametrize("kind", ["normal", "tied", "two_valued", "lattice", "ages", "float16"])
def test_columns_of_moderate_values__are_those_of_scikit_learn_plus_noise(kind):
    # scikit-learn does not centre; distances do not care. The noise is below 3e-10.
    x = KINDS[kind](np.random.default_rng(4), 500)
    seen = standardize_adjacent(x[:, np.newaxis], seed=0, first_column=0)[:, 0]
    expected = scale(x, with_mean=False)
    np.testing.assert_allclose(seen, expected - expected.mean(), rtol=0, atol=4e-10)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e300, 1e-310, 1e12 + 0.1])
@pytest.mark.parametrize("n_samples", [2, 1000])
def test_constant_column__is_noise_alone(value, n_samples):
    # broke once: the rounding of a sum of 0.1 was scaled up to a deviation of 1
    seen = standardize_adjacent(np.full((n_samples, 1), value), seed=0, first_column=0)[:, 0]
    np.testing.assert_array_equal(seen, 1e-10 * naive.noise(n_samples, seed=0, column=0))


def test_spread_of_few_roundings__has_unit_deviation():
    # broke once, as above: a mean that is off by 0.01 hides a deviation of 0.001
    x = 1e12 + 2.0**-10 * (np.arange(200_000) % 2)
    seen = standardize_adjacent(x[:, np.newaxis], seed=0, first_column=0)[:, 0]
    np.testing.assert_allclose(np.abs(seen), 1, rtol=0, atol=1e-3)


def test_spread_of_one_rounding__still_counts_as_constant():
    x = np.where(np.arange(100) % 2, 1.0, 1.0 + 2**-52)
    seen = standardize_adjacent(x[:, np.newaxis], seed=0, first_column=0)[:, 0]
    assert np.abs(seen).max() < 1e-9


def test_spread_of_one_rounding_at_a_huge_offset__is_noise_alone():
    # broke once: the difference of 1e104 was left as it was
    x = np.full(60, 1e120)
    x[-1] = np.nextafter(1e120, np.inf)
    seen = standardize_adjacent(x[:, np.newaxis], seed=0, first_column=0)[:, 0]
    assert np.abs(seen).max() < 1e-9


@pytest.mark.parametrize("scale", [1e300, 1e-300, 1e-308])
def test_huge_and_tiny_scales__have_unit_deviation(rng, scale):
    x = rng.normal(size=500) * scale
    seen = standardize_adjacent(x[:, np.newaxis], seed=0, first_column=0)[:, 0]
    assert seen.std() == pytest.approx(1, rel=1e-9)
    np.testing.assert_allclose(
        seen, (x / scale - (x / scale).mean()) / (x / scale).std(), atol=1e-9
    )


def test_range_of_all_doubles__is_finite():
    x = np.array([-1.7e308, 0.0, 5e-324, 1.7e308])[:, np.newaxis]
    seen = standardize_adjacent(x, seed=0, first_column=0)
    np.testing.assert_allclose(seen[:, 0], [-np.sqrt(2), 0, 0, np.sqrt(2)], atol=1e-9)


def test_noise__has_mean_0_deviation_1_and_no_repetition():
    # 40,000 draws: four standard errors are 4 / 200 of the mean, 4 / sqrt(2) / 200 of the deviation
    draws = standardize_adjacent(np.zeros((4_000, 10)), seed=0, first_column=0) * 1e10
    assert abs(draws.mean()) < 0.02
    assert abs(draws.std() - 1) < 0.0142
    assert np.abs(draws).max() < 3.0001  # three uniforms
    # correlations of 4,000 pairs stay within five standard errors, 5 / sqrt(4000)
    between = np.corrcoef(draws.T) - np.eye(10)
    assert np.abs(between).max() < 0.08
    assert abs(np.corrcoef(draws[:-1].ravel(), draws[1:].ravel())[0, 1]) < 0.03


def test_noise__is_keyed_by_seed_and_column_alone():
    zeros = np.zeros((50, 6))
    all_six = standardize_adjacent(zeros, seed=9, first_column=100)
    for j in range(6):
        np.testing.assert_array_equal(
            standardize_adjacent(zeros[:, :1], seed=9, first_column=100 + j)[:, 0], all_six[:, j]
        )
    assert (standardize_adjacent(zeros, seed=10, first_column=100) != all_six).any(axis=0).all()
    assert len({column.tobytes() for column in all_six.T}) == 6


def test_noise__of_huge_keys_is_the_naive_twins():
    for seed, column in [(2**64 - 1, 2**64 - 1), (0, 2**63), (2**63, 1)]:
        seen = standardize_adjacent(np.zeros((20, 1)), seed=seed, first_column=column)[:, 0]
        np.testing.assert_array_equal(seen, 1e-10 * naive.noise(20, seed=seed, column=column))


REAL = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]


def layouts(block):
    """Yield views of the same values in every kind of memory."""
    n, p = block.shape
    yield "C", np.ascontiguousarray(block)
    yield "Fortran", np.asfortranarray(block)
    read_only = block.copy()
    read_only.flags.writeable = False
    yield "read-only", read_only
    wide = np.zeros((3 * n, 2 * p), block.dtype)
    wide[1::3, ::2] = block
    yield "strided", wide[1::3, ::2]
    yield "strided Fortran", np.asfortranarray(wide)[1::3, ::2]
    yield "reversed rows", block[::-1].copy()[::-1]
    yield "reversed columns", block[:, ::-1].copy()[:, ::-1]
    yield "reversed both", np.asfortranarray(block[::-1, ::-1])[::-1, ::-1]
    packed = np.zeros(n, np.dtype([("odd", "i1"), ("row", block.dtype, (p,))]))
    packed["row"] = block
    yield "unaligned field", packed["row"]
    raw = np.zeros(block.nbytes + 1, "u1")
    unaligned = raw[1:].view(block.dtype).reshape(n, p)
    unaligned[...] = block
    yield "unaligned", unaligned
    yield "big-endian", block.astype(block.dtype.newbyteorder(">"))
    yield "little-endian", block.astype(block.dtype.newbyteorder("<"))
    yield "subclass", np.ma.masked_array(block.copy()).view(np.matrix)


@pytest.mark.parametrize("dtype", REAL)
def test_any_dtype_and_layout__gives_the_bits_of_its_doubles(rng, dtype):
    block = (rng.normal(size=(37, 13)) * 50).astype("i8").clip(0, 120).astype(dtype)
    doubles = np.ascontiguousarray(block, dtype=float)
    y = rng.normal(size=37)
    of_numbers, of_classes = continuous_target(y), discrete_target(y > 0)
    for name, view in layouts(block):
        before = view.tobytes()
        for target in (of_numbers, of_classes):
            for discrete in (False, True):
                np.testing.assert_array_equal(
                    score(view, target, discrete=discrete, first_column=4),
                    score(doubles, target, discrete=discrete, first_column=4),
                    err_msg=name,
                )
        assert view.tobytes() == before, name


@given(
    hnp.arrays(
        st.sampled_from([np.dtype(d) for d in REAL]),
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=2),
    )
)
def test_any_finite_values__are_seen_as_doubles(block):
    if not np.isfinite(block).all():
        with pytest.raises(ValueError, match="NaN or infinity"):
            standardize_adjacent(block, seed=0, first_column=0)
        return
    seen = standardize_adjacent(block, seed=1, first_column=2)
    assert np.isfinite(seen).all()
    for j in range(block.shape[1]):
        np.testing.assert_array_equal(
            seen[:, j],
            naive.standardize(floats_up_to_shift(block[:, j]), seed=1, column=2 + j),
        )


def test_all_halves__are_read_exactly():
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)][:, np.newaxis]
    np.testing.assert_array_equal(
        standardize_adjacent(halves, seed=0, first_column=0),
        standardize_adjacent(halves.astype(float), seed=0, first_column=0),
    )


@pytest.mark.parametrize("dtype", ["i8", "u8"])
def test_integers_beyond_doubles__round_as_numpy_does(dtype):
    info = np.iinfo(dtype)
    block = np.array([[info.max], [info.min], [info.max - 1], [2**53 + 1], [7]], dtype)
    np.testing.assert_array_equal(
        standardize_adjacent(block, seed=0, first_column=0),
        standardize_adjacent(block.astype(float), seed=0, first_column=0),
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("row", [0, 8, 16])
def test_value_that_is_not_finite__is_told_by_its_column(rng, bad, dtype, row):
    block = rng.normal(size=(17, 11)).astype(dtype)
    block[row, 9] = bad
    y = rng.normal(size=17)
    message = (
        "^column 109 holds NaN or infinity. Values must be finite. "
        "Impute them, or leave the column out.$"
    )
    with pytest.raises(NonFiniteColumnError, match=message) as caught:
        standardize_adjacent(block, seed=0, first_column=100)
    assert (caught.value.position, caught.value.column) == (9, 109)
    for target in (continuous_target(y), discrete_target(y > 0)):
        for discrete in (False, True):
            with pytest.raises(NonFiniteColumnError, match=message) as caught:
                score(block, target, discrete=discrete, first_column=100)
            assert (caught.value.position, caught.value.column) == (9, 109)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("bad", [[3, 4], [4, 3], [11, 0], [17, 2, 16], [18]])
def test_first_column_that_is_not_finite__is_told_whatever_the_kinds(rng, bad, order):
    block = rng.normal(size=(17, 19)).astype(order=order, dtype=float)
    block[5, bad] = np.nan
    columns = rng.permutation(1000)[:19]
    for target in (continuous_target(block[:, 1]), discrete_target(block[:, 1] > 0)):
        for discrete in (np.arange(19) % 2 == 0, np.arange(19) % 2 == 1, np.arange(19) > 9):
            with pytest.raises(NonFiniteColumnError) as caught:
                mutual_information(block, [target], columns=columns, discrete=discrete)
            assert caught.value.position == min(bad)
            assert caught.value.column == columns[min(bad)]


def test_error_of_a_column__is_a_valueerror_that_survives_pickling():
    error = pickle.loads(pickle.dumps(NonFiniteColumnError(3, 2**40)))
    assert isinstance(error, ValueError)
    assert (error.position, error.column) == (3, 2**40)
    assert str(error) == str(NonFiniteColumnError(3, 2**40))


@pytest.mark.parametrize("order", ["C", "F"])
def test_scattered_columns__have_the_bits_of_adjacent_blocks(rng, order):
    X, y = np.asarray(block_of_kinds(rng, 300), order=order), rng.normal(size=300)
    p = X.shape[1]
    columns = rng.permutation(p)
    for target in (continuous_target(y.round(1)), discrete_target(y > 0.5)):
        for discrete in (np.zeros(p, bool), np.ones(p, bool), np.arange(p) % 3 == 0):
            adjacent = score(X, target, discrete=discrete, first_column=0)
            for chosen in (columns, columns[:1], columns[:5], np.arange(p)[::-2]):
                scattered = mutual_information(
                    X[:, chosen], [target], columns=chosen, discrete=discrete[chosen]
                )
                np.testing.assert_array_equal(scattered.scores[0], adjacent[chosen])
    whole = standardize(X, seed=4, columns=np.arange(p))
    np.testing.assert_array_equal(
        standardize(X[:, columns], seed=4, columns=columns), whole[:, columns]
    )


def test_column_of_any_index_and_any_type_of_index__has_the_same_noise(rng):
    zeros = np.zeros((30, 3))
    expected = standardize(zeros, seed=1, columns=[7, 2**31, 2**40])
    for form in (
        np.array([7, 2**31, 2**40]),
        (7, 2**31, 2**40),
        np.array([7, 2**31, 2**40], "u8")[::1],
    ):
        np.testing.assert_array_equal(standardize(zeros, seed=1, columns=form), expected)
    np.testing.assert_array_equal(
        standardize(zeros[:, :1], seed=1, columns=range(7, 8)), expected[:, :1]
    )


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ([0, -1], ValueError, r"columns=-1 is no index\. Count from 0"),
        ([0, 1, 2], ValueError, "one index a column"),
        ([], ValueError, "one index a column"),
        ([0.0, 1.0], TypeError, r"columns of dtype float64 are no indices\. Give integers"),
        ([True, False], TypeError, "columns of dtype bool"),
        ([2**64, 0], TypeError, "columns of dtype object"),
        ([[0, 1]], TypeError, "incompatible function arguments"),
    ],
    ids=str,
)
def test_indices_that_are_none__raise(columns, error, message):
    with pytest.raises(error, match=message):
        standardize(np.zeros((5, 2)), seed=0, columns=columns)


def test_block__is_cut_anywhere_without_a_change(rng):
    X, y = block_of_kinds(rng, 90), rng.normal(size=90)
    p = X.shape[1]
    mask = np.arange(p) % 3 == 0
    for target in (continuous_target(y), discrete_target(y > 0.5)):
        for discrete in (False, True):
            whole = score(X, target, discrete=discrete, first_column=1000)
            for width in (1, 2, 5, 7, 8, 9):
                parts = [
                    score(X[:, i : i + width], target, discrete=discrete, first_column=1000 + i)
                    for i in range(0, p, width)
                ]
                np.testing.assert_array_equal(np.concatenate(parts), whole)
            # kinds mixed in one block: no column touches another
            both = score(X, target, discrete=not discrete, first_column=1000)
            mixed = score(X, target, discrete=mask if discrete else ~mask, first_column=1000)
            np.testing.assert_array_equal(mixed, np.where(mask, whole, both))
