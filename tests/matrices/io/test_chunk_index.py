"""Places of chunks that contradict each other are refused, whoever decodes the chunks."""

import h5py
import numpy as np
import pytest

from skpar_select import open_matrix

VALUES = np.random.default_rng(0).normal(size=(4, 6))
CHUNKS = (2, 3)
OPTIONS = {
    "decoded here": {},
    "gzip": {"compression": "gzip"},
    "by HDF5": {"compression": "lzf"},
    "user block": {"userblock": 1024},
}


def write(path, values=VALUES, chunks=CHUNKS, **options):
    with h5py.File(path, "w", userblock_size=options.pop("userblock", 0)) as file:
        file.create_dataset("data", data=values, chunks=chunks, **options)
    return path


def keys(path):
    """The place in the file of each chunk's key in the index: size, mask, coordinates, address."""
    content = path.read_bytes()
    with h5py.File(path) as file:
        data = file["data"]
        base = file.userblock_size
        infos = [data.id.get_chunk_info(number) for number in range(data.id.get_num_chunks())]
    found = []
    for info in infos:
        corner = [*info.chunk_offset, 0]
        words = [int(number).to_bytes(8, "little") for number in corner]
        key = (
            info.size.to_bytes(4, "little")
            + info.filter_mask.to_bytes(4, "little")
            + b"".join(words)
        )
        address = (info.byte_offset - base).to_bytes(8, "little")
        found.append(content.index(key + address, content.index(b"TREE")))
    return found, infos


def put(path, at, number, width=8):
    with path.open("r+b") as file:
        file.seek(at)
        file.write(int(number).to_bytes(width, "little"))


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_index__that_is_whole_is_read(options, tmp_path):
    path = write(tmp_path / "x.h5", **options)
    np.testing.assert_array_equal(open_matrix(path).read(np.s_[:]), VALUES)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("address of another", r"1 chunks are in the bytes of another, the first at \(0, 3\)"),
        ("address of the head", r"1 chunks are missing, or outside the file"),
        ("address beyond", r"1 chunks are missing, or outside the file"),
        ("coordinate between", "(off its grid|cannot be read)"),
        ("coordinate of another", "(at the place of another|cannot be read)"),
        ("coordinate outside", "(outside the matrix|cannot be read)"),
    ],
)
def test_index__that_is_damaged_is_refused(damage, words, options, tmp_path):
    path = write(tmp_path / "x.h5", **options)
    places, infos = keys(path)
    address, row = places[1] + 8 + 24, places[1] + 8
    base = options.get("userblock", 0)
    if damage == "address of another":
        put(path, address, infos[0].byte_offset - base)
    elif damage == "address of the head":
        put(path, address, 0)
    elif damage == "address beyond":
        put(path, address, 2**40)
    else:
        column = {"between": 4, "of another": 0, "outside": 60}[damage.removeprefix("coordinate ")]
        put(path, row + 8, column)
    with pytest.raises(OSError, match=rf"x\.h5', dataset 'data'.*{words}.*opy it|x\.h5' .*damaged"):
        open_matrix(path).read(np.s_[:])


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_index__of_a_key_that_hdf5_does_not_find(options, tmp_path):
    # In the coordinate of the bytes of a value, of which no chunk is but the first.
    path = write(tmp_path / "x.h5", **options)
    places, _ = keys(path)
    put(path, places[1] + 8 + 16, 8)
    with h5py.File(path) as file:
        assert not file["data"][:2, 3:].any()
    if options.get("compression") == "lzf":
        with pytest.raises(
            OSError, match=r"rows 0 to 3, columns 0 to 5 cannot be read \(HDF5 finds no"
        ):
            open_matrix(path).read(np.s_[:])
    else:
        # Decoded here, it is read at its place.
        np.testing.assert_array_equal(open_matrix(path).read(np.s_[:]), VALUES)


@pytest.mark.parametrize("compression", ["gzip", "lzf"])
@pytest.mark.parametrize("mask", [0b01, 0b101, 2**31])
def test_index__of_a_chunk_that_was_shuffled_and_says_that_it_was_not(compression, mask, tmp_path):
    # Rounded, so that no chunk is left as it is.
    path = write(tmp_path / "x.h5", VALUES.round(), compression=compression, shuffle=True)
    places, _ = keys(path)
    put(path, places[1] + 4, mask, width=4)
    message = r"1 chunks are without some of their filters, the first at \(0, 3\)"
    with pytest.raises(OSError, match=message):
        open_matrix(path).read(np.s_[:])


def test_index__of_chunks_written_without_their_filters(tmp_path):
    path = write(tmp_path / "x.h5", compression="gzip", shuffle=True)
    with h5py.File(path, "a") as file:
        file["data"].id.write_direct_chunk((2, 3), VALUES[2:, 3:].tobytes(), 0b11)
    np.testing.assert_array_equal(open_matrix(path).read(np.s_[:]), VALUES)


def test_index__of_names_is_looked_at_too(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["matrix"] = np.zeros((2, 9))
        names = np.array([b"%d" % number for number in range(9)])
        file.create_dataset("data", data=names, chunks=(3,))
        infos = [file["data"].id.get_chunk_info(number) for number in range(3)]
    content = path.read_bytes()
    key = (3).to_bytes(4, "little") + bytes(4) + (3).to_bytes(8, "little") + bytes(8)
    at = content.index(key + infos[1].byte_offset.to_bytes(8, "little"))
    assert open_matrix(path, "matrix", feature_names="data").feature_names[3] == "3"
    put(path, at + 24, infos[0].byte_offset)
    with pytest.raises(
        OSError, match=r"feature_names='data' in '.*x\.h5'.*in the bytes of another"
    ):
        open_matrix(path, "matrix", feature_names="data")
