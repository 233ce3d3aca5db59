"""The extension itself: whatever reaches it gives right numbers or a Python exception."""

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import naive
import numpy as np
import pytest
from kinds import continuous_target, discrete_target, score, standardize_adjacent

from skpar_select.kernels import Target, _kernels

N, P = 24, 5


@pytest.fixture
def rng():
    return np.random.default_rng(20240)


def continuous_call(rng, n_samples=N, n_columns=P, **changes):
    """Right arguments for score with a continuous target, but for the changes."""
    arguments = {
        "targets": (continuous_target(rng.normal(size=n_samples)),),
        "block": rng.normal(size=(n_samples, n_columns)),
        "discrete": np.zeros(n_columns, dtype=bool),
        "columns": np.arange(n_columns, dtype=np.uint64),
        "min_observed": None,
        "scores": np.empty((1, n_columns)),
        "n_observed": np.empty(n_columns, dtype=np.int64),
        "rho": None,
    }
    return arguments | changes


def discrete_call(rng, n_samples=N, n_columns=P, **changes):
    """Right arguments for score with a discrete target, but for the changes."""
    target = discrete_target(np.arange(n_samples) % 4)
    return continuous_call(rng, n_samples, n_columns) | {"targets": (target,)} | changes


def target_arguments(rng, **changes):
    """Right arguments for a target, but for the changes."""
    target = continuous_target(rng.normal(size=N))
    arguments = {
        "y": rng.normal(size=N),
        "discrete": False,
        "digamma": target.digamma,
        "log": target.log,
        "n_neighbors": 3,
        "seed": 0,
        "ranked": False,
    }
    return arguments | changes


CALLS = {"continuous": continuous_call, "discrete": discrete_call}
both_targets = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@both_targets
def test_right_arguments__give_scores(rng, call):
    arguments = call(rng)
    assert _kernels.score(**arguments) == -1
    assert np.isfinite(arguments["scores"]).all()


@both_targets
@pytest.mark.parametrize(
    "shape", [(), (N,), (N, P, 1), (0, P), (1, P), (N - 1, P), (N + 1, P), (N, P + 1), (N, 0)]
)
def test_block_of_wrong_shape__raises(rng, call, shape):
    with pytest.raises((ValueError, TypeError)):
        _kernels.score(**call(rng, block=np.zeros(shape)))


@both_targets
def test_block_without_columns__has_no_scores(rng, call):
    _kernels.score(**call(rng, n_columns=0))


WRONG_TYPES = ["c8", "c16", "O", "U3", "S3", "M8[s]", "m8[s]", "V8"]


@both_targets
@pytest.mark.parametrize("dtype", [*WRONG_TYPES, "g", ">f8", ">i4"])
def test_block_of_wrong_type__raises(rng, call, dtype):
    # the extension itself; the layer above turns what can be turned into doubles
    with pytest.raises((ValueError, TypeError)):
        _kernels.score(**call(rng, block=np.zeros((N, P), dtype=dtype)))


@pytest.mark.parametrize("dtype", [dtype for dtype in WRONG_TYPES if dtype != "O"])
def test_values_that_are_not_real__raise_above_the_extension(dtype):
    # broke once: complex numbers lost their imaginary part, dates were scored as numbers
    block = np.zeros((N, P), dtype=dtype)
    with pytest.raises(TypeError, match=r"is not of real numbers\. Convert it to float64"):
        standardize_adjacent(block, seed=0, first_column=0)
    with pytest.raises(TypeError, match="is not of real numbers"):
        continuous_target(block[:, 0])


def test_objects__are_scored_where_they_are_numbers(rng):
    block = rng.normal(size=(N, P))
    np.testing.assert_array_equal(
        standardize_adjacent(block.astype(object), seed=0, first_column=0),
        standardize_adjacent(block, seed=0, first_column=0),
    )
    with pytest.raises(ValueError, match="could not convert"):
        standardize_adjacent(np.full((N, P), "x", dtype=object), seed=0, first_column=0)
    with pytest.raises(ValueError, match="NaN or infinity"):
        standardize_adjacent(np.full((N, P), None), seed=0, first_column=0)


