"""The generated matrix: the same values in every layout, real sites where it says."""

import json
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skpar_select import open_matrix, read_targets

ROOT = Path(__file__).parents[1]
SIZE = ["--samples", "150", "--features", "300", "--seed", "7"]


@pytest.fixture(scope="module")
def generate():
    # A script finds its neighbours beside itself.
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from generate_matrix import main

    yield main
    sys.path.remove(str(ROOT / "benchmarks"))


def test_generate__gives_real_sites_among_simulated_ones(generate, tmp_path):
    path = tmp_path / "x.h5"
    generate([str(path), *SIZE, "--layout", "square", "--compression", "gzip"])
    X = open_matrix(path)
    values = np.asarray(X)
    assert_array_equal(values, values.astype(np.float16))
    assert (values >= 0).all()
    assert (values <= 1).all()
    columns = json.loads(Path(f"{path}.sites.json").read_text())["columns"]
    with h5py.File(ROOT / "examples" / "data" / "blood_methylation.h5") as file:
        for site, name in enumerate(file["features"].asstr()[:]):
            assert X.feature_names[columns[name]] == name
            assert_array_equal(values[:, columns[name]], file["data"][:150, site])
    ages = read_targets(f"{path}.ages.csv", "age", sample_ids=X.sample_ids)
    assert len(np.unique(ages)) > 100
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "x.h5",
        "x.h5.ages.csv",
        "x.h5.sites.json",
    ]


def test_generate__gives_the_same_values_in_every_layout(generate, tmp_path):
    made = []
    for name, options in {
        "contiguous.h5": [],
        "rows.h5": ["--layout", "rows", "--compression", "lzf"],
        "columns.h5": ["--layout", "columns"],
        "x.npy": ["--format", "npy"],
    }.items():
        generate([str(tmp_path / name), *SIZE, *options])
        made.append(np.asarray(open_matrix(tmp_path / name)))
    for values in made[1:]:
        assert_array_equal(values, made[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--compression", "gzip"], "only chunks can be compressed"),
        (["--format", "npy", "--layout", "rows"], "such files are contiguous"),
        (["--samples", "9000"], "1 to 8085 real samples, and 71 sites"),
    ],
)
def test_generate__refuses_what_cannot_be(generate, tmp_path, options, message, capsys):
    with pytest.raises(SystemExit):
        generate([str(tmp_path / "x.h5"), "--features", "100", *options])
    assert message in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())
