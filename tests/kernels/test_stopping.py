"""A call that is no longer wanted ends between columns, or inside a long one."""

import os
import signal
import threading
from contextlib import contextmanager

import numpy as np
import pytest
from kinds import adjacent, continuous_target, discrete_target

from skpar_select._stopping import Stopped
from skpar_select.kernels import _kernels, mutual_information

# For a minute, where nothing ends it.
LONG = 20_000, 60_000


class Rung(BaseException):
    """What the handler of a signal raises."""


@pytest.fixture
def rng():
    return np.random.default_rng(20240)


def call(block, target, *, discrete=False, **more):
    width = block.shape[1]
    return mutual_information(
        block,
        [target],
        columns=adjacent(0, width),
        discrete=np.full(width, discrete),
        **more,
    )


def long_block(rng):
    """Give columns without end that take the memory of one."""
    return np.lib.stride_tricks.sliding_window_view(rng.normal(size=sum(LONG) - 1), LONG[1])


@contextmanager
def raised_soon(flag):
    timer = threading.Timer(0.05, flag.fill, [True])
    timer.start()
    yield
    timer.join()


@contextmanager
def alarm():
    """Send this process a signal soon."""

    def ring(*_):
        raise Rung

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


on_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGALRM")


@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize("prepare", [continuous_target, discrete_target])
@pytest.mark.parametrize("min_observed", [None, 1])
def test_flag__ends_a_call_of_each_kind(rng, prepare, discrete, min_observed):
    block = rng.integers(0, 3, size=(500, 40)).astype(float)
    if min_observed is not None:
        block[::7] = np.nan
    target = prepare(rng.integers(0, 3, size=500))
    more = {"discrete": discrete, "min_observed": min_observed}
    expected = call(block, target, **more)
    for scores, same in zip(
        call(block, target, **more, stop=np.zeros(1, bool)), expected, strict=True
    ):
        np.testing.assert_array_equal(scores, same)
    with pytest.raises(Stopped):
        call(block, target, **more, stop=np.ones(1, bool))


def test_flag__of_another_thread_ends_a_call_between_columns(rng):
    stop = np.zeros(1, dtype=bool)
    with raised_soon(stop), pytest.raises(Stopped):
        call(long_block(rng), continuous_target(rng.normal(size=LONG[0])), stop=stop)


def test_flag__ends_a_call_inside_a_column(rng):
    # All distances of each point are taken where there are so many neighbours: a minute a column.
    n_samples = 100_000
    target = continuous_target(rng.normal(size=n_samples), n_neighbors=5_000)
    stop = np.zeros(1, dtype=bool)
    with raised_soon(stop), pytest.raises(Stopped):
        call(rng.normal(size=(n_samples, 1)), target, stop=stop)


def test_flag__of_one_call_leaves_others_alone(rng):
    block, target = rng.normal(size=(500, 40)), continuous_target(rng.normal(size=500))
    going_on = threading.Event()

    def stopped():
        with pytest.raises(Stopped):
            call(long_block(rng), continuous_target(np.arange(LONG[0])), stop=stop)
        going_on.set()

    stop = np.zeros(1, dtype=bool)
    thread = threading.Thread(target=stopped)
    thread.start()
    before = call(block, target, stop=np.zeros(1, bool))
    stop[0] = True
    thread.join()
    assert going_on.is_set()
    np.testing.assert_array_equal(call(block, target, stop=np.zeros(1, bool))[0], before[0])


@on_posix
def test_signal__ends_a_call_in_the_main_thread(rng):
    with alarm(), pytest.raises(Rung):
        call(long_block(rng), continuous_target(rng.normal(size=LONG[0])))


@on_posix
def test_signal__whose_handler_returns_changes_nothing(rng):
    block, target = rng.normal(size=(8_000, 400)), continuous_target(rng.normal(size=8_000))
    expected, n_rung = call(block, target)[0], 0

    def count(*_):
        nonlocal n_rung
        n_rung += 1

    before = signal.signal(signal.SIGALRM, count)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    try:
        scores = call(block, target)[0]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert n_rung
    np.testing.assert_array_equal(scores, expected)


@pytest.mark.parametrize(
    "stop", [np.zeros(2, bool), np.zeros(0, bool), np.zeros(1), [False], False, "no"], ids=repr
)
def test_flag__that_is_none_is_refused(rng, stop):
    with pytest.raises((ValueError, TypeError)):
        call(rng.normal(size=(24, 3)), continuous_target(rng.normal(size=24)), stop=stop)


def test_stopped__is_no_position():
    assert _kernels.STOPPED < -1
