"""What worker processes hold of a run, and what they send back."""

import threading

import pytest

from skpar_select.execution._held import outcome, sendable


class WithLock(ValueError):
    """An error that can be copied, and cannot be pickled."""

    def __init__(self, text):
        super().__init__(text)
        self.lock = threading.Lock()


class OfTwoArguments(ValueError):
    """An error that cannot be made again from its pickle."""

    def __init__(self, text, number):
        super().__init__(text)


def of_function():
    class Local(ValueError):
        pass

    return Local("the reason")


def test_sendable__is_the_error_itself_where_it_survives_a_pickle():
    error = KeyError("a")
    assert sendable(error) is error


@pytest.mark.parametrize(
    "error", [WithLock("the reason"), OfTwoArguments("the reason", 3), of_function()], ids=repr
)
def test_outcome__of_an_error_that_cannot_be_pickled_has_its_name_and_text(error):
    def fail(task):
        raise error

    sent = outcome(fail, None).error
    assert type(sent) is RuntimeError
    assert str(sent) == f"{type(error).__qualname__}: the reason"
