"""The temporary file: threads write it, any process of this host reads it, and nothing stays."""

import errno
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from skpar_select.matrices.io._scratch import ScratchFile, scratch_available


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of temporary files, as TMPDIR names it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def test_write__by_several_threads_is_read_by_the_path(folder):
    values = np.arange(4000, dtype=">i4").reshape(40, 100)
    with ScratchFile.of_size(values.nbytes) as scratch, ThreadPoolExecutor(4) as pool:
        rows = [(100 * 4 * place, row) for place, row in enumerate(values)]
        list(pool.map(lambda task: scratch.write(*task), rows))
        assert os.path.getsize(scratch.path) == values.nbytes
        np.testing.assert_array_equal(np.fromfile(scratch.path, ">i4").reshape(40, 100), values)


def test_write__takes_what_is_not_contiguous(folder):
    values = np.arange(24.0).reshape(4, 6)[::2, ::3]
    with ScratchFile.of_size(values.nbytes) as scratch:
        scratch.write(0, values)
        np.testing.assert_array_equal(np.fromfile(scratch.path).reshape(2, 2), values)


@pytest.mark.parametrize("fails", [False, True])
def test_scratch__leaves_nothing(folder, fails):
    before = len(os.listdir("/proc/self/fd"))
    try:
        with ScratchFile.of_size(1000):
            # Without a name, so that it goes with the process, however that ends.
            assert not list(folder.iterdir()) or not os.path.exists("/proc/self/fd")
            assert not fails or 1 / 0
    except ZeroDivisionError:
        assert fails
    assert not list(folder.iterdir())
    assert len(os.listdir("/proc/self/fd")) == before


def test_of_size__of_more_than_there_is_names_the_folder(folder):
    with (
        pytest.raises(OSError, match=r"temporary file of .* cannot be made in '.*TMPDIR"),
        ScratchFile.of_size(2**60),
    ):
        pytest.fail("there is no such space")
    assert not list(folder.iterdir())


def test_scratch_available__is_that_of_the_folder(folder, monkeypatch):
    assert 0 < scratch_available() < 2**60
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "gone"))
    assert scratch_available() == 0


def test_write__that_fails_says_what_to_do(folder, monkeypatch):
    def fail(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", fail)
    message = r"temporary file in '.*temporary' cannot be written \(No space left.*Set TMPDIR"
    with (
        ScratchFile.of_size(100) as scratch,
        pytest.raises(OSError, match=message),
    ):
        scratch.write(0, np.zeros(10))
