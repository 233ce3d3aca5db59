"""What the columns of tables hold, by the tables' own word, and categories as numbers."""

import datetime as dt
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal

from skpar_select._validation import check_matrix
from skpar_select.frames import as_frame, discrete_by_dtype, with_codes

DAY = dt.date(2020, 1, 1)
NOON = dt.datetime(2020, 1, 1, 12)
VALUES = [1.0, 2.5]

TIMES = {
    "pandas datetime": pd.DataFrame({"v": VALUES, "bad": pd.date_range("2020", periods=2)}),
    "pandas with a zone": pd.DataFrame(
        {"v": VALUES, "bad": pd.date_range("2020", periods=2, tz="UTC")}
    ),
    "pandas duration": pd.DataFrame({"v": VALUES, "bad": pd.to_timedelta([1, 2], unit="s")}),
    "pandas period": pd.DataFrame({"v": VALUES, "bad": pd.period_range("2020", periods=2)}),
    "pandas objects": pd.DataFrame({"v": VALUES, "bad": pd.Series([DAY, None], dtype=object)}),
    "pandas arrow": pd.DataFrame(
        {"v": VALUES, "bad": pd.array([NOON, None], "timestamp[ns][pyarrow]")}
    ),
    "pandas arrow date": pd.DataFrame(
        {"v": VALUES, "bad": pd.array([DAY, DAY], "date32[pyarrow]")}
    ),
    "pandas categories": pd.DataFrame(
        {"v": VALUES, "bad": pd.Categorical(pd.date_range("2020", periods=2))}
    ),
    "polars date": pl.DataFrame({"v": VALUES, "bad": [DAY, DAY]}),
    "polars datetime": pl.DataFrame({"v": VALUES, "bad": [NOON, None]}),
    "polars duration": pl.DataFrame({"v": VALUES, "bad": [dt.timedelta(1), dt.timedelta(2)]}),
    "polars time": pl.DataFrame({"v": VALUES, "bad": [dt.time(1), dt.time(2)]}),
    "polars objects": pl.DataFrame({"v": VALUES, "bad": pl.Series([DAY, 1], dtype=pl.Object)}),
    "arrow date": pa.table({"v": VALUES, "bad": [DAY, DAY]}),
    "arrow duration alone": pa.table({"bad": pa.array([1, 2], pa.duration("s"))}),
    "arrow time": pa.table({"v": VALUES, "bad": pa.array([1, 2], pa.time32("s"))}),
    "arrow batch": pa.record_batch({"v": VALUES, "bad": pa.array([NOON, NOON])}),
}
TEXTS = {
    "pandas digits": pd.DataFrame({"v": VALUES, "bad": ["01234", "80331"]}),
    "pandas object digits": pd.DataFrame(
        {"v": VALUES, "bad": pd.Series(["01234", "1"], dtype=object)}
    ),
    "pandas text among numbers": pd.DataFrame(
        {"v": VALUES, "bad": pd.Series([1, "2"], dtype=object)}
    ),
    "pandas string": pd.DataFrame({"v": VALUES, "bad": pd.array(["1", None], "string")}),
    "pandas arrow string": pd.DataFrame(
        {"v": VALUES, "bad": pd.array(["1", "2"], pd.ArrowDtype(pa.string()))}
    ),
    "pandas categories": pd.DataFrame({"v": VALUES, "bad": pd.Categorical(["1", "2"])}),
    "pandas bytes": pd.DataFrame({"v": VALUES, "bad": pd.Series([b"1", b"2"], dtype=object)}),
    "polars string": pl.DataFrame({"v": VALUES, "bad": ["1", "2"]}),
    "polars categories": pl.DataFrame(
        {"v": VALUES, "bad": pl.Series(["1", "2"], dtype=pl.Categorical)}
    ),
    "polars enum": pl.DataFrame(
        {"v": VALUES, "bad": pl.Series(["1", "2"], dtype=pl.Enum(["1", "2"]))}
    ),
    "polars objects": pl.DataFrame({"v": VALUES, "bad": pl.Series(["1", 2], dtype=pl.Object)}),
    "arrow string": pa.table({"v": VALUES, "bad": ["1", "2"]}),
    "arrow large string": pa.table({"v": VALUES, "bad": pa.array(["1", "2"], pa.large_string())}),
    "arrow dictionary": pa.table({"v": VALUES, "bad": pa.array(["1", "2"]).dictionary_encode()}),
}
OTHERS = {
    "pandas interval": pd.DataFrame({"v": VALUES, "bad": pd.interval_range(0, periods=2)}),
    "pandas lists": pd.DataFrame({"v": VALUES, "bad": [[1], [2]]}),
    "pandas complex objects": pd.DataFrame({"v": VALUES, "bad": pd.Series([1j, 2], dtype=object)}),
    "polars lists": pl.DataFrame({"v": VALUES, "bad": [[1], [2]]}),
    "polars struct": pl.DataFrame({"v": VALUES, "bad": [{"a": 1}, {"a": 2}]}),
    "arrow lists": pa.table({"v": VALUES, "bad": [[1], [2]]}),
}


