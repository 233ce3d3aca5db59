"""docs/design.md says how to add a file format, an estimator and an executor: its code does it."""

import re
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest
from sklearn.feature_selection import r_regression

from skpar_select.execution import SerialExecutor
from skpar_select.matrices import LazyMatrix, as_matrix
from skpar_select.matrices.io._session import FileSession
from skpar_select.scoring import score_columns
from skpar_select.testing import ExecutorConformance, MatrixConformance, ScorerConformance

PAGE = Path(__file__).parents[1] / "docs" / "design.md"
DESIGN = types.ModuleType("design_page")
sys.modules[DESIGN.__name__] = DESIGN  # so that its classes can be pickled
for block in re.findall(
    r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
):
    exec(compile(block, PAGE.name, "exec"), DESIGN.__dict__)


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
        form = DESIGN.FeatherFormat()
        assert form.recognises(session)
        return form.open(session, None).matrix


class TestFeatherMatrix(MatrixConformance):
    @pytest.fixture
    def case(self, problem, tmp_path):
        return feather(tmp_path / "x.feather", problem[0]), problem[0]


class TestCorrelation(ScorerConformance):
    rtol = 1e-12  # a product of matrices sums in an order that depends on their shape

    @pytest.fixture
    def case(self, problem):
        X, y = problem
        return DESIGN.Correlation(y), X


class TestPoolExecutor(ExecutorConformance):
    @pytest.fixture
    def executor(self):
        with ThreadPoolExecutor(2) as pool:
            yield DESIGN.PoolExecutor(pool, 2)


def test_three_together__score_a_feather_file(problem, tmp_path):
    X, y = problem
    matrix = LazyMatrix(feather(tmp_path / "x.feather", X))
    scorer = DESIGN.Correlation(y)
    got = score_columns(matrix, scorer, SerialExecutor(), memory_budget=10**8)["score"]
    np.testing.assert_allclose(got, np.abs(r_regression(X, y)))
    same = score_columns(as_matrix(X), scorer, SerialExecutor(), memory_budget=10**8)["score"]
    np.testing.assert_allclose(got, same)
