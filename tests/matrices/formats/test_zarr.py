import shutil

import numpy as np
import pytest
from containers import values_of, write_zarr
from numpy.testing import assert_array_equal

from skpar_select import open_matrix
from skpar_select.matrices import held_matrix
from skpar_select.matrices.io._zarr import check_codecs
from skpar_select.testing import MatrixConformance

zarr = pytest.importorskip("zarr")

KINDS = {
    "2": {"zarr_format": 2},
    "2 fortran": {"zarr_format": 2, "order": "F"},
    "3": {},
    "3 shards": {"chunks": (3, 4), "shards": (9, 8)},
    "3 raw": {"compressors": None},
    "zip": {"zipped": True},
}


@pytest.fixture
def values():
    return values_of()


@pytest.fixture
def path(tmp_path, values):
    return write_zarr(tmp_path / "x.zarr", values)


class TestZarr(MatrixConformance):
    @pytest.fixture(params=KINDS)
    def case(self, tmp_path, values, request):
        return open_matrix(write_zarr(tmp_path / "x.zarr", values, **KINDS[request.param])), values


class TestInMemory(MatrixConformance):
    @pytest.fixture
    def case(self, values):
        array = zarr.create_array(zarr.storage.MemoryStore(), data=values, chunks=(5, 4))
        # A store in memory pickles with its values.
        matrix = held_matrix(array)
        matrix.in_memory = False
        return matrix, values

    def test_pickle__is_an_address(self, case):
        pytest.skip("its values are nowhere else")


@pytest.mark.parametrize("kind", KINDS)
def test_names__are_found_beside_the_matrix(kind, tmp_path, values):
    X = open_matrix(write_zarr(tmp_path / "x.zarr", values, **KINDS[kind]))
    assert (X.feature_names[22], X.sample_ids[18]) == ("f22", "s18")
    X = open_matrix(tmp_path / "x.zarr", feature_names="features", sample_ids="/samples")
    assert (X.feature_names[22], X.sample_ids[18]) == ("f22", "s18")


@pytest.mark.parametrize("version", [2, 3])
def test_names__are_the_coordinates_of_the_dimensions(version, tmp_path, values):
    group = zarr.open_group(tmp_path / "x.zarr", mode="w", zarr_format=version)
    named = {} if version == 2 else {"dimension_names": ["person", "gene"]}
    array = group.create_array("expression", data=values, **named)
    if version == 2:
        array.attrs["_ARRAY_DIMENSIONS"] = ["person", "gene"]
    group.create_array("person", data=np.arange(100, 119))
    texts = group.create_array("gene", shape=(23,), dtype=str)
    texts[:] = np.array([f"g{i}" for i in range(23)], dtype=object)
    X = open_matrix(tmp_path / "x.zarr")
    assert (X.feature_names[22], X.sample_ids[18]) == ("g22", "118")
    turned = open_matrix(tmp_path / "x.zarr", orientation="features_by_samples")
    assert (turned.feature_names[18], turned.sample_ids[22]) == ("118", "g22")


def test_names__that_are_not_there(path):
    with pytest.raises(ValueError, match=r"'no' does not exist.*are: features, samples\. Name"):
        open_matrix(path, feature_names="no")
    with pytest.raises(ValueError, match="holds 19 names, the matrix has 23 features"):
        open_matrix(path, feature_names="samples")


def test_dataset__is_named_where_there_are_several(tmp_path, values):
    group = zarr.open_group(tmp_path / "x.zarr", mode="w")
    group.create_array("a", data=values)
    group.create_array("deep/b", data=values * 2)
    with pytest.raises(ValueError, match=r"dataset=None.*has 2\. The store holds 'a' \(19, 23\)"):
        open_matrix(tmp_path / "x.zarr")
    with pytest.raises(ValueError, match=r"array 'c' does not exist\. The store holds 'a'"):
        open_matrix(tmp_path / "x.zarr", "c")
    assert_array_equal(np.asarray(open_matrix(tmp_path / "x.zarr", "deep/b")), values * 2)


@pytest.mark.parametrize("chunk", ["changed", "gone", "new"])
def test_chunk__that_changed_is_noticed(chunk, tmp_path, values):
    values[:7, :8] = 0  # all of the fill value, so that the chunk has no file
    path = write_zarr(tmp_path / "x.zarr", values)
    X = open_matrix(path)
    assert_array_equal(np.asarray(X), values)
    first, second = path / "data" / "c" / "0" / "0", path / "data" / "c" / "0" / "1"
    assert not first.exists()
    if chunk == "gone":
        second.unlink()
    else:
        array = zarr.open_array(path, path="data", mode="r+")
        array[0, 9 if chunk == "changed" else 0] = 5
    with pytest.raises(OSError, match="has changed since it was opened"):
        X.check_unchanged()
    with pytest.raises(OSError, match="has changed since it was opened"):
        X.read(range(23))
    assert np.asarray(open_matrix(path)).shape == values.shape


