"""A checksum of a matrix by its pieces."""

import numpy as np
import pytest

from skpar_select.tables._checksum import Checksum, _spread, sum_of

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


@pytest.mark.parametrize("levels", [(-1, 1), (0, 1, 2)])
@pytest.mark.parametrize("dtype", ["f8", ">f8", "f4", "f2", "i8", "i1", "g"])
def test_sum__tells_few_levels_that_are_exchanged(dtype, levels):
    rng = np.random.default_rng(0)
    values = rng.choice(levels, (60, 50)).astype(dtype)
    expected = whole(values)
    n_told = 0
    for _ in range(300):
        rows, columns = rng.integers(0, 60, 2), rng.integers(0, 50, 2)
        row, column = rng.integers(0, 59), rng.integers(0, 49)
        for first, second in (
            (np.s_[rows[0]], np.s_[rows[1]]),
            (np.s_[:, columns[0]], np.s_[:, columns[1]]),
            (np.s_[row, column], np.s_[row, column + 1]),
            (np.s_[row, column], np.s_[row + 1, column]),
        ):
            wrong = values.copy()
            wrong[first], wrong[second] = values[second], values[first]
            if (wrong != values).any():
                assert whole(wrong) != expected
                n_told += 1
    assert n_told > 700


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "i4", "i2", "i1"])
def test_spread__keeps_usual_values_apart_in_their_low_bits(dtype):
    usual = [0, 1, 2, 3, 4, -1, -2, 100] + [0.5, 0.25, 1 / 3, np.nan, np.inf] * (dtype[0] == "f")
    values = np.array(usual, dtype=dtype)
    numbers = _spread(values.view(f"u{values.itemsize}"))
    differences = (numbers[:, None] ^ numbers)[~np.eye(len(numbers), dtype=bool)]
    assert (differences & np.uint64(0xFFFF)).all()


def test_spread__gives_other_numbers_for_other_words():
    words = np.arange(2**16, dtype=np.uint64)
    for shift in (0, 16, 32, 48):
        assert len(np.unique(_spread(words << np.uint64(shift)))) == 2**16


def test_sum__of_more_than_is_counted_at_a_time(monkeypatch):
    values = matrix("f4", (50, 70))
    expected = whole(values)
    monkeypatch.setattr("skpar_select.tables._checksum._MOST", 32)
    assert whole(values) == expected


def test_sum__of_nothing_is_zero():
    assert whole(np.empty((5, 0))) == whole(np.empty((0, 5))) == 0
