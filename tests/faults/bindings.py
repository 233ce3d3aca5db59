"""The binding of the kernel called with arguments of any kind: scores of finite numbers, or a clear error."""

import numpy as np

from skpar_select.kernels import Target, _kernels, prepare_target

from .batches import Batches
from .outcomes import Ended, Outcome

DTYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]
WRONG_DTYPES = ["c16", "g", ">f8", "M8[s]", "S3", "O"]
EXTREMES = [0.0, -0.0, 5e-324, 1e-310, 1.0, 1e12, 1e300, 1.7e308, -1.7e308, np.nan, np.inf]
INTEGERS = [-(2**63), -1, 0, 1, 2, 2**31 - 1, 2**31, 2**32, 2**40, 2**63, 2**64 - 1, 2**64]


def random_block(rng, n, p):
    """A block of n x p, of any type and layout; seldom not that."""
    if rng.random() < 0.05:
        n, p = rng.integers(0, 40, size=2)
    values = rng.choice(
        [
            rng.normal(size=(n, p)) * 30,
            rng.integers(0, 3, size=(n, p)),
            rng.choice(EXTREMES[:5], (n, p)),
        ]
    )
    if rng.random() < 0.2:
        values = rng.choice(EXTREMES if rng.random() < 0.3 else EXTREMES[:9], size=(n, p))
    dtype = rng.choice(WRONG_DTYPES if rng.random() < 0.05 else DTYPES)
    if np.dtype(dtype).kind not in "fcgOMS":
        values = np.nan_to_num(values).clip(0, 100)
    block = values.astype(float).astype("i8" if dtype == "M8[s]" else dtype).astype(dtype)
    layout = rng.integers(7)
    if layout == 0:
        block = np.asfortranarray(block)
    elif layout == 1:
        block = np.repeat(np.repeat(block, 2, axis=0), 3, axis=1)[1::2, ::3]
    elif layout == 2:
        block = block[::-1, ::-1].copy()[::-1, ::-1]
    elif layout == 3:
        block.flags.writeable = False
    elif layout == 4 and block.size:
        block = np.broadcast_to(block[:1], block.shape)
    elif layout == 5 and rng.random() < 0.1:
        block = block[..., np.newaxis] if rng.random() < 0.5 else block.ravel()
    return block


def spoil(rng, arguments):
    """Change one argument to something that is likely wrong."""
    name = rng.choice(list(arguments))
    value = arguments[name]
    if isinstance(value, int) and not isinstance(value, bool):
        arguments[name] = rng.choice(np.array([*INTEGERS, 0.5, None, "1"], dtype=object))
    elif isinstance(value, bool):
        arguments[name] = rng.choice(np.array([not value, 2, None, "1"], dtype=object))
    elif isinstance(value, np.ndarray) and value.ndim == 1:
        change = rng.integers(6)
        if change == 0:
            arguments[name] = value[: rng.integers(0, len(value) + 1)].copy()
        elif change == 1:
            arguments[name] = np.concatenate([value, value[:1]])
        elif change == 2:
            arguments[name] = rng.permutation(value)
        elif change == 3:
            arguments[name] = value.astype(rng.choice(["f4", "f8", "i4", "i8", "?"]))
        elif change == 4 and len(value):
            wrong = value.astype(float)
            wrong[rng.integers(len(wrong))] = rng.choice([-1, 2**31 - 1, 1e300, len(wrong)])
            arguments[name] = wrong.astype(value.dtype)
        else:
            arguments[name] = rng.choice(np.array([None, 3, "x"], dtype=object))


def call(rng):
    """Call the kernel once; tell how that ended."""
    n = int(
        rng.choice(
            [2, 3, 5, 8, 9, 17, 40, 130, 600], p=[0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.08, 0.02]
        )
    )
    p = int(rng.integers(0, 12))
    discrete = bool(rng.random() < 0.5)
    y = rng.integers(0, rng.choice([1, 2, 5, n + 1]), size=n)
    if not discrete and rng.random() < 0.7:
        y = rng.normal(size=n) * 10.0 ** rng.integers(-300, 300)
    k = int(rng.integers(1, n))
    marginals = "rank" if rng.random() < 0.5 else "raw"
    right = prepare_target(y, discrete=discrete, n_neighbors=k, seed=0, marginals=marginals)
    names = ["y", "discrete", "digamma", "log", "n_neighbors", "seed", "ranked"]
    of_target = dict(zip(names, right.__reduce__()[1], strict=True))
    arguments = {
        "block": random_block(rng, n, p),
        "discrete": rng.random(p) < rng.choice([0.0, 0.5, 1.0]),
        "columns": rng.integers(0, 2**64, size=p, dtype=np.uint64),
        "min_observed": None if rng.random() < 0.5 else int(rng.integers(0, n + 2)),
        "scores": np.full((1, p), -1.0),
        "n_observed": np.full(p, -1),
        "rho": None if discrete or marginals == "raw" else np.full((1, p), -9.0),
    }
    if rng.random() < 0.4:
        spoil(rng, of_target if rng.random() < 0.5 else arguments)
    try:
        made = Target(**of_target)
        first_bad = _kernels.score(targets=(made,), **arguments)
    except (ValueError, TypeError) as error:
        return Ended(Outcome.REFUSED, str(error))
    except Exception as error:
        return Ended(Outcome.UNCLEAR, f"{type(error).__name__}: {error}")
    if first_bad >= 0:
        return Ended(Outcome.REFUSED, f"column {first_bad}")
    scores, rho = arguments["scores"], arguments["rho"]
    if rho is not None and not ((np.abs(rho) <= 1) | np.isnan(rho)).all():
        return Ended(Outcome.WRONG, f"rho {rho} of {arguments}")
    # tables with a wrong entry give a wrong score, in bounds all the same
    same = all(
        np.array_equal(getattr(made, name), getattr(right, name)) for name in ("digamma", "log")
    )
    if same and np.isinf(scores).any():
        return Ended(Outcome.WRONG, f"scores {scores} of {arguments}")
    return Ended(Outcome.RIGHT, "")


class Bindings(Batches):
    """The cases: calls."""

    size = 500

    def one(self, number):
        """Call the kernel once."""
        with np.errstate(all="ignore"):
            return call(np.random.default_rng((self.seed, number)))
