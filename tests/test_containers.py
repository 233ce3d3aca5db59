"""Every kind of file gives what the array gives: to model selection, scores and the command."""

import re

import numpy as np
import pytest
from containers import (
    KINDS,
    opened,
    values_of,
    write_anndata,
    write_hdf5,
    write_transposed,
    write_wide,
)
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_predict, train_test_split
from sklearn.pipeline import make_pipeline

from skpar_select import ParallelMutualInfoSelector, cli


@pytest.mark.parametrize("kind", KINDS)
def test_model_selection__of_every_kind_is_that_of_the_array(kind, tmp_path):
    values = values_of(np.float64)
    y = values[:, 7] - values[:, 12]
    X = opened(kind, tmp_path, values)
    # By default the columns of a sparse matrix are discrete, and those of the array are not.
    selector = ParallelMutualInfoSelector(k=3, discrete_features=False, random_state=0, n_jobs=1)
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
        assert self.best(ages, path, "--layer", "counts", "--discrete-features", "none") == (
            0,
            "f7",
        )

    def test_score__of_a_square_asks(self, tmp_path, ages, capsys):
        path = write_hdf5(tmp_path / "x.h5", values_of()[:, :19])
        assert self.best(ages, path) == (2, None)
        assert "both axes have the length of the target, 19" in capsys.readouterr().err
        assert self.best(ages, path, "--orientation", "samples_by_features") == (0, "f7")
