"""Every kind of file passes the suite of sources; what each kind alone must do or refuse."""

import pickle
import re
from contextlib import nullcontext

import h5py
import numpy as np
import pytest
from containers import (
    KINDS,
    names_of,
    opened,
    write_anndata,
    write_hdf5,
    write_hdfstore,
    write_npy,
    write_sparse,
    write_transposed,
    write_wide,
)
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_predict, train_test_split
from sklearn.pipeline import make_pipeline
from test_sources import DTYPES, VIEWS, Conforms, values_of

from skpar_select import ParallelMutualInfoSelector, cli, open_matrix
from skpar_select.sources import _compressed, _hdfstore, _rectangles, _transposed, _wide


class TestKinds(Conforms):
    @pytest.fixture(params=KINDS)
    def case(self, request, tmp_path):
        values = values_of()
        return opened(request.param, tmp_path, values), values


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("kind", KINDS)
def test_rows__of_every_kind(kind, view, small, tmp_path, monkeypatch):
    values = values_of()
    if small:
        # Every read is cut.
        for module in (_rectangles, _transposed, _wide):
            monkeypatch.setattr(module, "PIECE_BYTES", 64)
        monkeypatch.setattr(_compressed, "ENTRIES", 5)
    matrix = opened(kind, tmp_path, values)
    assert list(matrix.feature_names) == names_of(values)[1]
    rows, expected = matrix[VIEWS[view]], values[VIEWS[view]]
    assert list(rows.sample_ids) == list(np.array(names_of(values)[0])[VIEWS[view]])
    for columns in (np.s_[:], np.s_[2:9], np.array([22, 3, 4, 3, 11])):
        assert_array_equal(rows.read(columns), expected[:, columns])
    part = rows.part(slice(3, 14))
    assert_array_equal(pickle.loads(pickle.dumps(part)).fetch()(), expected[:, 3:14])


@pytest.mark.parametrize("kind", KINDS)
def test_storage__of_every_kind_counts_the_different_rows_of_a_row_of_chunks(kind, tmp_path):
    matrix = opened(kind, tmp_path, values_of())
    if matrix.storage.chunks is None:
        assert matrix.storage.band_rows == 0
        return
    tall = matrix.storage.chunks[0]
    assert matrix.storage.band_rows == tall
    assert matrix[np.repeat([0, 1], 100)].storage.band_rows == min(2, tall)
    # Of files with rows in orders of their own, one may have all of them together.
    half = -(-tall // 2)
    assert half <= matrix[::-2].storage.band_rows <= (tall if kind.startswith("wide") else half)
    assert matrix[:0].storage.band_rows == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_type__of_every_kind_is_that_of_the_file(kind, dtype, tmp_path):
    values = values_of(dtype)
    matrix = opened(kind, tmp_path, values)
    assert matrix.dtype == np.dtype(dtype) or kind.startswith(("wide", "hdfstore"))
    assert_array_equal(matrix.read(np.array([5, 1, 20])), values[:, [5, 1, 20]])


@pytest.mark.parametrize("kind", KINDS)
def test_model_selection__of_every_kind_is_that_of_the_array(kind, tmp_path):
    values = values_of(np.float64)
    y = values[:, 7] - values[:, 12]
    X = opened(kind, tmp_path, values)
    selector = ParallelMutualInfoSelector(k=3, random_state=0, n_jobs=1)
    model = make_pipeline(selector, Ridge())
    search = GridSearchCV(model, {"parallelmutualinfoselector__k": [1, 4]}, cv=3, n_jobs=2)
    predicted = cross_val_predict(model, X, y, cv=3, n_jobs=2)
    # Sums depend on the memory order in which the columns come.
    assert_allclose(predicted, cross_val_predict(model, values, y, cv=3), rtol=1e-10)
    expected = search.fit(values, y).cv_results_["mean_test_score"]
    assert_allclose(search.fit(X, y).cv_results_["mean_test_score"], expected, rtol=1e-10)
    train, test, y_train, _ = train_test_split(X, y, random_state=0)
    rows, others, _, _ = train_test_split(values, y, random_state=0)
    fitted = model.fit(train, y_train).predict(test)
    assert_allclose(fitted, model.fit(rows, y_train).predict(others), rtol=1e-10)


class TestOrientation:
    def test_transposed__has_its_names_along_the_other_axis(self, tmp_path):
        path = write_transposed(tmp_path / "x.h5", values_of())
        X = open_matrix(
            path, orientation="features_by_samples", feature_names="auto", sample_ids="samples"
        )
        assert (X.feature_names[22], X.sample_ids[18]) == ("f22", "s18")
        assert "stored as features x samples" in repr(X)

    @pytest.mark.parametrize(("write", "held"), [(write_hdf5, 0), (write_transposed, 1)])
    def test_auto__takes_the_axis_that_alone_has_the_length(self, tmp_path, write, held):
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
        ],
    )
    def test_orientation__is_never_guessed(self, tmp_path, shape, options, message):
        np.save(tmp_path / "x.npy", np.zeros(shape))
        with pytest.raises(ValueError, match=message):
            open_matrix(tmp_path / "x.npy", **options)


