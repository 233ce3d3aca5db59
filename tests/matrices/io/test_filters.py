"""Filters of HDF5, decoded as HDF5 does: every cut and every flipped bit is noticed."""

import sys
import time
import zlib

import h5py
import numpy as np
import pytest

from skpar_select import open_matrix
from skpar_select.matrices.formats._hdf5 import open_dataset
from skpar_select.matrices.io._filters import (
    Filter,
    compresses,
    decode,
    fletcher32,
    is_decoded_here,
)
from skpar_select.matrices.io._filters import shuffles as has_shuffle
from skpar_select.matrices.io._session import FileSession
from skpar_select.matrices.readers import DatasetMatrix

GZIP, SHUFFLE, FLETCHER32 = Filter(1, (4,)), Filter(2, (4,)), Filter(3, ())
LZF = Filter(32000, ())
VALUES = np.random.default_rng(0).normal(size=(12, 9)).astype(np.float32)


def raw_chunk(filters, n_bytes=400, **options):
    """A chunk as HDF5 itself stores it, and its bytes."""
    values = np.random.default_rng(1).integers(0, 9, n_bytes).astype(np.uint8).view(np.float32)
    with h5py.File.in_memory() as file:
        data = file.create_dataset("x", data=values, chunks=values.shape, **options)
        mask, raw = data.id.read_direct_chunk((0,))
    return np.frombuffer(raw, np.uint8), mask, values.view(np.uint8)


PIPELINES = [
    ((), {}),
    ((GZIP,), {"compression": "gzip"}),
    ((SHUFFLE, GZIP), {"compression": "gzip", "shuffle": True}),
    ((SHUFFLE, GZIP, FLETCHER32), {"compression": "gzip", "shuffle": True, "fletcher32": True}),
    ((FLETCHER32,), {"fletcher32": True}),
]


@pytest.mark.parametrize(("filters", "options"), PIPELINES)
@pytest.mark.parametrize("n_bytes", [4, 400, 1_200_000])
def test_decode__is_what_hdf5_encoded(filters, options, n_bytes):
    raw, mask, expected = raw_chunk(filters, n_bytes, **options)
    np.testing.assert_array_equal(decode(raw, filters, mask, n_bytes), expected)


@pytest.mark.parametrize(("filters", "options"), PIPELINES[1:])
def test_decode__notices_every_flipped_bit_and_every_cut(filters, options):
    raw, mask, _ = raw_chunk(filters, **options)
    for place in range(len(raw)):
        damaged = raw.copy()
        damaged[place] ^= 1 << place % 8
        try:
            got = decode(damaged, filters, mask, 400)
        except OSError:
            pass
        else:
            # The header of gzip holds a hint or two that change nothing.
            np.testing.assert_array_equal(got, decode(raw, filters, mask, 400))
    for end in range(len(raw)):
        with pytest.raises(OSError, match=r"gzip|checksum|bytes"):
            decode(raw[:end], filters, mask, 400)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (zlib.compress(bytes(10_000_000)), "more than the 400 bytes of a chunk"),
        (zlib.compress(bytes(399)), "399 of the 400 bytes of a chunk"),
        (b"no gzip", "gzip: Error -3"),
        (b"", "0 of the 400 bytes"),
    ],
)
def test_decode__takes_no_size_on_trust(raw, message):
    with pytest.raises(OSError, match=message):
        decode(np.frombuffer(raw, np.uint8), (GZIP,), 0, 400)


def test_decode__leaves_out_the_filters_that_were_left_out():
    raw = np.arange(100, dtype=np.uint8)
    np.testing.assert_array_equal(decode(raw, (SHUFFLE, GZIP), 0b11, 100), raw)
    with pytest.raises(OSError, match="its 100 bytes are not the 400 of a chunk"):
        decode(raw, (GZIP,), 1, 400)


