"""A table is the same whatever holds it: text, frames, Parquet, AnnData, HDF5."""

import datetime
import io
import os
import sys
from decimal import Decimal

import h5py
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from pyarrow import parquet

from skpar_select import align, open_matrix
from skpar_select.tables import Table, read_targets
from skpar_select.tables._column import MISSING_MARKERS

FRAME = pd.DataFrame(
    {
        "sample": ["c", "a", "b"],
        "age": [3.5, np.nan, 0.1],
        "count": pd.array([2, None, 2**60 + 1], dtype="Int64"),
        "kind": pd.Categorical(["x", "y", None]),
        "flag": [True, False, True],
        "code": [7, 8, 9],
    }
)


def as_csv(tmp_path):
    FRAME.to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


def as_parquet(tmp_path):
    FRAME.to_parquet(tmp_path / "t.whatever")
    return str(tmp_path / "t.whatever")


def as_h5ad(tmp_path):
    anndata = pytest.importorskip("anndata")
    obs = FRAME.set_index("sample")
    # Nullable text is written by request, in a release that asks for it.
    anndata.AnnData(np.zeros((3, 1)), obs=obs).write_h5ad(tmp_path / "t.h5ad")
    return tmp_path / "t.h5ad"


HOLDERS = {
    "csv": as_csv,
    "parquet": as_parquet,
    "h5ad": as_h5ad,
    "pandas": lambda _: FRAME,
    "pandas index": lambda _: FRAME.set_index("sample"),
    "polars": lambda _: pl.from_pandas(FRAME),
    "pyarrow": lambda _: pa.Table.from_pandas(FRAME),
    "stream": lambda tmp_path: io.StringIO(as_csv(tmp_path).read_text()),
    "mapping": lambda _: {name: FRAME[name] for name in FRAME},
    "anndata": lambda tmp_path: pytest.importorskip("anndata").read_h5ad(as_h5ad(tmp_path)),
    "backed": lambda tmp_path: pytest.importorskip("anndata").read_h5ad(
        as_h5ad(tmp_path), backed="r"
    ),
}


@pytest.fixture(params=HOLDERS)
def table(request, tmp_path):
    return Table(HOLDERS[request.param](tmp_path))


def test_table__has_the_names_of_its_columns(table):
    assert table.names[0] in ("sample", "index")
    assert table.names[1:] == ["age", "count", "kind", "flag", "code"]
    assert {table.length(name) for name in table.names} == {3}


def test_table__gives_text(table):
    assert table.column(table.names[0]).text().tolist() == ["c", "a", "b"]
    assert table.column("kind").text().tolist() == ["x", "y", ""]
    assert table.column("flag").text().tolist() == ["True", "False", "True"]
    assert table.column("code").text().tolist() == ["7", "8", "9"]
    assert table.column("count").text().tolist() == ["2", "", str(2**60 + 1)]


def test_table__gives_numbers_to_the_bit(table):
    assert_array_equal(table.column("age").numbers(), [3.5, np.nan, 0.1])
    assert_array_equal(table.column("code").numbers(), [7, 8, 9])


def test_table__marks_what_is_missing(table):
    for name, missing in (("age", 1), ("count", 1), ("kind", 2), ("flag", None), ("code", None)):
        assert_array_equal(table.column(name).missing(), np.arange(3) == missing)


def test_table__is_joined_by_id(table):
    X = pd.DataFrame(np.eye(3), index=["a", "b", "c"])
    assert_array_equal(align(X, table, "code")[1], [8, 9, 7])


def test_table__of_a_table_is_the_same(table):
    assert Table(table).column("code") is table.column("code")
    assert repr(Table(table)) == f"<Table {table.label}: 6 columns>"


def test_table__takes_the_index_of_a_frame_by_its_name_or_as_index():
    assert Table(FRAME).names[0] == "sample"
    assert Table(FRAME.set_index("sample").rename_axis(None)).names[0] == "index"
    assert Table(FRAME.set_index(pd.Index(list("xyz"), name="age"))).names[0] == "age (index)"
    levels = FRAME.set_index(["sample", "code"]).rename_axis([None, "code"])
    assert Table(levels).names[:2] == ["level_0", "code"]