class TestNpy:
    @pytest.mark.parametrize(
        ("array", "message"),
        [
            (np.zeros(3), r"has shape \(3,\)"),
            (np.zeros((2, 2), "c8"), "holds complex64"),
            (np.zeros((2, 2), [("a", "f4")]), "holds .*'a'"),
            (np.zeros((2, 2), "U3"), "holds <U3"),
            (np.zeros((2, 2), "M8[s]"), "holds datetime64"),
            (np.array([[None, 1]]), "holds object.*never unpickled"),
        ],
    )
    def test_npy__refuses_what_is_no_matrix(self, tmp_path, array, message):
        np.save(tmp_path / "x.npy", array, allow_pickle=True)
        with pytest.raises(ValueError, match=message):
            open_matrix(tmp_path / "x.npy")

    def test_npy__cut_short(self, tmp_path):
        path = write_npy(tmp_path / "x.npy", values_of())
        path.write_bytes(path.read_bytes()[:-4])
        with pytest.raises((OSError, ValueError), match=r"x\.npy'.*All values must be there"):
            open_matrix(path)

    @pytest.mark.parametrize("byte", [6, 9, 12, 40])
    def test_npy__damaged_header(self, tmp_path, byte):
        path = write_npy(tmp_path / "x.npy", values_of())
        damaged = bytearray(path.read_bytes())
        damaged[byte] ^= 7
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"x\.npy' (has|holds)"):
            open_matrix(path)

    def test_npy__holds_one_array_and_no_names(self, tmp_path):
        path = write_npy(tmp_path / "x.npy", values_of())
        with pytest.raises(ValueError, match=r"dataset='data' is not in .*Leave dataset out"):
            open_matrix(path, "data")
        with pytest.raises(ValueError, match=r"sample_ids='ids' is not in .*Give the names"):
            open_matrix(path, sample_ids="ids")
        assert open_matrix(path, sample_ids="auto").sample_ids is None

    def test_npy__version_2(self, tmp_path):
        with open(tmp_path / "x.npy", "wb") as file:
            np.lib.format.write_array(file, values_of(), version=(2, 0))
        assert_array_equal(open_matrix(tmp_path / "x.npy"), values_of())


