"""Rows matched by sample id: every permutation is inverted, every id without a partner reported."""

import re

import h5py
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skpar_select import (
    DroppedSamplesWarning,
    ParallelMutualInfoSelector,
    mutual_info_regression,
    open_matrix,
)
from skpar_select import align as join
from skpar_select._alignment import align_ids, aligned_target, id_text, near_match, repeated

IDS = st.lists(st.text(max_size=4), unique=True, max_size=20)


in_another_order = pytest.mark.filterwarnings("ignore:y was put into the order:UserWarning")


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


@pytest.mark.parametrize(
    ("held", "reference", "says"),
    [
        (
            ["gsm1", "gsm2"],
            ["GSM1", "GSM2"],
            "2 of them .* upper and lower case .*'gsm1' and 'GSM1'",
        ),
        (["1000.0"], ["1000"], r"1 of them .* '\.0' at the end .* '1000\.0' and '1000'"),
        (["1"], ["0001"], "1 of them .* zeros at the beginning .* '1' and '0001'"),
        (["a b", "c "], ["ab", "c"], "2 of them .* blanks .* 'a b' and 'ab'"),
        (["X12.3.b"], ["12-3 b"], "1 of them .* what R makes of names .* 'X12.3.b' and '12-3 b'"),
        (["gsm001 "], ["GSM001"], "1 of them .* case, blanks, .* as 'gsm001 ' and 'GSM001'"),
        (["007.0"], ["7"], "1 of them .* zeros at the beginning did not count, as '007.0' and '7'"),
    ],
)
def test_near_match__names_the_rule_and_a_pair(held, reference, says):
    assert re.match(says, near_match(held, reference))
    assert re.search("did not count", near_match(reference, held))


def test_near_match__is_nothing_where_nothing_is_near():
    assert near_match(["a", "10"], ["b", "100", "0"]) == ""
    assert near_match([], ["a"]) == near_match(["a"], []) == ""


def test_align_ids__says_what_nearly_matches():
    with pytest.raises(ValueError, match=r"1 of them would match if upper .* 'A' and 'a'\. Drop"):
        align(["A"], ["a"])


def test_id_text__of_what_ids_are():
    assert [id_text(one) for one in ("a", b"b", 3, np.int64(4), np.str_("e"))] == list("ab34e")


SAMPLES = np.array(["s0", "s1", "s2", "s3"], dtype=object)


def target(*index, as_y=pd.Series):
    return as_y(np.arange(float(len(index))), index=list(index))


@pytest.mark.parametrize("as_y", [pd.Series, pd.DataFrame])
def test_aligned_target__puts_the_ids_into_the_order_of_the_matrix(as_y):
    # B7: it was taken by position.
    y = target("s2", "s0", "s3", "s1", as_y=as_y)
    got = aligned_target(y, lambda: SAMPLES)
    assert type(got) is as_y
    assert list(got.index) == list(SAMPLES)
    assert got.to_numpy().ravel().tolist() == [1, 3, 0, 2]
    assert list(y.index) == ["s2", "s0", "s3", "s1"]


@pytest.mark.parametrize(
    "y",
    [
        target(*SAMPLES),
        pd.Series([1.0, 2, 3, 4]),
        pd.Series([1.0, 2, 3, 4])[[2, 0, 3, 1]],
        pd.Series([1.0, 2], index=pd.MultiIndex.from_tuples([("s0", 1), ("s1", 1)])),
        pl.Series([1.0, 2, 3, 4]),
        np.arange(4.0),
        [1, 2, 3, 4],
        None,
    ],
)
def test_aligned_target__takes_the_rest_by_position(y):
    assert aligned_target(y, lambda: SAMPLES) is y
    assert aligned_target(y, lambda: None) is y


def test_aligned_target__refuses_names_that_are_no_ids():
    message = r"names \('S0', 'S1', 'S2'\), of which none is a sample id.*case.*y\.to_numpy\(\)"
    with pytest.raises(ValueError, match=message):
        aligned_target(target("S0", "S1", "S2"), lambda: np.array(["s0", "s1", "s2"]))


def test_aligned_target__compares_integers_as_text():
    y = target(1002, 1000, 1001)
    assert aligned_target(y, lambda: np.array(["1000", "1001", "1002"])).tolist() == [1, 2, 0]


def never():
    raise AssertionError("ids are read where no index may hold them")


@pytest.mark.parametrize(
    ("ids", "index", "says"),
    [
        (["1000", "1001"], [1001.0, 1000.0], "'.0' at the end"),
        (["0001", "0002"], [2, 1], "zeros at the beginning"),
    ],
)
def test_aligned_target__refuses_numbers_that_are_nearly_ids(ids, index, says):
    y = pd.Series([1.0, 2.0], index=index)
    with pytest.raises(ValueError, match=f"2 of them would match if {says} did not count"):
        aligned_target(y, lambda: np.array(ids, dtype=object))


def test_aligned_target__takes_a_default_index_by_position_whatever_the_ids():
    # The matrix may have the ids 2, 0, 1.
    y = pd.Series([5.0, 6, 7])
    assert aligned_target(y, never) is y


