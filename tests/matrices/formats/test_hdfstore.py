"""Data frames that pandas has written."""

import pickle

import h5py
import numpy as np
import pytest
from containers import HIDDEN, KINDS, hide, opened, values_of, write_hdfstore
from numpy.testing import assert_array_equal

from skpar_select import open_matrix
from skpar_select.testing import MatrixConformance

VALUES = np.random.default_rng(0).normal(size=(12, 9)).astype(np.float32)


class TestFrame(MatrixConformance):
    @pytest.fixture(params=[kind for kind in KINDS if kind.startswith("hdfstore")])
    def case(self, request, tmp_path):
        values = values_of()
        return opened(request.param, tmp_path, values), values


def change(path, name, values=None, **attributes):
    with h5py.File(path, "a") as file:
        if values is not None:
            del file["frame"][name]
            file["frame"][name] = values
        file["frame"][name].attrs.update(attributes)


def test_frame__of_several(tmp_path):
    path = write_hdfstore(tmp_path / "x.h5", values_of(), key="deep/one")
    with h5py.File(path, "a") as file:
        file.copy("deep/one", "two")
    with pytest.raises(ValueError, match=r"dataset=None is no data frame.*deep/one, two"):
        open_matrix(path)
    assert_array_equal(open_matrix(path, "/deep/one"), values_of())


def test_frame__of_several_types(tmp_path):
    path = write_hdfstore(tmp_path / "x.h5", values_of("i4"), blocks=2)
    change(path, "block1_values", values_of("f4")[:, 1::2])
    X = open_matrix(path)
    expected = values_of("i4").astype("f8")
    expected[:, 1::2] = values_of("f4")[:, 1::2]
    assert X.dtype == np.float64
    assert_array_equal(X, expected)


def test_frame__format_table_is_refused(tmp_path):
    path = write_hdfstore(tmp_path / "x.h5", values_of())
    with h5py.File(path, "a") as file:
        file["frame"].attrs["pandas_type"] = np.bytes_("frame_table")
    with pytest.raises(ValueError, match=r"format 'frame_table'.*cannot hold more than"):
        open_matrix(path)


def test_frame__objects_are_never_unpickled(tmp_path):
    pickled = np.frombuffer(b"cos\nsystem\n(S'false'\ntR.", np.uint8)
    path = write_hdfstore(tmp_path / "x.h5", values_of(), blocks=2)
    change(path, "block1_values", pickled, PSEUDOATOM=np.bytes_("object"))
    with pytest.raises(ValueError, match=r"a block of objects, a pickle.*never opened"):
        open_matrix(path)
    path = write_hdfstore(tmp_path / "y.h5", values_of())
    change(path, "axis0", pickled, PSEUDOATOM=np.bytes_("object"))
    with pytest.raises(ValueError, match=r"'frame/axis0' is a pickle.*never opened"):
        open_matrix(path)


def test_frame__dates_are_refused(tmp_path):
    path = write_hdfstore(tmp_path / "x.h5", values_of("i8"))
    change(path, "block0_values", value_type=np.bytes_("datetime64[ns]"))
    with pytest.raises(ValueError, match=r"columns of type datetime64\[ns\]"):
        open_matrix(path)


def test_frame__blocks_that_do_not_make_the_frame(tmp_path):
    path = write_hdfstore(tmp_path / "x.h5", values_of(), blocks=2)
    change(path, "block1_items", np.array(["f1"] * 11, "S"))
    with pytest.raises(ValueError, match=r"names 23 columns, and its blocks 13 different"):
        open_matrix(path)


def test_frame__blocks_of_unequal_rows_are_refused(tmp_path):
    path = write_hdfstore(tmp_path / "x.h5", values_of(), blocks=3)
    with h5py.File(path, "a") as file:
        short = file["frame/block1_values"][:-2]
        del file["frame/block1_values"]
        file["frame/block1_values"] = short
    n_rows = len(values_of())
    with pytest.raises(
        ValueError, match=f"blocks of {n_rows - 2} to {n_rows} rows.*write it again"
    ):
        open_matrix(path)


def test_order__of_the_columns_is_found_once(tmp_path, monkeypatch):
    paths = [tmp_path / f"{i}.h5" for i in range(5)]
    for path in paths:
        write_hdfstore(path, values_of(), blocks=2)
    X = open_matrix(paths, sample_ids="auto", feature_names=None)
    assert X.sample_ids is not None
    asked, original = [], h5py.Group.__getitem__
    # Every dataset that is read is first asked for by its name.
    monkeypatch.setattr(
        h5py.Group, "__getitem__", lambda group, name: asked.append(name) or original(group, name)
    )
    for _ in range(2):
        X.read(np.s_[:])
    pickle.loads(pickle.dumps(X)).read(np.s_[:])
    assert not [name for name in asked if "items" in name or "axis" in name]


def test_names__are_the_columns_and_the_index(tmp_path):
    X = open_matrix(write_hdfstore(tmp_path / "x.h5", values_of(), blocks=3))
    assert (X.feature_names[22], X.sample_ids[18]) == ("f22", "s18")


def test_names__of_a_frame_are_its_own(tmp_path):
    path = write_hdfstore(tmp_path / "x.h5", values_of())
    with pytest.raises(ValueError, match=r"one set of names for each axis.*='auto'"):
        open_matrix(path, sample_ids="age")


@pytest.mark.parametrize("kind", HIDDEN)
@pytest.mark.parametrize("name", ["axis0", "axis1", "block0_items"])
def test_names__that_are_not_in_the_file_are_refused(name, kind, tmp_path):
    path = write_hdfstore(tmp_path / "x.h5", VALUES[:, :8])
    length = 12 if name == "axis1" else 8
    with h5py.File(path, "a") as file:
        del file["frame"][name]
        hide(file, tmp_path, kind, f"frame/{name}", length)
    with pytest.raises(ValueError, match=HIDDEN[kind].replace("6 of 6", r"\d of \d")):
        open_matrix(path, sample_ids="auto").sample_ids  # noqa: B018
