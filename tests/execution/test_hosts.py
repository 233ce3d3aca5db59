"""What must hold on the host of a worker."""

import socket
from concurrent.futures import BrokenExecutor

import pytest

from skpar_select._version import __version__
from skpar_select.execution import FuturesExecutor, WorkerLostError
from skpar_select.execution._hosts import checked


def test_checked__of_what_holds_is_no_error():
    assert checked(lambda: None, __version__).error is None


@pytest.mark.parametrize(("raised", "kind"), [(OSError, OSError), (ValueError, RuntimeError)])
def test_checked__names_the_host_and_what_it_does_not_find(raised, kind):
    def check():
        raise raised("'/data/x.h5' does not exist.")

    error = checked(check, __version__).error
    assert type(error) is kind
    assert f"on the host '{socket.gethostname()}' does not find" in str(error)
    assert "'/data/x.h5' does not exist. Every worker opens" in str(error)


def test_checked__refuses_another_version_of_the_package():
    error = checked(lambda: None, "0.0.1").error
    assert f"has version {__version__} of skpar-select, and this process version 0.0.1" in str(
        error
    )


def test_check__of_an_engine_that_is_broken_ends_the_run_and_is_no_loss_of_blocks():
    class Broken:
        def submit(self, *call):
            raise BrokenExecutor("its processes are gone")

    with pytest.raises(
        RuntimeError, match=r"lost its workers before the first block: .*processes are gone"
    ) as raised:
        FuturesExecutor(Broken(), 2).check_hosts(lambda: None)
    assert not isinstance(raised.value, WorkerLostError)