@pytest.mark.skipif(
    np.finfo(np.longdouble).max == np.finfo(float).max, reason="long double is double here"
)
def test_long_double__is_rounded_to_double(rng):
    block = rng.normal(size=(N, P))
    np.testing.assert_array_equal(
        standardize_adjacent(block.astype("g"), seed=0, first_column=0),
        standardize_adjacent(block, seed=0, first_column=0),
    )
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="NaN or infinity"):
        standardize_adjacent(np.full((N, P), np.longdouble("1e4000")), seed=0, first_column=0)


@both_targets
@pytest.mark.parametrize(
    "block", [None, "text", 3, [[1.0, 2.0]], {}, object()], ids=lambda block: type(block).__name__
)
def test_block_that_is_no_array__raises(rng, call, block):
    with pytest.raises((ValueError, TypeError)):
        _kernels.score(**call(rng, block=block))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "u8"])
def test_broadcast_block_of_stride_0__is_right(rng, dtype):
    target = continuous_target(rng.normal(size=N))
    row, column = np.arange(P).astype(dtype), np.arange(N).astype(dtype)[:, np.newaxis]
    blocks = (np.broadcast_to(row, (N, P)), np.broadcast_to(column, (N, P)))
    for block in (*blocks, np.broadcast_to(np.ones((), dtype), (N, P))):
        for discrete in (np.zeros(P, bool), np.ones(P, bool)):
            scores, expected = (
                score(values, target, discrete=discrete, first_column=0)
                for values in (block, block.copy())
            )
            np.testing.assert_array_equal(scores, expected)


@pytest.mark.parametrize("n_samples", [2, 3, 9, 24])
def test_windows_that_overlap__are_right(rng, n_samples):
    # columns that share memory, as time lags do
    series = rng.normal(size=n_samples + 4)
    block = np.lib.stride_tricks.sliding_window_view(series, 5)
    y = rng.normal(size=n_samples)
    target = continuous_target(y, 1)
    mask = np.zeros(5, bool)
    np.testing.assert_array_equal(
        score(block, target, discrete=mask, first_column=0),
        score(block.copy(), target, discrete=mask, first_column=0),
    )


@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize("name", ["digamma", "log"])
@pytest.mark.parametrize("length", [0, 1, N, N + 2])
def test_table_of_wrong_length__raises(rng, name, length, discrete):
    with pytest.raises(ValueError, match=r"n_samples \+ 1 entries"):
        Target(**target_arguments(rng, discrete=discrete, **{name: np.zeros(length)}))


@pytest.mark.parametrize("name", ["digamma", "log"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -1e300])
def test_table_of_wrong_entries__raises(rng, name, bad):
    table = np.zeros(N + 1)
    table[7] = bad
    with pytest.raises(ValueError, match=f"{name}: of whole numbers"):
        Target(**target_arguments(rng, **{name: table}))


@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize(
    "values",
    [
        np.where(np.arange(N) == 9, np.nan, np.arange(N)),
        np.full(N, np.nan),
        np.where(np.arange(N) == N - 1, np.inf, np.arange(N)),
        np.full(N, -np.inf),
    ],
    ids=["NaN", "all NaN", "inf", "all -inf"],
)
def test_values_that_are_no_target__raise(rng, values, discrete):
    with pytest.raises(ValueError, match="y: without NaN or infinity"):
        Target(**target_arguments(rng, y=values, discrete=discrete))


@pytest.mark.parametrize("length", [0, 1, N - 1, N + 1])
def test_target_of_wrong_length__raises(rng, length):
    with pytest.raises(ValueError, match=r"at least 2 samples|n_neighbors|entries"):
        Target(**target_arguments(rng, y=np.arange(float(length))))


@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize("n_neighbors", [0, -1, N, N + 1, 2**31, 2**32 + 3, 2**40, -(2**63)])
def test_number_of_neighbors_out_of_range__raises(rng, n_neighbors, discrete):
    with pytest.raises(ValueError, match="n_neighbors"):
        Target(**target_arguments(rng, discrete=discrete, n_neighbors=n_neighbors))


@pytest.mark.parametrize("n_neighbors", [1.5, "3", None, 2**70])
def test_number_of_neighbors_that_is_no_integer__raises(rng, n_neighbors):
    with pytest.raises(TypeError):
        Target(**target_arguments(rng, n_neighbors=n_neighbors))