@pytest.mark.parametrize(
    ("index", "says"),
    [
        (["s1", "s0"], r"holds 2 of the 4 sample ids of the matrix\."),
        (["s0", "s1", "s2", "q"], r"holds 3 of the 4 sample ids of the matrix, and 1 other\."),
        (
            ["s3", "s2", "s1", "s0", "q"],
            r"holds 4 of the 4 sample ids of the matrix, and 1 other\.",
        ),
    ],
)
@pytest.mark.parametrize("as_y", [pd.Series, pd.DataFrame])
def test_aligned_target__refuses_some_of_the_ids_and_names_what_helps(index, says, as_y, tmp_path):
    y = target(*index, as_y=as_y)
    with pytest.raises(ValueError, match=f"^The index of y {says} .*to_numpy") as error:
        aligned_target(y, lambda: SAMPLES)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["data"], file["samples"] = np.eye(4), SAMPLES.tolist()
    call = re.search(r"skpar_select\.(align.*\))\. Pass", str(error.value))[1]
    X = open_matrix(tmp_path / "m.h5", sample_ids="auto")
    with pytest.warns(DroppedSamplesWarning):
        got, joined = eval(call, {"align": join, "X": X, "y": y})
    assert joined.ravel().tolist() == [
        y.to_numpy().ravel()[index.index(one)] for one in got.sample_ids
    ]


def test_aligned_target__refuses_ids_that_repeat_in_another_order():
    y = target("s0", "s0", "s1", "s2", "s3")
    repeats = np.array(["s0", "s0", "s1", "s2", "s3"])
    assert aligned_target(y, lambda: repeats) is y
    with pytest.raises(ValueError, match=r"repeat 1 sample id \('s0'\), .*Remove the repeated"):
        aligned_target(y, lambda: repeats[::-1])


@in_another_order
def test_functions__put_a_target_into_the_order_of_a_file_too(tmp_path):
    rng = np.random.default_rng(0)
    X, ids = rng.normal(size=(60, 2)), np.array([f"s{number}" for number in range(60)])
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["data"], file["samples"] = X, ids.tolist()
    matrix = open_matrix(tmp_path / "m.h5")
    y = pd.Series(X[:, 1], index=ids)
    shuffled = y.sample(frac=1, random_state=0)
    scores = [mutual_info_regression(matrix, given, random_state=0) for given in (y, shuffled)]
    np.testing.assert_array_equal(scores[0], scores[1])
    with pytest.raises(ValueError, match="The index of y holds 59 of the 60 sample ids"):
        mutual_info_regression(matrix, shuffled[1:])


class Registry(pd.Series):
    """What other packages derive from pandas."""

    @property
    def _constructor(self):
        return Registry


def test_aligned_target__knows_what_derives_from_pandas():
    y = Registry([10.0, 11.0, 12.0, 13.0], index=["s2", "s0", "s3", "s1"])
    got = aligned_target(y, lambda: SAMPLES)
    np.testing.assert_array_equal(got, [11.0, 13.0, 10.0, 12.0])


@pytest.mark.parametrize("as_y", [pd.Index, pd.Categorical, pd.array])
def test_aligned_target__takes_arrays_of_pandas_by_position(as_y):
    y = as_y([1.0, 2.0, 2.0, 1.0])
    assert aligned_target(y, never) is y


def opened(holder, tmp_path):
    values = np.random.default_rng(0).normal(size=(8, 3))
    ids = [f"s{row}" for row in range(8)]
    if holder == "anndata":
        ad = pytest.importorskip("anndata")
        return ad.AnnData(values, obs=pd.DataFrame(index=ids)), values, ids
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["data"], file["samples"] = values, ids
    return open_matrix(tmp_path / "m.h5"), values, ids


@in_another_order
@pytest.mark.parametrize("holder", ["file", "anndata"])
def test_target_of_pandas__is_aligned_wherever_it_is_scored(holder, tmp_path):
    # An AnnData in memory took it by position.
    X, values, ids = opened(holder, tmp_path)
    y = pd.Series(np.arange(8.0), index=ids)
    shuffled = y.sample(frac=1, random_state=1)
    expected = mutual_info_regression(values, y, random_state=0)
    assert mutual_info_regression(X, shuffled, random_state=0).tolist() == expected.tolist()
    fitted = ParallelMutualInfoSelector(k=1, random_state=0).fit(X, shuffled)
    assert fitted.scores_.tolist() == expected.tolist()


def test_target_of_pandas__in_another_order_is_refused_in_a_fold(tmp_path):
    # In order and in reverse order, the halves of the two share no sample.
    X, _, ids = opened("file", tmp_path)
    y = pd.Series(np.arange(8.0), index=ids)[::-1]
    with pytest.raises(ValueError, match=r"none of the 4 sample ids .*, and 4 of other rows"):
        ParallelMutualInfoSelector(k=1).fit(X[:4], y.iloc[:4])
