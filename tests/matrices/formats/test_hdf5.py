"""HDF5 files: which dataset is the matrix, what is none, and which datasets name its axes."""

import zlib

import h5py
import numpy as np
import pytest
from containers import DTYPES, HIDDEN, LAYOUTS, hide, values_of, write_hdf5
from numpy.testing import assert_array_equal

from skpar_select import open_matrix
from skpar_select.testing import MatrixConformance

VALUES = np.random.default_rng(0).normal(size=(12, 9)).astype(np.float32)


class TestHDF5Matrix(MatrixConformance):
    @pytest.fixture(params=LAYOUTS)
    def case(self, request, write_h5):
        values = values_of()
        path = write_h5(values, **LAYOUTS[request.param])
        return open_matrix(path, "data", feature_names="features", sample_ids="samples"), values


@pytest.mark.parametrize("dtype", DTYPES)
def test_open__keeps_the_type(write_h5, dtype):
    values = values_of(dtype)
    matrix = open_matrix(write_h5(values))
    assert matrix.dtype == np.dtype(dtype)
    assert_array_equal(matrix.read(np.array([5, 1])), values[:, [5, 1]])


def test_open__no_hdf5(tmp_path):
    path = tmp_path / "text.h5"
    path.write_text("age,sex\n")
    with pytest.raises(ValueError, match=r"text\.h5' is text, such as CSV\. HDF5, .* are read"):
        open_matrix(path)


def test_open__missing_dataset_names_those_there(write_h5):
    with pytest.raises(ValueError, match=r"dataset 'beta' does not exist.*'data' \(19, 23\)"):
        open_matrix(write_h5(values_of()), "beta")


def test_open__without_name_takes_the_only_matrix(write_h5):
    assert open_matrix(write_h5(values_of(), name="deep/down/x")).shape == (19, 23)


def test_open__without_name_refuses_two(write_h5):
    path = write_h5(values_of())
    with h5py.File(path, "a") as file:
        file["g/other"] = np.zeros((2, 2))
    with pytest.raises(ValueError, match=r"2 of them: data, g/other.*dataset='data'"):
        open_matrix(path)


def test_open__without_name_refuses_none(write_h5):
    path = write_h5(np.zeros((2, 2), "S3"))
    with pytest.raises(ValueError, match=r"holds none.*'data' \(2, 2\)"):
        open_matrix(path)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros(5), r"has shape \(5,\).*two dimensions"),
        (np.zeros((2, 2, 2)), r"has shape \(2, 2, 2\).*two dimensions"),
        (np.zeros((2, 2), "S4"), "holds text"),
        (np.array([["a", "b"]], dtype=h5py.string_dtype()), "holds text or objects"),
        (np.zeros((2, 2), "c8"), "holds complex numbers"),
        (np.zeros((2, 2), [("a", "f4")]), "holds compound values"),
    ],
)
def test_open__refuses_what_is_no_matrix(tmp_path, values, message):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["data"] = values
    with pytest.raises(ValueError, match=message):
        open_matrix(tmp_path / "x.h5", "data")


