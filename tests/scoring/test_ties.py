"""Equal values lie apart afterwards, in the given order, and all others in theirs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from skpar_select.kernels import ranks
from skpar_select.scoring._ties import spread_ties

COLUMNS = arrays(
    np.float64,
    st.integers(2, 40),
    elements=st.sampled_from([-1.0, 0.0, 1e-9, 0.5, 0.6, 3.0, 100.0]),
)


def ranks_of(column, seed=0):
    return ranks(column[:, np.newaxis], seed=seed, columns=[0])[:, 0]


@given(COLUMNS)
def test_values__are_in_the_order_of_the_ranks(column):
    order = ranks_of(column)
    got = spread_ties(column, order)
    ascending = np.empty_like(got)
    ascending[order] = got
    if len(np.unique(column)) > 1:
        assert (np.diff(ascending) > 0).all()
    else:
        assert_array_equal(got, column)


def test_values_without_ties__stay_as_they_are():
    column = np.random.default_rng(0).normal(size=20)
    assert spread_ties(column, ranks_of(column)) is column


def test_rounded_values__stay_within_their_rounding():
    column = np.random.default_rng(0).normal(size=2000).round(1)
    got = spread_ties(column, ranks_of(column))
    middle = np.abs(column) < 1.5
    assert_array_equal(got[middle].round(1), column[middle])


def test_many_zeros__get_room_by_their_share():
    rng = np.random.default_rng(0)
    column = np.where(rng.random(1000) < 0.6, 0.0, rng.lognormal(size=1000))
    got = spread_ties(column, ranks_of(column))
    zeros = column == 0
    width = np.ptp(got[zeros])
    assert width == pytest.approx(zeros.mean() * column.std(), rel=0.05)
    moved = got[~zeros] - column[~zeros]
    assert_allclose(moved, moved[0], rtol=1e-12)
    assert got[~zeros].min() > got[zeros].max()


def test_places_within_a_tie__are_even_and_random():
    column = np.repeat([0.0, 1.0], 500)
    first, second = (spread_ties(column, ranks_of(column, seed)) for seed in (0, 1))
    assert_allclose(np.sort(first), (np.arange(1000) + 0.5) / 500 - 0.5)
    assert abs(np.corrcoef(first[:500], second[:500])[0, 1]) < 0.2
    assert abs(np.corrcoef(first[:500], np.arange(500))[0, 1]) < 0.2
