"""Labels that are given, read from a text file, found in the matrix' file; and what they tell."""

import gzip
import pickle
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest
from containers import (
    TURNED,
    hide,
    values_of,
    write_anndata,
    write_hdf5,
    write_npy,
    write_transposed,
)
from numpy.testing import assert_array_equal

from skpar_select import ParallelMutualInfoSelector, open_matrix

VALUES = values_of()
FEATURES = [f"f{i}" for i in range(23)]
SAMPLES = [f"s{i}" for i in range(19)]


@pytest.fixture
def bare(write_h5):
    """A matrix of 19 x 23 in a file without a name."""
    return write_h5(VALUES, features=False, samples=False)


def add(path, **datasets):
    with h5py.File(path, "a") as file:
        for name, data in datasets.items():
            file[name] = data
    return path


class TestWholeNumbers:
    @pytest.mark.parametrize(
        "name", ["samples", "ids", "index", "sample_id", "Barcodes", "donors", "rownames"]
    )
    @pytest.mark.parametrize("dtype", ["i8", "u2", ">i4"])
    def test_ids__of_a_usual_name_are_found_as_text(self, bare, name, dtype):
        X = open_matrix(add(bare, **{name: np.arange(1000, 1019).astype(dtype)}))
        assert list(X.sample_ids) == [str(number) for number in range(1000, 1019)]
        assert X.feature_names is None

    @pytest.mark.parametrize(
        "datasets",
        [
            {"samples": np.arange(19.0)},
            {"samples": np.arange(19) // 2},
            {"age": np.arange(19)},
            {"samples": np.arange(18)},
            {"samples": np.arange(19), "patient_id": np.arange(19)},
        ],
        ids=["floats", "repeated", "another name", "another length", "two of them"],
    )
    def test_numbers__that_may_be_anything_are_no_ids(self, bare, datasets):
        assert open_matrix(add(bare, **datasets)).sample_ids is None

    def test_text__goes_before_numbers(self, bare):
        X = open_matrix(add(bare, samples=np.arange(19), barcodes=SAMPLES))
        assert list(X.sample_ids) == SAMPLES

    def test_groups__called_like_ids_are_none(self, bare):
        X = open_matrix(add(bare, patients=["a", "b"] * 9 + ["c"], title=SAMPLES))
        assert list(X.sample_ids) == SAMPLES

    def test_numbers__that_are_not_in_the_file_are_skipped(self, bare, tmp_path):
        with h5py.File(bare, "a") as file:
            hide(file, tmp_path, "external storage", "samples", length=19, dtype="i2")
        assert open_matrix(bare, "data").sample_ids is None


class TestTextFiles:
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n", ""])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    @pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
    def test_names__are_the_lines(self, bare, tmp_path, end, encoding, compress):
        names = [f"µ {i}" for i in range(23)]
        path = tmp_path / "sites.txt"
        separator = "\r\n" if end == "\r\n" else "\n"
        path.write_bytes(compress((separator.join(names) + end).encode(encoding)))
        X = open_matrix(bare, feature_names=path)
        path.unlink()
        assert list(pickle.loads(pickle.dumps(X)).feature_names) == names

    def test_ids__of_several_files_say_that_all_are_in_order(self, tmp_path):
        paths = [write_npy(tmp_path / f"{i}.npy", VALUES) for i in range(2)]
        ids, names = tmp_path / "ids.txt", tmp_path / "names.txt"
        ids.write_text("\n".join(SAMPLES))
        names.write_text("\n".join(f"f{i}" for i in range(46)))
        X = open_matrix(paths, sample_ids=ids, feature_names=names)
        assert list(X.sample_ids) == SAMPLES
        assert X.feature_names[45] == "f45"

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"a\nb\n", r"names\.txt' holds 2 names, the matrix has 23 features"),
            (b"x\n" * 30, r"names\.txt' holds more than 23 names, the matrix has 23 features"),
            ("\n".join(["f0", *FEATURES[:22]]).encode(), r"names\.txt' repeats 1 name: 'f0'"),
            (b"a\n\nb\n", r"names\.txt' has 1 line without a name: 2\."),
            (b"\xff\xfe", r"cannot be read as text.*It must be in UTF-8"),
            (gzip.compress(b"a\n" * 99)[:12], "cannot be read as text"),
        ],
    )
    def test_names__that_do_not_fit_are_refused(self, bare, tmp_path, content, message):
        path = tmp_path / "names.txt"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            open_matrix(bare, feature_names=path)

    def test_text__stays_the_name_of_a_dataset(self, bare, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        Path("sites.txt").write_text("\n".join(FEATURES))
        message = r"'sites\.txt' in .* does not exist.*feature_names=pathlib\.Path\('sites\.txt'\)"
        with pytest.raises(ValueError, match=message):
            open_matrix(bare, feature_names="sites.txt")
        assert list(open_matrix(bare, feature_names=Path("sites.txt")).feature_names) == FEATURES
        with pytest.raises(FileNotFoundError, match="nowhere"):
            open_matrix(bare, feature_names=Path("nowhere.txt"))


def attach(path, dataset, axis, place, names, label="dimnames"):
    """Attach names to an axis as HDF5Array does."""
    with h5py.File(path, "a") as file:
        file[place] = names
        file[place].make_scale(label)
        file[dataset].dims[axis].attach_scale(file[place])


class TestDimensionScales:
    @pytest.mark.parametrize("turned", [False, True])
    def test_dimnames__of_hdf5array_follow_the_axis(self, tmp_path, turned):
        write = write_transposed if turned else write_hdf5
        path = write(tmp_path / "x.h5", VALUES)
        # R counts axes the other way round, so that 1 is the last axis here.
        for axis, place in ((1, ".data_dimnames/1"), (0, ".data_dimnames/2")):
            names = FEATURES if axis == (0 if turned else 1) else SAMPLES
            attach(path, "data", axis, place, [f"R {name}" for name in names])
        X = open_matrix(path, **(TURNED if turned else {}))
        # They are found before the names beside the matrix.
        assert list(X.feature_names) == [f"R {name}" for name in FEATURES]
        assert list(X.sample_ids) == [f"R {name}" for name in SAMPLES]

    def test_scale__of_a_square_matrix_is_of_its_axis(self, write_h5):
        path = write_h5(VALUES[:, :19], features=False, samples=False)
        attach(path, "data", 1, "elsewhere/names", SAMPLES)
        X = open_matrix(path)
        assert (list(X.feature_names), X.sample_ids) == (SAMPLES, None)

    def test_scales__of_numbers_are_names_where_they_are_whole_and_differ(self, bare):
        attach(bare, "data", 0, "a", np.arange(19.0))
        attach(bare, "data", 0, "b", np.arange(19) // 3)
        assert open_matrix(bare).sample_ids is None
        attach(bare, "data", 0, "c", np.arange(19))
        assert open_matrix(bare).sample_ids[18] == "18"
        attach(bare, "data", 0, "d", SAMPLES)
        assert list(open_matrix(bare).sample_ids) == SAMPLES
        attach(bare, "data", 0, "e", SAMPLES[::-1])
        with pytest.raises(ValueError, match=r"sample_ids='auto' fits /[de], /[de] in"):
            open_matrix(bare).sample_ids  # noqa: B018

    def test_scale__whose_values_are_elsewhere_is_not_followed(self, bare, tmp_path):
        with h5py.File(bare, "a") as file:
            hide(file, tmp_path, "external storage", "far/names", length=19)
            file["far/names"].make_scale("dimnames")
            file["data"].dims[0].attach_scale(file["far/names"])
        assert open_matrix(bare, "data").sample_ids is None

    def test_scale__that_was_deleted_is_none(self, bare):
        attach(bare, "data", 0, "ids", SAMPLES)
        with h5py.File(bare, "a") as file:
            del file["ids"]
        assert open_matrix(bare).sample_ids is None


class TestOrientation:
    @pytest.mark.parametrize("turned", [False, True])
    @pytest.mark.parametrize("how", ["sequence", "dataset", "found", "text file", "ids"])
    def test_labels__that_fit_one_axis_tell_it(self, tmp_path, turned, how):
        path = (write_transposed if turned else write_hdf5)(tmp_path / "x.h5", VALUES)
        with h5py.File(path, "a") as file:
            if how != "found":
                file.move("features", "cpg")
                file.move("samples", "title")
        (tmp_path / "names.txt").write_text("\n".join(FEATURES))
        given = {
            "sequence": {"feature_names": FEATURES},
            "dataset": {"feature_names": "cpg"},
            "text file": {"feature_names": tmp_path / "names.txt"},
            "ids": {"sample_ids": SAMPLES, "feature_names": None},
            "found": {},
        }[how]
        X = open_matrix(path, orientation="auto", **given)
        assert_array_equal(np.asarray(X), VALUES)
        assert open_matrix(path, orientation="auto", n_samples=19, **given).shape == (19, 23)

    def test_contradiction__names_both(self, tmp_path):
        path = write_hdf5(tmp_path / "x.h5", VALUES)
        message = (
            r"19 x 23: n_samples=23 says that its rows are features, "
            r"feature_names='auto' of length 23 that they are samples"
        )
        with pytest.raises(ValueError, match=message):
            open_matrix(path, orientation="auto", n_samples=23, sample_ids=None)
        with pytest.raises(
            ValueError, match=r"sample_ids of length 23 says .* features, feature_n"
        ):
            open_matrix(path, orientation="auto", feature_names=FEATURES, sample_ids=FEATURES)
        with pytest.raises(ValueError, match=r"neither axis has the length of the target, 34"):
            open_matrix(path, orientation="auto", n_samples=34)

    def test_labels__that_tell_nothing_leave_the_question(self, write_h5):
        square = write_h5(VALUES[:, :19])
        with pytest.raises(ValueError, match=r"without n_samples.*fit one axis of 19 x 19 alone"):
            open_matrix(square, orientation="auto")
        with pytest.raises(ValueError, match="both axes have the length of the target, 19"):
            open_matrix(square, orientation="auto", n_samples=19)

    def test_names__that_do_not_say_which_axis_tell_nothing(self, bare):
        path = add(bare, ids=FEATURES)
        assert open_matrix(path, orientation="auto", n_samples=19).shape == (19, 23)
        with pytest.raises(ValueError, match="without n_samples"):
            open_matrix(path, orientation="auto")


class TestAnnDataColumns:
    @pytest.fixture
    def path(self, tmp_path):
        path = write_anndata(tmp_path / "x.h5ad", VALUES)
        return add(path, **{"var/symbol": [f"G{i}" for i in range(23)], "obs/donor": np.arange(19)})

    @pytest.mark.parametrize("place", ["symbol", "var/symbol", "/var/symbol"])
    def test_column__is_named_alone_or_with_its_frame(self, path, place):
        X = open_matrix(path, feature_names=place, sample_ids="obs/donor")
        assert (X.feature_names[3], X.sample_ids[3]) == ("G3", "3")

    @pytest.mark.parametrize("place", ["nothing", "var/nothing", "obs/donor"])
    def test_column__that_is_not_there(self, path, place):
        message = r"the frame 'var' has no column .*Columns there are: symbol\. Name one"
        with pytest.raises(ValueError, match=message):
            open_matrix(path, feature_names=place)


class TestNamesThatRepeat:
    @pytest.fixture
    def path(self, tmp_path):
        path = write_anndata(tmp_path / "x.h5ad", VALUES)
        with h5py.File(path, "a") as file:
            del file["var/_index"], file["obs/_index"]
            file["var/_index"] = ["MT", "MT", *FEATURES[2:]]
            file["obs/_index"] = ["c0", "c0", *SAMPLES[2:]]
        return path

    def test_names__nobody_asked_for_are_left_out_with_one_warning(self, path):
        X = open_matrix(path)
        with pytest.warns(UserWarning, match=r"repeats 1 name: 'MT'.*stay without names") as seen:
            fitted = ParallelMutualInfoSelector(k=2, random_state=0).fit(X, VALUES[:, 3])
        assert X.feature_names is None
        assert len([warning for warning in seen if "MT" in str(warning.message)]) == 1
        assert fitted.scores_.argmax() == 3

    def test_names__that_are_asked_for_must_be_unique(self, path):
        with pytest.raises(ValueError, match="repeats 1 name: 'MT'"):
            open_matrix(path, feature_names="_index")

    def test_ids__that_repeat_are_refused_where_rows_are_joined(self, path, tmp_path):
        X = open_matrix(path, feature_names=None)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert list(X.sample_ids[:2]) == ["c0", "c0"]
        with pytest.raises(ValueError, match=r"repeats 1 sample id \('c0'\)"):
            open_matrix([path, path], feature_names=None)