@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        pytest.param(frame, fault, id=f"{fault}-{name}")
        for fault, frames in (
            ("1 column of dates or times: 'bad'", TIMES),
            ("1 text column: 'bad'", TEXTS),
            ("1 column of neither numbers nor text: 'bad'", OTHERS),
        )
        for name, frame in frames.items()
    ],
)
def test_columns__that_are_no_numbers_are_refused_whoever_made_the_table(frame, fault):
    with pytest.raises(ValueError, match=rf"^X has {fault}\. All columns must be numbers") as error:
        check_matrix(frame)
    # A notebook shows every link of a chain of errors, and NumPy's are long.
    assert error.value.__cause__ is None
    assert error.value.__context__ is None or error.value.__suppress_context__


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, None], dtype=object),
        pd.Series([True, pd.NA], dtype=object),
        pd.Series([Decimal(1), np.float32("nan")], dtype=object),
        pd.array([1, None], "Int8"),
        pd.array([True, None], "boolean"),
        pd.array([1, None], "int64[pyarrow]"),
        pd.array([Decimal(1), None], pd.ArrowDtype(pa.decimal128(5, 2))),
        pd.Categorical([1, None]),
        pl.Series([1, None]),
        pl.Series([True, None]),
        pl.Series([Decimal(1), None]),
        pl.Series([1, None], dtype=pl.Object),
        pa.array([1, None]),
        pa.array([True, None]),
        pa.array([Decimal(1), None]),
    ],
    ids=lambda column: (
        f"{type(column).__module__.split('.')[0]}-{column.type if isinstance(column, pa.Array) else column.dtype}"
    ),
)
def test_columns__of_numbers_with_nulls_are_floats_with_nan(column):
    if isinstance(column, pl.Series):
        frame = pl.DataFrame({"v": VALUES, "ok": column})
    elif isinstance(column, pa.Array):
        frame = pa.table({"v": VALUES, "ok": column})
    else:
        frame = pd.DataFrame({"v": VALUES, "ok": column})
    checked = check_matrix(frame)
    assert checked.dtype == np.float64
    assert_array_equal(checked, [[1.0, 1.0], [2.5, np.nan]])


def test_faults__are_told_all_at_once():
    frame = pd.DataFrame(
        {
            "sex": ["f", "m"],
            "born": pd.date_range("2020", periods=2),
            "died": pd.date_range("2021", periods=2),
            "age": [np.nan, 2.0],
            "bin": pd.interval_range(0, periods=2),
            "mass": [1.0, 2.0],
        }
    )
    with pytest.raises(ValueError, match="X has") as error:
        check_matrix(frame)
    assert str(error.value) == (
        "X has 1 text column: 'sex'; 2 columns of dates or times: 'born', 'died'; 1 column of "
        "neither numbers nor text: 'bin'; 1 column with missing values: 'age'. All columns must be "
        "numbers. Leave these out or encode text, with sklearn.preprocessing.OrdinalEncoder for "
        "example, or as a type of categories that discrete_features='from_dtype' takes; make dates "
        "and times numbers, such as days since a date; take the numbers from "
        "other objects (to float() an argument must be a string or a real number); fill what "
        "misses, or say by `missing` of the selector what becomes of it."
    )