def test_table__takes_a_series():
    series = pd.Series([1.0, 2.0], index=["a", "b"], name="age")
    assert Table(series).names == ["index", "age"]
    assert read_targets(series, "age", sample_ids=["b", "a"]).tolist() == [2.0, 1.0]
    assert Table(pl.Series("age", [1.0])).names == ["age"]


def test_table__takes_arrays_and_masked_arrays():
    masked = np.ma.masked_array([1.0, 2.0], mask=[False, True])
    table = Table({"a": masked, "b": np.array([b"x", b"y"]), "c": np.float32([0.5, 2])})
    assert table.column("a").missing().tolist() == [False, True]
    assert table.column("b").text().tolist() == ["x", "y"]
    assert table.column("c").text().tolist() == ["0.5", "2.0"]
    with pytest.raises(ValueError, match=r"Column 'a' has shape \(2, 2\)\. .*several columns"):
        Table({"a": np.eye(2)})


def test_table__reads_integer_ids_of_a_frame_as_their_digits():
    X = pd.DataFrame(np.eye(2), index=["1001", "1000"])
    assert_array_equal(align(X, pd.DataFrame({"id": [1000, 1001], "y": [5, 6]}), "y")[1], [6, 5])


@pytest.mark.parametrize("marker", sorted(MISSING_MARKERS))
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_markers__are_missing_for_numbers_and_for_classes(marker, task):
    for text in (marker, f" {marker} "):
        with pytest.raises(
            ValueError, match=r"The target is missing in the table: column 'y' in 1 row"
        ):
            read_targets({"y": ["1", text]}, "y", task=task)


def test_markers__are_all_in_the_documentation():
    words = Table.__doc__.split("is one of: nothing,")[1]
    assert all(f"``{marker}``" in words for marker in MISSING_MARKERS if marker)


@pytest.mark.parametrize(
    "value", [None, float("nan"), np.nan, pd.NA, pd.NaT, np.datetime64("NaT"), Decimal("NaN")]
)
def test_nulls__are_missing(value):
    assert Table({"y": [1, value]}).column("y").missing().tolist() == [False, True]
    with pytest.raises(ValueError, match="The target is missing"):
        read_targets({"y": [1, value]}, "y")


@pytest.mark.parametrize(
    "value",
    ["old", "1_0", "inf", "0x10", datetime.date(2020, 1, 1), 1j, np.datetime64("2020-01-01")],
)
def test_numbers__are_real_and_finite(value):
    with pytest.raises(ValueError, match=r"Column 'y' of the table holds 1 value .* in row 2\)"):
        read_targets({"y": [1, value]}, "y")


def test_numbers__may_be_of_any_type():
    values = [1, 2.5, "3", Decimal("4.5"), True, np.float32(6), " 7 ", b"8", np.int8(9)]
    assert read_targets({"y": values}, "y").tolist() == [1, 2.5, 3, 4.5, 1, 6, 7, 8, 9]


def test_dates__of_every_frame_are_refused_as_numbers():
    dates = [datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)]
    for holder in (
        pd.DataFrame({"y": pd.to_datetime(dates)}),
        pd.DataFrame({"y": pd.Series(dates, dtype="timestamp[s][pyarrow]")}),
        pl.DataFrame({"y": dates}),
        pl.DataFrame({"y": [datetime.timedelta(1), datetime.timedelta(2)]}),
        {"y": np.array(dates, dtype="M8[D]")},
    ):
        with pytest.raises(ValueError, match="holds 2 values that regression cannot use"):
            read_targets(holder, "y")


@pytest.mark.parametrize("wrong", [3, None, [1, 2], np.zeros(3), {1, 2}])
def test_table__refuses_what_is_none(wrong):
    with pytest.raises(TypeError, match=rf"A {type(wrong).__name__} is no table\. .*Give one of"):
        Table(wrong)


