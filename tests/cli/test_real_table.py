"""A real matrix meets a real table: one command, and the same by hand with pandas and NumPy."""

import h5py
import numpy as np
import pandas as pd
import pytest
from shell import read_scores
from sklearn.utils import check_random_state

from skpar_select.kernels import mutual_information, prepare_target

N_SAMPLES, N_FEATURES = 300, 200


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Write a matrix as a core facility does, and a table as a clinic does; give what they hold."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    age = np.round(rng.uniform(20, 80, N_SAMPLES), 1)
    values = rng.normal(size=(N_SAMPLES, N_FEATURES))
    values[:, 7] += age / 20
    gappy = values[:, : int(0.3 * N_FEATURES)]
    gappy[rng.random(gappy.shape) < 0.02] = np.nan
    ids = rng.permutation(np.arange(1000, 1000 + N_SAMPLES))
    with h5py.File("betas.h5", "w") as file:
        file.create_dataset("betas", data=values.T, chunks=(16, 64), compression="gzip")
        file["probes"] = [f"cg{index:05}" for index in range(N_FEATURES)]
        file["samples"] = ids
    table = pd.DataFrame({"Sample": ids, "age": age, "sex": rng.choice(["F", "M"], N_SAMPLES)})
    table.loc[rng.choice(N_SAMPLES, 20, replace=False), "age"] = np.nan
    extra = pd.DataFrame({"Sample": range(5000, 5015), "age": 50.5, "sex": "F"})
    table = pd.concat([table, extra]).sample(frac=1, random_state=0)
    table = table.fillna({"age": "NA"})
    table["age"] = [str(years).replace(".", ",") for years in table["age"]]
    table.to_csv("pheno.csv", sep=";", index=False, encoding="utf-8-sig")
    return values, ids


def test_one_command__gives_the_scores_of_the_complete_cases(study, call):
    values, ids = study
    done = call(
        "score", "betas.h5", "--target", "pheno.csv", "--target-column", "age", "--missing", "omit",
        "--unmatched", "drop", "--missing-targets", "drop", "-o", "scores.csv", "--progress", "none",
    )  # fmt: skip
    assert done.code == 0, done.err
    (note,) = done.notes
    assert "15 of 315 rows of 'pheno.csv' without a sample in the matrix" in note
    assert "20 samples without a value in 'age'" in note
    assert done.described["samples"] == "280"

    table = pd.read_csv("pheno.csv", sep=";", decimal=",", index_col="Sample")
    y = table["age"].reindex(ids).to_numpy()
    values, y = values[~np.isnan(y)], y[~np.isnan(y)]
    seed = check_random_state(0).randint(np.iinfo(np.int32).max)
    expected = {}
    for column in range(N_FEATURES):
        there = ~np.isnan(values[:, column])
        target = prepare_target(y[there], discrete=False, n_neighbors=3, seed=seed)
        (score,) = mutual_information(
            values[there][:, [column]],
            [target],
            columns=np.array([column]),
            discrete=np.array([False]),
        ).scores
        expected[f"cg{column:05}"] = max(0.0, float(score[0]))
    scores = {row["feature"]: float(row["score"]) for row in read_scores("scores.csv")}
    assert scores == expected
    assert max(scores, key=scores.get) == "cg00007"


def test_first_command__says_what_the_next_needs(study, call):
    fixed = ["score", "betas.h5", "--target", "pheno.csv", "--target-column", "age"]
    more = []
    for option in (["--unmatched", "drop"], ["--missing-targets", "drop"], ["--missing", "omit"]):
        done = call(*fixed, *more)
        assert done.code == 2
        assert " ".join(option) in done.err.splitlines()[-1]
        more += option
    assert call(*fixed, *more).code == 0
