"""Values of options: read from text and checked, before anything is imported or opened."""

import math
import re
from argparse import ArgumentTypeError
from collections.abc import Callable


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return what reads a whole number of at least `least`, and at most `most`."""
    rule = f"at least {least}" if most is None else f"from {least} to {most}"

    def read(text: str) -> int:
        value = _number(text, "whole number", rule)
        if not value.is_integer() or value < least or (most is not None and value > most):
            raise ArgumentTypeError(f"{text!r} is refused. It must be a whole number, {rule}.")
        return int(value)

    return read


def number_of_workers(text: str) -> int:
    """Read a number of workers: 4, or -1 for all cores, -2 for all but one."""
    value = _number(text, "number of workers", "such as 4, or -1 for all cores")
    if not value.is_integer() or not value:
        raise ArgumentTypeError(
            f"{text!r} leaves no worker. It must be a number of workers, or -1 for all cores."
        )
    return int(value)


def shard(text: str) -> tuple[int, int]:
    """Read which of how many shards: 3/16."""
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise ArgumentTypeError(
            f"{text!r} is no shard. It must be its number and how many there are, from 1/16 to 16/16."
        )
    return int(number), int(count)


def finite(text: str) -> float:
    """Read a number."""
    return _number(text, "number", "such as 0.05")


def percentage(text: str) -> float:
    """Read a percentage, with its sign or without."""
    value = _number(text.strip().removesuffix("%"), "percentage", "from 0 to 100")
    if not 0 <= value <= 100:
        raise ArgumentTypeError(f"{text!r} is no percentage. It must be from 0 to 100.")
    return value


def rate(text: str) -> float:
    """Read a rate of errors: 0.05, or 5%."""
    plain = text.strip()
    value = _number(plain.removesuffix("%"), "rate", "such as 0.05 or 5%")
    value = value / 100 if plain.endswith("%") else value
    if not 0 < value <= 1:
        raise ArgumentTypeError(
            f"{text!r} is no rate of errors. It must be above 0 and at most 1, such as 0.05 or 5%."
        )
    return value


def number_of_test_neighbors(text: str) -> int | str:
    """Read a number of neighbours that the null is known for, or auto."""
    return "auto" if text.strip().lower() == "auto" else whole_number(1, 64)(text)


def number_of_knots(text: str) -> int:
    """Read a number of knots: 0, or 3 and more."""
    value = whole_number(0)(text)
    if value in (1, 2):
        raise ArgumentTypeError(
            f"{text!r} knots make no spline. They must be at least 3, or 0 for straight lines."
        )
    return value


def number_of_features(text: str) -> int | float | str:
    """Read how many features to keep: 5000, 1e4, 5%, 0.05, all or auto."""
    plain = text.strip().lower()
    if plain in ("all", "auto"):
        return plain
    amount = number_or_share(text, "features")
    return "all" if amount == 1.0 and isinstance(amount, float) else amount


def number_or_share(text: str, unit: str) -> int | float:
    """Read a number of things as an int, or a share of them, as 5%, 0.05 or 1.0, as a float."""
    example = f"Give for example 5000, 1e4, 5% or 0.05 of the {unit}."
    plain = text.strip()
    if plain.endswith("%"):
        share = percentage(plain) / 100
        return share if share else 0
    try:
        value = float(plain)
    except ValueError:
        value = math.nan
    if value == 1 and not plain.isdecimal():
        return 1.0  # all, as scikit-learn's fractions
    if value >= 0 and value.is_integer():
        return int(value)
    if 0 < value < 1:
        return value
    raise ArgumentTypeError(
        f"{text!r} is no number of {unit}. It must be a whole number, or a share from 0 to 1. {example}"
    )


def number_or_share_of_samples(text: str) -> int | float:
    """Read how many values a column must have: 20, or 50% of the samples."""
    amount = number_or_share(text, "samples")
    if not amount:
        raise ArgumentTypeError(f"{text!r} asks for no sample. At least 1 is needed to score one.")
    return amount


def amount_of_memory(text: str) -> str:
    """Check an amount of memory."""
    if not re.fullmatch(r"\s*auto\s*|\s*[\d.]*\d[\d.]*\s*[kmgt]?i?b?\s*", text, re.IGNORECASE):
        raise ArgumentTypeError(
            f"{text!r} is no amount of memory. It must be bytes, with a unit or without, or auto. "
            "Write for example 2000000000, 2GB or 2GiB."
        )
    return text.strip()


def name_or_none(text: str) -> str | None:
    """Read a name, where none says that there is none."""
    return None if text == "none" else text


def _number(text: str, what: str, rule: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ArgumentTypeError(f"{text!r} is no {what}. It must be a {what}, {rule}.")
    return value