def test_keys_of_the_noise__are_64_bits(rng):
    block, out = rng.normal(size=(N, 1)), np.empty((N, 1), order="F")
    for value in (0, 2**31, 2**64 - 1):
        assert Target(**target_arguments(rng, seed=value)).seed == value
        assert _kernels.standardize(block, np.array([value], np.uint64), value, out) == -1
    for value in (-1, 2**64, 0.5, "0", None):
        with pytest.raises(TypeError):
            Target(**target_arguments(rng, seed=value))
        with pytest.raises(TypeError):
            _kernels.standardize(block, np.zeros(1, np.uint64), value, out)


@both_targets
def test_indices_of_wrong_length_or_type__raise(rng, call):
    for length in (0, P - 1, P + 1):
        with pytest.raises(ValueError, match="columns: one index a column"):
            _kernels.score(**call(rng, columns=np.zeros(length, np.uint64)))
    for columns in (np.zeros(P), np.zeros(P, np.int64), np.zeros((P, 1), np.uint64), None, [0] * P):
        with pytest.raises(TypeError):
            _kernels.score(**call(rng, columns=columns))


@both_targets
@pytest.mark.parametrize("target", [None, 3, "target", object(), Target], ids=str)
def test_target_that_is_none__raises(rng, call, target):
    with pytest.raises(TypeError):
        _kernels.score(**call(rng, targets=target))
    with pytest.raises(TypeError, match="targets: a tuple of targets that prepare_target made"):
        _kernels.score(**call(rng, targets=(target,)))
    right = call(rng, scores=np.empty((2, P)))
    with pytest.raises(TypeError, match="targets: a tuple of targets that prepare_target made"):
        _kernels.score(**right | {"targets": (*right["targets"], target)})


@both_targets
def test_targets_that_do_not_belong_together__raise(rng, call):
    right = call(rng, scores=np.empty((2, P)))
    (target,) = right["targets"]
    prepare, other = continuous_target, discrete_target
    if target.discrete:
        prepare, other = other, prepare
    y = np.arange(N) % 3
    assert _kernels.score(**right | {"targets": (target, prepare(y, 5))}) == -1
    for stranger in (prepare(y[1:]), prepare(y, seed=1), other(y), prepare(y, marginals="rank")):
        for pair in ((target, stranger), (stranger, target)):
            with pytest.raises(ValueError, match=r"targets: of the same|block: one row"):
                _kernels.score(**right | {"targets": pair})
    with pytest.raises(ValueError, match="targets: at least one"):
        _kernels.score(**right | {"targets": (), "scores": np.empty((0, P))})


@both_targets
@pytest.mark.parametrize("min_observed", [0.5, "3", np.array([1]), 2**63])
def test_number_of_observed_samples_that_is_none__raises(rng, call, min_observed):
    with pytest.raises(TypeError):
        _kernels.score(**call(rng, min_observed=min_observed))


@both_targets
def test_numbers_of_observed_samples_that_cannot_be_written__raise(rng, call):
    for n_observed in (np.empty(P), np.empty(P - 1, np.int64), np.empty((1, P), np.int64), None):
        with pytest.raises((ValueError, TypeError)):
            _kernels.score(**call(rng, n_observed=n_observed))


@both_targets
def test_mask_of_other_bytes_than_0_and_1__counts_them_as_true(rng, call):
    mask = np.array([0, 1, 2, 255, 0], np.uint8)
    expected, given = call(rng), {}
    _kernels.score(**expected | {"discrete": mask != 0})
    given = expected | {"discrete": mask.view(bool), "scores": np.empty((1, P))}
    _kernels.score(**given)
    np.testing.assert_array_equal(given["scores"], expected["scores"])


@both_targets
def test_mask_of_wrong_length__raises(rng, call):
    for length in (0, P - 1, P + 1):
        with pytest.raises(ValueError, match="discrete"):
            _kernels.score(**call(rng, discrete=np.zeros(length, bool)))
    with pytest.raises(TypeError):
        _kernels.score(**call(rng, discrete=np.zeros((P, 1), bool)))


def read_only(array):
    array.flags.writeable = False
    return array


