"""Values that are not finite are found in any type, within little memory, and named."""

import pickle
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skpar_select._finite import NonFiniteError, check_finite


def check(values):
    check_finite(values, range(values.shape[1]))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", "g"])
def test_check_finite__finds_one_value_in_any_type(dtype):
    values = np.zeros((50, 40), dtype)
    check(values)
    values[13, 17] = np.nan
    with pytest.raises(ValueError, match="column 17"):
        check(values)


def test_check_finite__takes_an_overflowing_sum_for_what_it_is():
    check(np.full((10, 10), 1e308))
    check(np.full((100, 100), 6e4, np.float16))
    check(np.full((10, 10), 3e38, np.float32))
    check(np.array([[1e308, -1e308] * 4]))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("last", [0, np.nan])
def test_check_finite__needs_little_memory(order, last):
    values = np.zeros((2000, 4000), np.float32, order=order)  # 32 MB
    values[-1, -1] = last
    values[0, 0] = 3e38
    values[1, 0] = 3e38
    tracemalloc.start()
    if last == 0:
        check(values)
    else:
        with pytest.raises(ValueError, match="column 3999"):
            check(values)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A mask of the whole would take 8 MB.
    assert peak < 6e6


def test_check_finite__names_scattered_columns_by_their_index():
    values = np.zeros((4, 3))
    values[:2, 1], values[3, 2] = np.nan, -np.inf
    with pytest.raises(NonFiniteError) as error:
        check_finite(values, np.array([40, 7, 900]))
    assert_array_equal(error.value.columns, [7, 900])
    assert_array_equal(error.value.n_nan, [2, 0])
    assert_array_equal(error.value.n_infinite, [0, 1])


def test_check_finite__looks_at_the_stored_values_of_a_sparse_block():
    values = np.array([[0.0, np.inf, np.nan], [0.0, 0.0, 1.0]])
    with pytest.raises(NonFiniteError) as error:
        check_finite(sparse.csc_array(values), range(5, 8))
    assert str(error.value).startswith(
        "X contains NaN and infinity: 2 values in 2 columns, column 6 (1 infinity), "
        "column 7 (1 NaN). All values must be finite. Replace infinity by NaN"
    )


@pytest.mark.parametrize("values", [np.zeros((0, 3)), np.zeros((3, 0)), np.ones((2, 2), int)])
def test_check_finite__of_nothing_and_of_integers(values):
    check(values)


def test_error__travels_as_numbers_and_is_described_with_names():
    arrays = (np.arange(7), np.ones(7, int), np.zeros(7, int))
    error = pickle.loads(pickle.dumps(NonFiniteError(*arrays)))
    assert isinstance(error, ValueError)
    names = np.array([f"cg{i}" for i in range(7)], dtype=object)
    assert error.described("'x.h5'", names).startswith(
        "'x.h5' contains NaN: 7 values in 7 columns, 'cg0' (1 NaN), 'cg1' (1 NaN), 'cg2' (1 NaN), "
        "'cg3' (1 NaN), 'cg4' (1 NaN) and 2 more. All values must be finite."
    )