class TestAnnData:
    @pytest.fixture
    def sparse(self, tmp_path):
        """A sparse file, and a function that changes one of its datasets."""
        path = write_anndata(tmp_path / "x.h5ad", values_of(), "csr_matrix")

        def change(name, values):
            with h5py.File(path, "a") as file:
                del file["X"][name]
                file["X"][name] = values

        with h5py.File(path) as file:
            parts = {name: item[:] for name, item in file["X"].items()}
        return path, parts, change

    @pytest.mark.parametrize(
        ("name", "damage", "message"),
        [
            ("indptr", lambda p: p[:-1], r"'indptr' of shape \(19,\).*20 whole numbers"),
            ("indptr", lambda p: np.r_[p[:-1].astype("i8"), 2**40], "from 0 to 1099511627776"),
            ("indptr", lambda p: np.r_[0, p[:0:-1]], "falling [0-9]+ times.*never falling"),
            ("indptr", lambda p: p.astype(float), "'indptr' of shape .* and type float64"),
            ("indices", lambda p: p[:-1], "'indices' of shape.*a whole number for each of"),
            ("indices", lambda p: p.astype(float), "'indices' of shape .* type float64"),
            ("data", lambda p: p.astype("S4"), "'data' of shape .*real numbers"),
            ("data", lambda p: p[None], r"'data' of shape \(1, "),
        ],
    )
    def test_sparse__parts_that_do_not_fit_are_refused(self, sparse, name, damage, message):
        path, parts, change = sparse
        change(name, damage(parts[name]))
        with pytest.raises(ValueError, match=message):
            open_matrix(path)

    @pytest.mark.parametrize("place", [-1, 23, 2**31 - 1])
    def test_sparse__places_out_of_range_are_refused(self, sparse, place):
        path, parts, change = sparse
        parts["indices"][7] = place
        change("indices", parts["indices"])
        with pytest.raises(ValueError, match=f"'indices' with {place} at entry 7.*0 to 22"):
            open_matrix(path).read(np.s_[:])

    def test_sparse__entries_in_any_order_and_twice(self, tmp_path):
        path = write_anndata(tmp_path / "x.h5ad", np.zeros((2, 3)), "csr_matrix")
        with h5py.File(path, "a") as file:
            for name, values in {
                "data": [1.0, 2, 4],
                "indices": [2, 0, 2],
                "indptr": [0, 3, 3],
            }.items():
                del file["X"][name]
                file["X"][name] = values
        assert_array_equal(open_matrix(path), [[2, 0, 5], [0, 0, 0]])

    def test_sparse__columns_of_compressed_columns_are_read_alone(self, tmp_path, monkeypatch):
        path = write_anndata(tmp_path / "x.h5ad", values_of(), "csc_matrix")
        matrix = open_matrix(path)
        with h5py.File(path, "a") as file:
            # Beyond column 9 nothing is read: damage there is not seen.
            file["X/indices"][int(file["X/indptr"][10]) :] = -1
        matrix = open_matrix(path)
        assert_array_equal(matrix.read(np.s_[4:10]), values_of()[:, 4:10])

    @pytest.mark.parametrize("shape", [[19], [19, -1], [1.5, 2.0]])
    def test_sparse__damaged_shape(self, tmp_path, shape):
        path = write_anndata(tmp_path / "x.h5ad", values_of(), "csr_matrix")
        with h5py.File(path, "a") as file:
            file["X"].attrs["shape"] = shape
        with pytest.raises(ValueError, match=r"attribute shape=.*two numbers"):
            open_matrix(path)

    def test_sparse__parts_in_other_files_are_refused(self, sparse, tmp_path):
        path, _parts, change = sparse
        change("indices", h5py.ExternalLink(write_hdf5(tmp_path / "o.h5", values_of()), "data"))
        with pytest.raises(ValueError, match=r"is a link to another file"):
            open_matrix(path)

    def test_matrix__that_is_not_there_names_those_that_are(self, tmp_path):
        path = write_anndata(tmp_path / "x.h5ad", values_of(), name="layers/counts")
        held = r"this one has layers/counts\. Name one as dataset, or .* with --dataset or --layer"
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

    def test_matrix__of_a_file_without_any(self, tmp_path):
        path = write_anndata(tmp_path / "x.h5ad", values_of(), name="obsm/one")
        with pytest.raises(
            ValueError, match=r"'X' does not exist.*has none\. Read .* with anndata"
        ):
            open_matrix(path)

    def test_names__from_columns_and_categories(self, tmp_path):
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

    def test_names__of_old_files(self, tmp_path):
        path = write_anndata(tmp_path / "x.h5ad", values_of())
        with h5py.File(path, "a") as file:
            del file["obs"]
            file["obs"] = np.zeros(19, [("index", "S3")])
        with pytest.raises(ValueError, match=r"AnnData 0\.7 and later.*write it again"):
            open_matrix(path, sample_ids="auto")


