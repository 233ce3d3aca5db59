"""A checksum of a matrix by its pieces."""

import numpy as np
import pytest

from skpar_select.tables._checksum import Checksum, sum_of

DTYPES = ("?", "i1", "u2", "f2", ">f4", "f8", "i8", "g")


def matrix(dtype, shape=(7, 9)):
    return np.random.default_rng(0).integers(0, 99, shape).astype(dtype)


def whole(values):
    return sum_of(values, slice(0, values.shape[0]), slice(0, values.shape[1]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_sum__is_that_of_its_pieces_in_any_order(dtype):
    values, checksum = matrix(dtype), Checksum()
    rows = np.array([5, 0, 6])
    checksum.add(values[1:5, 4:], slice(1, 5), slice(4, 9))
    checksum.add(values[rows][:, 4:], rows, slice(4, 9))
    columns = np.array([3, 1, 0, 2])
    checksum.add(values[:, columns], slice(0, 7), columns)
    assert checksum.value == whole(values)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sum__tells_one_wrong_value_wherever_it_is(dtype):
    values = matrix(dtype)
    expected = whole(values)
    for place in np.ndindex(values.shape):
        wrong = values.copy()
        wrong[place] = not wrong[place]
        assert whole(wrong) != expected


def test_sum__tells_values_that_are_exchanged():
    values = matrix("f8")
    assert whole(values[::-1]) != whole(values)
    assert whole(values[:, ::-1]) != whole(values)
    assert whole(np.zeros((7, 9))) != whole(values)


def test_sum__of_more_than_is_counted_at_a_time(monkeypatch):
    values = matrix("f4", (50, 70))
    expected = whole(values)
    monkeypatch.setattr("skpar_select.tables._checksum._MOST", 32)
    assert whole(values) == expected


def test_sum__of_nothing_is_zero():
    assert whole(np.empty((5, 0))) == whole(np.empty((0, 5))) == 0
