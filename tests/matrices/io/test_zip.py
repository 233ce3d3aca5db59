import zipfile

import numpy as np
import pytest

from skpar_select import open_matrix
from skpar_select.matrices.io._zip import names_in_zip


def test_names_in_zip__are_those_of_its_files(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("one/two", "text")
    assert names_in_zip(str(tmp_path / "a.zip")) == ["one/two"]
    (tmp_path / "b.zip").write_bytes(b"PK\3\4, and nothing more")
    assert names_in_zip(str(tmp_path / "b.zip")) == []


@pytest.mark.parametrize("place", range(30))
def test_names_in_zip__of_a_damaged_directory_are_an_os_error(tmp_path, place):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("one/t\u00fco", "text")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + place] ^= 0xFF
    path.write_bytes(content)
    try:
        assert len(names_in_zip(str(path))) == 1
    except OSError as error:
        assert f"'{path}' cannot be read as a zip file (" in str(error)  # noqa: PT017  # few bytes matter
        with pytest.raises(OSError, match="Copy it again"):
            open_matrix(path)
    else:
        assert place > 3  # the mark of the directory is looked for first


def test_archive_of_numpy__is_named_as_one(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.zeros((2, 2)))
    with pytest.raises(ValueError, match="npz"):
        open_matrix(tmp_path / "x.npz")
