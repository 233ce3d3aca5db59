"""What worker processes hold of a run, and what they send back."""

import threading
from uuid import uuid4

import numpy as np
import pytest

from skpar_select._version import __version__
from skpar_select.execution._held import call_held, outcome, pickled, sendable


class WithLock(ValueError):
    """An error that can be copied, and cannot be pickled."""

    def __init__(self, text):
        super().__init__(text)
        self.lock = threading.Lock()


class Unreadable(ValueError):
    """An error that cannot be made again from its pickle."""

    def __init__(self, text):
        super().__init__(text)
        self.number = 3

    def __setstate__(self, state):
        raise TypeError("There is no state.")


def of_function():
    class Local(ValueError):
        pass

    return Local("the reason")


def test_sendable__is_the_error_itself_where_it_survives_a_pickle():
    error = KeyError("a")
    assert sendable(error) is error


@pytest.mark.parametrize(
    "error", [WithLock("the reason"), Unreadable("the reason"), of_function()], ids=repr
)
def test_outcome__of_an_error_that_cannot_be_pickled_has_its_name_and_text(error):
    def fail(task):
        raise error

    sent = outcome(fail, None).error
    assert type(sent) is RuntimeError
    assert str(sent) == f"{type(error).__qualname__}: the reason"


def call(content, task):
    return call_held(uuid4().hex, content, task)


@pytest.mark.parametrize("kind", [bytes, lambda content: np.frombuffer(content, dtype="u1")])
def test_function__goes_from_process_to_process(kind):
    assert call(kind(pickled(abs)), -3).value == 3


@pytest.mark.parametrize(
    ("head", "named"),
    [(b"0.0.1\n", "0.0.1"), (b"", "unknown")],
    ids=["another version", "one that did not say"],
)
def test_function__of_another_version_is_not_called(head, named):
    own = __version__.encode() + b"\n"
    content = pickled(abs)
    assert content.startswith(own)
    ended = call(head + content[len(own) :].replace(b"\n", b" "), -3)
    assert f"has version {__version__} of skpar-select, and this process version {named}" in str(
        ended.error
    )
