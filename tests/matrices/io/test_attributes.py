"""Attributes whose text is damaged are refused before HDF5 goes round in them for ever."""

import h5py
import numpy as np
import pytest

from skpar_select import open_matrix
from skpar_select.matrices.io._attributes import attribute


def damage(path):
    """Give the free space of the heap no length."""
    content = bytearray(path.read_bytes())
    at = content.index(b"GCOL") + 16
    while int.from_bytes(content[at : at + 2], "little"):
        at += 16 + -(-int.from_bytes(content[at + 8 : at + 16], "little") // 8) * 8
    content[at + 8 : at + 16] = bytes(8)
    path.write_bytes(content)


@pytest.mark.parametrize("userblock", [0, 512])
@pytest.mark.parametrize("version", ["earliest", "latest"])
@pytest.mark.parametrize("n_others", [0, 5])
def test_attribute__of_damaged_text_is_refused(version, userblock, n_others, tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver=version, userblock_size=userblock) as file:
        file["data"] = np.zeros((3, 2))
        for number in range(n_others):
            # Some go into a second block of the header.
            file.attrs[f"other {number}"] = np.arange(50)
        file.attrs["encoding-type"] = "anything"
        file.attrs["number"] = 3
    assert open_matrix(path).shape == (3, 2)
    damage(path)
    message = r"x\.h5', attribute 'encoding-type' of '/'.*is broken at byte.*Copy it again"
    with pytest.raises(OSError, match=message):
        open_matrix(path)
    with h5py.File(path) as file:
        # Others are not looked at.
        assert attribute(file, "number") == 3
        assert attribute(file, "nothing", "x") == "x"


def test_attribute__of_a_damaged_dimension_scale_is_refused(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["data"] = np.zeros((3, 2))
        file["sites"] = np.array(["a", "b"], "S")
        file["sites"].make_scale()
        file["data"].dims[1].attach_scale(file["sites"])
    assert open_matrix(path).feature_names.tolist() == ["a", "b"]
    damage(path)
    with pytest.raises(OSError, match=r"attribute 'DIMENSION_LIST' of '/data'"):
        open_matrix(path).feature_names  # noqa: B018  # asking is what is tested
