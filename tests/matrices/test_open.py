"""Opening files: the path, the orientation, the names by default, and several files as one."""

import os

import h5py
import numpy as np
import pytest
from containers import (
    KINDS,
    TURNED,
    names_of,
    opened,
    values_of,
    write_anndata,
    write_hdf5,
    write_hdfstore,
    write_npy,
    write_transposed,
    write_wide,
)
from numpy.testing import assert_array_equal

from skpar_select import open_matrix
from skpar_select._alignment import MissingIdsError
from skpar_select.testing import MatrixConformance

SAMPLES, FEATURES = names_of(values_of())


class TestFiles(MatrixConformance):
    """Every kind of file that lies as no other test of a format has it."""

    @pytest.fixture(params=[kind for kind in KINDS if kind.startswith(("transposed", "wide"))])
    def case(self, request, tmp_path):
        values = values_of()
        return opened(request.param, tmp_path, values), values


class TestPath:
    def test_open_matrix__missing_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"nothing\.h5' does not exist.*Check the path"):
            open_matrix(tmp_path / "nothing.h5")

    def test_open_matrix__of_what_is_no_regular_file(self, tmp_path):
        pipe = tmp_path / "pipe.h5"
        os.mkfifo(pipe)
        # Held open, so that to open it would not wait.
        held = os.open(pipe, os.O_RDWR)
        try:
            with pytest.raises(OSError, match=r"pipe\.h5' is a pipe\. .* regular file.*written to"):
                open_matrix(pipe)
        finally:
            os.close(held)
        with pytest.raises(OSError, match=r"' is a folder, .* regular file"):
            open_matrix(tmp_path)
        with pytest.raises(OSError, match=r"/dev/null' is a device\. .* regular file"):
            open_matrix("/dev/null")

    def test_open_matrix__of_a_link_to_a_file(self, tmp_path, write_h5):
        (tmp_path / "link.h5").symlink_to(write_h5(values_of()))
        assert_array_equal(open_matrix(tmp_path / "link.h5"), values_of())

    def test_open_matrix__truncated(self, write_h5):
        path = write_h5(values_of())
        os.truncate(path, path.stat().st_size - 500)
        with pytest.raises(OSError, match=r"cannot be opened as HDF5.*truncated"):
            open_matrix(path)

    def test_open_matrix__takes_a_relative_path_along(self, write_h5, monkeypatch, tmp_path):
        write_h5(values_of())
        monkeypatch.chdir(tmp_path)
        matrix = open_matrix("matrix.h5")
        monkeypatch.chdir("/")
        assert_array_equal(matrix, values_of())
        assert matrix.sample_ids[3] == "s3"

    def test_open_matrix__of_what_is_no_path_or_name(self, write_h5):
        with pytest.raises(TypeError, match=r"path=None names no file.*sequence of these"):
            open_matrix(None)
        with pytest.raises(TypeError, match=r"dataset=3 is no name.*Name it"):
            open_matrix(write_h5(values_of()), 3)


class TestOrientation:
    def test_transposed__has_its_names_along_the_other_axis(self, tmp_path):
        path = write_transposed(tmp_path / "x.h5", values_of())
        X = open_matrix(
            path, orientation="features_by_samples", feature_names="auto", sample_ids="samples"
        )
        assert (X.feature_names[22], X.sample_ids[18]) == ("f22", "s18")
        assert "stored as features x samples" in repr(X)

    @pytest.mark.parametrize("write", [write_hdf5, write_transposed])
    def test_auto__takes_the_axis_that_alone_has_the_length(self, tmp_path, write):
        path = write(tmp_path / "x.h5", values_of())
        X = open_matrix(path, orientation="auto", n_samples=19, sample_ids="auto")
        assert_array_equal(X, values_of())
        assert X.sample_ids[3] == "s3"

    @pytest.mark.parametrize(
        ("shape", "options", "message"),
        [
            ((4, 5), {"orientation": "auto"}, "without n_samples"),
            ((4, 5), {"orientation": "auto", "n_samples": 6}, "4 x 5, and neither axis has the"),
            ((4, 4), {"orientation": "auto", "n_samples": 4}, "4 x 4, and both axes have the"),
            ((4, 5), {"n_samples": 5}, "4 samples with orientation='samples_by_features', not"),
            ((4, 5), {"orientation": "wide"}, "orientation='wide' is unknown"),
            ((4, 5), {"align": "name"}, "align='name' is unknown. It is one of id, order"),
        ],
    )
    def test_orientation__is_never_guessed(self, tmp_path, shape, options, message):
        np.save(tmp_path / "x.npy", np.zeros(shape))
        with pytest.raises(ValueError, match=message):
            open_matrix(tmp_path / "x.npy", **options)


