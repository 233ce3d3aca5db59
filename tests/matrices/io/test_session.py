"""One opening of a path: what it is, its first bytes, and the one handle."""

import numpy as np
import pytest

from skpar_select.matrices.io._session import FileSession


def test_hdf5__is_opened_when_it_is_first_asked_for_and_closed_at_the_end(write_h5, opens):
    path = write_h5(np.zeros((2, 3)))
    opens.clear()
    with FileSession(path) as session:
        assert session.is_hdf5
        assert session.begins_with(b"\x89HDF")
        assert not session.is_folder
        assert not opens
        handle = session.hdf5
        assert handle["data"].shape == (2, 3)
        assert session.hdf5 is handle
    assert opens == [str(path)]
    assert not handle.id.valid


def test_hdf5__is_closed_after_an_error(write_h5):
    handles = []

    def fail():
        with FileSession(write_h5(np.zeros((2, 3)))) as session:
            handles.append(session.hdf5)
            raise NotImplementedError("no sign of damage")

    with pytest.raises(OSError, match="damaged"):
        fail()
    assert not handles[0].id.valid


def test_session__of_another_file_opens_no_hdf5(tmp_path, opens):
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY")
    with FileSession(tmp_path / "x.npy") as session:
        assert not session.is_hdf5
        assert session.begins_with(b"\x93NUMPY")
        assert not session.begins_with(b"\x93NUMPY and more")
        assert session.snapshot.size == 6
        assert not opens
        with pytest.raises(OSError, match="cannot be opened as HDF5"):
            session.hdf5  # noqa: B018


def test_session__of_a_folder_reads_nothing_of_it(tmp_path):
    with FileSession(tmp_path) as session:
        assert session.is_folder
        assert not session.is_hdf5
        assert not session.begins_with(b"")
        with pytest.raises(OSError, match="is a folder"):
            session.snapshot  # noqa: B018


def test_session__takes_a_relative_path(tmp_path, monkeypatch, write_h5):
    write_h5(np.zeros((2, 3)))
    monkeypatch.chdir(tmp_path)
    with FileSession("matrix.h5") as session:
        assert session.path == str(tmp_path / "matrix.h5")
        assert session.snapshot is session.snapshot
