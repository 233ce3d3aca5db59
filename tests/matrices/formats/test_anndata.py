"""AnnData files: dense, sparse, layers, and the names in their data frames."""

import h5py
import numpy as np
import pytest
from containers import (
    HIDDEN,
    KINDS,
    hide,
    opened,
    values_of,
    write_anndata,
    write_hdf5,
    write_sparse,
)

from skpar_select import open_matrix
from skpar_select.testing import MatrixConformance

VALUES = np.random.default_rng(0).normal(size=(12, 9)).astype(np.float32)


class TestAnnDataMatrix(MatrixConformance):
    @pytest.fixture(params=[kind for kind in KINDS if kind.startswith("anndata")])
    def case(self, request, tmp_path):
        values = values_of()
        return opened(request.param, tmp_path, values), values


@pytest.fixture
def sparse(tmp_path):
    """A sparse file, and a function that changes one of its datasets."""
    path = write_anndata(tmp_path / "x.h5ad", values_of(), "csr_matrix")

    def change(name, values):
        with h5py.File(path, "a") as file:
            del file["X"][name]
            file["X"][name] = values

    with h5py.File(path) as file:
        parts = {name: item[:] for name, item in file["X"].items()}
    return path, parts, change


@pytest.mark.parametrize("shape", [[19], [19, -1], [1.5, 2.0]])
def test_sparse__damaged_shape(tmp_path, shape):
    path = write_anndata(tmp_path / "x.h5ad", values_of(), "csr_matrix")
    with h5py.File(path, "a") as file:
        file["X"].attrs["shape"] = shape
    with pytest.raises(ValueError, match=r"attribute shape=.*two numbers"):
        open_matrix(path)


def test_sparse__parts_in_other_files_are_refused(sparse, tmp_path):
    path, _parts, change = sparse
    change("indices", h5py.ExternalLink(write_hdf5(tmp_path / "o.h5", values_of()), "data"))
    with pytest.raises(ValueError, match=r"is a link to another file"):
        open_matrix(path)


def test_matrix__that_is_not_there_names_those_that_are(tmp_path):
    path = write_anndata(tmp_path / "x.h5ad", values_of(), name="layers/counts")
    held = r"this one has layers/counts\. Name one as dataset\.$"
    with pytest.raises(ValueError, match=rf"'X' does not exist.*{held}"):
        open_matrix(path)
    with pytest.raises(ValueError, match=rf"'obs' is a group of encoding-type 'dataf.*{held}"):
        open_matrix(path, "obs")
    with h5py.File(path, "a") as file:
        file.create_group("obsp")
        file.create_group("layers/other")
        file["layers/one"] = np.zeros(3)
        file["layers/far"] = h5py.ExternalLink("nowhere.h5", "X")
        file.copy("layers/counts", "X")
        write_sparse(file.create_group("raw/X"), values_of(), "csr_matrix")
    held = held.replace("layers/counts", "X, layers/counts, raw/X")
    with pytest.raises(ValueError, match=rf"'obsp' is a group\. .* or a csc_matrix; {held}"):
        open_matrix(path, "/obsp/")


def test_matrix__of_a_file_without_any(tmp_path):
    path = write_anndata(tmp_path / "x.h5ad", values_of(), name="obsm/one")
    with pytest.raises(ValueError, match=r"'X' does not exist.*has none\. Read .* with anndata"):
        open_matrix(path)


def test_matrix__has_its_samples_in_rows_whatever_the_number(tmp_path):
    path = write_anndata(tmp_path / "x.h5ad", values_of())
    assert open_matrix(path, orientation="auto").shape == (19, 23)
    with pytest.raises(ValueError, match=r"has 19 samples .*not n_samples=23"):
        open_matrix(path, orientation="auto", n_samples=23)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros(5), r"'X' has shape \(5,\)\. A matrix has two dimensions"),
        (np.zeros((2, 2), "S4"), r"'X' holds text \(\|S4\)\. A matrix holds real numbers"),
        (np.zeros((2, 2), "c8"), r"'X' holds complex numbers \(complex64\)"),
    ],
)
def test_matrix__that_is_none_is_refused(tmp_path, values, message):
    path = write_anndata(tmp_path / "x.h5ad", values_of())
    with h5py.File(path, "a") as file:
        del file["X"]
        file["X"] = values
    with pytest.raises(ValueError, match=message):
        open_matrix(path)


def test_names__are_the_indexes_of_the_frames(tmp_path):
    X = open_matrix(write_anndata(tmp_path / "x.h5ad", values_of()))
    assert (X.feature_names[22], X.sample_ids[18]) == ("f22", "s18")