class TestHDFStore:
    def change(self, path, name, values=None, **attributes):
        with h5py.File(path, "a") as file:
            if values is not None:
                del file["frame"][name]
                file["frame"][name] = values
            file["frame"][name].attrs.update(attributes)

    def test_frame__of_several(self, tmp_path):
        path = write_hdfstore(tmp_path / "x.h5", values_of(), key="deep/one")
        with h5py.File(path, "a") as file:
            file.copy("deep/one", "two")
        with pytest.raises(ValueError, match=r"dataset=None is no data frame.*deep/one, two"):
            open_matrix(path)
        assert_array_equal(open_matrix(path, "/deep/one"), values_of())

    def test_frame__of_several_types(self, tmp_path):
        path = write_hdfstore(tmp_path / "x.h5", values_of("i4"), blocks=2)
        self.change(path, "block1_values", values_of("f4")[:, 1::2])
        X = open_matrix(path)
        expected = values_of("i4").astype("f8")
        expected[:, 1::2] = values_of("f4")[:, 1::2]
        assert X.dtype == np.float64
        assert_array_equal(X, expected)

    def test_frame__format_table_is_refused(self, tmp_path):
        path = write_hdfstore(tmp_path / "x.h5", values_of())
        with h5py.File(path, "a") as file:
            file["frame"].attrs["pandas_type"] = np.bytes_("frame_table")
        with pytest.raises(ValueError, match=r"format 'frame_table'.*cannot hold more than"):
            open_matrix(path)

    def test_frame__objects_are_never_unpickled(self, tmp_path):
        pickled = np.frombuffer(b"cos\nsystem\n(S'false'\ntR.", np.uint8)
        path = write_hdfstore(tmp_path / "x.h5", values_of(), blocks=2)
        self.change(path, "block1_values", pickled, PSEUDOATOM=np.bytes_("object"))
        with pytest.raises(ValueError, match=r"a block of objects, a pickle.*never opened"):
            open_matrix(path)
        path = write_hdfstore(tmp_path / "y.h5", values_of())
        self.change(path, "axis0", pickled, PSEUDOATOM=np.bytes_("object"))
        with pytest.raises(ValueError, match=r"'frame/axis0' is a pickle.*never opened"):
            open_matrix(path)

    def test_frame__dates_are_refused(self, tmp_path):
        path = write_hdfstore(tmp_path / "x.h5", values_of("i8"))
        self.change(path, "block0_values", value_type=np.bytes_("datetime64[ns]"))
        with pytest.raises(ValueError, match=r"columns of type datetime64\[ns\]"):
            open_matrix(path)

    def test_frame__blocks_that_do_not_make_the_frame(self, tmp_path):
        path = write_hdfstore(tmp_path / "x.h5", values_of(), blocks=2)
        self.change(path, "block1_items", np.array(["f1"] * 11, "S"))
        with pytest.raises(ValueError, match=r"names 23 columns, and its blocks 13 different"):
            open_matrix(path)

    def test_order__of_as_many_frames_as_lie_side_by_side_is_found_once(
        self, tmp_path, monkeypatch
    ):
        asked = []
        labels = _hdfstore._labels
        monkeypatch.setattr(
            _hdfstore, "_labels", lambda *args: asked.append(args[1]) or labels(*args)
        )
        paths = [tmp_path / f"{i}.h5" for i in range(5)]
        for path in paths:
            write_hdfstore(path, values_of(), blocks=2)
        X = open_matrix(paths, sample_ids="auto")
        asked.clear()
        for _ in range(2):
            X.read(np.s_[:])
        assert not asked

    def test_names__of_a_frame_are_its_own(self, tmp_path):
        path = write_hdfstore(tmp_path / "x.h5", values_of())
        with pytest.raises(ValueError, match=r"one set of names for each axis.*='auto'"):
            open_matrix(path, sample_ids="age")