def test_chunk__that_is_cut_short_is_an_error(path, values):
    chunk = path / "data" / "c" / "0" / "1"
    chunk.write_bytes(chunk.read_bytes()[:20])
    with pytest.raises(OSError, match=r"the chunk of rows 0 to 6, columns 8 to 15 cannot be read"):
        open_matrix(path).read(range(23))


def test_metadata__that_is_damaged_is_an_error(path):
    (path / "data" / "zarr.json").write_text("{}")
    with pytest.raises(OSError, match=r"x\.zarr.*cannot be opened as Zarr"):
        open_matrix(path, "data")


def test_pickles__are_never_opened(tmp_path):
    from numcodecs import Pickle

    path = tmp_path / "x.zarr"
    zarr.create_array(path, shape=(4, 3), dtype="f4", filters=[Pickle()], zarr_format=2)
    with pytest.raises(OSError, match=r"x\.zarr'.* cannot be opened as Zarr .*pickle"):
        open_matrix(path)


def test_codecs__that_unpickle_are_refused():
    class Metadata:
        def to_dict(self):
            return {"codecs": [{"name": "numcodecs.Pickle"}]}

    class Array:
        metadata = Metadata()

    with pytest.raises(ValueError, match=r"is stored as pickles.*never opened"):
        check_codecs(Array(), "x")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.zeros((2, 3, 4)), "has shape"),
        (np.zeros((4, 3), complex), "complex numbers"),
        (np.zeros((4, 3), "M8[s]"), "dates"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*does not have a Zarr V3 specification")  # of the dates
def test_array__that_is_no_matrix_is_refused(data, words, tmp_path):
    zarr.create_array(tmp_path / "x.zarr", data=data)
    with pytest.raises(ValueError, match=words):
        open_matrix(tmp_path / "x.zarr", "")


class TestHolder:
    def test_array_and_group__are_the_matrix_of_their_store(self, path, values):
        group = zarr.open_group(path, mode="r")
        for holder, dataset in ((group, None), (group, "data"), (group["data"], None)):
            X = open_matrix(holder, dataset)
            assert len(X.files) == 1
            assert_array_equal(np.asarray(X), values)
            assert X.feature_names[22] == "f22"
        with pytest.raises(ValueError, match="dataset='x' with an array of Zarr"):
            open_matrix(group["data"], "x")

    def test_zip__is_read_from_the_file(self, tmp_path, values):
        path = write_zarr(tmp_path / "x.zarr", values, zipped=True)
        with zarr.storage.ZipStore(path, mode="r") as store:
            X = held_matrix(zarr.open_group(store, mode="r"))
        assert_array_equal(np.asarray(X), values)

    def test_group__within_a_store(self, tmp_path, values):
        root = zarr.open_group(tmp_path / "x.zarr", mode="w")
        inner = root.create_group("inner")
        inner.create_array("data", data=values)
        assert_array_equal(np.asarray(held_matrix(inner)), values)
        inner.create_array("other", data=values)
        with pytest.raises(ValueError, match="group 'inner' of Zarr holds 2 matrices"):
            held_matrix(inner)
        assert_array_equal(np.asarray(open_matrix(inner, "other")), values)


def test_store__that_is_gone_is_noticed(path):
    X = open_matrix(path)
    shutil.rmtree(path)
    with pytest.raises(OSError, match="does not exist"):
        X.read(range(3))


def test_array__of_more_files_than_can_be_looked_at_is_refused(tmp_path):
    zarr.create_array(tmp_path / "x.zarr", shape=(10, 10**12), chunks=(10, 1000), dtype="f4")
    with pytest.raises(ValueError, match=r"1000000000 files of chunks of 10 x 1000.*in shards"):
        open_matrix(tmp_path / "x.zarr")


def test_names__that_are_more_than_memory_are_refused(tmp_path):
    group = zarr.open_group(tmp_path / "x.zarr", mode="w")
    group.create_array("data", shape=(10, 10**11), chunks=(10, 10**8), dtype="f4")
    group.create_array("ids", shape=(10**11,), chunks=(10**8,), dtype="i8")
    with pytest.raises(ValueError, match=r"takes 800 GB in memory.*at most 1\.1 GB.*text file"):
        open_matrix(tmp_path / "x.zarr", "data", feature_names="ids")
