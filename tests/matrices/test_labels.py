"""Labels: read once, when they are first asked for, and checked for number and repetition."""

import pickle

import numpy as np
import pytest

from skpar_select.matrices._labels import Labels, as_text, check_labels, given_labels


class Loader:
    """Labels that count how often they are read."""

    n_loads = 0

    def __init__(self, names):
        self.names = names

    def __call__(self):
        Loader.n_loads += 1
        return self.names


@pytest.fixture
def loader():
    Loader.n_loads = 0
    return Loader(np.array(["a", "b"], dtype=object))


def test_values__are_read_once_when_they_are_asked_for(loader):
    labels = Labels(loader)
    assert Loader.n_loads == 0
    assert list(labels.values()) == list(labels.values()) == ["a", "b"]
    assert Loader.n_loads == 1


def test_values__that_are_none_are_read_once_too():
    Loader.n_loads = 0
    labels = Labels(Loader(None))
    assert labels.values() is labels.values() is None
    assert Loader.n_loads == 1


def test_values__that_could_not_be_read_are_tried_again():
    tries = []

    def load():
        tries.append(len(tries))
        if len(tries) == 1:
            raise OSError("not yet")
        return np.array(["a"], dtype=object)

    labels = Labels(load)
    with pytest.raises(OSError, match="not yet"):
        labels.values()
    assert list(labels.values()) == ["a"]


def test_pickle__is_the_same_whoever_has_asked(loader):
    labels = Labels(loader)
    before = pickle.dumps(labels)
    labels.values()
    assert pickle.dumps(labels) == before
    arrived = pickle.loads(before)
    assert list(arrived.values()) == ["a", "b"]
    assert Loader.n_loads == 2


def test_of__holds_names_that_are_at_hand():
    names = np.array(["a"], dtype=object)
    labels = Labels.of(names)
    assert labels.values() is names
    assert list(pickle.loads(pickle.dumps(labels)).values()) == ["a"]


def test_check_labels__returns_what_is_right():
    names = np.array(["a", "b"], dtype=object)
    assert check_labels(names, "x", "sample_ids", 2) is names


@pytest.mark.parametrize(
    ("names", "axis", "message"),
    [
        (["a"], "feature_names", r"^x holds 1 name, the matrix has 2 features\. .* its features"),
        (["a"] * 3, "sample_ids", r"^x holds 3 names, the matrix has 2 samples\. .* its samples"),
        (["a", "a"], "sample_ids", r"^x repeats 1 name: 'a'\. .* unique.*with sample_ids=None"),
    ],
)
def test_check_labels__refuses_wrong_ones(names, axis, message):
    with pytest.raises(ValueError, match=message):
        check_labels(np.array(names, dtype=object), "x", axis, 2)


def test_given_labels__are_text():
    got = given_labels(["a", np.str_("b"), b"\xc2\xb5"], "feature_names")
    assert list(got) == ["a", "b", "µ"]
    assert all(type(name) is str for name in got)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (1.5, r"x holds 1\.5, a float\. Names are text\. Convert"),
        (None, r"x holds None, a NoneType"),
        (b"\xff", r"x holds b'\\xff', which is not UTF-8"),
    ],
)
def test_as_text__refuses_what_is_none(name, message):
    with pytest.raises(ValueError, match=message):
        as_text(name, "x")
