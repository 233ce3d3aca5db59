"""Columns cut into pieces: wherever a column of chunks ends, and evenly, by arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skpar_select.matrices import Cuts


@st.composite
def columns_of_a_file(draw):
    if draw(st.booleans()):
        return np.array(sorted(draw(st.lists(st.integers(0, 80), max_size=40))), dtype=np.intp)
    return range(draw(st.integers(0, 30)), draw(st.integers(0, 80)), draw(st.integers(1, 14)))


def pieces(columns, width):
    """The positions of the columns that lie in each column of chunks."""
    found = {}
    for position, column in enumerate(columns):
        found.setdefault(int(column) // width, []).append(position)
    return list(found.values())


def n_inside(cuts, chunk_columns):
    """How many pieces begin inside a column of chunks."""
    return len(cuts) - cuts.n_shared(chunk_columns)


@given(columns=columns_of_a_file(), width=st.integers(2, 30), narrow=st.integers(1, 30))
def test_divided__has_the_fewest_pieces_inside_those_of_before(columns, width, narrow):
    chunk_columns = Cuts.at_multiples(columns, width)
    divided = chunk_columns.divided(narrow)
    assert [column for piece in divided for column in piece] == list(range(len(columns)))
    assert divided.widest <= narrow
    needed = sum(-(-len(piece) // narrow) - 1 for piece in chunk_columns)
    assert n_inside(divided, chunk_columns) == needed
    assert needed <= n_inside(Cuts.even(len(columns), narrow), chunk_columns)


@given(columns=columns_of_a_file(), width=st.integers(1, 12), n_joined=st.integers(1, 4))
def test_at_multiples__cuts_where_columns_of_chunks_end(columns, width, n_joined):
    cuts, expected = Cuts.at_multiples(columns, width), pieces(columns, width)
    assert [list(piece) for piece in cuts] == expected
    assert len(cuts) == len(expected)
    assert cuts.widest == max(map(len, expected), default=0)
    joined = cuts.joined(n_joined)
    assert [column for piece in joined for column in piece] == list(range(len(columns)))
    assert joined.widest == max(map(len, joined), default=0)
    assert {piece.start for piece in joined} <= {piece.start for piece in cuts}


@given(columns=columns_of_a_file(), width=st.integers(1, 12), even=st.integers(1, 12))
def test_n_shared__counts_the_pieces_that_begin_together(columns, width, even):
    chunks, blocks = Cuts.at_multiples(columns, width), Cuts.even(len(columns), even)
    shared = {piece.start for piece in chunks} & {piece.start for piece in blocks}
    assert chunks.n_shared(blocks) == blocks.n_shared(chunks) == len(shared)


def test_cuts__of_more_columns_than_memory_holds_are_arithmetic():
    n_columns = 3 * 10**9
    chunks = Cuts.at_multiples(range(5, n_columns), 7)
    assert len(chunks) == -(-n_columns // 7)
    assert chunks.widest == 7
    assert chunks.n_shared(Cuts.even(n_columns - 5, 10**9 + 7)) == 1
    assert len(Cuts.even(n_columns, 1).joined(10)) == 3 * 10**8


def test_cuts__are_equal_where_they_cut_alike():
    assert Cuts.even(9, 3) == Cuts(9, np.array([0, 3, 6]))
    assert Cuts.even(9, 3) != Cuts.even(8, 3)
    assert Cuts.even(9, 3) != (0, 3, 6)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Cuts.even(9, 3))
