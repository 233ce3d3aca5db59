import pytest

from skpar_select.significance import neighbors_of_test


@pytest.mark.parametrize(
    ("n_samples", "expected"), [(20, 3), (99, 3), (100, 10), (300, 17), (900, 30), (8085, 30)]
)
def test_neighbors_of_test__grow_with_the_square_root(n_samples, expected):
    assert neighbors_of_test("auto", n_samples) == expected


def test_neighbors_of_test__are_what_is_asked_for():
    assert neighbors_of_test(12, 50) == 12