class TestWide:
    def test_rows__are_in_the_order_of_the_first_file(self, tmp_path):
        paths = write_wide(tmp_path / "x.h5", values_of())
        X = open_matrix(paths[::-1], feature_names="auto", sample_ids="auto")
        assert sorted(X.sample_ids) == sorted(names_of(values_of())[0])
        order = [int(name[1:]) for name in X.sample_ids]
        columns = [int(name[1:]) for name in X.feature_names]
        assert_array_equal(X, values_of()[order][:, columns])

    def test_ids__as_a_sequence_say_that_the_order_is_the_same(self, tmp_path):
        paths = [write_npy(tmp_path / f"{i}.npy", values_of()[:, i::2].copy()) for i in (0, 1)]
        X = open_matrix(paths, sample_ids=names_of(values_of())[0])
        assert_array_equal(X.read(np.s_[12:]), values_of()[:, 1::2])
        with pytest.raises(ValueError, match=r"sample_ids=None with 2 files.*never by position"):
            open_matrix(paths)
        with pytest.raises(ValueError, match=r"0\.npy' has no sample ids that can be found"):
            open_matrix(paths, sample_ids="auto")

    def test_ids__that_differ_are_counted_and_named(self, tmp_path):
        paths = write_wide(tmp_path / "x.h5", values_of(), borders=(9,), shuffled=False)
        with h5py.File(paths[1], "a") as file:
            file["samples"][...] = [f"s{i}" for i in range(5, 24)]
        message = r"lacks 5 samples \('s0', 's1', 's2', \.\.\.\) of .* and has 5 samples \('s19'"
        with pytest.raises(ValueError, match=message):
            open_matrix(paths, sample_ids="auto")

    def test_names__that_repeat_tell_the_files(self, tmp_path):
        path = write_hdf5(tmp_path / "x.h5", values_of())
        message = r"23 features are in more than one file: 'f0' is in .*x\.h5.* and .*x\.h5"
        with pytest.raises(ValueError, match=message):
            open_matrix([path, path], feature_names="auto", sample_ids="auto")
        assert open_matrix([path, path], sample_ids="auto").shape == (19, 46)

    def test_names__must_be_in_all_files_or_none(self, tmp_path):
        paths = write_wide(tmp_path / "x.h5", values_of())
        with h5py.File(paths[1], "a") as file:
            del file["features"]
        with pytest.raises(ValueError, match=r"finds none in 1 of 3 files"):
            open_matrix(paths, feature_names="auto", sample_ids="auto")
        X = open_matrix(paths, feature_names=names_of(values_of())[1], sample_ids="auto")
        assert X.feature_names[4] == "f4"

    def test_files__none_or_one(self, tmp_path):
        path = write_hdf5(tmp_path / "x.h5", values_of())
        assert_array_equal(open_matrix([path]), values_of())
        with pytest.raises(ValueError, match=r"names no file"):
            open_matrix([])

    def test_types__that_differ_become_one_that_holds_all(self, tmp_path):
        values = values_of("i2")
        one = write_hdf5(tmp_path / "1.h5", values)
        two = write_hdf5(tmp_path / "2.h5", values_of("f4"), chunks=(4, 3), compression="gzip")
        X = open_matrix([one, two], sample_ids="auto")
        assert X.dtype == np.float32
        assert_array_equal(X, np.hstack([values, values_of("f4")]))
        assert X.storage.kind == "chunks"
        assert X.storage.starts == (0, 23)
        # Decoded as it is read, to become the other type.
        assert X.storage.decode_bytes == 0
        assert X.storage.read_bytes > open_matrix(two, "data").storage.decode_bytes > 0

    def test_read__opens_only_files_that_hold_wanted_columns(self, tmp_path):
        paths = write_wide(tmp_path / "x.h5", values_of())
        X = open_matrix(paths, sample_ids="auto")
        paths[2].unlink()
        assert_array_equal(X.read(np.s_[1:5]), values_of()[:, 1:5])
        with pytest.raises(FileNotFoundError, match=r"2-x\.h5' does not exist"):
            X.read(np.s_[:])


@pytest.mark.parametrize("plugin", ["Zstd", "Blosc"])
def test_plugins__are_found_where_hdf5plugin_is_installed(plugin, tmp_path):
    hdf5plugin = pytest.importorskip("hdf5plugin", reason="writes the file")
    options = {"chunks": (5, 4), "compression": getattr(hdf5plugin, plugin)()}
    path = write_hdf5(tmp_path / "x.h5", values_of(), **options)
    assert_array_equal(open_matrix(path), values_of())