class TestNames:
    @pytest.mark.parametrize(
        ("write", "name", "options"),
        [
            (write_hdf5, "x.h5", {}),
            (write_transposed, "x.h5", TURNED),
            (write_anndata, "x.h5ad", {}),
            (write_hdfstore, "x.h5", {}),
        ],
    )
    def test_names__are_found_by_default(self, write, name, options, tmp_path):
        X = open_matrix(write(tmp_path / name, values_of()), **options)
        assert list(X.feature_names) == FEATURES
        assert list(X.sample_ids) == SAMPLES
        assert list(X[[3, 3, 1]].sample_ids) == ["s3", "s3", "s1"]
        assert list(X[5:].feature_names) == FEATURES

    @pytest.mark.parametrize(
        ("write", "name"),
        [(write_hdf5, "x.h5"), (write_anndata, "x.h5ad"), (write_hdfstore, "x.h5")],
    )
    def test_names__none_means_none(self, write, name, tmp_path):
        path = write(tmp_path / name, values_of())
        X = open_matrix(path, feature_names=None, sample_ids=None)
        assert X.feature_names is None
        assert X.sample_ids is None
        X = open_matrix(path, feature_names=None)
        assert X.feature_names is None
        assert list(X.sample_ids) == SAMPLES

    def test_names__where_there_are_none_are_none(self, tmp_path, write_h5):
        for path in (
            write_npy(tmp_path / "x.npy", values_of()),
            write_h5(values_of(), features=False, samples=False),
        ):
            X = open_matrix(path)
            assert X.feature_names is None
            assert X.sample_ids is None

    @pytest.mark.parametrize("axis", ["feature_names", "sample_ids"])
    @pytest.mark.parametrize(
        ("write", "name", "places"),
        [
            (write_hdf5, "x.h5", {"feature_names": "features", "sample_ids": "samples"}),
            (write_anndata, "x.h5ad", {"feature_names": "var/_index", "sample_ids": "obs/_index"}),
        ],
    )
    def test_names__are_not_read_before_they_are_asked_for(
        self, write, name, places, axis, tmp_path
    ):
        path = write(tmp_path / name, values_of())
        with h5py.File(path, "a") as file:
            length = file[places[axis]].shape[0]
            del file[places[axis]]
            options = {"chunks": (length,), "compression": "gzip"}
            names = file.create_dataset(places[axis], (length,), "S3", **options)
            names.id.write_direct_chunk((0,), b"no gzip")
        X = open_matrix(path)
        assert_array_equal(X[::2].read(range(3, 9)), values_of()[::2, 3:9])
        for view in (X, X[::2]):
            with pytest.raises(OSError, match="read"):
                getattr(view, axis)
        # The other axis has its names all the same.
        other, expected = ("sample_ids", SAMPLES), ("feature_names", FEATURES)
        attribute, names = other if axis == "feature_names" else expected
        assert list(getattr(X, attribute)) == names
        # A place that is named is read at once.
        with pytest.raises(OSError, match="read"):
            open_matrix(path, **{axis: places[axis].rpartition("/")[2]})

    def test_names__that_auto_cannot_tell_raise_when_they_are_asked_for(self, write_h5):
        path = write_h5(values_of(), features=False)
        with h5py.File(path, "a") as file:
            file["one"] = [f"x{i}" for i in range(23)]
            file["two"] = [f"y{i}" for i in range(23)]
        X = open_matrix(path)
        assert_array_equal(X, values_of())
        assert list(X.sample_ids) == SAMPLES
        with pytest.raises(ValueError, match=r"feature_names='auto' fits one, two.*Name it"):
            X.feature_names  # noqa: B018
        assert open_matrix(path, feature_names=None).feature_names is None
        assert open_matrix(path, feature_names="two").feature_names[0] == "y0"

    def test_names__are_read_once(self, write_h5, opens):
        X = open_matrix(write_h5(values_of()))
        opens.clear()
        for _ in range(3):
            assert list(X.feature_names) == FEATURES
            assert list(X[::2].feature_names) == FEATURES
        assert len(opens) == 1

    def test_names__of_a_file_that_changed_are_refused(self, write_h5):
        X = open_matrix(write_h5(values_of()))
        write_h5(values_of() + 1)
        for axis in ("feature_names", "sample_ids"):
            with pytest.raises(OSError, match="has changed since it was opened"):
                getattr(X, axis)

    def test_names__from_a_sequence(self, write_h5):
        names = [f"probe {i}" for i in range(23)]
        assert list(open_matrix(write_h5(values_of()), feature_names=names).feature_names) == names

    @pytest.mark.parametrize(
        ("given_names", "message"),
        [
            (["a", "b"], "feature_names holds 2 names, the matrix has 23 features"),
            (
                ["a", "b", "b"] + [f"c{i}" for i in range(20)],
                "repeats 1 name: 'b'.*must be unique",
            ),
            ([1.5] * 23, r"holds 1\.5, a float"),
        ],
    )
    def test_names__of_a_sequence_are_checked_at_once(self, write_h5, given_names, message):
        with pytest.raises(ValueError, match=message):
            open_matrix(write_h5(values_of()), feature_names=given_names)


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if not kind.startswith(("held", "parquet", "zarr"))]
)
def test_open_matrix__opens_each_file_once(kind, tmp_path, opens):
    options = {} if kind.startswith("npy") else {"feature_names": "auto", "sample_ids": None}
    if kind.startswith("wide"):
        options["align"] = "order"
    matrix = opened(kind, tmp_path, values_of(), **options)
    paths = [file.path for file in matrix.files]
    opens.clear()
    how = KINDS[kind][2]
    open_matrix(paths if len(paths) > 1 else paths[0], **{**options, **how})
    assert opens == ([] if kind.startswith("npy") else paths)