def test_column__that_is_not_there_is_refused_with_a_suggestion():
    # F6
    table = Table({"id": ["a"], "age": [1], "Sex": ["F"]})
    for name, near in (("Age", "age"), ("sex", "Sex"), ("agee", "age"), (" age", "age")):
        message = rf"has no column '{name}'\. .* \('id', 'age', 'Sex'\)\. Did you mean '{near}'\?"
        with pytest.raises(ValueError, match=message):
            table.column(name)
    with pytest.raises(ValueError, match=r"\('id', 'age', 'Sex'\)\. Name one of them\."):
        table.column("height")


# Plain HDF5


@pytest.fixture
def hdf5(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["data"] = np.arange(12.0).reshape(4, 3)
        file["samples"] = [3, 1, 2, 0]
        file["features"] = ["f0", "f1", "f2"]
        file["y"] = [0.5, 1.5, 2.5, 3.5]
        file["meta/kind"] = ["a", "b", "a", ""]
    return tmp_path / "m.h5"


def test_hdf5__has_datasets_as_columns(hdf5):
    # G5: a target beside the matrix.
    table = Table(hdf5)
    assert set(table.names) == {"samples", "features", "y", "meta/kind"}
    assert read_targets(hdf5, "y").tolist() == [0.5, 1.5, 2.5, 3.5]
    assert table.column("meta/kind").missing().tolist() == [False, False, False, True]


def test_hdf5__columns_of_another_length_hold_no_ids_of_it(hdf5):
    assert set(Table(hdf5).beside("y")) == {"samples", "meta/kind"}
    assert read_targets(hdf5, "y", sample_ids=["0", "1", "2", "3"]).tolist() == [3.5, 1.5, 2.5, 0.5]
    with pytest.raises(ValueError, match=r"id_column='features' .* has 3 rows, the target 'y' 4"):
        read_targets(hdf5, "y", sample_ids=["0"], id_column="features")
    with pytest.raises(ValueError, match=r"The targets have 4, 3 rows\. All must be of the same"):
        read_targets(hdf5, ["y", "features"])
    with pytest.raises(ValueError, match=r"column 'features' of .* has 3 rows, the target 4"):
        align(pd.DataFrame(np.eye(4), index=list("0123")), hdf5, "y", where="features=f0")


def test_hdf5__that_is_cut_short_is_an_os_error(hdf5):
    os.truncate(hdf5, 600)
    with pytest.raises(OSError, match=r"m\.h5' (cannot be opened as HDF5|is damaged)"):
        Table(hdf5)


def test_hdf5__text_that_is_not_utf8_is_refused(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.create_dataset("y", data=np.array([b"\xff"], dtype=object), dtype=h5py.string_dtype())
    with pytest.raises(ValueError, match=r"'y' is not UTF-8"):
        Table(tmp_path / "m.h5").column("y")


# AnnData


def test_h5ad__targets_lie_in_obs(tmp_path):
    # G5
    path = as_h5ad(tmp_path)
    assert read_targets(path, "code").tolist() == [7, 8, 9]
    assert read_targets(path, "obs/code").tolist() == [7, 8, 9]
    X = open_matrix(path, sample_ids="auto")
    assert_array_equal(align(X, path, "flag", task="classification")[1], ["True", "False", "True"])


def test_h5ad__reads_old_categories_and_refuses_old_frames(tmp_path):
    with h5py.File(tmp_path / "old.h5ad", "w") as file:
        obs = file.create_group("obs")
        obs.attrs["_index"] = "index"
        obs["index"] = ["a", "b", "c"]
        obs["__categories/kind"] = ["x", "y"]
        obs["kind"] = np.array([1, -1, 0], dtype=np.int8)
        obs["kind"].attrs["categories"] = obs["__categories/kind"].ref
    table = Table(tmp_path / "old.h5ad")
    assert table.names == ["index", "kind"]
    assert table.column("kind").text().tolist() == ["y", "", "x"]
    with h5py.File(tmp_path / "older.h5ad", "w") as file:
        file["obs"] = np.zeros(3, dtype=[("index", "S2"), ("n", "i4")])
    with pytest.raises(ValueError, match=r"'obs' is no data frame .*write it again"):
        Table(tmp_path / "older.h5ad")


@pytest.mark.parametrize("codes", [[0, 2], [0, -2], [0.0, 1.0]])
def test_h5ad__refuses_codes_that_name_no_category(tmp_path, codes):
    with h5py.File(tmp_path / "x.h5ad", "w") as file:
        file["obs/_index"] = ["a", "b"]
        file["obs/kind/categories"], file["obs/kind/codes"] = ["x", "y"], codes
        file["obs/kind"].attrs["encoding-type"] = "categorical"
        file["obs/other"] = np.eye(2)
        file["obs/strange/values"] = [1, 2]
    table = Table(tmp_path / "x.h5ad")
    with pytest.raises(ValueError, match=r"has codes beyond its 2 categories\. .*damaged"):
        table.column("kind")
    with pytest.raises(ValueError, match=r"'obs/other' has shape \(2, 2\)\. .*Name another"):
        table.column("other")
    with pytest.raises(ValueError, match=r"a group of encoding-type ''\. .*Name another"):
        table.column("strange")


def test_h5ad__without_an_index_is_refused(tmp_path):
    with h5py.File(tmp_path / "x.h5ad", "w") as file:
        file["obs/a"] = [1, 2]
    with pytest.raises(ValueError, match=r"'obs/_index' is no column"):
        Table(tmp_path / "x.h5ad")


# Parquet


def test_parquet__that_is_damaged_is_an_os_error(tmp_path):
    path = as_parquet(tmp_path)
    os.truncate(path, os.path.getsize(path) - 5)
    with pytest.raises(OSError, match=r"cannot be read as Parquet .*Copy or write it again"):
        Table(path)


def test_parquet__whose_values_are_damaged_is_an_os_error(tmp_path):
    parquet.write_table(pa.table({"y": [f"{i}" for i in range(99)]}), tmp_path / "t.parquet")
    content = bytearray((tmp_path / "t.parquet").read_bytes())
    content[4:40] = b"\xff" * 36
    (tmp_path / "t.parquet").write_bytes(content)
    table = Table(tmp_path / "t.parquet")
    with pytest.raises(OSError, match=r"t\.parquet.* cannot be read as Parquet .*Copy or write"):
        table.column("y")


def test_parquet__reads_the_columns_that_are_asked_for(tmp_path):
    columns = pa.table({"y": [1, 2], "a.b": [3, 4], "nested": [[1], [2]]})
    parquet.write_table(columns, tmp_path / "t.parquet")
    table = Table(tmp_path / "t.parquet")
    assert table.column("a.b").numbers().tolist() == [3, 4]
    with pytest.raises(ValueError, match=r"2 values that regression cannot use \('\[1\]' in row 1"):
        read_targets(table, "nested")


def test_parquet__is_searched_for_ids_among_columns_that_may_hold_them(tmp_path):
    # A table may be as wide as a matrix.
    wide = {f"cg{place}": np.arange(3.0) for place in range(3000)}
    pa_table = pa.table({"id": ["a", "b", "c"], "y": [1, 2, 3], **wide})
    parquet.write_table(pa_table, tmp_path / "wide.parquet")
    assert Table(tmp_path / "wide.parquet").beside("y") == ["id"]
    assert read_targets(tmp_path / "wide.parquet", "y", sample_ids=list("cab")).tolist() == [
        3,
        1,
        2,
    ]


def test_parquet__without_pyarrow_names_the_install(tmp_path, monkeypatch):
    path = as_parquet(tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"is of Parquet, .*skpar-select\[parquet\]"):
        Table(path)


def test_frames__of_other_kinds_are_tables_too():
    class Cohort(pd.DataFrame):
        pass

    for held in (Cohort(FRAME), pa.RecordBatch.from_pandas(FRAME)):
        assert Table(held).names == list(FRAME.columns)
    with pytest.raises(TypeError, match=r"LazyFrame of polars .*collect\(\)"):
        Table(pl.LazyFrame({"age": [1]}))


def test_mappings__of_frames_with_several_columns_are_refused():
    with pytest.raises(ValueError, match=r"Column 'age' has shape \(.*Give it as several columns"):
        Table({"age": FRAME})
