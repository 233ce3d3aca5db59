"""Bad input of every public function: the error says what was given, the rule and the remedy."""

import io
from pathlib import Path

import h5py
import numpy as np
import pytest

from skpar_select import (
    MutualInfoDisplay,
    ParallelMutualInfoSelector,
    align,
    mutual_info_regression,
    open_matrix,
    read_targets,
)
from skpar_select.tables import Table

X = np.random.default_rng(0).normal(size=(30, 4))
Y = X[:, 0] + 0.1


def fit(X=X, y=Y, **parameters):
    return ParallelMutualInfoSelector(random_state=0, **parameters).fit(X, y)


def lazy():
    return open_matrix("x.h5", feature_names="features", sample_ids="samples")


# What the error must name, and what is called with it.
BAD = {
    "path of bytes": ("bytes", lambda: open_matrix(b"x.h5")),
    "path of a number": ("3", lambda: open_matrix(3)),
    "paths of numbers": ("int", lambda: open_matrix([3])),
    "paths of None": ("NoneType", lambda: open_matrix([None])),
    "paths of bytes": ("bytes", lambda: open_matrix([b"x.h5", b"y.h5"])),
    "path of None": ("None", lambda: open_matrix(None)),
    "path of a dict": ("dict", lambda: open_matrix({})),
    "no paths": (r"\[\]", lambda: open_matrix([])),
    "empty path": ("''", lambda: open_matrix("")),
    "path with NUL": (r"a\\x00b", lambda: open_matrix("a\0b")),
    "paths with NUL": (r"a\\x00b", lambda: open_matrix(["a\0b", "c"])),
    "long path": ("5000 bytes", lambda: open_matrix("x" * 5000)),
    "no file": ("nope", lambda: open_matrix("nope.h5")),
    "dataset of a number": ("3", lambda: open_matrix("x.h5", 3)),
    "dataset of bytes": ("b'data'", lambda: open_matrix("x.h5", b"data")),
    "empty dataset": ("''", lambda: open_matrix("x.h5", "")),
    "names of a number": ("3", lambda: open_matrix("x.h5", feature_names=3)),
    "names of a bool": ("True", lambda: open_matrix("x.h5", feature_names=True)),
    "names of bytes": ("b'features'", lambda: open_matrix("x.h5", feature_names=b"features")),
    "names of a dict": (r"\{\}", lambda: open_matrix("x.h5", feature_names={})),
    "names of numbers": ("1", lambda: open_matrix("x.h5", feature_names=[1, 2, 3, 4])),
    "names of two dimensions": (
        "array",
        lambda: open_matrix("x.h5", feature_names=np.full((2, 2), "a")),
    ),
    "names with NUL": ("a", lambda: open_matrix("x.h5", feature_names="a\0b")),
    "ids of a number": ("3", lambda: open_matrix("x.h5", sample_ids=3)),
    "ids of no file": ("nope", lambda: open_matrix("x.h5", sample_ids=Path("nope.txt"))),
    "n_samples of text": ("'30'", lambda: open_matrix("x.h5", n_samples="30")),
    "n_samples of a fraction": (r"30\.0", lambda: open_matrix("x.h5", n_samples=30.0)),
    "n_samples of a bool": ("True", lambda: open_matrix("x.h5", n_samples=True)),
    "n_samples below 1": ("-1", lambda: open_matrix("x.h5", n_samples=-1)),
    "orientation": ("3", lambda: open_matrix("x.h5", orientation=3)),
    "key of a fraction": (r"1\.5", lambda: lazy()[1.5]),
    "key of no name": ("nope", lambda: lazy()[:, "nope"]),
    "read of nothing": ("None", lambda: lazy().read(None)),
    "table of None": ("NoneType", lambda: read_targets(None, "age")),
    "table of a number": ("int", lambda: read_targets(3, "age")),
    "table of bytes": ("bytes", lambda: read_targets(b"t.csv", "age")),
    "table of a list": ("list", lambda: Table([])),
    "table of an open file of bytes": ("BytesIO", lambda: Table(io.BytesIO(b"a,b"))),
    "table with NUL": (r"a\\x00b", lambda: read_targets("a\0b", "age")),
    "table of a long name": ("5000 bytes", lambda: read_targets("x" * 5000, "age")),
    "table without a name": ("''", lambda: Table("")),
    "column of a number": ("3", lambda: read_targets("t.csv", 3)),
    "column of None": ("None", lambda: read_targets("t.csv", None)),
    "columns of numbers": ("'3'", lambda: read_targets("t.csv", [3])),
    "no columns": (r"\[\]", lambda: read_targets("t.csv", [])),
    "ids of a number for a table": ("3", lambda: read_targets("t.csv", "age", sample_ids=3)),
    "ids of text for a table": (
        "sample_ids",
        lambda: read_targets("t.csv", "age", sample_ids="s1"),
    ),
    "id_column of a number": (
        "'3'",
        lambda: read_targets("t.csv", "age", sample_ids=["s1"], id_column=3),
    ),
    "task of a number": ("3", lambda: read_targets("t.csv", "age", task=3)),
    "align of None": ("None", lambda: align(None, "t.csv", "age")),
    "align of a number": ("3", lambda: align(3, "t.csv", "age")),
    "align of a path": ("x.h5", lambda: align("x.h5", "t.csv", "age")),
    "align with no table": ("NoneType", lambda: align(lazy(), None, "age")),
    "align with a column of a number": ("3", lambda: align(lazy(), "t.csv", 3)),
    "where of a number": ("3", lambda: align(lazy(), "t.csv", "age", where=3)),
    "samples of a number": ("3", lambda: align(lazy(), "t.csv", "age", samples=3)),
    "fit of a path": (r"open_matrix\('x.h5'\)", lambda: fit("x.h5")),
    "fit of a Path": (r"open_matrix\('x.h5'\)", lambda: fit(Path("x.h5"))),
    "fit of bytes": (r"open_matrix\('x.h5'\)", lambda: fit(b"x.h5")),
    "fit of paths": (r"open_matrix\('x.h5'\)", lambda: fit(["x.h5", "y.h5"])),
    "transform of a path": (r"open_matrix\('x.h5'\)", lambda: fit(k=2).transform("x.h5")),
    "function of a path": (r"open_matrix\('x.h5'\)", lambda: mutual_info_regression("x.h5", Y)),
    "y of None": ("None", lambda: fit(y=None)),
    "y of a number": ("y=3", lambda: fit(y=3)),
    "y of a dict": (r"y=\{'a': 1\}", lambda: fit(y={"a": 1})),
    "y of text": ("y='age'", lambda: fit(y="age")),
    "y of a set": ("set", lambda: fit(y=set(range(30)))),
    "y of a generator": ("generator", lambda: fit(y=(one for one in Y))),
    "y of objects": ("object", lambda: fit(y=[object()] * 30)),
    "budget of nothing": ("'much'", lambda: fit(memory_budget="much")),
    "no workers": ("n_jobs=0", lambda: fit(n_jobs=0)),
    "discrete names": ("'a'", lambda: fit(discrete_features=["a"])),
    "discrete fractions": ("float64", lambda: fit(discrete_features=[1.5])),
    "bars of text": ("'a'", lambda: MutualInfoDisplay.from_estimator(fit(), max_features="a")),
    "bars of a fraction": (
        r"2\.5",
        lambda: MutualInfoDisplay.from_estimator(fit(), max_features=2.5),
    ),
    "no bars": ("0", lambda: MutualInfoDisplay.from_scores([1, 2], max_features=0)),
    "picture of None": ("NoneType", lambda: MutualInfoDisplay.from_estimator(None)),
    "scores of text": ("'abc'", lambda: MutualInfoDisplay.from_scores("abc")),
    "scores of None": (r"\(\)", lambda: MutualInfoDisplay.from_scores(None)),
    "scores of two dimensions": (r"\(1, 2\)", lambda: MutualInfoDisplay.from_scores([[1, 2]])),
    "names of one number": (
        "3",
        lambda: MutualInfoDisplay.from_scores([1, 2], feature_names=3),
    ),
    "selection of another length": (
        r"\(3,\)",
        lambda: MutualInfoDisplay.from_scores([1, 2], selected=[1, 0, 1]),
    ),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with h5py.File("x.h5", "w") as file:
        file["data"], file["features"] = X, list("abcd")
        file["samples"] = [f"s{row}" for row in range(30)]
    rows = "".join(f"s{row},{row}\n" for row in range(30))
    Path("t.csv").write_text(f"id,age\n{rows}")


@pytest.mark.parametrize("name", BAD)
def test_bad_input__is_named_with_its_rule_and_its_remedy(name, folder):
    given, call = BAD[name]
    with pytest.raises((ValueError, TypeError, OSError), match=given) as raised:
        call()
    text = str(raised.value)
    assert text.count(". ") >= 1
    assert text.rstrip().endswith((".", ")"))
    assert "\n" not in text


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize(
    "y", [np.ones(30), np.column_stack([np.arange(30) % 3, np.ones(30)])], ids=["y", "ys"]
)
def test_fit__of_a_constant_target_warns(task, y):
    with pytest.warns(UserWarning, match=r"y is .* for every sample, so that all scores are 0\. "):
        fit(y=y, task=task)
