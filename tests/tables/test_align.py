"""A matrix meets a table: what is joined, what is left out and counted, and what is refused."""

import re
import warnings

import h5py
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix

import skpar_select
from skpar_select import DroppedSamplesWarning, align, open_matrix
from skpar_select._alignment import (
    AlignmentError,
    MissingIdsError,
    MissingTargetsError,
    UnmatchedSamplesError,
)
from skpar_select.tables import Table

IDS = [f"GSM{number}" for number in range(100, 140)]
AGES = np.arange(40) + 20.5
DROP = {"unmatched": "drop", "missing_targets": "drop"}


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(size=(40, 5))


@pytest.fixture
def X(values, tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["data"], file["samples"] = values, IDS
    return open_matrix(tmp_path / "m.h5", sample_ids="auto")


@pytest.fixture
def pheno():
    """A table as people have it: another order, and columns of every kind."""
    frame = pd.DataFrame(
        {
            "title": [f"blood {number}" for number in range(40)],
            "geo_accession": IDS,
            "age": AGES,
            "sex": ["F", "M"] * 20,
            "batch": [1, 2, 3, 4] * 10,
        }
    )
    return frame.sample(frac=1, random_state=1).reset_index(drop=True)


def aligned(*arguments, says=None, **options):
    """Align, and compare the one warning that it gives, or that it gives none."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        X, y = align(*arguments, **options)
    messages = [str(warning.message) for warning in caught]
    assert messages == ([] if says is None else [says])
    for warning in caught:
        assert warning.category is DroppedSamplesWarning
        assert warning.filename == __file__
    return X, y


def test_align__joins_by_id_in_the_order_of_the_matrix(X, pheno, values):
    got, y = aligned(X, pheno, "age")
    assert got is X
    assert y.dtype == np.float64
    assert y.tolist() == AGES.tolist()


def test_align__of_a_view_keeps_the_order_of_the_view(X, pheno, values):
    rows = np.random.default_rng(3).permutation(40)
    got, y = aligned(X[rows], pheno, "age")
    assert_array_equal(np.asarray(got), values[rows])
    assert_array_equal(y, AGES[rows])


def test_align__takes_a_real_table_in_one_call(X, pheno, values, tmp_path):
    # G2: extra people, missing ages and duplicated rows.
    pheno.loc[pheno["geo_accession"].isin(IDS[:4]), "age"] = np.nan
    extra = pd.DataFrame({"geo_accession": ["GSM900", "GSM901"], "age": [1.0, 2.0]})
    table = pd.concat([pheno, pheno.iloc[5:8], extra])
    table = table[~table["geo_accession"].isin(IDS[-3:])]
    table.to_csv(tmp_path / "pheno.csv", na_rep="NA", index=False)
    n_rows, n_same = len(table), int(table.iloc[:-2].duplicated("geo_accession").sum())
    assert n_same
    file = tmp_path / "pheno.csv"
    got, y = aligned(
        X,
        file,
        "age",
        **DROP,
        says=f"Left out: 2 of {n_rows} rows of '{file}' without a sample in the matrix; 3 samples "
        f"without a row in '{file}'; {n_same} rows of '{file}' that repeat another; 4 samples "
        "without a value in 'age'. 33 of 40 samples are kept.",
    )
    assert list(got.sample_ids) == IDS[4:-3]
    assert_array_equal(np.asarray(got), values[4:-3])
    # What people do by hand.
    by_hand = pd.read_csv(file).dropna(subset="age").drop_duplicates("geo_accession")
    by_hand = by_hand.set_index("geo_accession")["age"]
    assert y.tolist() == by_hand[got.sample_ids].tolist()


def test_align__names_at_each_step_the_parameter_that_helps(X, pheno):
    # G2: the remedies went in a circle.
    pheno.loc[3, "age"] = np.nan
    table = pd.concat([pheno, pheno.iloc[:1].assign(geo_accession="GSM9")])
    with pytest.raises(UnmatchedSamplesError, match=r"holds 1 sample .*unmatched='drop'"):
        align(X, table, "age")
    with pytest.raises(MissingTargetsError, match=r"in 1 row .*missing_targets='drop'"):
        align(X, table, "age", unmatched="drop")
    with pytest.warns(DroppedSamplesWarning):
        align(X, table, "age", unmatched="drop", missing_targets="drop")


def test_align__serves_a_split(X, pheno):
    # G2: read_targets refused the rows of the other half.
    for rows in (np.s_[:25], np.s_[25:]):
        with pytest.warns(DroppedSamplesWarning, match=r"rows of the table without a sample"):
            _, y = align(X[rows], pheno, "age", unmatched="drop")
        assert_array_equal(y, AGES[rows])
    _, y = aligned(
        X,
        pheno,
        "age",
        samples=IDS[:25],
        says="Left out: 15 samples not in samples. 25 of 40 samples are kept.",
    )
    assert_array_equal(y, AGES[:25])


def test_align__misses_no_rows_of_others_than_the_chosen(X, pheno):
    extra = pd.concat([pheno, pheno.iloc[:2].assign(geo_accession=["GSM900", "GSM901"])])
    _, y = aligned(
        X,
        extra,
        "age",
        samples=IDS[:25],
        says="Left out: 15 samples not in samples. 25 of 40 samples are kept.",
    )
    assert_array_equal(y, AGES[:25])
    with pytest.raises(UnmatchedSamplesError, match=r"holds 2 samples \('GSM900', 'GSM901'\)"):
        align(X, extra, "age", exclude_samples=IDS[:25])


def test_align__takes_lists_of_samples_from_files(X, pheno, tmp_path):
    (tmp_path / "keep.txt").write_text("\ufeff" + "\r\n".join([*IDS[10:], "", " GSM101 "]))
    got, y = aligned(
        X,
        pheno,
        "age",
        samples=tmp_path / "keep.txt",
        exclude_samples=(one for one in IDS[12:]),
        says="Left out: 9 samples not in samples; 28 samples in exclude_samples. "
        "3 of 40 samples are kept.",
    )
    assert list(got.sample_ids) == [IDS[1], IDS[10], IDS[11]]
    assert_array_equal(y, AGES[[1, 10, 11]])


def test_align__refuses_ids_of_a_list_that_nobody_has(X, pheno):
    message = (
        r"exclude_samples holds 1 sample \('gsm100'\) .*, as 'gsm100' and 'GSM100'\. unmatched"
    )
    with pytest.raises(UnmatchedSamplesError, match=message):
        align(X, pheno, "age", exclude_samples=["gsm100"])
    aligned(
        X,
        pheno,
        "age",
        exclude_samples=["gsm100"],
        unmatched="drop",
        says="Left out: 1 id of exclude_samples without a sample in the matrix. "
        "40 of 40 samples are kept.",
    )


def test_align__refuses_a_list_that_is_text_or_no_file(X, pheno, tmp_path):
    with pytest.raises(TypeError, match=r"samples='keep\.txt' is text\. .*Put an id in a list"):
        align(X, pheno, "age", samples="keep.txt")
    with pytest.raises(
        FileNotFoundError, match=r"samples: '.*gone' does not exist\. .*Check the path"
    ):
        align(X, pheno, "age", samples=tmp_path / "gone")


def test_align__chooses_rows_by_conditions(X, pheno):
    _, y = aligned(
        X,
        pheno,
        "age",
        where=["sex=F", "age>=40"],
        says="Left out: 30 samples for which where='sex=F' and where='age>=40' does not hold. "
        "10 of 40 samples are kept.",
    )
    assert_array_equal(y, AGES[20::2])


def test_align__chooses_the_visit_before_ids_must_be_unique(X, pheno):
    visits = pd.concat([pheno.assign(visit=1), pheno.assign(visit=2, age=pheno["age"] + 10)])
    message = r"repeats 40 sample ids with different targets .*where of skpar_select\.align"
    with pytest.raises(ValueError, match=message):
        align(X, visits, "age")
    _, y = aligned(X, visits, "age", where="visit=2")
    assert_array_equal(y, AGES + 10)


def test_align__rows_that_a_condition_leaves_out_need_no_sample(X, pheno):
    other = pheno.assign(geo_accession=pheno["geo_accession"] + "b", cohort="B")
    both = pd.concat([pheno.assign(cohort="A"), other])
    aligned(X, both, "age", where="cohort=A")


def test_align__several_targets_keep_samples_that_have_one_of_them(X, pheno):
    pheno = pheno.set_index("geo_accession").loc[IDS].reset_index()
    pheno["bmi"] = 25.0
    pheno.loc[[0, 1], "age"] = np.nan
    pheno.loc[[1, 2], "bmi"] = np.nan
    message = r"column 'age' in 2 rows .*; column 'bmi' in 2 rows \('' in row 2, '' in row 3\)\. "
    with pytest.raises(MissingTargetsError, match=message):
        align(X, pheno, ["age", "bmi"])
    got, y = aligned(
        X,
        pheno,
        ["age", "bmi"],
        missing_targets="drop",
        says="Left out: 1 sample without a value in 'age', 'bmi'. 39 of 40 samples are kept.",
    )
    assert y.shape == (39, 2)
    assert list(got.sample_ids) == [IDS[0], *IDS[2:]]
    assert_array_equal(np.isnan(y[:3]), [[True, False], [False, True], [False, False]])


def test_align__several_targets_of_classes_have_none_where_one_is_missing(X, pheno):
    pheno = pheno.set_index("geo_accession").loc[IDS]
    _, y = aligned(X, pheno, ["sex", "batch"], task="classification")
    assert y.dtype.kind == "U"
    assert y[:2].tolist() == [["F", "1"], ["M", "2"]]
    pheno.loc[IDS[0], "sex"] = "NA"
    _, y = aligned(X, pheno, ["sex", "batch"], task="classification", missing_targets="drop")
    assert y[0].tolist() == [None, "1"]


def test_align__one_target_in_a_list_is_a_column(X, pheno):
    assert aligned(X, pheno, ["age"])[1].shape == (40, 1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (str.lower, r"40 of them would match if upper and lower case did not count, as 'gsm1"),
        (lambda one: one + ".0", r"40 of them would match if '\.0' at the end did not count"),
        (lambda one: " " + one, r"40 of them would match if blanks did not count, as ' GSM1"),
        (lambda one: "q" + one, r"never by position\. Add the ids"),
    ],
)
@pytest.mark.parametrize("options", [{}, DROP])
def test_align__never_matches_what_nearly_matches_and_says_so(X, pheno, change, says, options):
    # F7
    pheno["geo_accession"] = pheno["geo_accession"].map(change)
    message = r"No column of the table holds a sample id of the matrix \('GSM100', .*" + says
    with pytest.raises(AlignmentError, match=message):
        align(X, pheno, "age", **options)
    message = r"lacks 40 samples .*Name the column of the ids as id_column, or write them alike"
    with pytest.raises(UnmatchedSamplesError, match=message):
        align(X, pheno, "age", id_column="geo_accession", **options)


def test_align__says_of_dropped_ids_that_they_nearly_match(X, pheno):
    pheno.loc[pheno["geo_accession"].isin(IDS[:3]), "geo_accession"] = [
        "gsm100",
        "gsm101",
        "gsm102",
    ]
    with pytest.warns(
        DroppedSamplesWarning, match=r"3 of them would match if upper and lower case"
    ):
        align(X, pheno, "age", unmatched="drop")


@pytest.mark.parametrize("as_ids", [np.int64, str, float])
def test_align__compares_integer_ids_as_text(values, as_ids, tmp_path):
    # B3: study numbers as ids.
    numbers = np.arange(1000, 1040)
    order = np.random.default_rng(1).permutation(40)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["data"], file["samples"] = values[order], [str(one) for one in numbers[order]]
    X = open_matrix(tmp_path / "m.h5", sample_ids="auto")
    table = {"id": numbers.astype(as_ids), "age": AGES}
    if as_ids is float:
        with pytest.raises(AlignmentError, match=r"'\.0' at the end .* as '1000\.0' and '1000'"):
            align(X, table, "age")
    else:
        assert_array_equal(align(X, table, "age")[1], AGES[order])


def test_align__asks_which_of_two_columns_holds_the_ids(values, tmp_path):
    # Row numbers beside study numbers: taking the wrong one would join at random.
    X = pd.DataFrame(values, index=np.random.default_rng(0).permutation(40) + 1)
    table = {"row": np.arange(40), "id": np.arange(1, 41)[::-1], "age": AGES}
    message = r"Columns 'id', 'row' of the table all hold sample ids .*Name it as id_column"
    for options in ({}, DROP):
        with pytest.raises(AlignmentError, match=message):
            align(X, table, "age", **options)
    _, y = aligned(X, table, "age", id_column="id")
    assert_array_equal(y, AGES[40 - X.index])


def test_align__asks_where_another_column_nearly_holds_the_ids(values):
    # Row numbers match to the letter, and the ids would after Excel has cut their zeros.
    X = pd.DataFrame(values, index=[str(number) for number in range(1, 41)])
    padded = [f"{number:05d}" for number in range(40, 0, -1)]
    message = r"Columns 'row', 'id' of the table all hold sample ids .*or what is nearly these"
    with pytest.raises(AlignmentError, match=message):
        align(X, {"row": np.arange(1, 41), "id": padded, "age": AGES}, "age")


def test_align__asks_where_few_ids_are_found_by_chance(values):
    X = pd.DataFrame(values, index=np.arange(1990, 2030))
    born = {"name": [f"p{one}" for one in range(40)], "born": np.arange(1960, 2000), "age": AGES}
    message = r"'born' holds most, 10 of 40 ids\. .*If it holds the ids, name it as id_column"
    with pytest.raises(AlignmentError, match=message):
        align(X, born, "age", **DROP)
    with pytest.warns(DroppedSamplesWarning, match="30 samples without a row"):
        align(X, born, "age", id_column="born", **DROP)


@pytest.mark.parametrize("n_rows", [3, 400])
def test_align__finds_the_ids_of_a_few_and_of_many_more(X, n_rows):
    ids = [f"GSM{number}" for number in range(100, 100 + n_rows)]
    with pytest.warns(DroppedSamplesWarning):
        _, y = align(X, {"id": ids, "age": np.arange(n_rows)}, "age", unmatched="drop")
    assert len(y) == min(n_rows, 40)


def test_align__is_not_misled_by_a_property_whose_values_look_like_ids(values):
    X = pd.DataFrame(values, index=np.arange(1, 41))
    years = np.repeat(np.arange(20, 30), 4)
    _, y = aligned(X, {"years": years, "id": np.arange(1, 41), "age": AGES}, "age")
    assert_array_equal(y, AGES)


def test_align__finds_ids_in_the_index_that_pandas_writes(X, pheno, tmp_path):
    pheno.set_index("geo_accession", drop=True).rename_axis(None).to_csv(tmp_path / "obs.csv")
    _, y = aligned(X, tmp_path / "obs.csv", "age")
    assert_array_equal(y, AGES)


def test_align__takes_one_of_two_equal_columns_of_ids(X, pheno):
    aligned(X, pheno.assign(iid=pheno["geo_accession"]), "age")


def test_align__takes_a_frame_whose_index_holds_the_ids(values, pheno):
    frame = pd.DataFrame(values, index=IDS)
    got, y = aligned(
        frame,
        pheno,
        "age",
        where="batch!=3",
        says="Left out: 10 samples for which where='batch!=3' does not hold. "
        "30 of 40 samples are kept.",
    )
    kept = np.arange(40) % 4 != 2
    pd.testing.assert_frame_equal(got, frame[kept])
    assert_array_equal(y, AGES[kept])


@pytest.mark.parametrize("as_matrix", [np.asarray, pd.DataFrame, pl.DataFrame, csr_matrix])
def test_align__refuses_a_matrix_without_ids_unless_told_to_go_by_order(values, pheno, as_matrix):
    matrix = as_matrix(values)
    message = (
        r"X has no sample ids\. .* by id, never by position\. Name .*match='order' \(read_targets"
    )
    with pytest.raises(MissingIdsError, match=message):
        align(matrix, pheno, "age")
    with pytest.raises(MissingIdsError, match=r"samples and exclude_samples are ids"):
        align(matrix, pheno, "age", samples=IDS, match="order")
    with pytest.raises(ValueError, match=r"has 39 rows, the matrix 40 samples\. .*match='id'"):
        align(matrix, pheno[1:], "age", match="order")
    got, y = aligned(matrix, pheno, "age", match="order")
    assert got is matrix
    assert_array_equal(y, pheno["age"])
    pheno.loc[3, "age"] = np.nan
    got, y = aligned(
        matrix,
        pheno,
        "age",
        match="order",
        where="sex=F",
        missing_targets="drop",
        says="Left out: 20 samples for which where does not hold; 1 sample without a value in "
        "'age'. 19 of 40 samples are kept."
        if pheno.loc[3, "sex"] == "F"
        else "Left out: 20 samples for which where does not hold. 20 of 40 samples are kept.",
    )
    kept = (pheno["sex"] == "F") & pheno["age"].notna()
    assert got.shape == (kept.sum(), 5)
    assert_array_equal(y, pheno.loc[kept, "age"])


@pytest.mark.parametrize("backed", [False, True])
def test_align__takes_an_anndata_for_both(backed, tmp_path):
    # G5, G6
    anndata = pytest.importorskip("anndata")
    values = np.arange(12, dtype=np.float32).reshape(4, 3)
    kind = pd.Categorical(["T", "B", None, "T"])
    obs = pd.DataFrame({"kind": kind}, index=[f"c{row}" for row in range(4)])
    anndata.AnnData(values, obs=obs).write_h5ad(tmp_path / "a.h5ad")
    adata = anndata.read_h5ad(tmp_path / "a.h5ad", backed="r" if backed else None)
    got, y = aligned(
        adata,
        adata,
        "kind",
        task="classification",
        missing_targets="drop",
        says="Left out: 1 sample without a value in 'kind'. 3 of 4 samples are kept.",
    )
    assert_array_equal(np.asarray(got), values[[0, 1, 3]])
    assert list(got.sample_ids) == ["c0", "c1", "c3"]
    assert y.tolist() == ["T", "B", "T"]


def naive_align(ids, table):
    """Join by looking at every row for every sample; None where it must be refused."""
    samples, y = [], []
    for one in ids:
        targets = {target for name, target, sex in table if name == one and sex == "F"}
        if len(targets) > 1:
            return None
        for target in targets - {None}:
            samples.append(one)
            y.append(target)
    return (samples, y) if samples else None


ROW = st.tuples(
    st.sampled_from("abcdefg"), st.sampled_from([None, 1.0, 2.5]), st.sampled_from("FM")
)


@given(ids=st.permutations("abcde"), table=st.lists(ROW, min_size=1, max_size=12))
def test_align__agrees_with_a_naive_twin(ids, table):
    X = pd.DataFrame(np.arange(5.0), index=ids)
    names, targets, sexes = zip(*table, strict=True)
    frame = pd.DataFrame({"name": names, "y": targets, "sex": sexes}).astype({"y": float})
    expected = naive_align(ids, table)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DroppedSamplesWarning)
        try:
            got, y = align(X, frame, "y", id_column="name", where="sex=F", **DROP)
        except ValueError:
            assert expected is None
        else:
            assert (list(got.index), y.tolist()) == expected
            assert_array_equal(got[0], X.loc[list(got.index), 0])


def test_align__refuses_a_path_for_a_matrix(pheno):
    with pytest.raises(TypeError, match=r"X='m\.h5' is a path\. .*open_matrix\('m\.h5'\)"):
        align("m.h5", pheno, "age")


@pytest.mark.parametrize("word", ["unmatched", "missing_targets", "match", "task"])
def test_align__refuses_an_unknown_choice(X, pheno, word):
    with pytest.raises(ValueError, match=rf"{word}='maybe' is unknown\. It must be one of '"):
        align(X, pheno, "age", **{word: "maybe"})


def test_align__refuses_to_leave_nothing(X, pheno):
    message = r"No sample of the matrix is left \(40 samples for which .*\)\. .*Loosen samples"
    with pytest.raises(AlignmentError, match=message):
        align(X, pheno, "age", where="age>99")
    pheno["age"] = np.nan
    with pytest.raises(AlignmentError, match=r"left \(40 samples without a value in 'age'\)"):
        align(X, pheno, "age", missing_targets="drop")


def test_align__refuses_a_matrix_that_repeats_an_id(X, pheno):
    with pytest.raises(ValueError, match=r"The matrix repeats 1 sample id \('GSM100'\)\."):
        align(X[[0, 0, 1]], pheno, "age", unmatched="drop")


def test_align__refuses_values_only_of_rows_that_count(X, pheno):
    pheno["age"] = pheno["age"].astype(object)
    pheno.loc[4, "age"] = "unknown"
    message = r"holds 1 value .*'unknown' in row 5\)\. .*such as where='age!=unknown', or use"
    with pytest.raises(ValueError, match=message) as error:
        align(X, pheno, "age")
    where = re.search(r"where='(.*?)'", str(error.value))[1]
    with pytest.warns(DroppedSamplesWarning):
        _, y = align(X, pheno, "age", where=where)
    assert len(y) == 39


def test_align__reads_nothing_of_the_matrix(X, pheno, tmp_path):
    list(X.sample_ids)
    (tmp_path / "m.h5").unlink()
    aligned(X, pheno, "age")


def test_align__takes_a_table_that_was_opened_once(X, pheno, tmp_path):
    pheno.to_csv(tmp_path / "p.csv", index=False)
    table = Table(tmp_path / "p.csv")
    (tmp_path / "p.csv").unlink()
    assert_array_equal(aligned(X, table, "age")[1], AGES)
    assert_array_equal(aligned(X, table, "batch")[1], [1, 2, 3, 4] * 10)


def test_align__is_public():
    assert skpar_select.align is align
    assert issubclass(DroppedSamplesWarning, UserWarning)


@pytest.mark.parametrize("option", [{"unmatched": "drop"}, {"id_column": "GSM"}])
def test_align__by_order_looks_at_no_ids(X, pheno, option):
    with pytest.raises(ValueError, match=r"match='order'\. Rows that are joined by position all"):
        align(X, pheno, "age", match="order", **option)
