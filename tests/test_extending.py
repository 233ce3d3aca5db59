"""docs/design.md says how to add a file format, an estimator and an executor: its code does it."""

import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest
from sklearn.feature_selection import r_regression

from skpar_select.execution import SerialExecutor
from skpar_select.matrices import LazyMatrix, as_matrix
from skpar_select.matrices.io import FileSession
from skpar_select.scoring import score_columns
from skpar_select.testing import ExecutorConformance, MatrixConformance, ScorerConformance

PAGE = Path(__file__).parents[1] / "docs" / "design.md"
NAMES = {"__name__": "design"}
for block in re.findall(
    r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
):
    exec(compile(block, PAGE.name, "exec"), NAMES)


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 12))
    return X, X[:, 3] + rng.normal(size=40)


def feather(path, X):
    # Uncompressed, as this reader maps the file.
    table = pa.table({f"f{column}": X[:, column] for column in range(X.shape[1])})
    pa.feather.write_feather(table, path, compression="uncompressed")
    with FileSession(path) as session:
        form = NAMES["FeatherFormat"]()
        assert form.recognises(session)
        return form.open(session, None).matrix


class TestFeatherMatrix(MatrixConformance):
    @pytest.fixture
    def case(self, problem, tmp_path):
        return feather(tmp_path / "x.feather", problem[0]), problem[0]


class TestCorrelation(ScorerConformance):
    @pytest.fixture
    def case(self, problem):
        X, y = problem
        return NAMES["Correlation"](y), X


class TestFuturesExecutor(ExecutorConformance):
    @pytest.fixture(scope="class")
    def executor(self):
        with ProcessPoolExecutor(2) as pool:
            yield NAMES["FuturesExecutor"](pool, 2)


def test_three_together__score_a_feather_file(problem, tmp_path):
    X, y = problem
    matrix = LazyMatrix(feather(tmp_path / "x.feather", X))
    scorer = NAMES["Correlation"](y)
    got = score_columns(matrix, scorer, SerialExecutor(), memory_budget=10**8)["score"]
    np.testing.assert_allclose(got, np.abs(r_regression(X, y)))
    same = score_columns(as_matrix(X), scorer, SerialExecutor(), memory_budget=10**8)["score"]
    np.testing.assert_allclose(got, same)