@both_targets
@pytest.mark.parametrize(
    "scores",
    [
        read_only(np.empty((1, P))),
        np.empty((1, P), dtype=np.float32),
        np.empty((1, P), dtype=np.int64),
        np.empty((1, P), dtype=">f8"),
        np.empty((1, 2 * P))[:, ::2],
        np.empty((1, P))[:, ::-1],
        np.empty((P, 1)),
        np.empty(P),
        np.empty((2, P)),
        np.empty((1, P - 1)),
        np.empty((1, P + 1)),
        [[0.0] * P],
        None,
    ],
    ids=[
        "read-only",
        "f4",
        "i8",
        ">f8",
        "strided",
        "reversed",
        "transposed",
        "1-D",
        "of two targets",
        "short",
        "long",
        "list",
        "None",
    ],
)
def test_scores_that_cannot_be_written__raise(rng, call, scores):
    # a silent copy would take the result away
    with pytest.raises((ValueError, TypeError)):
        _kernels.score(**call(rng, scores=scores))


@pytest.mark.parametrize(
    "out",
    [
        np.empty((N, P)),  # in C order
        np.empty((N, P + 1), order="F"),
        np.empty((N - 1, P), order="F"),
        np.empty((N, P), np.float32, order="F"),
        read_only(np.empty((N, P), order="F")),
        np.empty(N * P),
    ],
    ids=["C", "wide", "short", "f4", "read-only", "1-D"],
)
def test_standardized_columns_that_do_not_fit__raise(rng, out):
    with pytest.raises((ValueError, TypeError)):
        _kernels.standardize(rng.normal(size=(N, P)), np.arange(P, dtype=np.uint64), 0, out)


def test_missing_or_unknown_arguments__raise(rng):
    for function, arguments in (
        (_kernels.score, continuous_call(rng)),
        (Target, target_arguments(rng)),
    ):
        for name in arguments:
            with pytest.raises(TypeError):
                function(**{k: v for k, v in arguments.items() if k != name})
        with pytest.raises(TypeError):
            function(**arguments, more=1)


@both_targets
def test_column_that_is_not_finite__is_told_by_its_position(rng, call):
    block = rng.normal(size=(N, P))
    block[3, 2] = np.nan
    assert _kernels.score(**call(rng, block=block)) == 2
    out = np.empty((N, P), order="F")
    assert _kernels.standardize(block, np.arange(P, dtype=np.uint64), 0, out) == 2


def test_ten_thousand_random_calls__raise_or_give_scores():
    # in a process of its own, so that a crash is a failure and not the end of the tests
    command = [sys.executable, "-m", "tests.faults", "--kind", "binding", "--n", "10000"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
    assert "tried 10000," in done.stdout
    # the fuzz is of use only where both outcomes are common
    assert 1_000 < int(re.search(r"right (\d+)", done.stdout)[1]) < 9_000


@pytest.mark.parametrize("name", ["continuous", "discrete", "standardize"])
def test_interpreter_lock__is_free_while_a_block_is_worked_on(name):
    # With a switch interval of minutes, Python itself takes the lock from no thread: the other
    # thread advances during a call if, and only if, the call lets go of the lock.
    rng = np.random.default_rng(0)
    n, p = 4_000, 1_000
    if name == "standardize":
        block, out = rng.normal(size=(n, p)), np.empty((n, p), order="F")
        columns = np.arange(p, dtype=np.uint64)
        work = lambda: _kernels.standardize(block, columns, 0, out)  # noqa: E731  # two calls of one shape
    else:
        arguments = CALLS[name](rng, n, p)
        work = lambda: _kernels.score(**arguments)  # noqa: E731  # as above
    steps, stop = [0], threading.Event()

    def step():
        while not stop.is_set():
            steps[0] += 1
            time.sleep(0)  # lets go of the lock, or the call would never come back

    interval = sys.getswitchinterval()
    sys.setswitchinterval(600)
    thread = threading.Thread(target=step)
    thread.start()
    try:
        before = steps[0]
        sum(range(1_000_000))
        held = steps[0]
        work()
        after = steps[0]
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        thread.join()
    assert held == before
    assert after > held


def test_scores__are_the_naive_twins_through_the_binding(rng):
    # the binding alone, with values made by hand: no layer above it takes part
    x, y = rng.normal(size=(2, N))
    target = Target(**target_arguments(rng, y=y, seed=4))
    arguments = continuous_call(
        rng,
        n_columns=1,
        targets=(target,),
        block=x[:, np.newaxis],
        columns=np.array([9], np.uint64),
    )
    _kernels.score(**arguments)
    y_seen = naive.standardize(y, seed=4, column=2**63)
    expected = naive.kraskov(naive.standardize(x, seed=4, column=9), y_seen, 3)
    assert abs(arguments["scores"][0, 0] - expected) < 1e-12