def test_open__refuses_a_dataset_without_values(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["data"] = h5py.Empty("f4")
    with pytest.raises(ValueError, match=r"has shape None.*two dimensions"):
        open_matrix(tmp_path / "x.h5", "data")


def test_open__refuses_a_group(write_h5):
    with pytest.raises(ValueError, match="is a group, not a dataset"):
        open_matrix(write_h5(values_of(), name="g/x"), "g")


def test_open__refuses_values_in_other_files(tmp_path, write_h5):
    inside = write_h5(values_of(), file="inside.h5")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        raw = [(str(tmp_path / "raw.bin"), 0, 16)]
        file.create_dataset("external", (2, 2), "f4", external=raw)
        layout = h5py.VirtualLayout((19, 23), "f4")
        layout[...] = h5py.VirtualSource(inside, "data", (19, 23))
        file.create_virtual_dataset("virtual", layout)
        file["link"] = h5py.ExternalLink(inside, "data")
        file["over"] = h5py.SoftLink("/link")
        file["dangling"] = h5py.SoftLink("/nowhere")
    path = tmp_path / "x.h5"
    for dataset, message in [
        ("external", r"keeps its values in another file, '.*raw\.bin'"),
        ("virtual", "is a virtual dataset"),
        ("link", r"'/link' is a link to another file, '.*inside\.h5'"),
        ("over", r"is a link to another file, '.*inside\.h5'"),
        ("dangling", "'/dangling' is a link to nothing"),
    ]:
        with pytest.raises(ValueError, match=message):
            open_matrix(path, dataset)


@pytest.mark.parametrize("chunks", [None, (100, 100)])
def test_open__refuses_a_file_that_declares_what_it_does_not_hold(tmp_path, chunks):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        data = file.create_dataset("data", (2000, 2000), "f8", chunks=chunks)
        if chunks:
            data[:100, :100] = 1
    with pytest.raises(ValueError, match="were never written"):
        open_matrix(tmp_path / "x.h5")


@pytest.mark.parametrize("plugin", ["Zstd", "Blosc"])
def test_plugins__are_found_where_hdf5plugin_is_installed(plugin, tmp_path):
    hdf5plugin = pytest.importorskip("hdf5plugin", reason="writes the file")
    options = {"chunks": (5, 4), "compression": getattr(hdf5plugin, plugin)()}
    path = write_hdf5(tmp_path / "x.h5", values_of(), **options)
    assert_array_equal(open_matrix(path), values_of())


class TestNames:
    @pytest.fixture
    def matrix(self, write_h5):
        path = write_h5(values_of())
        return open_matrix(path, feature_names="features", sample_ids="samples")

    def test_names__from_datasets(self, matrix):
        assert list(matrix.feature_names[:2]) == ["f0", "f1"]
        assert list(matrix.sample_ids[-1:]) == ["s18"]
        assert all(type(name) is str for name in matrix.feature_names)

    @pytest.mark.parametrize("dtype", ["S5", h5py.string_dtype(), h5py.string_dtype("utf-8", 12)])
    def test_names__decode_utf8(self, write_h5, dtype):
        path = write_h5(values_of(), features=False)
        names = [f"µ{i}" for i in range(23)]
        with h5py.File(path, "a") as file:
            file.create_dataset("names", data=[n.encode() for n in names], dtype=dtype)
        assert list(open_matrix(path, feature_names="names").feature_names) == names

    def test_names__of_whole_numbers_become_text(self, write_h5):
        path = write_h5(values_of())
        with h5py.File(path, "a") as file:
            file["patient"] = np.arange(19)
        assert open_matrix(path, sample_ids="patient").sample_ids[3] == "3"

    @pytest.mark.parametrize(
        ("given_names", "message"),
        [
            (
                "nothing",
                r"feature_names='nothing' in .*matrix\.h5' does not exist.*features, latin, samples",
            ),
            ("samples", "holds 19 names, the matrix has 23 features"),
            ("data", r"has shape \(19, 23\).*one-dimensional text"),
            ("latin", "not UTF-8"),
            ("twice", "repeats 1 name: 'f1'.*must be unique"),
        ],
    )
    def test_names__wrong_ones_raise(self, write_h5, given_names, message):
        path = write_h5(values_of())
        with h5py.File(path, "a") as file:
            file["latin"] = np.array([b"\xff" + str(i).encode() for i in range(23)])
            file["twice"] = [f"f{max(1, i)}" for i in range(23)]
        with pytest.raises(ValueError, match=message):
            open_matrix(path, feature_names=given_names)

    @pytest.mark.parametrize(("dtype", "length"), [("S1", 2 * 10**8), ("i8", 3 * 10**8)])
    def test_names__of_another_length_are_refused_before_they_are_read(
        self, dtype, length, tmp_path
    ):
        path = write_hdf5(tmp_path / "x.h5", VALUES)
        with h5py.File(path, "a") as file:
            options = {"chunks": (length,), "compression": "gzip"}
            data = file.create_dataset("ids", (length,), dtype, **options)
            data.id.write_direct_chunk((0,), zlib.compress(b""))
        with pytest.raises(ValueError, match=f"holds {length} names, the matrix has 12 samples"):
            open_matrix(path, "data", sample_ids="ids")

    @pytest.mark.parametrize("kind", HIDDEN)
    def test_names__that_are_not_in_the_file_are_refused(self, kind, tmp_path):
        path = write_hdf5(tmp_path / "x.h5", VALUES)
        with h5py.File(path, "a") as file:
            del file["samples"]
            hide(file, tmp_path, kind, "samples")
        with pytest.raises(ValueError, match=HIDDEN[kind]):
            open_matrix(path, "data", sample_ids="samples")
        X = open_matrix(path, "data", sample_ids="auto")
        if "link" in kind:
            # What is beside the matrix is found where it lies there itself.
            assert X.sample_ids is None
        else:
            with pytest.raises(ValueError, match=HIDDEN[kind]):
                X.sample_ids  # noqa: B018


class TestAuto:
    def open_auto(self, path):
        matrix = open_matrix(path, "data", feature_names="auto", sample_ids="auto")
        first = lambda names: None if names is None else names[0]  # noqa: E731
        return first(matrix.feature_names), first(matrix.sample_ids)

    def test_auto__finds_conventional_names(self, write_h5):
        assert self.open_auto(write_h5(values_of())) == ("f0", "s0")

    def test_auto__tells_the_axes_of_a_square_matrix_apart(self, write_h5):
        assert self.open_auto(write_h5(values_of()[:, :19])) == ("f0", "s0")

    def test_auto__finds_the_only_text_of_the_right_length(self, write_h5):
        path = write_h5(values_of(), features=False, samples=False)
        with h5py.File(path, "a") as file:
            file["cpg"] = [f"cg{i}" for i in range(23)]
            file["sex"] = ["f", "m"] * 9 + ["f"]
        assert self.open_auto(path) == ("cg0", None)

    def test_auto__looks_beside_the_matrix_only(self, write_h5):
        path = write_h5(values_of(), features=False, samples=False)
        with h5py.File(path, "a") as file:
            file["g/features"] = [f"g{i}" for i in range(23)]
        assert self.open_auto(path) == (None, None)

    def test_auto__prefers_the_conventional_name(self, write_h5):
        path = write_h5(values_of())
        with h5py.File(path, "a") as file:
            file["gene_symbol_of_the_probe"] = [f"x{i}" for i in range(23)]
        assert self.open_auto(path) == ("f0", "s0")

    def test_auto__refuses_to_guess(self, write_h5):
        path = write_h5(values_of(), features=False)
        with h5py.File(path, "a") as file:
            file["one"] = [f"x{i}" for i in range(23)]
            file["two"] = [f"y{i}" for i in range(23)]
        with pytest.raises(ValueError, match=r"feature_names='auto' fits one, two.*Name it"):
            self.open_auto(path)

    def test_auto__refuses_to_guess_an_axis(self, write_h5):
        path = write_h5(values_of()[:, :19], features=False, samples=False)
        with h5py.File(path, "a") as file:
            file["one"] = [f"x{i}" for i in range(19)]
        with pytest.raises(ValueError, match="'auto' fits one"):
            self.open_auto(path)

    @pytest.mark.parametrize("kind", ["external storage", "virtual"])
    def test_auto__takes_no_other_dataset_that_is_not_in_the_file(self, kind, tmp_path):
        path = write_hdf5(tmp_path / "x.h5", VALUES)
        with h5py.File(path, "a") as file:
            del file["samples"]
            hide(file, tmp_path, kind, "people")
        assert open_matrix(path, sample_ids="auto").sample_ids is None


def test_open__tells_damaged_descriptions_as_oserror(tmp_path, monkeypatch):
    path = write_hdf5(tmp_path / "x.h5", VALUES)

    def damaged(*args, **options):
        raise RuntimeError("bad object header")

    monkeypatch.setattr(h5py.Group, "__getitem__", damaged)
    with pytest.raises(OSError, match=r"x\.h5' is damaged \(RuntimeError: bad object header\)"):
        open_matrix(path, "data")


class TestFillValue:
    def write(self, path, value, name="_FillValue"):
        with h5py.File(path, "w") as file:
            data = file.create_dataset("data", data=np.arange(12.0).reshape(4, 3))
            data.attrs[name] = value
        return path

    @pytest.mark.parametrize("name", ["_FillValue", "missing_value"])
    @pytest.mark.parametrize("value", [-9999, 1e30, np.array([7.0])])
    def test_number_for_missing_values__is_refused(self, tmp_path, name, value):
        path = self.write(tmp_path / "x.nc", value, name)
        with pytest.raises(
            ValueError, match=rf"for missing values, as its attribute '{name}' says"
        ):
            open_matrix(path)

    @pytest.mark.parametrize("value", [np.nan, np.array([np.nan], "f4"), "none"])
    def test_nan_or_text__is_not(self, tmp_path, value):
        assert open_matrix(self.write(tmp_path / "x.nc", value)).shape == (4, 3)
