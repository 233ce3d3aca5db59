"""The command: which kinds, how many cases, from which seed."""

import argparse
import importlib
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from . import injection
from .outcomes import Figures


class Attack(NamedTuple):
    """Where a kind of attack is, and how many cases of it there are by default."""

    module: str
    made: str
    n: int


KINDS = {
    "mutants": Attack("mutants", "Mutants", 10_000),
    "io": Attack("failing_io", "FailingIO", 10**9),
    "journal": Attack("journals", "Journals", 10**9),
    "kill": Attack("kills", "Kills", 100),
    "binding": Attack("bindings", "Bindings", 100_000),
    "threads": Attack("threads", "Threads", 100),
}


def main(arguments=None):
    parser = argparse.ArgumentParser("python -m tests.faults", description=__doc__)
    parser.add_argument("--kind", choices=KINDS, action="append", help="default: all of them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--n", type=int, help="cases of each kind")
    parser.add_argument("--minutes", type=float, help="for each kind, at most")
    parser.add_argument("--only", type=int, help="one case alone, by its number")
    parser.add_argument(
        "--folder",
        default=tempfile.gettempdir(),
        help="where files are made; one in memory is faster, default: %(default)s",
    )
    options = parser.parse_args(arguments)
    results = [_run(kind, options) for kind in options.kind or KINDS]
    return 0 if all(results) else 1


def _run(name, options):
    if name == "io" and not injection.is_loaded():
        return _run_io(options)
    attack = KINDS[name]
    figures = Figures(name, options.seed)
    until = None if options.minutes is None else time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        made = getattr(importlib.import_module(f"faults.{attack.module}"), attack.made)
        kind = made(Path(folder).resolve(), options.seed)
        n = attack.n if options.n is None else options.n
        numbers = kind.numbers(n) if options.only is None else [options.only]
        for number in numbers:
            if until is not None and time.monotonic() > until:
                break
            figures.add(number, kind.case(number))
    print(figures.line(kind.more), flush=True)
    return figures.good


def _run_io(options):
    """Run this kind in an interpreter of its own, whose calls can fail."""
    if injection.compiler() is None:
        print("io: not tried: there is no C compiler, or the system is not Linux")
        return True
    given = ["n", "minutes", "only", "folder"]
    more = [
        f"--{name}={getattr(options, name)}" for name in given if getattr(options, name) is not None
    ]
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        return (
            injection.run_with_it(
                Path(folder), ["--kind", "io", "--seed", str(options.seed), *more]
            )
            == 0
        )
