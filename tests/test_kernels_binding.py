"""The extension itself: whatever reaches it gives right numbers or a Python exception."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import naive
import numpy as np
import pytest
from kinds import continuous_target, discrete_target

from skpar_select.kernels import _kernels, mutual_information, standardize

N, P = 24, 5


@pytest.fixture
def rng():
    return np.random.default_rng(20240)


def continuous_call(rng, n_samples=N, n_columns=P, **changes):
    """Right arguments for score_continuous, but for the changes."""
    target = continuous_target(rng.normal(size=n_samples))
    arguments = {
        "block": rng.normal(size=(n_samples, n_columns)),
        "discrete": np.zeros(n_columns, dtype=bool),
        "first_column": 0,
        "seed": 0,
        "order": target.order,
        "values": target.values,
        "digamma": target.digamma,
        "log": target.log,
        "n_neighbors": 3,
        "scores": np.empty(n_columns),
    }
    return arguments | changes


def discrete_call(rng, n_samples=N, n_columns=P, **changes):
    """Right arguments for score_discrete, but for the changes."""
    target = discrete_target(np.arange(n_samples) % 4)
    arguments = continuous_call(rng, n_samples, n_columns)
    del arguments["values"]
    arguments |= {"order": target.order, "class_start": target.class_start}
    return arguments | changes


CALLS = {
    "continuous": (_kernels.score_continuous, continuous_call),
    "discrete": (_kernels.score_discrete, discrete_call),
}
both_kernels = pytest.mark.parametrize(("kernel", "call"), CALLS.values(), ids=CALLS)


@both_kernels
def test_right_arguments__give_scores(rng, kernel, call):
    arguments = call(rng)
    kernel(**arguments)
    assert (arguments["scores"] >= 0).all()


@both_kernels
@pytest.mark.parametrize(
    "shape", [(), (N,), (N, P, 1), (0, P), (1, P), (N - 1, P), (N + 1, P), (N, P + 1), (N, 0)]
)
def test_block_of_wrong_shape__raises(rng, kernel, call, shape):
    with pytest.raises((ValueError, TypeError)):
        kernel(**call(rng, block=np.zeros(shape)))


@both_kernels
def test_block_without_columns__has_no_scores(rng, kernel, call):
    kernel(**call(rng, n_columns=0))


WRONG_TYPES = ["c8", "c16", "O", "U3", "S3", "M8[s]", "m8[s]", "V8"]


@both_kernels
@pytest.mark.parametrize("dtype", [*WRONG_TYPES, "g", ">f8", ">i4"])
def test_block_of_wrong_type__raises(rng, kernel, call, dtype):
    # the extension itself; the layer above turns what can be turned into doubles
    with pytest.raises((ValueError, TypeError)):
        kernel(**call(rng, block=np.zeros((N, P), dtype=dtype)))


@pytest.mark.parametrize("dtype", [dtype for dtype in WRONG_TYPES if dtype != "O"])
def test_values_that_are_not_real__raise_above_the_extension(dtype):
    # broke once: complex numbers lost their imaginary part, dates were scored as numbers
    block = np.zeros((N, P), dtype=dtype)
    with pytest.raises(TypeError, match=r"is not of real numbers\. Convert it to float64"):
        standardize(block, seed=0, first_column=0)
    with pytest.raises(TypeError, match="is not of real numbers"):
        continuous_target(block[:, 0])


def test_objects__are_scored_where_they_are_numbers(rng):
    block = rng.normal(size=(N, P))
    np.testing.assert_array_equal(
        standardize(block.astype(object), seed=0, first_column=0),
        standardize(block, seed=0, first_column=0),
    )
    with pytest.raises(ValueError, match="could not convert"):
        standardize(np.full((N, P), "x", dtype=object), seed=0, first_column=0)
    with pytest.raises(ValueError, match="NaN or infinity"):
        standardize(np.full((N, P), None), seed=0, first_column=0)


@pytest.mark.skipif(
    np.finfo(np.longdouble).max == np.finfo(float).max, reason="long double is double here"
)
def test_long_double__is_rounded_to_double(rng):
    block = rng.normal(size=(N, P))
    np.testing.assert_array_equal(
        standardize(block.astype("g"), seed=0, first_column=0),
        standardize(block, seed=0, first_column=0),
    )
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="NaN or infinity"):
        standardize(np.full((N, P), np.longdouble("1e4000")), seed=0, first_column=0)


@both_kernels
@pytest.mark.parametrize(
    "block", [None, "text", 3, [[1.0, 2.0]], {}, object()], ids=lambda block: type(block).__name__
)
def test_block_that_is_no_array__raises(rng, kernel, call, block):
    with pytest.raises((ValueError, TypeError)):
        kernel(**call(rng, block=block))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "u8"])
def test_broadcast_block_of_stride_0__is_right(rng, dtype):
    target = continuous_target(rng.normal(size=N))
    row, column = np.arange(P).astype(dtype), np.arange(N).astype(dtype)[:, np.newaxis]
    blocks = (np.broadcast_to(row, (N, P)), np.broadcast_to(column, (N, P)))
    for block in (*blocks, np.broadcast_to(np.ones((), dtype), (N, P))):
        for discrete in (np.zeros(P, bool), np.ones(P, bool)):
            scores, expected = (
                mutual_information(values, target, discrete=discrete, first_column=0)
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
        mutual_information(block, target, discrete=mask, first_column=0),
        mutual_information(block.copy(), target, discrete=mask, first_column=0),
    )


@both_kernels
@pytest.mark.parametrize("name", ["digamma", "log"])
@pytest.mark.parametrize("length", [0, 1, N, N + 2])
def test_table_of_wrong_length__raises(rng, kernel, call, name, length):
    with pytest.raises(ValueError, match=r"n_samples \+ 1 entries"):
        kernel(**call(rng, **{name: np.zeros(length)}))


def orders():
    right = np.arange(N, dtype=np.int32)
    yield "short", right[:-1].copy()
    yield "long", np.arange(N + 1, dtype=np.int32)
    yield "empty", right[:0].copy()
    for name, value in [
        ("twice", 3),
        ("negative", -1),
        ("beyond", N),
        ("far", 2**31 - 1),
        ("min", -(2**31)),
    ]:
        wrong = right.copy()
        wrong[7] = value
        yield name, wrong


ORDERS = dict(orders())


@both_kernels
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_order_that_is_no_permutation__raises(rng, kernel, call, order):
    with pytest.raises(ValueError, match="order"):
        kernel(**call(rng, order=order))


@pytest.mark.parametrize(
    "values",
    [
        np.arange(N)[::-1] * 1.0,
        np.where(np.arange(N) == 9, np.nan, np.arange(N)),
        np.full(N, np.nan),
        np.where(np.arange(N) == N - 1, np.inf, np.arange(N)),
        np.full(N, -np.inf),
        np.full(N, 1e200),
        np.arange(N - 1.0),
        np.arange(N + 1.0),
        np.empty(0),
    ],
    ids=["descending", "NaN", "all NaN", "inf", "all -inf", "huge", "short", "long", "empty"],
)
def test_values_that_are_no_sorted_target__raise(rng, values):
    with pytest.raises(ValueError, match="values"):
        _kernels.score_continuous(**continuous_call(rng, values=values))


@pytest.mark.parametrize(
    "borders",
    [
        [],
        [0],
        [0, N - 1],
        [0, N + 1],
        [1, N],
        [0, 0, N],
        [0, N, N],
        [0, 9, 6, N],
        [0, 1, N],  # a lone sample first
        [0, -5, N],
        [-1, N],
        [0, 2**31 - 1, N],
        list(range(N + 2)),
    ],
    ids=str,
)
def test_borders_that_are_none_of_classes__raise(rng, borders):
    with pytest.raises(ValueError, match="class_start"):
        _kernels.score_discrete(**discrete_call(rng, class_start=np.array(borders, np.int32)))


@both_kernels
@pytest.mark.parametrize("n_neighbors", [0, -1, N, N + 1, 2**31, 2**32 + 3, 2**40, -(2**63)])
def test_number_of_neighbors_out_of_range__raises(rng, kernel, call, n_neighbors):
    with pytest.raises(ValueError, match="n_neighbors"):
        kernel(**call(rng, n_neighbors=n_neighbors))


@both_kernels
@pytest.mark.parametrize("n_neighbors", [1.5, "3", None, 2**70])
def test_number_of_neighbors_that_is_no_integer__raises(rng, kernel, call, n_neighbors):
    with pytest.raises(TypeError):
        kernel(**call(rng, n_neighbors=n_neighbors))


@both_kernels
@pytest.mark.parametrize("name", ["seed", "first_column"])
def test_keys_of_the_noise__are_64_bits(rng, kernel, call, name):
    for value in (0, 2**31, 2**64 - 1):
        kernel(**call(rng, **{name: value}))
    for value in (-1, 2**64, 0.5, "0", None):
        with pytest.raises(TypeError):
            kernel(**call(rng, **{name: value}))


@both_kernels
def test_mask_of_wrong_length__raises(rng, kernel, call):
    for length in (0, P - 1, P + 1):
        with pytest.raises(ValueError, match="discrete"):
            kernel(**call(rng, discrete=np.zeros(length, bool)))
    with pytest.raises(TypeError):
        kernel(**call(rng, discrete=np.zeros((P, 1), bool)))


def read_only(array):
    array.flags.writeable = False
    return array


@both_kernels
@pytest.mark.parametrize(
    "scores",
    [
        read_only(np.empty(P)),
        np.empty(P, dtype=np.float32),
        np.empty(P, dtype=np.int64),
        np.empty(P, dtype=">f8"),
        np.empty(2 * P)[::2],
        np.empty(P)[::-1],
        np.empty((P, 1)),
        np.empty(P - 1),
        np.empty(P + 1),
        [0.0] * P,
        None,
    ],
    ids=[
        "read-only",
        "f4",
        "i8",
        ">f8",
        "strided",
        "reversed",
        "2-D",
        "short",
        "long",
        "list",
        "None",
    ],
)
def test_scores_that_cannot_be_written__raise(rng, kernel, call, scores):
    # a silent copy would take the result away
    with pytest.raises((ValueError, TypeError)):
        kernel(**call(rng, scores=scores))


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
        _kernels.standardize(rng.normal(size=(N, P)), 0, 0, out)


def test_missing_or_unknown_arguments__raise(rng):
    arguments = continuous_call(rng)
    for name in arguments:
        with pytest.raises(TypeError):
            _kernels.score_continuous(**{k: v for k, v in arguments.items() if k != name})
    with pytest.raises(TypeError):
        _kernels.score_continuous(**arguments, more=1)


def test_column_that_is_not_finite__is_named_by_its_index_in_the_matrix(rng):
    block = rng.normal(size=(N, P))
    block[3, 2] = np.nan
    for kernel, call in CALLS.values():
        with pytest.raises(ValueError, match="column 72 holds NaN or infinity"):
            kernel(**call(rng, block=block, first_column=70))


def test_ten_thousand_random_calls__raise_or_give_scores():
    # in a process of its own, so that a crash is a failure and not the end of the tests
    fuzz = Path(__file__).with_name("fuzz_binding.py")
    done = subprocess.run(
        [sys.executable, str(fuzz), "10000"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
    called, scored = map(int, done.stdout.split())
    assert called == 10_000
    # the fuzz is of use only where both outcomes are common
    assert 1_000 < scored < 9_000


@pytest.mark.parametrize("name", ["continuous", "discrete", "standardize"])
def test_interpreter_lock__is_free_while_a_block_is_worked_on(name):
    # With a switch interval of minutes, Python itself takes the lock from no thread: the other
    # thread advances during a call if, and only if, the call lets go of the lock.
    rng = np.random.default_rng(0)
    n, p = 4_000, 1_000
    if name == "standardize":
        block, out = rng.normal(size=(n, p)), np.empty((n, p), order="F")
        work = lambda: _kernels.standardize(block, 0, 0, out)  # noqa: E731  # three calls of one shape
    else:
        kernel, call = CALLS[name]
        arguments = call(rng, n, p)
        work = lambda: kernel(**arguments)  # noqa: E731  # as above
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
    order = np.argsort(y).astype(np.int32)
    values = naive.standardize(y, seed=1, column=2)[order]
    arguments = continuous_call(
        rng, n_columns=1, block=x[:, np.newaxis], order=order, values=values, seed=4, first_column=9
    )
    _kernels.score_continuous(**arguments)
    y_seen = naive.standardize(y, seed=1, column=2)
    expected = naive.kraskov(naive.standardize(x, seed=4, column=9), y_seen, 3)
    assert abs(arguments["scores"][0] - expected) < 1e-12


def test_decode_lzf__expands_literals_and_copies():
    # "ab" as it is; 5 bytes from 2 back, which overlap; a long copy of 9 + 1 bytes from 1 back.
    raw = np.frombuffer(bytes([1, 97, 98, (3 << 5), 1, (7 << 5), 1, 0]), dtype=np.uint8)
    out = np.empty(17, dtype=np.uint8)
    assert _kernels.decode_lzf(raw, out)
    assert out.tobytes() == b"ab" + b"ababa" + b"a" * 10


@pytest.mark.parametrize(
    ("raw", "size"),
    [
        ([1, 97], 2),  # a literal run that is cut short
        ([1, 97, 98], 1),  # one byte too many
        ([1, 97, 98], 3),  # one byte too few
        ([1 << 5, 0], 3),  # a copy of what is not there yet
        ([0, 97, 1 << 5], 4),  # a copy without its distance
        ([0, 97, 7 << 5], 10),  # a long copy without its length
        ([0, 97, 7 << 5, 255, 0], 20),  # a copy longer than the room
        ([], 1),
    ],
)
def test_decode_lzf__refuses_damaged_bytes(raw, size):
    assert not _kernels.decode_lzf(np.array(raw, dtype=np.uint8), np.empty(size, dtype=np.uint8))


def test_decode_lzf__of_random_bytes_stays_within_its_arrays(rng):
    n_fitting = 0
    for _ in range(20_000):
        raw = rng.integers(0, 256, size=rng.integers(0, 24), dtype=np.uint8)
        raw[rng.random(len(raw)) < 0.4] &= 7  # more literal runs, and near copies
        around = np.full(64, 171, dtype=np.uint8)
        size = rng.integers(0, 33)
        n_fitting += _kernels.decode_lzf(raw, around[16 : 16 + size])
        assert (around[:16] == 171).all()
        assert (around[16 + size :] == 171).all()
    assert n_fitting > 0


def naive_compress(raw):
    """NH of VMAC by its definition, in Python's integers."""
    wrap = (1 << 64) - 1
    keys, state = [], 0
    for _ in range(128):
        state = (state + 0x9E3779B97F4A7C15) & wrap
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & wrap
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & wrap
        keys.append(z ^ (z >> 31))
    out = b""
    for start in range(0, len(raw), 1024):
        words = np.frombuffer(raw[start : start + 1024].ljust(1024, b"\0"), "<u8").tolist()
        total = sum(
            ((words[i] + keys[i]) & wrap) * ((words[i + 1] + keys[i + 1]) & wrap)
            for i in range(0, 128, 2)
        )
        out += (total % (1 << 128)).to_bytes(16, "little")
    return out


@pytest.mark.parametrize("size", [0, 1, 8, 1023, 1024, 1025, 5000])
def test_compress__is_its_naive_twin(rng, size):
    for raw in (rng.integers(0, 256, size, dtype=np.uint8), np.full(size, 255, dtype=np.uint8)):
        out = np.empty(-(-size // 1024) * 16, dtype=np.uint8)
        _kernels.compress(raw, out)
        assert out.tobytes() == naive_compress(raw.tobytes())


@pytest.mark.parametrize("size", [0, 16, 48])
def test_compress__refuses_another_size(size):
    with pytest.raises(ValueError, match="16 bytes for every KiB"):
        _kernels.compress(np.zeros(1025, dtype=np.uint8), np.empty(size, dtype=np.uint8))
