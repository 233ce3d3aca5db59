"""Sparse matrices in memory."""

import numpy as np
import pytest
from containers import N_FEATURES, values_of
from scipy import sparse

from skpar_select.matrices import SparseMatrix, as_matrix
from skpar_select.testing import MatrixConformance

FORMATS = {"csc": sparse.csc_array, "csr": sparse.csr_array, "csc matrix": sparse.csc_matrix}


class TestSparse(MatrixConformance):
    @pytest.fixture(params=FORMATS)
    def case(self, request):
        values = values_of()
        names = np.array([f"f{i}" for i in range(N_FEATURES)], dtype=object)
        return as_matrix(FORMATS[request.param](values), names), values


def test_native__stays_sparse():
    matrix = as_matrix(sparse.csc_array(values_of()))
    assert isinstance(matrix, SparseMatrix)
    native = matrix.fetch(range(5, 12)).native()
    assert sparse.issparse(native)
    assert native.format == "csc"
    np.testing.assert_array_equal(native.toarray(), values_of()[:, 5:12])


def test_layout__makes_each_block():
    assert not as_matrix(sparse.csc_array(values_of())).layout.views
