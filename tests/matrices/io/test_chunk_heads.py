"""Chunks that claim to be gigabytes are refused before anything makes them."""

import zlib

import h5py
import numpy as np
import pytest

from skpar_select import open_matrix
from skpar_select.matrices.io._chunk_heads import check_head
from skpar_select.matrices.io._filters import Filter

GIB = 2**30

# The head of a block of 30 bytes as they are, the last one of a frame.
LAST = (30 << 3 | 1).to_bytes(3, "little")


def raw(content):
    return np.frombuffer(content, np.uint8)


@pytest.mark.parametrize(
    ("filter_", "head"),
    [
        (Filter(32015, (3,)), b"\x28\xb5\x2f\xfd\xc0\x58" + GIB.to_bytes(8, "little") + LAST),
        (Filter(32015, (3,)), b"\x28\xb5\x2f\xfd\xa0" + GIB.to_bytes(4, "little") + LAST),
        (Filter(32004, ()), GIB.to_bytes(8, "big")),
        (Filter(32008, (0, 5, 4, 0, 2)), GIB.to_bytes(8, "big")),
        (Filter(32001, (2, 2, 4, 400)), b"\x02\x01\x01\x04" + GIB.to_bytes(4, "little")),
        (Filter(4, (141, 4, 32, 100)), GIB.to_bytes(4, "little")),
        (Filter(32000, (4, 261, GIB)), b""),
        (Filter(6, (2, 0, GIB // 4, 0, 4)), b""),
        (Filter(5, (8, 0, GIB // 4, 1, 4)), b""),
    ],
)
def test_check_head__refuses_what_claims_to_be_larger_than_a_chunk(filter_, head):
    message = f"{filter_.name}: it says that it decodes to {GIB} bytes, and a chunk has 400"
    with pytest.raises(OSError, match=message):
        check_head(raw(head + bytes(30)), (filter_,), 0, 400)
    check_head(raw(head + bytes(30)), (filter_,), 0, GIB)
    # Under a checksum, and where it was left out of this chunk.
    with pytest.raises(OSError, match=message):
        check_head(raw(head + bytes(34)), (filter_, Filter(3, ())), 0, 400)
    check_head(raw(bytes(400)), (filter_,), 1, 400)
    with pytest.raises(OSError, match="its 404 bytes are not the 400 of a chunk"):
        check_head(raw(bytes(404)), (filter_,), 1, 400)
    check_head(raw(bytes(404)), (filter_, Filter(3, ())), 1, 400)


@pytest.mark.parametrize("kept", [3, 12, 30, -1])
def test_check_head__of_zstd_that_is_cut_short(kept, tmp_path):
    hdf5plugin = pytest.importorskip("hdf5plugin")
    values = np.random.default_rng(0).normal(size=(300, 300)).round(1)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        data = file.create_dataset("x", data=values, chunks=values.shape, **hdf5plugin.Zstd())
        _, whole = data.id.read_direct_chunk((0, 0))
    zstd = (Filter(32015, (3,)),)
    check_head(raw(whole), zstd, 0, values.nbytes)
    with pytest.raises(OSError, match=r"zstd: its frame ends at|zstd: it does not begin"):
        check_head(raw(whole[:kept]), zstd, 0, values.nbytes)


def test_check_head__counts_what_gzip_decodes_to():
    gzip = (Filter(6, (2, 0, 100, 0, 4)), Filter(1, (4,)))
    check_head(raw(zlib.compress(bytes(400))), gzip, 0, 400)
    with pytest.raises(OSError, match=r"gzip: it says that it decodes to [0-9]+ bytes"):
        check_head(raw(zlib.compress(bytes(10**7))), gzip, 0, 400)
    with pytest.raises(OSError, match="unknown compression method"):
        check_head(raw(bytes(100)), gzip, 0, 400)


def test_read__of_a_chunk_that_claims_to_be_larger_names_the_file(tmp_path):
    hdf5plugin = pytest.importorskip("hdf5plugin")
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("data", (10, 10), "f4", chunks=(10, 10), **hdf5plugin.Zstd())
        head = b"\x28\xb5\x2f\xfd\xc0\x58" + (2**32).to_bytes(8, "little")
        data.id.write_direct_chunk((0, 0), head + LAST + bytes(30))
    message = r"x\.h5', dataset 'data': rows 0 to 9.*zstd: it says that it decodes to 4294967296"
    with pytest.raises(OSError, match=message):
        open_matrix(path).read(np.s_[:3])


@pytest.mark.parametrize("user_block", [0, 512])
def test_read__of_gzip_that_goes_on_stops(user_block, tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", userblock_size=user_block) as file:
        data = file.create_dataset("data", (10, 10), "f4", chunks=(10, 10), compression="gzip")
        data.id.write_direct_chunk((0, 0), zlib.compress(bytes(10**7)))
    with pytest.raises(OSError, match="gzip: it decodes to more than the 400 bytes of a chunk"):
        open_matrix(path).read(np.s_[:3])
