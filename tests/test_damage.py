"""Files that lie or are damaged end in an error that tells, never in scores."""

import itertools
import os
import re
import subprocess
import sys
import time
import tracemalloc
import zlib
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
from containers import write_anndata, write_hdf5, write_hdfstore

from skpar_select import open_matrix
from skpar_select.sources import _chunks, _datasets, _filters, _names
from skpar_select.sources._codecs import Filter, decode, decoded_here, fletcher32
from skpar_select.sources._contiguous import Contiguous
from skpar_select.sources._file import StillFile
from skpar_select.sources._hdf5 import HDF5Container
from skpar_select.sources._runs import most_together, touched

MUTATIONS = Path(__file__).with_name("mutations.py")
GZIP, SHUFFLE, FLETCHER32 = Filter(1, (4,)), Filter(2, (4,)), Filter(3, ())
LZF = Filter(32000, ())
VALUES = np.random.default_rng(0).normal(size=(12, 9)).astype(np.float32)


def test_fit__of_files_damaged_at_random_raises_only_what_it_says(tmp_path):
    command = [sys.executable, MUTATIONS, tmp_path, "0", "400"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "'refused': 2" in done.stdout


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
    ((SHUFFLE, LZF, FLETCHER32), {"compression": "lzf", "shuffle": True, "fletcher32": True}),
    ((LZF,), {"compression": "lzf"}),
]


@pytest.mark.parametrize(("filters", "options"), PIPELINES)
@pytest.mark.parametrize("n_bytes", [4, 400, 1_200_000])
def test_decode__is_what_hdf5_encoded(filters, options, n_bytes):
    raw, mask, expected = raw_chunk(filters, n_bytes, **options)
    np.testing.assert_array_equal(decode(raw, filters, mask, n_bytes), expected)


# The bytes of lzf tell when they are cut, and nothing of themselves.
@pytest.mark.parametrize(("filters", "options"), PIPELINES[1:-1])
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


def test_decode__notices_every_cut_of_lzf():
    raw, mask, _ = raw_chunk((LZF,), compression="lzf")
    assert not mask
    for end in range(len(raw)):
        with pytest.raises(OSError, match="lzf: it does not decode to the 400 bytes"):
            decode(raw[:end], (LZF,), mask, 400)


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


@pytest.mark.parametrize("filters", [(GZIP, LZF), (LZF, GZIP), (GZIP, GZIP), (GZIP, SHUFFLE)])
def test_read__of_two_filters_in_any_order(filters, tmp_path):
    # What gzip makes of so many zeros is compressed once more.
    values = np.zeros((500, 500), np.float32)
    matrix = open_matrix(filtered(tmp_path / "x.h5", values, *filters))
    np.testing.assert_array_equal(matrix.read(np.s_[:]), values)


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
    assert matrix._container.direct is None
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
        ((SHUFFLE, GZIP, FLETCHER32), True),
        ((FLETCHER32, SHUFFLE, LZF, FLETCHER32), True),
        ((GZIP, LZF), False),
        ((LZF, GZIP), False),
        ((GZIP, SHUFFLE, GZIP), False),
        ((Filter(2, (8,)), GZIP), False),
        ((Filter(2, ()), GZIP), False),
        ((Filter(32015, (3,)),), False),
    ],
)
def test_decoded_here__is_what_decode_knows(filters, here):
    assert decoded_here(filters, 4) == here


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


def test_contiguous__beyond_the_end_of_its_file_is_refused(tmp_path):
    (tmp_path / "x.bin").write_bytes(bytes(100))
    file = StillFile(tmp_path / "x.bin")
    with pytest.raises(ValueError, match=r"x: its values would end at byte 108, .* file has 100"):
        Contiguous(file, 8, (5, 5), np.dtype("f4"), "x")
    assert Contiguous(file, 0, (5, 5), np.dtype("f4"), "x")
    with pytest.raises(ValueError, match="its values would end at byte 36893488147419103232"):
        Contiguous(file, 0, (2**31, 2**31), np.dtype("f8"), "x")


def write_rows(path, values, **options):
    """Write a matrix without names."""
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=values, **options)
    return path


