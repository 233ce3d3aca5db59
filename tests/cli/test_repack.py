"""``repack``: the same matrix in chunks of columns."""

import h5py
import numpy as np
from shell import IDS, N_FEATURES, N_SAMPLES, NAMES

from skpar_select import open_matrix


def test_repack__writes_the_same_matrix_that_inspect_has_no_complaint_of(call, folder, values):
    values = np.tile(values, 40)
    with h5py.File("rows.h5", "w") as file:
        file.create_dataset("data", data=values.T, chunks=(values.shape[1], 4), compression="gzip")
        file["features"], file["samples"] = [f"s{at}_" for at in range(values.shape[1])], IDS
    assert "shards" in call("inspect", "rows.h5").described
    assert "repack it first" in call("inspect", "rows.h5").described["shards"]
    done = call("repack", "rows.h5", "out.h5", "--memory-budget", "1MB", "--n-jobs", 1)
    assert done.code == 0
    assert done.out == f"{N_SAMPLES} samples x {values.shape[1]} features written to out.h5\n"
    assert "100 %" in done.err
    X = open_matrix("out.h5")
    np.testing.assert_array_equal(np.asarray(X), values)
    assert list(X.sample_ids) == IDS


def test_repack__joins_several_files(call, folder, values):
    with h5py.File("y.h5", "w") as file:
        file["data"], file["features"], file["samples"] = (
            values,
            [f"y{name}" for name in NAMES],
            IDS,
        )
    assert call("repack", "x.h5", "y.h5", "out.h5", "--quiet").code == 0
    assert open_matrix("out.h5").shape == (N_SAMPLES, 2 * N_FEATURES)


def test_repack__refuses_what_it_cannot_write(call, folder):
    assert "Results are written in the format" in call("repack", "x.h5", "out.csv").error
    assert "is an input" in call("repack", "x.h5", "x.h5", "--overwrite").error
    assert (
        "Set --memory-budget to at least"
        in call("repack", "x.h5", "o.h5", "--memory-budget", 1).error
    )