def test_names__that_repeat_are_told_in_a_line():
    for frame in (
        pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"]),
        pa.Table.from_arrays([pa.array([1])] * 3, ["a", "b", "a"]),
    ):
        with pytest.raises(ValueError, match=r"1 column name more than once: 'a'\. .*Rename"):
            check_matrix(frame)


def test_frame__without_columns():
    with pytest.raises(ValueError, match=r"X has shape \(3, 0\)\. At least one sample"):
        check_matrix(pd.DataFrame(index=range(3)))


def test_frame__that_is_not_computed_yet():
    with pytest.raises(TypeError, match=r"LazyFrame of polars.*collect\(\)"):
        check_matrix(pl.LazyFrame({"a": VALUES}))


def test_frame__of_a_derived_class_is_known():
    class MyFrame(pd.DataFrame):
        pass

    assert as_frame(MyFrame({"a": VALUES})).names == ["a"]


TEXT = ["b", None, "a", "b"]


def categories(make):
    return {
        "pandas": lambda: pd.DataFrame(
            {
                "text": pd.Categorical(TEXT, categories=["c", "b", "a"]),
                "value": [1.0, 2.0, 3.0, 4.0],
                "flag": [True, False, True, False],
                "nullable": pd.array([True, None, True, False], "boolean"),
            }
        ),
        "pandas of arrow": lambda: pd.DataFrame(
            {
                "text": pd.array(TEXT, pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))),
                "value": [1.0, 2.0, 3.0, 4.0],
                "flag": pd.array([True, False, True, False], "bool[pyarrow]"),
                "nullable": pd.array([True, None, True, False], "bool[pyarrow]"),
            }
        ),
        "polars": lambda: pl.DataFrame(
            {
                "text": pl.Series(TEXT, dtype=pl.Categorical),
                "value": [1.0, 2.0, 3.0, 4.0],
                "flag": [True, False, True, False],
                "nullable": [True, None, True, False],
            }
        ),
        "polars enum": lambda: pl.DataFrame(
            {
                "text": pl.Series(TEXT, dtype=pl.Enum(["c", "b", "a"])),
                "value": [1.0, 2.0, 3.0, 4.0],
                "flag": [True, False, True, False],
                "nullable": [True, None, True, False],
            }
        ),
        "arrow": lambda: pa.table(
            {
                "text": pa.array(TEXT).dictionary_encode(),
                "value": [1.0, 2.0, 3.0, 4.0],
                "flag": [True, False, True, False],
                "nullable": [True, None, True, False],
            }
        ),
    }[make]()


@pytest.mark.parametrize("make", ["pandas", "pandas of arrow", "polars", "polars enum", "arrow"])
def test_categories__become_the_same_numbers_whoever_keeps_them(make):
    frame = categories(make)
    assert discrete_by_dtype(frame) == [0, 2, 3]
    expected = [[1, 1, 1, 1], [np.nan, 2, 0, np.nan], [0, 3, 1, 1], [1, 4, 0, 0]]
    assert_array_equal(check_matrix(with_codes(frame)), expected)
    refuses_text(frame)  # nothing is changed in place


def refuses_text(frame):
    with pytest.raises(ValueError, match="1 text column: 'text'"):
        check_matrix(frame)


def test_discrete_by_dtype__of_arrays_goes_by_their_one_type():
    assert discrete_by_dtype(np.zeros((2, 3), bool)) == [0, 1, 2]
    assert discrete_by_dtype(np.zeros((2, 3), np.int8)) == []
    assert discrete_by_dtype([[1, 2]]) == []


def test_with_codes__leaves_what_has_no_categories():
    for X in (np.zeros((2, 3)), pd.DataFrame({"a": VALUES}), pl.DataFrame({"a": VALUES})):
        assert with_codes(X) is X


def test_frames__import_no_library():
    code = (
        "import sys; import skpar_select.frames; "
        "assert not {'pandas', 'polars', 'pyarrow'} & {*sys.modules}, sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