def gzipped(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=VALUES, chunks=(5, 4), compression="gzip")
        info = file["data"].id.get_chunk_info_by_coord((5, 4))
    return info.byte_offset, info.size


def test_read__of_a_damaged_gzip_chunk_names_file_dataset_and_place(tmp_path):
    path = tmp_path / "x.h5"
    offset, size = gzipped(path)
    with open(path, "r+b") as file:
        file.seek(offset + size - 1)
        last = file.read(1)[0]
        file.seek(offset + size - 1)
        file.write(bytes([last ^ 1]))
    message = (
        r"x\.h5', dataset 'data': the chunk of rows 5 to 9, columns 4 to 7 cannot be read \(gzip: "
        r".*incorrect data check\)"
    )
    with pytest.raises(OSError, match=message):
        open_matrix(path).read(np.array([5]))
    assert open_matrix(path).read(np.array([0, 8])).shape == (12, 2)


def test_storage__of_chunks_outside_the_file_is_refused(tmp_path, monkeypatch):
    gzipped(tmp_path / "x.h5")
    matrix = open_matrix(tmp_path / "x.h5")
    cut = (matrix._container.file.stamp[0] - 150, matrix._container.file.stamp[1])
    _chunks._index.cache_clear()
    monkeypatch.setattr(matrix._container.file, "stamp", cut)
    with pytest.raises(
        OSError, match=r"chunks are missing or lie outside the file, the first at row"
    ):
        matrix.storage  # noqa: B018  # asking is what is tested


