"""``select``: the reduced matrix."""

import h5py
import numpy as np
from shell import IDS, N_SAMPLES, NAMES, selected

from skpar_select import open_matrix


def test_select__writes_a_matrix_that_open_matrix_reads(score, values):
    done = score("-k", 3, "--scores", "scores.csv", command="select", output="out.h5")
    assert done.code == 0
    assert done.lines[-2:] == [
        "3 of 7 features written to out.h5",
        "7 scores written to scores.csv, 3 selected",
    ]
    columns = [index for index, name in enumerate(NAMES) if name in selected("scores.csv")]
    X = open_matrix("out.h5")
    assert X.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(X), values[:, columns])
    assert list(X.feature_names) == [NAMES[index] for index in columns]
    assert list(X.sample_ids) == IDS


def test_select__writes_the_samples_that_were_scored(score):
    done = score("--where", "age>=50", command="select", output="out.h5")
    X = open_matrix("out.h5")
    assert str(len(X)) == done.described["samples"]
    assert len(X) < N_SAMPLES


def test_select__writes_an_empty_matrix_when_nothing_is_selected(score):
    assert score("--threshold", 99, command="select", output="out.h5").code == 0
    with h5py.File("out.h5") as file:
        assert file["data"].shape == (N_SAMPLES, 0)


def test_select__refuses_one_name_for_two_results(score):
    error = score("--scores", "./out.h5", command="select", output="out.h5").error
    assert "--output and --scores both name 'out.h5'. Each needs" in error


def test_select__needs_an_output(call):
    assert "-o/--output" in call("select", "x.h5", "--target-column", "age").error
