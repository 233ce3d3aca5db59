"""Objects of other libraries in the place of a path. Fakes have the shape that anndata 0.12 has."""

import h5py
import numpy as np
import pytest
from containers import values_of, write_anndata, write_hdf5
from numpy.testing import assert_array_equal

from skpar_select import ParallelMutualInfoSelector, open_matrix
from skpar_select.matrices import held_matrix
from skpar_select.testing import MatrixConformance


@pytest.fixture
def values():
    return values_of()


@pytest.fixture
def path(tmp_path, values):
    return write_hdf5(tmp_path / "x.h5", values, chunks=(5, 4), compression="gzip")


class TestH5py:
    @pytest.mark.parametrize(
        "hold",
        [lambda file: file["data"], lambda file: file, lambda file: file["/"]],
        ids=["dataset", "file", "root"],
    )
    def test_holder__is_the_matrix_of_its_file(self, hold, path, values):
        with h5py.File(path) as file:
            X = held_matrix(hold(file))
        assert repr(X) == repr(open_matrix(path, "/data" if "'/data'" in repr(X) else None))
        assert_array_equal(np.asarray(X), values)
        assert list(X.feature_names[:2]) == ["f0", "f1"]
        assert list(X.sample_ids[:2]) == ["s0", "s1"]

    def test_open_matrix__takes_the_options_of_a_path(self, path, values):
        with h5py.File(path) as file:
            X = open_matrix(file["data"], orientation="features_by_samples", feature_names=None)
            assert_array_equal(np.asarray(X), values.T)
            assert X.feature_names is None
            assert_array_equal(np.asarray(open_matrix(file, "data")), values)
            # Keywords keep their names.
            assert open_matrix(path=file, dataset="data").shape == values.shape

    def test_open_matrix__joins_datasets(self, tmp_path, values):
        first = write_hdf5(tmp_path / "1.h5", values[:, :9])
        second = write_hdf5(tmp_path / "2.h5", values[:, 9:])
        with h5py.File(first) as one, h5py.File(second) as other:
            X = open_matrix([one["data"], other["data"]], feature_names=None)
        assert_array_equal(np.asarray(X), values)

    def test_group__holds_the_only_matrix_in_it(self, tmp_path, values):
        with h5py.File(tmp_path / "x.h5", "w") as file:
            file["other"] = values[:3]
            file["deep/data"] = values
            file["two/a"], file["two/b"] = values, values
        with h5py.File(tmp_path / "x.h5") as file:
            assert_array_equal(np.asarray(held_matrix(file["deep"])), values)
            assert_array_equal(np.asarray(open_matrix(file["two"], "b")), values)
            with pytest.raises(ValueError, match=r"group '/two' .* holds 2 matrices \(a, b\)"):
                held_matrix(file["two"])
            with pytest.raises(ValueError, match=r"dataset='data' with a dataset of h5py"):
                open_matrix(file["other"], "data")

    def test_fit__reads_no_more_than_its_budget(self, tmp_path, values):
        path = write_hdf5(tmp_path / "x.h5", np.zeros((100, 5000)))
        with h5py.File(path) as file:
            X = held_matrix(file["data"])
        with pytest.raises(ValueError, match="memory_budget=1000 bytes is too small"):
            ParallelMutualInfoSelector(1, memory_budget=1000).fit(X, np.arange(100.0))

    @pytest.mark.parametrize("mode", ["r+", "a"])
    def test_file_open_for_writing__is_refused(self, mode, path):
        with h5py.File(path, mode) as file:
            file["data"][0, 0] = 7  # it may not be in the file yet
            with pytest.raises(ValueError, match=r"x\.h5' is open for writing .*Close it"):
                held_matrix(file["data"])
            with pytest.raises(OSError, match=r"open for writing in this process"):
                open_matrix(path)

    def test_file_opened_for_writing_later__is_noticed(self, path):
        X = open_matrix(path)
        with h5py.File(path, "r+") as file:
            file["data"][0, 0] = 7
            with pytest.raises(OSError, match=r"has changed|open for writing"):
                X.read(range(3))

    def test_closed_file__is_refused(self, path):
        with h5py.File(path) as file:
            data = file["data"]
        with pytest.raises(ValueError, match=r"has been closed.*open_matrix\('x\.h5', 'data'\)"):
            held_matrix(data)
        with pytest.raises(ValueError, match="has been closed"):
            held_matrix(file)

    def test_file_in_memory__is_refused(self, values):
        with h5py.File("none.h5", "w", driver="core", backing_store=False) as file:
            file["data"] = values
            with pytest.raises(ValueError, match=r"driver 'core'.*data\[:\]"):
                held_matrix(file["data"])

    def test_sparse_group__is_read_in_any_file(self, tmp_path, values):
        path = write_anndata(tmp_path / "x.h5ad", values, "csc_matrix")
        with h5py.File(path) as file:
            X = held_matrix(file["X"])
        assert_array_equal(np.asarray(X), values)


@pytest.mark.parametrize("X", [np.zeros((3, 2)), [[1, 2]], {"a": [1]}, None, 3], ids=type)
def test_held_matrix__of_anything_else_is_none(X):
    assert held_matrix(X) is None


