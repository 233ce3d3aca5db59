"""What is not read is named, with a recipe; each recipe that this machine can run is run."""

import bz2
import gzip
import lzma
import pickle
import zipfile

import numpy as np
import pytest
from containers import values_of
from numpy.testing import assert_allclose
from scipy import io, sparse

from skpar_select import open_matrix

# A recipe of one line leaves it to Python to close its files.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def values():
    return values_of(np.float64)


@pytest.fixture
def frame(values):
    pd = pytest.importorskip("pandas")
    return pd.DataFrame(
        values, columns=[f"f{i}" for i in range(23)], index=[f"s{i}" for i in range(19)]
    )


def recipe_of(path):
    with pytest.raises(ValueError, match=r"are read\. (Convert it once|Give X itself)") as error:
        open_matrix(path)
    return str(error.value).partition("once: ")[2] or str(error.value).partition("selector: ")[2]


def run(path, monkeypatch):
    """Run the recipe of an error in the folder of the file, and return what it makes."""
    monkeypatch.chdir(path.parent)
    before = set(path.parent.iterdir())
    made = {}
    exec(recipe_of(path), made)
    if "X" in made:
        return made["X"].toarray()
    (new,) = set(path.parent.iterdir()) - before
    X = open_matrix(new)
    return np.asarray(X)


def write_feather(path, frame):
    pytest.importorskip("pyarrow.feather").write_feather(frame, path)


def write_gzip(path, frame):
    path.write_bytes(gzip.compress(frame.to_csv().encode()))


WRITERS = {
    "x.feather": write_feather,
    "x.npz": lambda path, frame: np.savez(path, data=frame.to_numpy()),
    "sparse.npz": lambda path, frame: sparse.save_npz(path, sparse.csr_matrix(frame.to_numpy())),
    "x.mat": lambda path, frame: io.savemat(path, {"data": frame.to_numpy()}),
    "x.dta": lambda path, frame: frame.to_stata(path, write_index=False),
    "old.dta": lambda path, frame: frame.to_stata(path, write_index=False, version=114),
    "x.pkl": lambda path, frame: path.write_bytes(pickle.dumps(frame)),
    "x.mtx": lambda path, frame: io.mmwrite(path, sparse.coo_matrix(frame.to_numpy())),
    "x.csv": lambda path, frame: frame.to_csv(path),
    "x.tsv": lambda path, frame: frame.to_csv(path, sep="\t"),
    "x": lambda path, frame: frame.to_csv(path),
    "x.csv.gz": write_gzip,
    "x.xlsx": lambda path, frame: frame.to_excel(path),
}


@pytest.mark.parametrize("name", WRITERS)
def test_recipe__gives_the_matrix(name, tmp_path, frame, monkeypatch):
    if name == "x.xlsx":
        pytest.importorskip("openpyxl")
    path = tmp_path / name
    WRITERS[name](path, frame)
    if name == "x":
        # Its output has a suffix of its own.
        path = path.rename(tmp_path / "table")
    assert_allclose(run(path, monkeypatch), frame.to_numpy(), rtol=1e-12)


PACKED = {
    "x.h5.bz2": bz2.compress,
    "x.h5.xz": lzma.compress,
    "x.h5.gz": gzip.compress,
}


@pytest.mark.parametrize("name", PACKED)
def test_recipe__unpacks(name, tmp_path, values, monkeypatch):
    np.save(tmp_path / "plain.npy", values)
    path = tmp_path / name
    path.write_bytes(PACKED[name]((tmp_path / "plain.npy").read_bytes()))
    assert_allclose(run(path, monkeypatch), values)


def test_recipe__unpacks_zip(tmp_path, values, monkeypatch):
    np.save(tmp_path / "plain.npy", values)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.write(tmp_path / "plain.npy", "inner.bin")
    monkeypatch.chdir(tmp_path)
    exec(recipe_of(tmp_path / "x.zip"), {})
    assert_allclose(open_matrix(tmp_path / "x" / "inner.bin"), values)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.rds", gzip.compress(b"X\n\x00"), r"a file of R\..*pyreadr"),
        ("x.RData", b"RDX3\n", r"a file of R\..*pyreadr"),
        ("x.sas7bdat", bytes(12) + b"\xc2\xea", r"a SAS file\..*pandas\.read_sas"),
        ("x.xpt", b"HEADER RECORD", r"a SAS file\..*pandas\.read_sas"),
        ("x.sav", b"$FL2@(#)", r"an SPSS file\..*pandas\.read_spss"),
        ("x.xls", b"\xd0\xcf\x11\xe0\xa1", r"an Excel workbook\..*pandas\.read_excel"),
        ("x.csv", "größe,b\n1,2\n".encode("latin-1"), r"text, such as CSV"),
    ],
)
def test_kind__that_cannot_be_written_here_is_named(name, content, words, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=words):
        open_matrix(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"x\.h5' is empty\."),
        (b"\x00\x01\x02nothing", r"no file that is known here: it begins with b'\\x00\\x01"),
    ],
)
def test_content__that_is_unknown(content, words, tmp_path):
    (tmp_path / "x.h5").write_bytes(content)
    with pytest.raises(OSError, match=words):
        open_matrix(tmp_path / "x.h5")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "It is empty"),
        (["a.txt", "b.txt"], r"It holds 'a\.txt', 'b\.txt'.*Name the file itself"),
        (["a.h5", "b.h5"], r"joined column after column: open_matrix\(\[\.\.\.\]\)"),
        (["matrix.mtx.gz"], r"10x Genomics.*read_10x_mtx"),
    ],
)
def test_folder__that_is_no_store_is_refused(names, words, tmp_path):
    for name in names:
        (tmp_path / name).write_text("")
    with pytest.raises(OSError, match=rf"is a folder, neither a Zarr store nor .*{words}"):
        open_matrix(tmp_path)


def test_matlab_7_3__is_hdf5(tmp_path, values):
    import h5py

    # MATLAB puts 512 bytes of its own before HDF5 begins, and stores the transpose.
    with h5py.File(tmp_path / "x.mat", "w", userblock_size=512) as file:
        file["data"] = values.T
    with open(tmp_path / "x.mat", "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512, b" "))
    X = open_matrix(tmp_path / "x.mat", orientation="features_by_samples")
    assert_allclose(X, values)
