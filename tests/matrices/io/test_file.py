"""Files that must stay as they are, and reads at a place of them."""

import errno
import os
import pickle

import numpy as np
import pytest

from skpar_select.matrices.io._file import FileSnapshot, read_into, reading


@pytest.fixture
def path(tmp_path):
    (tmp_path / "x.bin").write_bytes(bytes(range(100)))
    return tmp_path / "x.bin"


def test_snapshot__knows_the_path_and_the_size(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    file = FileSnapshot("x.bin")
    assert (file.path, file.size) == (str(path), 100)
    file.check_unchanged()


@pytest.mark.parametrize("change", ["rewritten", "swapped"])
def test_check_unchanged__refuses_another_file_of_the_same_size_and_time(path, change):
    file, status = FileSnapshot(path), path.stat()
    other = path.with_name("other.bin")
    for target in (path, other):
        # The clock of a file system goes in steps of some milliseconds.
        while not target.exists() or target.stat().st_ctime_ns == status.st_ctime_ns:
            target.write_bytes(bytes(100))
            os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
        if change == "rewritten":
            break
    if change == "swapped":
        other.replace(path)
        # As if it had been put there within one step of the clock.
        file.stamp = FileSnapshot(path).stamp._replace(inode=file.stamp.inode)
    words = {
        "rewritten": "although its time of modification was kept",
        "swapped": "and another file is in its place",
    }
    with pytest.raises(OSError, match=rf"100 bytes now, .*{words[change]}.*Open it again"):
        file.check_unchanged()


@pytest.mark.parametrize("change", ["shorter", "longer", "touched", "replaced"])
def test_check_unchanged__refuses_another_file(path, change):
    file = FileSnapshot(path)
    if change == "shorter":
        os.truncate(path, 50)
    elif change == "longer":
        path.write_bytes(bytes(200))
    elif change == "touched":
        os.utime(path, ns=(1, 1))
    else:
        path.unlink()
        path.write_bytes(bytes(101))
    sizes = {"shorter": 50, "longer": 200, "touched": 100, "replaced": 101}
    message = rf"has changed since it was opened: 100 bytes then, {sizes[change]} bytes now"
    with pytest.raises(OSError, match=message):
        file.check_unchanged()
    with pytest.raises(OSError, match=message), file.opened():
        pytest.fail("a changed file was opened")


def test_check_unchanged__refuses_a_file_that_is_gone(path):
    file = FileSnapshot(path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"does not exist.*Check the path"):
        file.check_unchanged()


def test_opened__notices_a_change_while_it_is_open(path):
    file = FileSnapshot(path)
    with pytest.raises(OSError, match="has changed since it was opened"), file.opened():
        os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("forwards", [False, True])
def test_opened__closes_its_descriptor(path, forwards):
    file = FileSnapshot(path)
    before = os.listdir("/proc/self/fd")
    with file.opened(forwards=forwards):
        assert len(os.listdir("/proc/self/fd")) == len(before) + 1
    with pytest.raises(ZeroDivisionError), file.opened():
        raise ZeroDivisionError
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_snapshot__pickles_with_its_stamp(path):
    file = pickle.loads(pickle.dumps(FileSnapshot(path)))
    file.check_unchanged()
    # Another host sees the file by other numbers.
    assert (file.stamp.inode, file.stamp.device) == (0, 0)
    assert file.stamp[:3] == FileSnapshot(path).stamp[:3]
    os.utime(path, ns=(1, 1))
    with pytest.raises(OSError, match="has changed since it was opened"):
        file.check_unchanged()


def test_read_into__fills_the_array_from_a_place_on(path):
    out = np.zeros((3, 2), ">u2")
    with FileSnapshot(path).opened() as descriptor:
        read_into(descriptor, 10, out)
    np.testing.assert_array_equal(out, np.frombuffer(bytes(range(10, 22)), ">u2").reshape(3, 2))


def test_read_into__goes_on_where_the_system_stops(path, monkeypatch):
    original = os.preadv
    monkeypatch.setattr(
        os, "preadv", lambda fd, buffers, offset: original(fd, [buffers[0][:7]], offset)
    )
    out = np.zeros(40, np.uint8)
    with FileSnapshot(path).opened() as descriptor:
        read_into(descriptor, 5, out)
    np.testing.assert_array_equal(out, np.arange(5, 45))


def test_read_into__beyond_the_end_counts_what_is_missing(path):
    with FileSnapshot(path).opened() as descriptor:
        with pytest.raises(OSError, match=r"^the file ends 30 bytes too early$"):
            read_into(descriptor, 90, np.zeros(40, np.uint8))
        read_into(descriptor, 100, np.zeros(0, np.uint8))


def test_reading__names_the_file_in_errors_of_the_system():
    message = r"^'x\.bin' cannot be read \(Input/output error\).*copy it"
    with pytest.raises(OSError, match=message), reading("x.bin"):
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    with pytest.raises(OSError, match=r"^its own words$"), reading("x.bin"):
        raise OSError("its own words")
