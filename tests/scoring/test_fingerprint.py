"""Fingerprints: every change of a value counts, and nothing else."""

import os
import time
from functools import partial

import numpy as np
import pytest
from scipy import sparse
from scorings import kernel_scorer

from skpar_select.matrices import as_matrix
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.scoring import _file_digests, _fingerprint
from skpar_select.scoring._file_digests import FileDigests, SpotDigests


class Parts:
    """A matrix or a scorer that follows from the given parts."""

    def __init__(self, parts):
        self.parts = parts

    def fingerprint_parts(self):
        return None if self.parts is None else iter(self.parts)


def named(*parameters):
    return Parts([(f"p{number}", value) for number, value in enumerate(parameters)])


def fingerprint(parts, *parameters, **options):
    return _fingerprint.fingerprint(Parts(parts), named(*parameters), **options).key


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


class Reading(FileDigests):
    """Takes note of the files that it reads."""

    def __init__(self, folder, key=b"k" * 32):
        super().__init__(7, path=folder / "digests", key=key)
        self.read = []

    def _read(self, path):
        self.read.append(path)
        return super()._read(path)


class TestFileDigests:
    @pytest.fixture
    def file(self, tmp_path):
        (tmp_path / "x").write_bytes(b"x" * 100)
        return FileSnapshot(tmp_path / "x")

    @pytest.fixture(autouse=True)
    def every_file_is_large(self, monkeypatch):
        monkeypatch.setattr(_file_digests, "_SMALL_BYTES", 0)

    @pytest.fixture
    def later(self, monkeypatch):
        now = time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: now() + 10**10)

    def test_file__that_is_young_is_read_each_time(self, file, tmp_path):
        digests = Reading(tmp_path)
        assert len({digests.of(file) for _ in range(3)}) == 1
        assert len(digests.read) == 3

    def test_file__that_settled_is_read_once_by_all(self, file, tmp_path, later):
        first, second = Reading(tmp_path), Reading(tmp_path)
        assert first.of(file) == first.of(file) == second.of(file)
        assert (len(first.read), len(second.read)) == (1, 0)

    def test_file__that_changed_is_read_again(self, file, tmp_path, later):
        digests = Reading(tmp_path)
        before = digests.of(file)
        (tmp_path / "x").write_bytes(b"y" * 100)
        os.utime(tmp_path / "x", ns=(1, file.stamp.modified_ns))
        assert digests.of(FileSnapshot(tmp_path / "x")) != before

    @pytest.mark.parametrize("damage", ["flip", "forge", "cut", "folder", "pipe", "link", "huge"])
    def test_list__that_is_damaged_is_not_believed(self, file, tmp_path, later, damage):
        true = Reading(tmp_path).of(file)
        kept = tmp_path / "digests"
        if damage == "flip":
            kept.write_text(kept.read_text().replace(true.hex(), "00" * 16))
        elif damage == "forge":
            kept.unlink()
            Reading(tmp_path, key=b"o" * 32)._keep(file.stamp, bytes(16))
        elif damage == "cut":
            kept.write_bytes(kept.read_bytes()[:-5])
        elif damage == "huge":
            with kept.open("ab") as content:
                content.truncate(2**40)
        else:
            kept.unlink()
            make = {"folder": kept.mkdir, "pipe": partial(os.mkfifo, kept)}
            make.get(damage, lambda: kept.symlink_to(tmp_path / "x"))()
        again = Reading(tmp_path)
        assert again.of(file) == true
        assert len(again.read) == (0 if damage == "huge" else 1)


def test_seed__of_a_store_makes_other_fingerprints():
    values = np.random.default_rng(0).random((30, 5))
    prints = {fingerprint([values], digests=FileDigests(seed)) for seed in (0, 1, 1, 2**63)}
    assert len(prints) == 3


def test_difference__names_what_differs():
    one = _fingerprint.fingerprint(Parts([np.zeros(3)]), named(1, "a", np.ones(2)))
    other = _fingerprint.fingerprint(Parts([np.ones(3)]), named(2, "a", np.zeros(2)))
    assert one.difference(other.parts) == ["another matrix", "p0=2, not 1", "another p2"]
    assert one.difference(one.parts) == []
    assert one.difference({}) == [f"another {name}" for name in one.parts]


def test_matrices__tell_dense_from_sparse(problem):
    values = np.eye(60)
    dense, thin = as_matrix(values), as_matrix(sparse.csr_array(values))
    scorer = kernel_scorer(dense, problem[1])
    assert _fingerprint.fingerprint(dense, scorer) != _fingerprint.fingerprint(thin, scorer)


def test_scorer__that_cannot_tell_has_no_fingerprint():
    assert _fingerprint.fingerprint(Parts([]), Parts(None)) is None


class TestSpotDigests:
    @pytest.fixture
    def digest(self, tmp_path):
        """The digest of a file of so many zeros, less what is written at a place."""

        def digest(size, place=None, name="x"):
            with (tmp_path / name).open("wb") as file:
                file.truncate(size)
                if place is not None:
                    file.seek(place)
                    file.write(b"!")
            return SpotDigests().of(FileSnapshot(tmp_path / name))

        return digest

    def test_copies__are_the_same(self, digest):
        assert digest(70 * 2**20) == digest(70 * 2**20, name="y")

    @pytest.mark.parametrize("place", [0, 2**16 - 1, 70 * 2**20 - 2**16, 70 * 2**20 - 1])
    def test_long_file__that_differs_at_its_ends_is_another(self, digest, place):
        assert digest(70 * 2**20, place) != digest(70 * 2**20)

    def test_long_file__is_known_by_its_length_and_spots_alone(self, digest):
        assert digest(70 * 2**20) != digest(70 * 2**20 + 1)
        # Between the first spot and the second.
        assert digest(70 * 2**20, 2**16 + 2**15) == digest(70 * 2**20)

    def test_short_file__is_known_by_every_byte(self, digest):
        assert digest(2**20, 2**16 + 2**15) != digest(2**20)
