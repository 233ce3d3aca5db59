"""Conditions on a table: numbers as numbers, text as text, and nothing compared that cannot be."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skpar_select.tables import Table
from skpar_select.tables._where import conditions_of, rows_where

TABLE = Table(
    {
        "sex": ["F", "M", "F", "NA", "m"],
        "age": ["9", "10", "nan", "18.0", "40"],
        "batch": [1, 2, 3, 3, 1],
        "site": ["01", "1", "A", "B", "1.0"],
        "seen": ["2020-01-31", "2021-05-01", "", "2019-12-31", "2020-02-01"],
        "smoker": pd.array([True, False, None, True, True], dtype="boolean"),
        "dose>5": ["x", "y", "x", "y", "x"],
        "when": ["baseline", "a=b", "it's", "NA", "x y"],
    }
)


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("sex=F", [0, 2]),
        ("sex==F", [0, 2]),
        (" sex  =  F ", [0, 2]),
        ("sex='F'", [0, 2]),
        ("sex!=F", [1, 4]),
        ("age>=10", [1, 3, 4]),
        ("age<10", [0]),
        ("age=18", [3]),
        ("age!=18", [0, 1, 4]),
        ("age>1e1", [3, 4]),
        ("age=NA", [2]),
        ("age!=", [0, 1, 3, 4]),
        ("sex!=NA", [0, 1, 2, 4]),
        ("batch!=3", [0, 1, 4]),
        ("batch=3.0", [2, 3]),
        ("site=1", [0, 1, 4]),
        ("site='1'", [1]),
        ("site=A", [2]),
        ("site!=1", [2, 3]),
        ("seen>=2020-01-31", [0, 1, 4]),
        ("seen<2020-02", [0, 3]),
        ("smoker=true", [0, 3, 4]),
        ("smoker=False", [1]),
        ("smoker!=TRUE", [1]),
        ("smoker=1", [0, 3, 4]),
        ("dose>5=x", [0, 2, 4]),
        ("when=a=b", [1]),
        ("when=it's", [2]),
        ("when=x y", [4]),
        (["sex=F", "age>5"], [0]),
        (np.array(["sex=F", "age>5"]), [0]),
        ([], [0, 1, 2, 3, 4]),
        (None, [0, 1, 2, 3, 4]),
    ],
)
def test_rows_where__a_condition_holds(condition, rows):
    holds = rows_where(TABLE, conditions_of(condition), 5)
    assert np.flatnonzero(holds).tolist() == rows


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (
            "sex",
            r"where='sex' is no condition\. .* ==, !=, <=, >=, =, <, >, and a value, as in 'age",
        ),
        ("Sex=F", r"no column 'Sex'\. In where='Sex=F' the column .*Did you mean 'sex'\?"),
        ("=F", r"no column ''\."),
        (
            "sex=female",
            r"where='sex=female' holds in no row of the table\. .*holds \('F', 'M', .*Name",
        ),
        ("sex=f", r"Did you mean 'F'\?"),
        (
            "sex>3",
            r"compares numbers with text: 4 cells such as 'F' in row 1, .*repair these cells",
        ),
        ("age>old", r"compares numbers with text: 4 cells such as '9' in row 1"),
        ("site>=1", r"compares numbers with text: 2 cells such as 'A' in row 3, 'B' in row 4\."),
        ("age>NA", r"compares with 'NA', which stands for a missing value\. .*Write = or !="),
    ],
)
def test_rows_where__says_what_is_wrong(condition, message):
    with pytest.raises(ValueError, match=message):
        rows_where(TABLE, [condition], 5)


def test_rows_where__takes_the_decimal_sign_of_the_table_or_a_point():
    table = Table(io.StringIO("id;age\na;1,5\nb;2,5\n"))
    for condition in ("age>2", "age=2,5", "age=2.5"):
        assert rows_where(table, [condition], 2).tolist() == [False, True]


@given(
    numbers=st.lists(st.floats(-5, 5).map(lambda x: round(x, 1)), min_size=1, max_size=20),
    border=st.floats(-5, 5).map(lambda x: round(x, 1)),
)
@pytest.mark.parametrize("as_cells", [np.array, lambda xs: [repr(x) for x in xs]])
def test_rows_where__compares_numbers_as_python_does(as_cells, numbers, border):
    table = Table({"x": as_cells(numbers)})
    for sign, naive in (
        ("<", float.__lt__),
        ("<=", float.__le__),
        (">", float.__gt__),
        (">=", float.__ge__),
        ("!=", float.__ne__),
    ):
        holds = rows_where(table, [f"x{sign}{border!r}"], len(numbers))
        assert holds.tolist() == [naive(x, border) for x in numbers]


def test_conditions__that_hold_in_other_rows_each_are_said_so():
    with pytest.raises(ValueError, match=r"Each holds in some; leave one out\.") as error:
        rows_where(TABLE, ["sex=F", "sex=M"], 5)
    assert "Did you mean" not in str(error.value)


@pytest.mark.parametrize(("sign", "rows"), [("=", [1]), ("!=", [0, 2])])
@pytest.mark.parametrize("as_text", [str, int])
def test_where__tells_long_numbers_apart(sign, rows, as_text):
    # As float64 the first two are equal.
    table = Table({"id": [as_text(one) for one in (2**53, 2**53 + 1, 7)]})
    assert np.flatnonzero(rows_where(table, [f"id{sign}{2**53 + 1}"], 3)).tolist() == rows
