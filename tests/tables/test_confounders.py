"""Strata and covariates of a table: joined as the target is, and as strict."""

import h5py
import numpy as np
import pandas as pd
import pytest

from skpar_select import DroppedSamplesWarning, align
from skpar_select.tables import aligned

IDS = ["a", "b", "c", "d", "e"]
VALUES = np.arange(10.0).reshape(5, 2)


@pytest.fixture
def X():
    return pd.DataFrame(VALUES, index=IDS)


@pytest.fixture
def table():
    """A table in another order than the matrix."""
    return {
        "sample": ["e", "d", "c", "b", "a"],
        "age": [5, 4, 3, 2, 1],
        "weight": [50, 40, 30, 20, 10],
        "sex": ["F", "M", "F", "M", "F"],
        "batch": [2, 2, 1, 1, 1],
        "cells": ["0.5", "0.4", "0.3", "0.2", "0.1"],
    }


def test_aligned__gives_what_a_fit_takes_in_the_order_of_the_matrix(X, table):
    got = aligned(X, table, "age", strata=["sex", "batch"], covariates="cells")
    np.testing.assert_array_equal(got.X, VALUES)
    assert got.y.tolist() == [1, 2, 3, 4, 5]
    assert got.strata.tolist() == [["F", "1"], ["M", "1"], ["F", "1"], ["M", "2"], ["F", "2"]]
    assert got.covariates.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert got.covariates.dtype == np.float64


def test_aligned__of_one_column_gives_a_vector_and_of_a_list_a_column(X, table):
    one = aligned(X, table, "age", strata="sex", covariates=["cells"])
    assert one.strata.tolist() == ["F", "M", "F", "M", "F"]
    assert one.covariates.shape == (5, 1)


def test_aligned__without_either_is_align(X, table):
    got = aligned(X, table, "age")
    of_align = align(X, table, "age")
    np.testing.assert_array_equal(got.X, of_align[0])
    assert got.y.tolist() == of_align[1].tolist()
    assert (got.strata, got.covariates) == (None, None)


def test_aligned__keeps_all_four_together_when_samples_are_left_out(X, table):
    table = {name: cells[1:] for name, cells in table.items()}
    table["sex"][1], table["cells"][2] = None, "NA"
    with pytest.warns(DroppedSamplesWarning) as said:
        got = aligned(
            X,
            table,
            "age",
            strata="sex",
            covariates="cells",
            unmatched="drop",
            missing_targets="drop",
        )
    assert "2 samples without a value in 'sex', 'cells'. 2 of 5 samples are kept." in str(
        said[0].message
    )
    np.testing.assert_array_equal(got.X, VALUES[[0, 3]])
    assert got.y.tolist() == [1, 4]
    assert got.strata.tolist() == ["F", "M"]
    assert got.covariates.tolist() == [0.1, 0.4]


def test_aligned__by_order_takes_the_rows_as_they_are(X, table):
    with pytest.warns(DroppedSamplesWarning, match="2 samples for which where does not hold"):
        got = aligned(X, table, "age", strata="sex", match="order", where="batch=1")
    assert got.y.tolist() == [3, 2, 1]
    assert got.strata.tolist() == ["F", "M", "F"]


def test_aligned__several_targets_need_one_of_them_and_all_confounders(X, table):
    table["age"][0], table["weight"][0], table["weight"][1] = None, None, None
    table["batch"] = [2, 2, 1, 1, None]
    with pytest.warns(DroppedSamplesWarning, match="without a value in 'batch'"):
        got = aligned(X, table, ["age", "weight"], strata="batch", missing_targets="drop")
    np.testing.assert_array_equal(got.y, [[2, 20], [3, 30], [4, np.nan]])
    assert got.strata.tolist() == ["1", "1", "2"]


