"""Text of variable length, read from the heap of a file without HDF5."""

import h5py
import numpy as np
import pytest

from skpar_select import open_matrix
from skpar_select.matrices.io._datasets import find_dataset
from skpar_select.matrices.io._heap import MOST_BYTES, HeapFile, read_texts
from skpar_select.matrices.io._lines import read_line

TEXTS = ["a", "", "größer", "x" * 5000, "with\0zero"] + [f"name {number}" for number in range(900)]
AS_READ = [text.partition("\0")[0].encode() for text in TEXTS]


def write(path, texts, **options):
    with h5py.File(path, "w", userblock_size=options.pop("userblock", 0)) as file:
        file.create_dataset("data", data=np.zeros((3, len(texts))))
        data = file.create_dataset("features", len(texts), h5py.string_dtype(), **options)
        data[:] = [text.replace("\0", "") for text in texts]
    return path


def read(path):
    with h5py.File(path) as file:
        return read_line(find_dataset(file, "features", "x"), f"'{path}', 'features'").tolist()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"userblock": 512},
        {"chunks": (100,)},
        {"chunks": (100,), "compression": "gzip", "shuffle": True},
        {"chunks": (100,), "compression": "lzf"},
        {"chunks": (2000,), "maxshape": (None,)},
    ],
)
def test_read_texts__are_those_of_hdf5(options, tmp_path):
    path = write(tmp_path / "x.h5", TEXTS, **options)
    with h5py.File(path) as file:
        expected = file["features"][:].tolist()
    assert read(path) == expected


@pytest.mark.parametrize("name", ["Zstd", "Bitshuffle", "LZ4"])
def test_read_texts__behind_filters_that_hdf5_alone_has(name, tmp_path):
    hdf5plugin = pytest.importorskip("hdf5plugin")
    path = write(tmp_path / "x.h5", TEXTS, chunks=(100,), **getattr(hdf5plugin, name)())
    with h5py.File(path) as file:
        expected = file["features"][:].tolist()
    assert read(path) == expected


def damage(path, change):
    """Change a file's first heap: `change` gets it and the places of its objects."""
    content = bytearray(path.read_bytes())
    start = at = content.index(b"GCOL")
    size = int.from_bytes(content[start + 8 : start + 16], "little")
    at, objects = start + 16, []
    while at + 16 <= start + size:
        objects.append(at)
        length = int.from_bytes(content[at + 8 : at + 16], "little")
        at += 16 + -(-length // 8) * 8 if int.from_bytes(content[at : at + 2], "little") else length
    change(content, start, objects)
    path.write_bytes(content)


def free_of_no_length(content, start, objects):
    content[objects[-1] + 8 : objects[-1] + 16] = bytes(8)


def object_beyond_the_end(content, start, objects):
    content[objects[1] + 8 : objects[1] + 16] = (2**40).to_bytes(8, "little")


def number_twice(content, start, objects):
    content[objects[1] : objects[1] + 2] = content[objects[0] : objects[0] + 2]


def other_length(content, start, objects):
    content[objects[0] + 8] += 1


def longer_than_the_file(content, start, objects):
    content[start + 8 : start + 16] = (2**50).to_bytes(8, "little")


def no_heap(content, start, objects):
    content[start] = 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (object_beyond_the_end, "is broken at byte"),
        (number_twice, "is broken at byte"),
        (other_length, "text 1 of the heap at byte [0-9]+ is not there"),
        (longer_than_the_file, "says that it has 1125899906842624 bytes"),
        (no_heap, "there is no heap at byte"),
    ],
)
def test_read_texts__of_a_damaged_heap_names_the_file(change, words, tmp_path):
    path = write(tmp_path / "x.h5", ["one", "two", "three"])
    damage(path, change)
    with pytest.raises(OSError, match=rf"x\.h5'.*{words}.*Copy it again"):
        open_matrix(path, feature_names="features")


@pytest.mark.parametrize("order", [[2, 0, 1], [1, 1, 0], [2]])
def test_read_texts__of_references_in_any_order(order, tmp_path):
    path = write(tmp_path / "x.h5", ["one", "two", "three"])
    with h5py.File(path) as file:
        offset = file["features"].id.get_offset()
    content = path.read_bytes()
    references = np.frombuffer(content[offset : offset + 48], np.uint8).reshape(3, 16)
    with path.open("rb") as file:
        heap = HeapFile(file.fileno(), len(content), 0, "x")
        found = read_texts(heap, references[order]).tolist()
    assert found == [[b"one", b"two", b"three"][number] for number in order]


def test_read_texts__of_a_heap_without_an_end_ends(tmp_path):
    # HDF5 goes round for ever here.
    path = write(tmp_path / "x.h5", ["one", "two", "three"])
    with h5py.File(path) as file:
        offset = file["features"].id.get_offset()
    damage(path, free_of_no_length)
    content = path.read_bytes()
    references = np.frombuffer(content[offset : offset + 48], np.uint8).reshape(3, 16)
    with path.open("rb") as file, pytest.raises(OSError, match="is broken at byte"):
        # In an order that is not theirs, so that all are looked for.
        read_texts(HeapFile(file.fileno(), len(content), 0, "x"), references[[1, 1, 0]])


def test_read_texts__refuses_heaps_that_overlap(tmp_path):
    path = write(tmp_path / "x.h5", ["one"])
    with h5py.File(path) as file:
        offset = file["features"].id.get_offset()
    content = path.read_bytes()
    reference = content[offset : offset + 16]
    first = int.from_bytes(reference[4:12], "little")
    other = reference[:4] + (first + 8).to_bytes(8, "little") + reference[12:]
    references = np.frombuffer(reference + other, np.uint8).reshape(2, 16)
    with path.open("rb") as file:
        heap = HeapFile(file.fileno(), len(content), 0, "x")
        with pytest.raises(OSError, match=f"two heaps overlap at byte {first + 8}"):
            read_texts(heap, references)


def test_read_texts__refuses_more_text_than_is_read_at_once(tmp_path):
    # One text that a million references name.
    path = write(tmp_path / "x.h5", ["x" * 5000])
    with h5py.File(path) as file:
        offset = file["features"].id.get_offset()
    reference = np.frombuffer(path.read_bytes()[offset : offset + 16], np.uint8)
    many = np.broadcast_to(reference, (MOST_BYTES // 5000 + 1, 16))
    with path.open("rb") as file:
        heap = HeapFile(file.fileno(), path.stat().st_size, 0, "x")
        with pytest.raises(ValueError, match=r"holds text of 1\.1 GB.*at most 1\.1 GB.*Path"):
            read_texts(heap, many)
