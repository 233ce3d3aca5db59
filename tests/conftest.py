"""Small matrices that the tests share, in memory and in files."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.utils.validation import _get_feature_names

REAL = Path(__file__).parents[1] / "examples" / "data" / "blood_methylation.h5"


@pytest.fixture(scope="session")
def real_matrix():
    return REAL


@pytest.fixture(params=[pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def frame(request):
    """A library's data frame, made from a dict of columns."""
    if _get_feature_names(request.param({"a": [1.0]})) is None:
        # Version 1.6 asks by a protocol that polars has dropped since.
        pytest.skip("this scikit-learn does not see the names of this polars")
    return request.param


@pytest.fixture
def write_h5(tmp_path):
    """Write a matrix with names and ids to an HDF5 file; give its path."""

    def write(values, name="data", file="matrix.h5", features=True, samples=True, **options):
        path = tmp_path / file
        with h5py.File(path, "w") as handle:
            handle.create_dataset(name, data=values, **options)
            if features:
                handle["features"] = [f"f{i}" for i in range(values.shape[1])]
            if samples:
                handle["samples"] = [f"s{i}" for i in range(values.shape[0])]
        return path

    return write


@pytest.fixture(scope="session")
def problem():
    """A matrix of 60 x 23 whose columns 4 and 11 tell the target; no block width divides 23."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(60, 23)).astype(np.float32)
    y = X[:, 4] + X[:, 11] + 0.1 * rng.normal(size=60)
    X.flags.writeable = False
    return X, y
