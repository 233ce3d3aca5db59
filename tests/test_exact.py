"""Whole numbers beyond 2**53: kept apart, or refused; never rounded in silence."""

import h5py
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skpar_select import ParallelMutualInfoSelector, open_matrix
from skpar_select._exact import exact_floats, from_least, is_beyond_exact

N = 200
CLASSES = np.random.default_rng(0).integers(0, 4, N)
HASHED = 2**60 + CLASSES  # one number in float64
TIMES = 1_700_000_000_000_000_000 + np.random.default_rng(1).integers(0, 100, N)
REFUSED = r"beyond 2\*\*53 .*float64, which rounds them.*(subtract|number)"


def scores(X, y, **parameters):
    selector = ParallelMutualInfoSelector(random_state=0, **parameters)
    return selector.fit(X, y).scores_


@pytest.mark.parametrize("kind", [np.int64, np.uint64])
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_score__of_discrete_integers_keeps_their_classes(kind, task):
    X, small = HASHED[:, None].astype(kind), CLASSES[:, None].astype(kind)
    kept = scores(X, CLASSES, task=task, discrete_features=True)
    np.testing.assert_array_equal(kept, scores(small, CLASSES, task=task, discrete_features=True))
    assert kept > 1


def test_score__of_times_in_nanoseconds_is_that_of_their_differences():
    noise = np.random.default_rng(2).normal(size=N)
    late, early = TIMES[:, None], TIMES[:, None] - TIMES.min()
    y = early[:, 0] + noise
    np.testing.assert_array_equal(scores(late, y), scores(early, y))
    assert scores(late, y) > 2
    X = y[:, None]
    np.testing.assert_array_equal(scores(X, late[:, 0]), scores(X, early[:, 0]))


def test_from_least__spans_all_of_int64():
    ends = np.array([-(2**63), 2**63 - 1])
    assert from_least(ends).tolist() == [0, 2**64 - 1]


@pytest.mark.parametrize("beyond", [2**53 + 1, -(2**53) - 1])
def test_exact_floats__refuses_what_would_be_rounded(beyond):
    assert exact_floats(np.array([2**53, -(2**53)])).tolist() == [2.0**53, -(2.0**53)]
    for values in (np.array([0, beyond]), np.array([0, beyond], dtype=object), [None, beyond]):
        assert is_beyond_exact(values)
    with pytest.raises(ValueError, match=REFUSED):
        exact_floats(np.array([0, beyond]))


def nulls(values):
    return [None, *values[1:].tolist()]


FRAMES = {
    "beside fractions": lambda: pd.DataFrame({"a": HASHED, "b": np.linspace(0, 1, N)}),
    "of pandas, with nulls": lambda: pd.DataFrame({"a": pd.array(nulls(HASHED), "Int64")}),
    "of Arrow in pandas, with nulls": lambda: pd.DataFrame(
        {"a": pd.array(nulls(HASHED), pd.ArrowDtype(pa.int64()))}
    ),
    "beside objects": lambda: pd.DataFrame({"a": HASHED, "b": np.ones(N, object)}),
    "as objects": lambda: HASHED.astype(object)[:, None],
    "masked": lambda: np.ma.MaskedArray(HASHED, np.arange(N) == 0)[:, None],
    "polars": lambda: pl.DataFrame({"a": HASHED, "b": np.linspace(0, 1, N)}),
    "polars, with nulls": lambda: pl.DataFrame({"a": nulls(HASHED)}),
    "arrow": lambda: pa.table({"a": HASHED, "b": np.linspace(0, 1, N)}),
    "arrow, with nulls": lambda: pa.table({"a": nulls(HASHED)}),
}


@pytest.mark.parametrize("name", FRAMES)
def test_fit__refuses_long_integers_that_become_fractions(name):
    with pytest.raises(ValueError, match=REFUSED):
        scores(FRAMES[name](), CLASSES, discrete_features=[0], missing="omit")


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_fit__takes_long_integers_alone(make):
    X = make({"a": HASHED, "b": HASHED[::-1].copy()})
    kept = scores(X, CLASSES, task="classification", discrete_features=True)
    assert kept[0] > 1


@pytest.mark.parametrize("columns", [{"b": np.linspace(0, 1, N)}, {}], ids=["fractions", "nulls"])
def test_fit__refuses_long_integers_of_parquet_that_become_fractions(columns, tmp_path):
    held = {"a": HASHED, **columns} if columns else {"a": nulls(HASHED)}
    pq.write_table(pa.table(held), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=REFUSED):
        scores(open_matrix(tmp_path / "x.parquet"), CLASSES, missing="omit")


def test_fit__refuses_long_integers_of_a_file_beside_one_of_fractions(tmp_path):
    for name, values in {"a": HASHED[:, None], "b": np.linspace(0, 1, N)[:, None]}.items():
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file["data"], file["samples"] = values, [str(row) for row in range(N)]
    X = open_matrix([tmp_path / "a.h5", tmp_path / "b.h5"], sample_ids="samples")
    with pytest.raises(ValueError, match=REFUSED):
        scores(X, CLASSES)