class TestSeveralFiles:
    def test_rows__are_in_the_order_of_the_first_file(self, tmp_path):
        paths = write_wide(tmp_path / "x.h5", values_of())
        X = open_matrix(paths[::-1])
        assert sorted(X.sample_ids) == sorted(SAMPLES)
        order = [int(name[1:]) for name in X.sample_ids]
        columns = [int(name[1:]) for name in X.feature_names]
        assert_array_equal(X, values_of()[order][:, columns])

    def test_ids__as_a_sequence_say_that_the_order_is_the_same(self, tmp_path):
        paths = [write_npy(tmp_path / f"{i}.npy", values_of()[:, i::2].copy()) for i in (0, 1)]
        X = open_matrix(paths, sample_ids=SAMPLES)
        assert_array_equal(X.read(np.s_[12:]), values_of()[:, 1::2])
        assert list(X.sample_ids) == SAMPLES

    @pytest.mark.parametrize("sample_ids", [None, "auto"])
    def test_ids__that_are_missing_are_asked_for(self, tmp_path, sample_ids):
        paths = [write_npy(tmp_path / f"{i}.npy", values_of()[:, i::2].copy()) for i in (0, 1)]
        message = (
            r"0\.npy' has no sample ids that can be found\. Files are joined by sample id unless "
            r"align='order'\. .*set align='order'"
        )
        with pytest.raises(MissingIdsError, match=message):
            open_matrix(paths, sample_ids=sample_ids)
        with pytest.raises(MissingIdsError, match=message):
            open_matrix(paths, sample_ids=sample_ids, align="id")

    def test_ids__that_differ_are_counted_and_named(self, tmp_path):
        paths = write_wide(tmp_path / "x.h5", values_of(), borders=(9,), shuffled=False)
        with h5py.File(paths[1], "a") as file:
            file["samples"][...] = [f"s{i}" for i in range(5, 24)]
        message = (
            r"1-x\.h5', dataset 'data' lacks 5 samples \('s0', 's1', 's2' and 2 more\) of .*0-x\.h5'"
            r".* and holds 5 samples \('s19', 's20', 's21' and 2 more\) that .*0-x\.h5'.* lacks"
        )
        with pytest.raises(ValueError, match=message):
            open_matrix(paths)

    def test_align__by_order_joins_rows_by_position(self, tmp_path):
        paths = [write_npy(tmp_path / f"{i}.npy", values_of()[:, i::2].copy()) for i in (0, 1)]
        X = open_matrix(paths, align="order")
        assert_array_equal(X, np.hstack([values_of()[:, 0::2], values_of()[:, 1::2]]))
        assert X.sample_ids is None
        assert X.feature_names is None

    def test_align__by_order_needs_no_ids_and_reads_none(self, tmp_path, opens):
        # The rows of the second file are in another order, which its ids would tell.
        paths = write_wide(tmp_path / "x.h5", values_of(), borders=(9,))
        opens.clear()
        X = open_matrix(paths, align="order")
        assert opens == [str(path) for path in paths]
        order = np.random.default_rng(1).permutation(19)
        expected = np.hstack([values_of()[:, :9], values_of()[order, 9:]])
        assert_array_equal(X, expected)
        assert_array_equal(open_matrix(paths), values_of())
        # Those of the first file name the samples, where they are asked for.
        assert list(X.sample_ids) == SAMPLES

    def test_align__by_order_refuses_unequal_numbers_of_rows(self, tmp_path):
        paths = [write_npy(tmp_path / f"{n}.npy", np.zeros((n, 3))) for n in (4, 5)]
        message = r"5\.npy' has 5 samples, .*4\.npy' has 4\..*joined by position must have the same"
        with pytest.raises(ValueError, match=message):
            open_matrix(paths, align="order")

    def test_names__that_repeat_tell_the_files(self, tmp_path):
        path = write_hdf5(tmp_path / "x.h5", values_of())
        X = open_matrix([path, path])
        message = r"23 features are in more than one file: 'f0' is in .*x\.h5.* and .*x\.h5"
        with pytest.raises(ValueError, match=message):
            X.feature_names  # noqa: B018
        with pytest.raises(ValueError, match=message):
            open_matrix([path, path], feature_names="features")
        assert open_matrix([path, path], feature_names=None).shape == (19, 46)

    def test_names__must_be_in_all_files_or_none(self, tmp_path):
        paths = write_wide(tmp_path / "x.h5", values_of())
        with h5py.File(paths[1], "a") as file:
            del file["features"]
        X = open_matrix(paths)
        with pytest.raises(ValueError, match=r"finds none in 1 of 3 files"):
            X.feature_names  # noqa: B018
        assert_array_equal(X, values_of())
        X = open_matrix(paths, feature_names=FEATURES)
        assert X.feature_names[4] == "f4"

    def test_files__none_or_one(self, tmp_path):
        path = write_hdf5(tmp_path / "x.h5", values_of())
        assert_array_equal(open_matrix([path]), values_of())
        assert list(open_matrix([path]).feature_names) == FEATURES
        with pytest.raises(ValueError, match=r"names no file"):
            open_matrix([])

    def test_read__opens_only_files_that_hold_selected_columns(self, tmp_path):
        paths = write_wide(tmp_path / "x.h5", values_of())
        X = open_matrix(paths)
        paths[2].unlink()
        assert_array_equal(X.read(np.s_[1:5]), values_of()[:, 1:5])
        with pytest.raises(FileNotFoundError, match=r"2-x\.h5' does not exist"):
            X.read(np.s_[:])
