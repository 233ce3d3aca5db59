"""Arrays in memory, and what scikit-learn makes of data frames."""

import numpy as np
import pandas as pd
import pytest
from containers import DTYPES, N_FEATURES, values_of
from sklearn.utils.validation import check_array

from skpar_select.matrices import as_matrix
from skpar_select.testing import MatrixConformance


def frozen(values):
    values.flags.writeable = False
    return values


MEMORY = {
    "array": lambda v: v,
    "fortran": np.asfortranarray,
    "read-only": frozen,
    "strided": lambda v: np.repeat(v, 2, axis=1)[:, ::2],
    "frame": lambda v: check_array(pd.DataFrame(v)),
}


class TestArray(MatrixConformance):
    @pytest.fixture(params=MEMORY)
    def case(self, request):
        values = values_of()
        names = np.array([f"f{i}" for i in range(N_FEATURES)], dtype=object)
        return as_matrix(MEMORY[request.param](values), names), values


@pytest.mark.parametrize("dtype", DTYPES)
def test_as_matrix__keeps_the_type(dtype):
    assert as_matrix(values_of(dtype)).read(range(2, 4)).dtype == np.dtype(dtype)


def test_as_matrix__gives_a_matrix_itself():
    matrix = as_matrix(values_of())
    assert as_matrix(matrix) is matrix


@pytest.mark.parametrize("rows", [None, range(2, 9), range(8, 1, -2)])
def test_read__of_adjacent_columns_makes_no_copy(rows):
    values = values_of()
    assert np.shares_memory(as_matrix(values).read(range(3, 9), rows), values)
    assert as_matrix(values).layout.views


@pytest.mark.parametrize("rows", [None, range(2, 9), np.array([1, 0])])
def test_read__of_scattered_columns_is_a_copy(rows):
    values = values_of()
    block = as_matrix(values).read(np.array([1, 2]), rows)
    block[...] = 0
    np.testing.assert_array_equal(values, values_of())


@pytest.mark.parametrize(
    ("rows", "columns", "views"),
    [
        (range(19), range(2, 9), True),
        (range(18, 2, -2), range(2, 9), True),
        (np.array([3, 4]), range(2, 9), False),
        (range(19), np.array([3, 4]), False),
    ],
)
def test_layout__tells_views_from_copies(rows, columns, views):
    values = values_of()
    matrix = as_matrix(values)
    assert matrix.layout_of(rows, columns).views is views
    assert np.shares_memory(matrix.read(columns, rows), values) is views


def test_matrix__carries_names_and_a_label():
    names = np.array(["a", "b"], dtype=object)
    matrix = as_matrix(np.zeros((3, 2)), names)
    assert matrix.feature_names is names
    assert matrix.sample_ids is None
    assert matrix.label == "X"