def test_names__of_raw_are_its_own(tmp_path):
    path = write_anndata(tmp_path / "x.h5ad", values_of())
    with h5py.File(path, "a") as file:
        file["raw/X"] = np.zeros((19, 3))
        file["raw/var/_index"] = ["x", "y", "z"]
        file["obsm/pca"] = np.zeros((19, 2))
    assert list(open_matrix(path, "raw/X").feature_names) == ["x", "y", "z"]
    # No frame has a row for each of these columns.
    assert open_matrix(path, "obsm/pca").feature_names is None
    assert open_matrix(path, "obsm/pca").sample_ids[0] == "s0"


def test_names__from_columns_and_categories(tmp_path):
    path = write_anndata(tmp_path / "x.h5ad", values_of())
    with h5py.File(path, "a") as file:
        file["var/gene"] = [f"g{i}" for i in range(23)]
        kind = file.create_group("obs/patient")
        kind.attrs["encoding-type"] = "categorical"
        kind["codes"] = np.arange(19)[::-1]
        kind["categories"] = [f"p{i}" for i in range(19)]
    X = open_matrix(path, feature_names="gene", sample_ids="patient")
    assert (X.feature_names[1], X.sample_ids[0]) == ("g1", "p18")
    with h5py.File(path, "a") as file:
        file["obs/patient/codes"][3] = -1
    with pytest.raises(ValueError, match=r"missing values or codes beyond its 19 categories"):
        open_matrix(path, sample_ids="patient")
    with pytest.raises(ValueError, match=r"feature_names='nope'.*Columns there are: gene"):
        open_matrix(path, feature_names="nope")


def test_names__of_old_files(tmp_path):
    path = write_anndata(tmp_path / "x.h5ad", values_of())
    with h5py.File(path, "a") as file:
        del file["obs"]
        file["obs"] = np.zeros(19, [("index", "S3")])
    X = open_matrix(path)
    with pytest.raises(ValueError, match=r"AnnData 0\.7 and later.*write it again"):
        X.sample_ids  # noqa: B018  # asking is what is tested
    with pytest.raises(ValueError, match=r"AnnData 0\.7 and later.*write it again"):
        open_matrix(path, sample_ids="index")


@pytest.mark.parametrize("kind", HIDDEN)
@pytest.mark.parametrize("part", ["index", "categories", "codes", "mask", "values"])
def test_names__that_are_not_in_the_file_are_refused(part, kind, tmp_path):
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
            hide(file, tmp_path, kind, "obs/_index")
        else:
            del column[part]
            dtype = "S2" if part in ("categories", "values") else "i2" if part == "codes" else "?"
            hide(file, tmp_path, kind, f"obs/patient/{part}", dtype=dtype)
    with pytest.raises(ValueError, match=HIDDEN[kind]):
        open_matrix(path, sample_ids="_index" if part == "index" else "patient")
    if part == "index":
        with pytest.raises(ValueError, match=HIDDEN[kind]):
            open_matrix(path, sample_ids="auto").sample_ids  # noqa: B018


@pytest.mark.parametrize("kind", ["external link", "link over a link"])
def test_names__in_the_frame_of_another_file_are_refused(kind, tmp_path):
    path = write_anndata(tmp_path / "x.h5ad", VALUES)
    with h5py.File(path, "a") as file:
        del file["obs"]
        hide(file, tmp_path, kind, "obs")
    X = open_matrix(path, sample_ids="auto")
    with pytest.raises(ValueError, match=HIDDEN[kind]):
        X.sample_ids  # noqa: B018


def test_names__of_categories_are_read_as_far_as_codes_name_them(tmp_path):
    path = write_anndata(tmp_path / "x.h5ad", VALUES)
    step = 2**16
    codes = np.random.default_rng(0).permutation(np.r_[0:6, 2 * step : 2 * step + 6])
    with h5py.File(path, "a") as file:
        kind = file.create_group("obs/patient")
        kind.attrs["encoding-type"] = "categorical"
        kind["codes"] = codes
        names = np.array([b"p%d" % i for i in range(3 * step)])
        options = {"chunks": (step,), "compression": "gzip"}
        categories = kind.create_dataset("categories", data=names, **options)
        # What no code names is not read: damage there is not seen.
        categories.id.write_direct_chunk((step,), b"no gzip")
    assert list(open_matrix(path, sample_ids="patient").sample_ids) == [f"p{i}" for i in codes]
    with h5py.File(path, "a") as file:
        file["obs/patient/codes"][3] = step
    with pytest.raises(OSError, match="read"):
        open_matrix(path, sample_ids="patient")


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