def test_aligned__classes_stay_text_when_all_that_lack_one_are_left_out(X, table):
    table["sex"][0] = None
    with pytest.warns(DroppedSamplesWarning):
        got = aligned(
            X,
            table,
            "sex",
            covariates="cells",
            task="classification",
            missing_targets="drop",
        )
    assert got.y.dtype.kind == "U"
    assert len(got.covariates) == 4


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strata": "sexe"}, r"no column 'sexe'\. A stratum must be .*Did you mean 'sex'\?"),
        ({"covariates": "cell"}, r"A covariate must be .*Did you mean 'cells'\?"),
        ({"strata": "age"}, r"strata=\['age'\] names the target\. Nothing is left .*Name other"),
        ({"covariates": ["cells", "age"]}, r"covariates=\['age'\] names the target"),
        ({"strata": ["sex", "sex"]}, r"name 'sex' twice\. .*Name it once"),
        ({"strata": "batch", "covariates": "batch"}, r"name 'batch' twice"),
        ({"covariates": "sex"}, r"'sex' of the table holds 5 values that regression on covariates "
         r"cannot use \('F' in row 5, .* or name it with strata, which are labels"),
    ],
)  # fmt: skip
def test_aligned__says_what_is_wrong_with_a_name(X, table, given, message):
    with pytest.raises(ValueError, match=message):
        aligned(X, table, "age", **given)


@pytest.mark.parametrize("cell", ["inf", "-inf", "high", "1_0", "0,5"])
def test_aligned__refuses_a_covariate_that_is_no_finite_number(X, table, cell):
    table["cells"][3] = cell
    with pytest.raises(ValueError, match=rf"holds 1 value .*\('{cell}' in row 4\)"):
        aligned(X, table, "age", covariates="cells", missing_targets="drop")


@pytest.mark.parametrize("which", ["strata", "covariates"])
def test_aligned__refuses_a_missing_value_and_counts_it(X, table, which):
    table["cells"][1:3] = ["NA", ""]
    message = (
        r"A stratum or covariate is missing in the table: column 'cells' in 2 rows \('' in row 3, "
        r"'NA' in row 2\)\. Every sample needs .* missing_targets='drop'"
    )
    with pytest.raises(ValueError, match=message):
        aligned(X, table, "age", **{which: "cells"})


def test_aligned__refuses_rows_of_an_id_that_differ_in_a_stratum_alone(X, table):
    for cells in table.values():
        cells.append(cells[0])
    with pytest.warns(DroppedSamplesWarning, match="1 row of the table that repeats another"):
        aligned(X, table, "age", strata="sex")
    table["sex"][-1] = "M"
    with pytest.raises(ValueError, match=r"different targets, strata or covariates .*'e': 'F'"):
        aligned(X, table, "age", strata="sex")
    with pytest.warns(DroppedSamplesWarning):
        align(X, table, "age")


def test_aligned__asks_where_a_confounder_may_hold_the_ids(X, table):
    table["visit"] = [*table["sample"][:4], "zz"]
    with pytest.raises(ValueError, match="id_column"):
        aligned(X, table, "age", strata="visit")
    got = aligned(X, table, "age", strata="visit", id_column="sample")
    assert got.strata.tolist() == ["zz", "b", "c", "d", "e"]


def test_aligned__lets_the_ids_be_strata_for_the_fit_to_refuse(X, table):
    assert aligned(X, table, "age", strata="sample").strata.tolist() == IDS


def test_aligned__refuses_columns_of_other_lengths(X, tmp_path):
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["sample"], file["age"], file["cells"] = IDS, np.arange(5.0), np.arange(4.0)
    with pytest.raises(ValueError, match=r"covariates=\['cells'\] has 4 rows, the target 5"):
        aligned(X, tmp_path / "t.h5", "age", covariates="cells")


def test_aligned__finds_names_of_odd_characters(X, table):
    odd = "a,\"b']\n[c] \u03a9=1"
    table[odd] = table.pop("cells")
    assert aligned(X, table, "age", covariates=odd).covariates.tolist()[:2] == [0.1, 0.2]
    with pytest.raises(ValueError, match="names the target"):
        aligned(X, table, odd, strata=odd)