def test_open_matrix__names_a_missing_filter_and_its_package(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("data", data=VALUES, chunks=(5, 4), compression="lzf", shuffle=True)
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    monkeypatch.setattr(_filters.h5z, "filter_avail", lambda code: code != 32000)
    with pytest.raises(
        OSError, match=r"the filter lzf \(32000\), which is not.*pip install hdf5plugin"
    ):
        open_matrix(tmp_path / "x.h5")


def test_open_matrix__tells_damaged_descriptions_as_oserror(tmp_path, monkeypatch):
    gzipped(tmp_path / "x.h5")

    def damaged(*args, **options):
        raise RuntimeError("bad object header")

    monkeypatch.setattr(h5py.Group, "get", damaged)
    with pytest.raises(OSError, match=r"x\.h5' is damaged \(RuntimeError: bad object header\)"):
        open_matrix(tmp_path / "x.h5", "data")


def test_index__of_chunks_is_read_once(tmp_path, monkeypatch):
    gzipped(tmp_path / "x.h5")
    matrix = open_matrix(tmp_path / "x.h5")
    matrix.read(np.s_[:])
    monkeypatch.setattr(_chunks, "open_file", None)
    np.testing.assert_array_equal(matrix[::2].read(np.s_[2:5]), VALUES[::2, 2:5])
    os.utime(tmp_path / "x.h5", ns=(1, 1))
    with pytest.raises(OSError, match="has changed since it was opened"):
        matrix.read(np.s_[:])


def hidden(file, folder, kind, name, length=12, dtype="S2"):
    """Make a dataset of which HDF5 reads what is not in the file."""
    (folder / "secret.txt").write_bytes(bytes(range(65, 65 + 2 * length)))
    with h5py.File(folder / "other.h5", "w") as other:
        other["ids"] = np.zeros(length, dtype)
    if kind == "external storage":
        raw = [(str(folder / "secret.txt"), 0, 2 * length)]
        file.create_dataset(name, (length,), dtype, external=raw)
    elif kind == "external link":
        file[name] = h5py.ExternalLink("other.h5", "ids")
    elif kind == "link over a link":
        file["far"] = h5py.ExternalLink("other.h5", "/")
        file[name] = h5py.SoftLink("/far/ids")
    elif kind == "virtual":
        layout = h5py.VirtualLayout((length,), dtype)
        layout[:] = h5py.VirtualSource(folder / "other.h5", "ids", (length,))
        file.create_virtual_dataset(name, layout)
    else:
        file.create_dataset(name, (length,), dtype, chunks=(2,) if kind == "no chunk" else None)


HIDDEN = {
    "external storage": r"keeps its values in another file, '.*secret\.txt'",
    "external link": r"is a link to another file, 'other\.h5'",
    "link over a link": r"is a link to another file, 'other\.h5'",
    "virtual": "is a virtual dataset",
    "never written": "1 of 1 chunks were never written",
    "no chunk": "6 of 6 chunks were never written",
}


@pytest.mark.parametrize("kind", HIDDEN)
def test_names__that_are_not_in_the_file_are_refused(kind, tmp_path):
    path = write_hdf5(tmp_path / "x.h5", VALUES)
    with h5py.File(path, "a") as file:
        del file["samples"]
        hidden(file, tmp_path, kind, "samples")
    with pytest.raises(ValueError, match=HIDDEN[kind]):
        open_matrix(path, "data", sample_ids="samples")
    if "link" in kind:
        # What is beside the matrix is found where it lies there itself.
        assert open_matrix(path, "data", sample_ids="auto").sample_ids is None
    else:
        with pytest.raises(ValueError, match=HIDDEN[kind]):
            open_matrix(path, "data", sample_ids="auto")


@pytest.mark.parametrize("kind", ["external storage", "virtual"])
def test_auto__takes_no_other_dataset_that_is_not_in_the_file(kind, tmp_path):
    path = write_hdf5(tmp_path / "x.h5", VALUES)
    with h5py.File(path, "a") as file:
        del file["samples"]
        hidden(file, tmp_path, kind, "people")
    assert open_matrix(path, sample_ids="auto").sample_ids is None


@pytest.mark.parametrize("kind", HIDDEN)
@pytest.mark.parametrize("part", ["index", "categories", "codes", "mask", "values"])
def test_names__of_anndata_that_are_not_in_the_file_are_refused(part, kind, tmp_path):
    path = write_anndata(tmp_path / "x.h5ad", VALUES)
    with h5py.File(path, "a") as file:
        categorical = part in ("categories", "codes")
        column = file.create_group("obs/patient")
        column.attrs["encoding-type"] = "categorical" if categorical else "nullable-string-array"
        if categorical:
            column["categories"], column["codes"] = [f"p{i}" for i in range(12)], np.arange(12)
        else:
            column["values"], column["mask"] = [f"p{i}" for i in range(12)], np.zeros(12, bool)
        if part == "index":
            del file["obs/_index"]
            hidden(file, tmp_path, kind, "obs/_index")
        else:
            del column[part]
            dtype = "S2" if part in ("categories", "values") else "i2" if part == "codes" else "?"
            hidden(file, tmp_path, kind, f"obs/patient/{part}", dtype=dtype)
    with pytest.raises(ValueError, match=HIDDEN[kind]):
        open_matrix(path, sample_ids="auto" if part == "index" else "patient")


@pytest.mark.parametrize("kind", ["external link", "link over a link"])
def test_names__of_anndata_in_the_frame_of_another_file_are_refused(kind, tmp_path):
    path = write_anndata(tmp_path / "x.h5ad", VALUES)
    with h5py.File(path, "a") as file:
        del file["obs"]
        hidden(file, tmp_path, kind, "obs")
    with pytest.raises(ValueError, match=HIDDEN[kind]):
        open_matrix(path, sample_ids="auto")


@pytest.mark.parametrize("kind", HIDDEN)
@pytest.mark.parametrize("name", ["axis0", "axis1", "block0_items"])
def test_names__of_a_frame_that_are_not_in_the_file_are_refused(name, kind, tmp_path):
    path = write_hdfstore(tmp_path / "x.h5", VALUES[:, :8])
    length = 12 if name == "axis1" else 8
    with h5py.File(path, "a") as file:
        del file["frame"][name]
        hidden(file, tmp_path, kind, f"frame/{name}", length)
    with pytest.raises(ValueError, match=HIDDEN[kind].replace("6 of 6", r"\d of \d")):
        open_matrix(path, sample_ids="auto")


def test_link__in_a_circle_is_refused(tmp_path):
    path = write_hdf5(tmp_path / "x.h5", VALUES)
    with h5py.File(path, "a") as file:
        file["round"] = h5py.SoftLink("/round")
        file["near"] = h5py.SoftLink("./data")
        file["g/up"] = h5py.SoftLink("/near")
    with pytest.raises(ValueError, match="'/round' is a link to nothing"):
        open_matrix(path, "round")
    np.testing.assert_array_equal(open_matrix(path, "g/up"), VALUES)


@pytest.mark.parametrize(("dtype", "length"), [("S1", 2 * 10**8), ("i8", 3 * 10**8)])
def test_names__of_another_length_are_refused_before_they_are_read(dtype, length, tmp_path):
    path = write_hdf5(tmp_path / "x.h5", VALUES)
    with h5py.File(path, "a") as file:
        data = file.create_dataset("ids", (length,), dtype, chunks=(length,), compression="gzip")
        data.id.write_direct_chunk((0,), zlib.compress(b""))
    with pytest.raises(ValueError, match=f"holds {length} names, the matrix has 12 samples"):
        open_matrix(path, "data", sample_ids="ids")


def test_names__of_categories_are_read_as_far_as_codes_name_them(tmp_path, monkeypatch):
    monkeypatch.setattr(_names, "_PIECE", 4)
    path = write_anndata(tmp_path / "x.h5ad", VALUES)
    codes = np.random.default_rng(0).permutation(np.r_[0:6, 90:96]).astype("i8")
    with h5py.File(path, "a") as file:
        kind = file.create_group("obs/patient")
        kind.attrs["encoding-type"] = "categorical"
        kind["codes"] = codes
        kind.create_dataset("categories", data=[b"p%d" % i for i in range(100)], chunks=(10,))
    read, original = [], _names._read

    def recording(data, where, part):
        read.append((part.start, part.stop))
        return original(data, where, part)

    monkeypatch.setattr(_names, "_read", recording)
    ids = open_matrix(path, sample_ids="patient").sample_ids
    assert list(ids) == [f"p{code}" for code in codes]
    assert read == [(0, 10), (90, 100)]


def test_names__of_categories_with_as_many_codes_as_samples(tmp_path):
    path = write_anndata(tmp_path / "x.h5ad", VALUES)
    with h5py.File(path, "a") as file:
        kind = file.create_group("obs/patient")
        kind.attrs["encoding-type"] = "categorical"
        kind["categories"], kind["codes"] = ["a", "b"], np.zeros(5, "i1")
        file["obs/wide"] = h5py.SoftLink("/X")
    with pytest.raises(ValueError, match=r"'obs/patient/codes' holds 5 names.* 12 samples"):
        open_matrix(path, sample_ids="patient")
    with pytest.raises(ValueError, match=r"has shape \(12, 9\).*one-dimensional text"):
        open_matrix(path, sample_ids="wide")
    with h5py.File(path, "a") as file:
        del file["obs/patient/codes"]
        file["obs/patient/codes"] = np.zeros((12, 2), "i1")
    with pytest.raises(ValueError, match=r"'obs/patient/codes' has shape \(12, 2\)"):
        open_matrix(path, sample_ids="patient")


def declared(path, shape, dtype="f4"):
    """Write no more than the shape of a matrix."""
    with h5py.File(path, "w") as file:
        file.create_dataset("data", shape, dtype, chunks=(1, 1))
    return path


def declared_sparse(path, shape, encoding="csc_matrix"):
    write_anndata(path, np.zeros((2, 2), "f4"), encoding)
    with h5py.File(path, "a") as file:
        file["X"].attrs["shape"] = np.array(shape, "u8")
    return path


def declared_npy(path, shape):
    with open(path, "wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
    return path


@pytest.mark.parametrize(
    ("write", "name", "shape", "n_bytes"),
    [
        (declared, "x.h5", (2**33, 2**31), 2**66),
        (declared_npy, "x.npy", (10**30, 0), 0),
        (declared_npy, "x.npy", (0, 2**63), 0),
        (declared_sparse, "x.h5ad", (2**64 - 1, 2), (2**64 - 1) * 8),
    ],
)
def test_shape__that_cannot_be_counted_is_refused(write, name, shape, n_bytes, tmp_path):
    write(tmp_path / name, shape)
    stored = shape[::-1] if write is declared_sparse else shape
    message = rf"has shape {re.escape(str(stored))}, which are {n_bytes} bytes of float32"
    with pytest.raises(ValueError, match=message):
        open_matrix(tmp_path / name)


def test_shape__of_several_files_that_cannot_be_counted_is_refused(tmp_path):
    paths = [declared_npy(tmp_path / f"{i}.npy", (0, 2**62)) for i in range(2)]
    assert open_matrix(paths[0]).shape == (0, 2**62)
    with pytest.raises(ValueError, match=r"2 files, .* has shape \(0, 9223372036854775808\)"):
        open_matrix(paths, sample_ids=[])


def test_chunks__that_were_never_written_are_counted_beyond_64_bits(tmp_path):
    path = declared(tmp_path / "x.h5", (2**33, 2**31), "i1")
    with h5py.File(path) as file, pytest.raises(ValueError, match=f"{2**64} of {2**64} chunks"):
        _datasets.check_stored_here(file["data"], "x")


@contextmanager
def at_most(n_bytes):
    """Refuse arrays that take more than this, within the context."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] <= n_bytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("indirect", [False, True])
def test_storage__of_many_rows_in_few_bytes_counts_none_of_them(indirect, tmp_path, monkeypatch):
    n_rows = 5_000_000
    if indirect:
        monkeypatch.setattr(HDF5Container, "_direct", lambda *args: None)
    options = {"chunks": (n_rows, 1), "compression": "gzip"}
    path = write_rows(tmp_path / "x.h5", np.zeros((n_rows, 1), "i1"), **options)
    matrix = open_matrix(path)
    for view, most in ((matrix, n_rows), (matrix[::-1], n_rows), (matrix[7::1000], 5000)):
        with at_most(500_000):
            storage = view.storage
        assert storage.band_rows == most
        assert storage.stored_bytes == matrix._container.stored_bytes


@pytest.mark.parametrize("length", [1, 2, 5, 8, 100])
def test_touched__stretches_of_a_range_are_those_of_its_array(length):
    for start, stop, step in itertools.product((0, 3, 16), (0, 4, 17, 40), (-9, -2, -1, 1, 3, 8)):
        rows = range(start, stop, step)
        held = touched(np.array(rows, dtype=np.intp), length)
        assert list(held) == sorted({row // length for row in rows})
        assert list(np.arange(100)[touched(rows, length)]) == list(held)
        most = max((sum(row // length == band for row in rows) for band in held), default=0)
        bound = most_together(rows, length)
        assert most <= bound <= min(len(rows), -(-length // abs(step)))
        assert most_together(np.array(rows, dtype=np.intp), length) == most


@pytest.mark.parametrize("encoding", ["csr_matrix", "csc_matrix"])
def test_sparse__borders_are_checked_piece_by_piece(encoding, tmp_path):
    n_lines = 5_000_000
    path = write_anndata(tmp_path / "x.h5ad", np.zeros((2, 2), "f4"), encoding)

    def write(**changed):
        borders = np.zeros(n_lines + 1, "i1")
        for place, value in changed.items():
            borders[int(place[1:])] = value
        with h5py.File(path, "a") as file:
            shape = (n_lines, 4)
            file["X"].attrs["shape"] = shape if encoding == "csr_matrix" else shape[::-1]
            del file["X/indptr"]
            options = {"chunks": (2**16,), "compression": "gzip"}
            file["X"].create_dataset("indptr", data=borders, **options)

    write()
    with at_most(5_000_000):
        assert sorted(open_matrix(path).shape) == [4, n_lines]
    # Up at the end of a piece and down at the begin of the next; both within one; at both ends.
    for changed, message in [
        ({f"_{2**17 - 1}": 1}, "from 0 to 0, falling 1 times"),
        ({"_7": 1, "_8": 2, "_70000": 3}, "from 0 to 0, falling 2 times"),
        ({"_0": -1}, "from -1 to 0, falling 0 times"),
        ({f"_{n_lines}": 1}, "from 0 to 1, falling 0 times"),
    ]:
        write(**changed)
        with pytest.raises(ValueError, match=f"'indptr' {message}.*never falling, from 0 to 0"):
            open_matrix(path)
