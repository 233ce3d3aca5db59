"""Selections of rows and columns: cut into extents, composed, and found within rows of a file."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skpar_select.matrices.io._selection import (
    Extent,
    as_slice,
    ascending,
    compose,
    cross,
    extents,
    is_contiguous,
    max_per_chunk,
    n_spanned,
    overlapping,
    rows_within,
    scatter,
)

LENGTH = 40


@st.composite
def indices(draw, length=LENGTH):
    """A range or an array of places below a length."""
    if draw(st.booleans()):
        places = st.integers(0, length - 1)
        return np.array(draw(st.lists(places, max_size=30)), dtype=np.intp)
    keys = st.slices(length)
    return range(length)[draw(keys)]


@given(index=indices())
def test_as_slice__selects_the_same(index):
    assert_array_equal(np.arange(LENGTH)[as_slice(index)], np.asarray(index, dtype=np.intp))
    assert isinstance(as_slice(index), slice) == isinstance(index, range)


@given(data=st.data(), index=indices())
def test_compose__is_the_selection_of_the_selection(data, index):
    selected = data.draw(indices(len(index))) if len(index) else range(0)
    got = compose(index, selected)
    expected = np.asarray(index, dtype=np.intp)[np.asarray(selected, dtype=np.intp)]
    assert_array_equal(np.asarray(got, dtype=np.intp), expected)
    both = isinstance(index, range) and isinstance(selected, range)
    assert isinstance(got, range) == both


def test_compose__of_ranges_needs_no_memory():
    assert compose(range(0, 10**15, 3), range(10**14, 0, -7)) == range(3 * 10**14, 0, -21)


@pytest.mark.parametrize(
    ("index", "contiguous"),
    [
        (range(3, 9), True),
        (range(0), True),
        (range(3, 9, 2), False),
        (range(9, 3, -1), False),
        (np.arange(3, 9), False),
    ],
)
def test_is_contiguous__is_a_range_of_step_1(index, contiguous):
    assert is_contiguous(index) is contiguous


@given(index=indices(), near=st.integers(0, 12), widest=st.integers(1, 50))
def test_extents__hold_every_selected_place_once(index, near, widest):
    places = np.asarray(index, dtype=np.intp)
    got = np.full(len(places), -1)
    last = -1
    for extent in extents(index, near=near, widest=widest):
        # In the order of the file, and within a multiple of the widest.
        assert extent.source.start > last
        last = extent.source.stop - 1
        assert extent.source.start // widest == last // widest
        assert extent.width == last + 1 - extent.source.start
        values = np.arange(LENGTH)[extent.source]
        got[extent.destination] = values if extent.selection is None else values[extent.selection]
        assert_array_equal(
            np.arange(LENGTH)[extent.within(extent.source.start)], got[extent.destination]
        )
    assert_array_equal(got, places)


def test_extents__join_what_is_near():
    index = np.array([30, 2, 5, 4, 20])
    sources = [extent.source for extent in extents(index, near=3, widest=100)]
    assert sources == [slice(2, 6), slice(20, 21), slice(30, 31)]
    sources = [extent.source for extent in extents(index, near=15, widest=100)]
    assert sources == [slice(2, 31)]
    sources = [extent.source for extent in extents(range(3, 12), near=1, widest=5)]
    assert sources == [slice(3, 5), slice(5, 10), slice(10, 12)]


@given(index=indices())
def test_ascending__is_a_stable_order(index):
    order, ordered = ascending(index)
    places = np.asarray(index, dtype=np.intp)
    assert_array_equal(places[order], ordered)
    assert_array_equal(ordered, np.sort(places))
    for first, second in itertools.pairwise(range(len(order))):
        assert ordered[first] < ordered[second] or order[first] < order[second]


@given(rows=indices(), start=st.integers(0, LENGTH), stop=st.integers(0, LENGTH))
def test_rows_within__finds_every_sample_whose_row_lies_there(rows, start, stop):
    samples, places = rows_within(rows, start, stop)
    stored = np.asarray(rows, dtype=np.intp)
    index = np.asarray(samples, dtype=np.intp)
    # One sample for each row, in the order of the file.
    inside = stored[(stored >= start) & (stored < stop)]
    assert_array_equal(stored[index], np.unique(inside))
    # Read once and scattered, they are all samples whose row lies between the two.
    assert places.width == len(index)
    out = np.full(len(stored), -1)
    values = stored[index]
    out[places.destination] = values if places.selection is None else values[places.selection]
    assert_array_equal(out, np.where((stored >= start) & (stored < stop), stored, -1))


def test_rows_within__of_a_range_is_a_range():
    assert rows_within(range(5, 30), 10, 20) == (
        range(5, 15),
        Extent(slice(0, 10), slice(5, 15)),
    )
    assert rows_within(range(5, 30), 0, 8) == (range(3), Extent(slice(0, 3), slice(0, 3)))
    samples, places = rows_within(range(5, 30), 30, 40)
    assert len(samples) == places.width == 0


def test_rows_within__of_adjacent_samples_needs_no_index():
    samples, places = rows_within(np.array([9, 3, 4, 5, 20]), 3, 6)
    assert_array_equal(samples, [1, 2, 3])
    assert places == Extent(slice(0, 3), slice(1, 4))


def test_rows_within__reads_a_repeated_row_once():
    samples, places = rows_within(np.array([7, 3, 7, 7, 3, 1]), 3, 8)
    assert_array_equal(samples, [1, 0])
    assert_array_equal(places.destination, [1, 4, 0, 2, 3])
    assert_array_equal(places.selection, [0, 0, 1, 1, 1])


@pytest.mark.parametrize("length", [1, 2, 5, 8, 100])
def test_overlapping__chunks_of_a_range_are_those_of_its_array(length):
    for start, stop, step in itertools.product((0, 3, 16), (0, 4, 17, 40), (-9, -2, -1, 1, 3, 8)):
        rows = range(start, stop, step)
        held = overlapping(np.array(rows, dtype=np.intp), length)
        assert list(held) == sorted({row // length for row in rows})
        assert list(np.arange(100)[overlapping(rows, length)]) == list(held)
        most = max((sum(row // length == band for row in rows) for band in held), default=0)
        bound = max_per_chunk(rows, length)
        assert most <= bound <= min(len(rows), -(-length // abs(step)))
        assert max_per_chunk(np.array(rows, dtype=np.intp), length) == most


@given(index=indices(), length=st.integers(1, 6), more=st.integers(0, 9))
def test_n_spanned__counts_the_chunks_of_what_is_joined(index, length, more):
    near = length + more
    once = sorted(set(map(int, index)))
    read = {position // length for position in once}
    for first, second in itertools.pairwise(once):
        if second - first <= near:
            read |= {position // length for position in range(first, second)}
    assert n_spanned(index, near=near, length=length) == len(read)


def test_max_per_chunk__counts_a_repeated_place_once():
    assert max_per_chunk(np.array([3, 3, 3, 4, 9]), 5) == 2
    assert max_per_chunk(np.array([], dtype=np.intp), 5) == 0


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (Extent(slice(2, 5), slice(4, 7)), Extent(slice(0, 4), slice(1, 5))),
        (
            Extent(slice(2, 5), np.array([6, 0, 3, 1]), np.array([0, 2, 0, 1])),
            Extent(slice(0, 4), slice(1, 5)),
        ),
        (
            Extent(slice(2, 5), np.array([6, 0, 3, 1]), np.array([0, 2, 0, 1])),
            Extent(slice(0, 4), np.array([8, 2]), np.array([3, 1])),
        ),
    ],
)
@pytest.mark.parametrize("at", [(0, 0), (1, 2)])
def test_scatter__copies_what_is_selected_to_its_place(rows, columns, at):
    values = np.random.default_rng(0).normal(size=(5, 7))
    out = np.zeros((9, 9))
    scatter(values, rows, columns, out, at=at)
    from_rows, from_columns = (
        first + (np.arange(extent.width) if extent.selection is None else extent.selection)
        for extent, first in zip((rows, columns), at, strict=True)
    )
    expected = np.zeros((9, 9))
    to_rows, to_columns = np.arange(9)[rows.destination], np.arange(9)[columns.destination]
    expected[np.ix_(to_rows, to_columns)] = values[np.ix_(from_rows, from_columns)]
    assert_array_equal(out, expected)


def test_scatter__copies_a_row_that_is_selected_often_step_by_step():
    # 400,000 copies of one value are more than a step.
    values = np.array([[7.0, 8.0]])
    n_rows = 400_000
    rows = Extent(slice(0, 1), np.arange(n_rows)[::-1], np.zeros(n_rows, np.intp))
    out = np.zeros((n_rows, 2))
    scatter(values, rows, Extent(slice(0, 2), slice(0, 2)), out)
    assert (out == [7, 8]).all()


@pytest.mark.parametrize("rows", [slice(1, 3), np.array([3, 0])], ids=["slice", "array"])
@pytest.mark.parametrize("columns", [slice(0, 2), np.array([1, 1, 0])], ids=["slice", "array"])
def test_cross__is_where_rows_and_columns_cross(rows, columns):
    values = np.arange(20).reshape(4, 5)
    assert_array_equal(values[cross(rows, columns)], values[rows][:, columns])