@pytest.mark.parametrize("kind", KINDS)
def test_read__of_a_changed_file_raises(kind, tmp_path):
    matrix = opened(kind, tmp_path, values_of())
    opened(kind, tmp_path, values_of() + 1)
    with pytest.raises(OSError, match=r"has changed since it was opened"), nullcontext():
        matrix.read(np.s_[:])


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_scores__of_every_kind_are_those_of_the_array_under_any_budget(kind, n_jobs, tmp_path):
    values = values_of()
    y = values[:, 7] + values[:, 3]

    def fit(X, budget="auto"):
        selector = ParallelMutualInfoSelector(
            k=3, discrete_features=[5, 9], random_state=0, memory_budget=budget, n_jobs=n_jobs
        )
        return selector.fit(X, y).scores_

    values[:, [5, 9]] = np.round(values[:, [5, 9]] / 40)
    X = opened(kind, tmp_path, values)
    expected = fit(values)
    assert_array_equal(fit(X), expected)
    with pytest.raises(ValueError, match=r"too small") as error:
        fit(X, 1)
    least = int(re.search(r"needs (\d+) bytes", str(error.value))[1])
    assert_array_equal(fit(X, least), expected)


class TestCommandLine:
    @pytest.fixture
    def ages(self, tmp_path):
        path = tmp_path / "ages.csv"
        lines = [f"s{i},{value}" for i, value in enumerate(values_of()[:, 7])]
        path.write_text("\n".join(["sample_id,age", *lines]))
        return path

    def best(self, ages, *arguments):
        """Give the code of the command and the name of the feature that came out best."""
        output = ages.with_name("scores.csv")
        fixed = ["--target", ages, "--target-column", "age", "--output", output, "--n-jobs", 1]
        code = cli.main(["score", *map(str, [*arguments, *fixed])])
        return code, output.read_text().split()[1].split(",")[0] if code == 0 else None

    @pytest.mark.parametrize("orientation", ["auto", "features_by_samples"])
    def test_score__of_a_transposed_file(self, tmp_path, ages, orientation):
        path = write_transposed(tmp_path / "x.h5", values_of())
        assert self.best(ages, path, "--orientation", orientation) == (0, "f7")

    def test_score__of_several_files(self, tmp_path, ages):
        paths = write_wide(tmp_path / "x.h5", values_of())
        assert self.best(ages, *paths) == (0, "f7")

    def test_score__of_a_layer(self, tmp_path, ages):
        path = write_anndata(tmp_path / "x.h5ad", values_of(), "csr_matrix", "layers/counts")
        assert self.best(ages, path, "--layer", "counts") == (0, "f7")

    def test_score__of_a_square_asks(self, tmp_path, ages, capsys):
        path = write_hdf5(tmp_path / "x.h5", values_of()[:, :19])
        assert self.best(ages, path) == (2, None)
        assert "both axes have the length of the target, 19" in capsys.readouterr().err
        assert self.best(ages, path, "--orientation", "samples_by_features") == (0, "f7")


def test_compressed_rows__decode_no_chunk_twice_within_a_read(tmp_path, monkeypatch):
    values = np.random.default_rng(0).random((50, 40)).astype(np.float32)
    path = write_anndata(
        tmp_path / "x.h5ad", values, encoding="csr_matrix", chunks=(300,), compression="gzip"
    )
    monkeypatch.setattr(_compressed, "ENTRIES", 128)
    matrix = open_matrix(path)
    assert matrix._container.step == 300
    read = []
    steps = _compressed._steps

    def recording(*arguments):
        for start, stop in steps(*arguments):
            read.append((start, stop))
            yield start, stop

    monkeypatch.setattr(_compressed, "_steps", recording)
    np.testing.assert_array_equal(matrix.read(np.s_[:]), values)
    assert read == [(start, min(start + 300, 2000)) for start in range(0, 2000, 300)]


def test_hdfstore__blocks_of_unequal_rows_are_refused(tmp_path):
    path = write_hdfstore(tmp_path / "x.h5", values_of(), blocks=3)
    with h5py.File(path, "a") as file:
        short = file["frame/block1_values"][:-2]
        del file["frame/block1_values"]
        file["frame/block1_values"] = short
    n_rows = len(values_of())
    with pytest.raises(
        ValueError, match=f"blocks of {n_rows - 2} to {n_rows} rows.*write it again"
    ):
        open_matrix(path)
