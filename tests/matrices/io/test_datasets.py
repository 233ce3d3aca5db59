"""Datasets of a file: found by name within it, and checked to lie in it."""

import os

import h5py
import numpy as np
import pytest
from containers import write_anndata, write_hdf5

from skpar_select import open_matrix
from skpar_select.matrices.io import _datasets
from skpar_select.matrices.io._datasets import (
    check_stored_here,
    datasets,
    follow,
    list_datasets,
    text_of,
)

VALUES = np.random.default_rng(0).normal(size=(12, 9)).astype(np.float32)


def test_follow__refuses_a_link_in_a_circle(tmp_path):
    path = write_hdf5(tmp_path / "x.h5", VALUES)
    with h5py.File(path, "a") as file:
        file["round"] = h5py.SoftLink("/round")
        file["near"] = h5py.SoftLink("./data")
        file["g/up"] = h5py.SoftLink("/near")
    with pytest.raises(ValueError, match="'/round' is a link to nothing"):
        open_matrix(path, "round")
    np.testing.assert_array_equal(open_matrix(path, "g/up"), VALUES)


def test_follow__finds_nothing_where_nothing_is(tmp_path):
    with h5py.File(write_hdf5(tmp_path / "x.h5", VALUES)) as file:
        assert follow(file, "nothing", "x") is None
        assert follow(file, "data/nothing", "x") is None
        assert follow(file, "/./data/", "x") == file["data"]


def test_check_stored_here__counts_chunks_beyond_64_bits(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data", (2**33, 2**31), "i1", chunks=(1, 1))
    with h5py.File(path) as file, pytest.raises(ValueError, match=f"{2**64} of {2**64} chunks"):
        check_stored_here(file["data"], "x")


def test_datasets__are_those_of_the_file_itself_each_once(tmp_path):
    path = write_hdf5(tmp_path / "x.h5", VALUES)
    with h5py.File(path, "a") as file:
        file["g/inner"] = np.zeros(3)
        # A group that contains itself is not followed for ever.
        file["g/self"] = file["g"]
        file["soft"] = h5py.SoftLink("/data")
        file["far"] = h5py.ExternalLink("other.h5", "data")
        found = [name for name, _ in datasets(file)]
        assert found[:3] == ["data", "features", "samples"]
        assert found[3] == "g/inner"
        assert {name.rpartition("/")[2] for name in found[3:]} == {"inner"}
        assert len(found) < 30


def test_list_datasets__names_ten_and_counts_the_rest():
    with h5py.File.in_memory() as file:
        assert list_datasets(file) == "no dataset"
        for place in range(12):
            file[f"d{place:02}"] = np.zeros((2, place))
        assert list_datasets(file).startswith("'d00' (2, 0), 'd01' (2, 1), ")
        assert list_datasets(file).endswith("'d09' (2, 9) and 2 more")


def test_text_of__is_text_whatever_wrote_it():
    assert text_of(b"a\xff") == "a\ufffd"
    assert text_of(np.bytes_("frame")) == text_of("frame") == "frame"
    assert text_of(3) == "3"


def test_datasets__of_groups_that_hold_each_other_end(tmp_path):
    path = write_hdf5(tmp_path / "x.h5", VALUES)
    with h5py.File(path, "a") as file:
        groups = [file.create_group(f"g{number}") for number in range(9)]
        for group in groups:
            for number, other in enumerate(groups):
                group[f"to {number}"] = other
        groups[8]["inner"] = np.zeros(3)
    # Of 10**14 ways through these groups, each is gone once.
    assert open_matrix(path).shape == VALUES.shape
    with h5py.File(path) as file:
        assert [name.rpartition("/")[2] for name, _ in datasets(file)].count("inner") == 1


def test_datasets__that_are_too_many_are_not_searched(tmp_path, monkeypatch):
    path = write_hdf5(tmp_path / "x.h5", VALUES)
    monkeypatch.setattr(_datasets, "_MOST_OBJECTS", 2)
    with pytest.raises(ValueError, match=r"x\.h5' holds more than 2 groups.*Name the dataset"):
        open_matrix(path)


def test_datasets__whose_names_are_no_text_are_passed_over(tmp_path):
    path = write_hdf5(tmp_path / "x.h5", VALUES)
    with h5py.File(path, "a") as file:
        h5py.h5g.create(file.id, b"ab\xff\xfe")
        file.attrs["PYTABLES_FORMAT_VERSION"] = np.bytes_("2.1")
    assert open_matrix(path).shape == VALUES.shape
    with pytest.raises(ValueError, match=r"'nothing' does not exist\. The file holds 'data'"):
        open_matrix(path, "nothing")


@pytest.fixture
def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    return h5py.ExternalLink(str(tmp_path / "pipe"), "/x")


@pytest.mark.parametrize("place", ["index", "named", "frame", "soft"])
def test_labels__that_lead_to_another_file_do_not_open_it(place, pipe, tmp_path):
    # Whoever opens a pipe waits for ever.
    path = write_anndata(tmp_path / "x.h5ad", VALUES)
    with h5py.File(path, "a") as file:
        file["obs/far"] = pipe
        file["obs/near"] = h5py.SoftLink("/obs/far")
        if place == "index":
            file["obs"].attrs["_index"] = "far/x"
        elif place == "frame":
            del file["obs"], file.attrs["encoding-type"]
            file["obs"] = pipe
    given = {"named": "far/x", "soft": "near/x"}.get(place, "auto")
    with pytest.raises(ValueError, match=r"is a link to another file, '.*pipe'.*Open that file"):
        open_matrix(path, sample_ids=given).sample_ids  # noqa: B018  # asking is what is tested


def test_group__that_leads_to_another_file_is_held_without_it(pipe, tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["g/data"] = VALUES
        file["g/far"] = pipe
    with h5py.File(tmp_path / "x.h5") as file:
        np.testing.assert_array_equal(open_matrix(file["g"]), VALUES)
