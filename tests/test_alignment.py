"""Rows matched by sample id: every permutation is inverted, every id without a partner reported."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skpar_select._alignment import align_ids, repeated

IDS = st.lists(st.text(max_size=4), unique=True, max_size=20)


def align(held, reference):
    return align_ids(held, reference, held_by="'ages.csv'", reference_by="the matrix")


@given(ids=IDS, data=st.data())
def test_align_ids__inverts_every_permutation(ids, data):
    order = data.draw(st.permutations(range(len(ids))))
    positions = align([ids[index] for index in order], ids)
    assert positions.dtype == np.intp
    assert positions.shape == (len(ids),)
    np.testing.assert_array_equal(np.array(order, dtype=np.intp)[positions], range(len(ids)))


@pytest.mark.parametrize("as_ids", [list, tuple, np.array, lambda ids: np.array(ids, dtype=object)])
def test_align_ids__takes_sequences_and_arrays(as_ids):
    held, reference = as_ids(["c", "a", "b"]), as_ids(["a", "b", "c"])
    assert align(held, reference).tolist() == [1, 2, 0]


def test_align_ids__leaves_its_input_alone():
    held, reference = np.array(["b", "a"]), np.array(["a", "b"])
    held.flags.writeable = reference.flags.writeable = False
    assert align(held, reference).tolist() == [1, 0]


def test_align_ids__compares_ids_as_they_are():
    with pytest.raises(ValueError, match=r"lacks 1 sample \('a'\) .* holds 1 sample \('A'\)"):
        align(["A"], ["a"])


@given(ids=IDS.filter(len), data=st.data())
def test_align_ids__refuses_any_id_that_one_side_lacks(ids, data):
    alone = data.draw(st.sampled_from(ids))
    others = [name for name in ids if name != alone]
    shown = re.escape(repr(alone))
    with pytest.raises(
        ValueError, match=rf"^'ages\.csv' lacks 1 sample \({shown}\) of the matrix\."
    ):
        align(others, ids)
    message = rf"^'ages\.csv' holds 1 sample \({shown}\) that the matrix lacks\."
    with pytest.raises(ValueError, match=message):
        align(ids, others)


@given(ids=IDS.filter(len), data=st.data())
def test_align_ids__refuses_any_repeated_id(ids, data):
    twice = data.draw(st.sampled_from(ids))
    longer = [*ids, twice]
    shown = re.escape(repr(twice))
    with pytest.raises(ValueError, match=rf"^'ages\.csv' repeats 1 sample id \({shown}\)\."):
        align(longer, ids)
    with pytest.raises(ValueError, match=rf"^the matrix repeats 1 sample id \({shown}\)\."):
        align(ids, longer)
    with pytest.raises(ValueError, match=rf"repeats 1 sample id \({shown}\)\."):
        align(longer, longer)


@pytest.mark.parametrize(
    ("held", "reference", "message"),
    [
        (
            ["a"],
            ["a", "b"],
            "'ages.csv' lacks 1 sample ('b') of the matrix. Both must hold the same sample ids. "
            "Drop the rows that have no partner, or take the ids from another column or dataset.",
        ),
        (
            [f"q{index}" for index in range(5)],
            [f"s{index}" for index in range(4)],
            "'ages.csv' lacks 4 samples ('s0', 's1', 's2' and 1 more) of the matrix and holds "
            "5 samples ('q0', 'q1', 'q2' and 2 more) that the matrix lacks. Both must hold the "
            "same sample ids. Drop the rows that have no partner, or take the ids from another "
            "column or dataset.",
        ),
        (
            ["a", "b", "a", "b"],
            ["a", "b"],
            "'ages.csv' repeats 2 sample ids ('a', 'b'). Rows are matched by sample id, so each "
            "must occur once. Remove or rename the repeated rows.",
        ),
        (
            ["a"],
            [],
            "'ages.csv' holds 1 sample ('a') that the matrix lacks. Both must hold the same sample "
            "ids. Drop the rows that have no partner, or take the ids from another column or "
            "dataset.",
        ),
    ],
)
def test_align_ids__names_value_rule_and_remedy(held, reference, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        align(held, reference)


@given(st.lists(st.sampled_from("abcde")))
def test_repeated__lists_what_counting_finds(names):
    expected = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    assert repeated(names) == expected
    assert repeated(np.array(names, dtype=object)) == expected