def filtered(path, values, *filters):
    """Write one chunk with filters that h5py does not set together."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk(values.shape)
    for filter_ in filters:
        properties.set_filter(filter_.code, h5py.h5z.FLAG_OPTIONAL, filter_.options)
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple(values.shape)
        data = h5py.h5d.create(file.id, b"data", h5py.h5t.NATIVE_FLOAT, space, properties)
        h5py.Dataset(data)[...] = values
        assert not data.get_chunk_info(0).filter_mask
    return path


@pytest.mark.parametrize("filters", [(GZIP, SHUFFLE), (SHUFFLE, GZIP), (SHUFFLE, LZF)])
def test_read__of_two_filters_in_any_order(filters, tmp_path):
    values = np.zeros((500, 500), np.float32)
    matrix = open_matrix(filtered(tmp_path / "x.h5", values, *filters))
    np.testing.assert_array_equal(matrix.read(np.s_[:]), values)


@pytest.mark.parametrize("filters", [(GZIP, LZF), (LZF, GZIP), (GZIP, GZIP)])
def test_check_filters__refuses_what_is_compressed_twice(filters, tmp_path):
    # What gzip makes of so many zeros is compressed once more.
    path = filtered(tmp_path / "x.h5", np.zeros((500, 500), np.float32), *filters)
    names = " and then by ".join(filter_.name for filter_ in filters)
    with pytest.raises(ValueError, match=f"is compressed by {names}.*once.*h5repack"):
        open_matrix(path)


@pytest.mark.parametrize("itemsize", [0, 1, 3, 3 * 10**7, 2**32 - 1])
def test_read__of_a_shuffle_that_lies_is_that_of_hdf5(itemsize, tmp_path):
    path = filtered(tmp_path / "x.h5", VALUES, SHUFFLE)
    content = bytearray(path.read_bytes())
    place = content.index(b"shuffle\0") + 8
    assert content[place : place + 4] == (4).to_bytes(4, "little")
    content[place : place + 4] = itemsize.to_bytes(4, "little")
    path.write_bytes(content)
    start = time.process_time()
    matrix = open_matrix(path)
    with FileSession(path) as session:
        assert type(open_dataset(session, "data")) is DatasetMatrix
    try:
        with h5py.File(path) as file:
            expected = file["data"][:]
    except OSError:
        with pytest.raises(OSError, match="cannot be read"):
            matrix.read(np.s_[:])
    else:
        np.testing.assert_array_equal(matrix.read(np.s_[:]), expected)
    assert time.process_time() - start < 5


@pytest.mark.parametrize("itemsize", [0, 1, 2, 7, 8, 50, 51, 99, 100, 101, 2**32 - 1])
def test_decode__unshuffles_values_of_any_size(itemsize):
    raw = np.arange(101, dtype=np.uint8)
    whole = 101 // itemsize * itemsize if itemsize else 0
    expected = raw.copy()
    if whole:
        expected[:whole] = raw[:whole].reshape(itemsize, -1).T.ravel()
    got = decode(raw, (Filter(2, (itemsize,)),), 0, 101)
    np.testing.assert_array_equal(got, expected)


def test_decode__unshuffles_wide_values_no_slower_than_others():
    start = time.process_time()
    decode(np.zeros(10**8, np.uint8), (Filter(2, (5 * 10**7,)),), 0, 10**8)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("filters", "here"),
    [
        ((), True),
        ((SHUFFLE, GZIP, FLETCHER32), True),
        ((FLETCHER32, SHUFFLE, GZIP, FLETCHER32), True),
        ((FLETCHER32, SHUFFLE, LZF, FLETCHER32), False),
        ((LZF,), False),
        ((GZIP, LZF), False),
        ((LZF, GZIP), False),
        ((GZIP, SHUFFLE, GZIP), False),
        ((Filter(2, (8,)), GZIP), False),
        ((Filter(2, ()), GZIP), False),
        ((Filter(32015, (3,)),), False),
    ],
)
def test_is_decoded_here__is_what_decode_knows(filters, here):
    assert is_decoded_here(filters, 4) == here


@pytest.mark.parametrize(
    ("filters", "smaller", "shuffled"),
    [
        ((), False, False),
        ((FLETCHER32,), False, False),
        ((SHUFFLE, FLETCHER32), False, True),
        ((SHUFFLE, GZIP), True, True),
        ((LZF,), True, False),
    ],
)
def test_filters__tell_what_they_do(filters, smaller, shuffled):
    assert compresses(filters) is smaller
    assert has_shuffle(filters) is shuffled


def naive_fletcher32(data):
    """Word by word, as the definition has it."""
    first = second = 0
    for place in range(0, len(data), 2):
        pair = bytes(data[place : place + 2]).ljust(2, b"\0")
        first = (first + int.from_bytes(pair, "big")) % 65535
        second = (second + first) % 65535
    return first, second


@pytest.mark.parametrize("length", [0, 1, 2, 7, 1000, 2**17 + 3])
def test_fletcher32__is_its_definition(length):
    data = np.random.default_rng(length).integers(0, 256, length).astype(np.uint8)
    assert fletcher32(data) == naive_fletcher32(data)


def test_check_filters__names_a_missing_one_and_its_package(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("data", data=VALUES, chunks=(5, 4), compression="lzf", shuffle=True)
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda code: code != 32000)
    with pytest.raises(
        OSError, match=r"the filter lzf \(32000\), which is not.*pip install hdf5plugin"
    ):
        open_matrix(tmp_path / "x.h5")


@pytest.mark.parametrize("place", ["hdf5plugin.py", "hdf5plugin/__init__.py"])
def test_check_filters__runs_no_module_of_the_working_folder(place, tmp_path, monkeypatch):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("data", data=VALUES, chunks=(5, 4), compression="lzf")
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("raise RuntimeError('it ran')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    monkeypatch.delitem(sys.modules, "hdf5plugin", raising=False)
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda code: code != 32000)
    with pytest.raises(OSError, match=r"hdf5plugin, which would be taken from '.*hdf5plugin.*py'"):
        open_matrix("x.h5")