def test_held_matrix__of_a_path_says_how_it_is_opened(path):
    for given in (path, str(path)):
        with pytest.raises(TypeError, match=r"is a path.*Give open_matrix\('.*x\.h5'\)"):
            held_matrix(given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.zeros((3, 2)), "path is a ndarray with a ndarray in it"),
        ({"a": "x.h5"}, "path is a dict, which names no file"),
        (["x.h5", 3], "path is a list with a int in it"),
        (3, "path=3 names no file"),
    ],
)
def test_open_matrix__of_what_names_no_file_is_refused_at_once(given, words):
    with pytest.raises(TypeError, match=words):
        open_matrix(given)


def test_open_matrix__of_a_frame_takes_no_column_for_a_file():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(TypeError, match=r"a DataFrame, which names no file.*goes to the selector"):
        open_matrix(pandas.DataFrame({"x.h5": [1.0]}))


class TestAnnData:
    @pytest.fixture
    def make(self, values):
        anndata = pytest.importorskip("anndata")
        pandas = pytest.importorskip("pandas")

        def make(X=values):
            n_samples, n_features = values.shape
            obs = pandas.DataFrame(index=[f"s{i}" for i in range(n_samples)])
            var = pandas.DataFrame(
                {"symbol": [f"g{i}" for i in range(n_features)]},
                index=[f"f{i}" for i in range(n_features)],
            )
            return anndata.AnnData(X, obs=obs, var=var)

        return make

    @pytest.mark.parametrize("container", ["array", "csr_matrix", "csc_array"])
    def test_in_memory__has_its_names(self, make, values, container):
        from scipy import sparse

        given = values if container == "array" else getattr(sparse, container)(values)
        X = held_matrix(make(given))
        assert_array_equal(np.asarray(X), values)
        assert list(X.feature_names[:2]) == ["f0", "f1"]
        assert list(X.sample_ids[:2]) == ["s0", "s1"]

    def test_view__has_its_rows_columns_and_names(self, make, values):
        adata = make()
        adata.layers["counts"] = 2 * values
        view = adata[[4, 2, 9], ["f3", "f1"]]
        X = held_matrix(view)
        assert_array_equal(np.asarray(X), values[[4, 2, 9]][:, [3, 1]])
        assert list(X.feature_names) == ["f3", "f1"]
        assert list(X.sample_ids) == ["s4", "s2", "s9"]
        X = open_matrix(view, "layers/counts", feature_names="symbol")
        assert_array_equal(np.asarray(X), 2 * values[[4, 2, 9]][:, [3, 1]])
        assert list(X.feature_names) == ["g3", "g1"]

    def test_elements__are_named_as_in_a_file(self, make, values):
        adata = make()
        adata.raw = adata.copy()
        adata.obsm["X_pca"] = values[:, :3]
        assert open_matrix(adata, "raw/X").feature_names[0] == "f0"
        pca = open_matrix(adata, "obsm/X_pca")
        assert_array_equal(np.asarray(pca), values[:, :3])
        assert pca.feature_names is None
        assert pca.sample_ids[0] == "s0"
        with pytest.raises(ValueError, match=r"no 'layers/no'. It has X, obsm/X_pca, raw/X"):
            open_matrix(adata, "layers/no")
        with pytest.raises(ValueError, match=r"no column. Columns there are: symbol"):
            open_matrix(adata, feature_names="no")

    @pytest.mark.parametrize("container", ["array", "csr_matrix", "csc_matrix"])
    def test_backed__reads_the_file_and_has_the_names_of_the_object(
        self, make, values, container, tmp_path
    ):
        import anndata
        from scipy import sparse

        given = values if container == "array" else getattr(sparse, container)(values)
        make(given).write_h5ad(tmp_path / "x.h5ad")
        backed = anndata.read_h5ad(tmp_path / "x.h5ad", backed="r")
        try:
            backed.var_names = [f"new{i}" for i in range(backed.n_vars)]
            X = held_matrix(backed)
            assert not X.in_memory
            assert_array_equal(np.asarray(X), values)
            assert X.feature_names[0] == "new0"
            assert X.sample_ids[0] == "s0"
            bare = held_matrix(backed.X)
            assert not bare.in_memory
            assert_array_equal(np.asarray(bare), values)
            with pytest.raises(TypeError, match=r"to_memory\(\).*\[rows\]"):
                held_matrix(backed[[0, 2]])
        finally:
            backed.file.close()
        backed = anndata.read_h5ad(tmp_path / "x.h5ad", backed="r+")
        try:
            with pytest.raises(ValueError, match=r"open for writing .*backed='r'\)"):
                held_matrix(backed)
        finally:
            backed.file.close()

    def test_fit__scores_as_the_array(self, make, values):
        y = values[:, 7]
        selector = ParallelMutualInfoSelector(3, random_state=0)
        expected = selector.fit(values, y).scores_.copy()
        fitted = selector.fit(held_matrix(make()), y)
        assert_array_equal(fitted.scores_, expected)
        assert fitted.feature_names_in_[0] == "f0"


class TestInMemoryAnnData(MatrixConformance):
    @pytest.fixture(params=["array", "csr_matrix"])
    def case(self, values, request):
        anndata = pytest.importorskip("anndata")
        from scipy import sparse

        given = values if request.param == "array" else sparse.csr_matrix(values)
        return held_matrix(anndata.AnnData(given)), values
