import tracemalloc

import numpy as np
import pytest

from skpar_select.scoring import DiscreteFeatures


@pytest.mark.parametrize(
    ("given", "sparse", "expected"),
    [
        ("auto", False, []),
        ("auto", True, [0, 1, 2, 3, 4]),
        (False, True, []),
        (True, False, [0, 1, 2, 3, 4]),
        ([True, False, False, True, False], False, [0, 3]),
        ([3, 0, 3], False, [0, 3]),
        ([-1, 1], False, [1, 4]),
        ([], False, []),
        (np.array([2], dtype=np.uint8), False, [2]),
    ],
)
def test_mask__tells_the_discrete_columns_in_any_order(given, sparse, expected):
    discrete = DiscreteFeatures(given, 5, sparse=sparse)
    for columns in (np.arange(5), np.array([4, 0, 3, 3]), np.array([], dtype=int)):
        assert discrete.mask(columns).tolist() == [column in expected for column in columns]
    assert discrete.all() == (len(expected) == 5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("some", r"discrete_features='some' is not known.*into a list"),
        ([True] * 4, r"discrete_features has 4 entries, X has 5 features"),
        ([5], r"discrete_features holds index 5, X has 5 features.*0 to 4"),
        ([-6], r"discrete_features holds index -6"),
        ([0.5], r"discrete_features has shape \(1,\) and type float64"),
        ([[0]], r"discrete_features has shape \(1, 1\)"),
    ],
)
def test_discrete__refuses_what_does_not_fit(wrong, message):
    with pytest.raises(ValueError, match=message):
        DiscreteFeatures(wrong, 5, sparse=False)


def test_discrete__of_billions_of_columns_is_small():
    tracemalloc.start()
    discrete = DiscreteFeatures([3, -1], 3 * 10**9, sparse=False)
    assert discrete.mask(np.array([3, 4, 3 * 10**9 - 1])).tolist() == [True, False, True]
    assert DiscreteFeatures(True, 3 * 10**9, sparse=False).all()
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 100_000


def test_fingerprint_parts__are_those_of_the_columns_not_of_how_they_were_given():
    def parts(given):
        found = DiscreteFeatures(given, 3, sparse=False).fingerprint_parts()
        return [part.tolist() if isinstance(part, np.ndarray) else part for part in found]

    assert parts([0, 2]) == parts([True, False, True]) == parts([2, -3]) != parts([0])
    assert parts(True) == parts([0, 1, 2]) != parts(False)
    assert parts(False) == parts([]) == parts("auto")


def test_auto__of_a_sparse_matrix_may_be_doubted():
    assert DiscreteFeatures("auto", 3, sparse=True, doubted=True).is_doubted
    assert not DiscreteFeatures("auto", 3, sparse=True).is_doubted
    assert not DiscreteFeatures("auto", 3, sparse=False, doubted=True).is_doubted
    assert not DiscreteFeatures(True, 3, sparse=True, doubted=True).is_doubted
