"""Fingerprints: every change of a value counts, and nothing else."""

import time

import numpy as np
import pytest
from scipy import sparse
from scorings import kernel_scorer

from skpar_select.matrices import as_matrix
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.scoring import _fingerprint


class Parts:
    """A matrix or a scorer that follows from the given parts."""

    def __init__(self, parts):
        self.parts = parts

    def fingerprint_parts(self):
        return None if self.parts is None else iter(self.parts)


def fingerprint(parts, *parameters):
    return _fingerprint.fingerprint(Parts(parts), Parts(parameters))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(3, 5), (1000, 700), (0, 4), (4, 0)])
def test_array__every_change_of_a_value_counts(order, shape):
    rng = np.random.default_rng(0)
    values = np.asarray(rng.random(shape), order=order)
    prints = {fingerprint([values])}
    for number in range(20 if values.size else 0):
        changed = values.copy(order="K")
        changed[rng.integers(shape[0]), rng.integers(shape[1])] += 1 + number
        prints.add(fingerprint([changed]))
    assert len(prints) == (21 if values.size else 1)
    assert fingerprint([values.copy(order="K")]) in prints


def test_array__views_of_the_same_values_are_the_same():
    values = np.random.default_rng(0).random((400, 50))
    spread = np.zeros((800, 100))
    spread[::2, ::2] = values
    assert fingerprint([spread[::2, ::2]]) == fingerprint([values])


def test_shape_and_type__count():
    zeros = np.zeros((4, 6), dtype=np.int32)
    others = [zeros.T.copy(), zeros.view(np.float32), zeros.view(np.int64), zeros.ravel()]
    assert len({fingerprint([array]) for array in [zeros, *others]}) == 5


def test_parameters__are_not_mixed_up():
    calls = [(1, None), (None, 1), ("1", None), (b"1", None), (True, None), (1.0, None), (1,)]
    assert len({fingerprint([], *call) for call in calls}) == len(calls)


def test_file__counts_by_its_bytes_not_its_name(tmp_path):
    for name, text in (("a", b"x" * 5_000_000), ("b", b"x" * 5_000_000), ("c", b"x")):
        (tmp_path / name).write_bytes(text)
    a, b, c = (fingerprint([FileSnapshot(tmp_path / name)]) for name in "abc")
    assert a == b != c


def test_file__that_settled_is_read_once(tmp_path, monkeypatch):
    (tmp_path / "x").write_bytes(b"x")
    file = FileSnapshot(tmp_path / "x")

    def looked_up():
        kept = _fingerprint._read_once.cache_info()
        return np.array([kept.hits, kept.misses])

    before = looked_up()
    assert len({fingerprint([file]) for _ in range(3)}) == 1
    # It may change again: it is read each time, whatever was kept.
    assert (looked_up() == before).all()
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 10**10)
    young = fingerprint([file])
    assert len({young, *(fingerprint([file]) for _ in range(2))}) == 1
    assert (looked_up() - before).tolist() == [2, 1]


def test_matrices__tell_dense_from_sparse(problem):
    values = np.eye(60)
    dense, thin = as_matrix(values), as_matrix(sparse.csr_array(values))
    scorer = kernel_scorer(dense, problem[1])
    assert _fingerprint.fingerprint(dense, scorer) != _fingerprint.fingerprint(thin, scorer)


def test_scorer__that_cannot_tell_has_no_fingerprint():
    assert _fingerprint.fingerprint(Parts([]), Parts(None)) is None
