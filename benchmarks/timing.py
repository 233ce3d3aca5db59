"""Time functions in turn, and print what came out."""

import os
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path


def in_turn(functions, make_input, n_repetitions):
    """Call the functions one after another, A B A B ..., each time on an input of its own.

    Machines speed up, slow down and are shared: what is measured in turn meets the same weather.

    Parameters
    ----------
    functions : dict of str to callable
        Each is called with its input.
    make_input : callable
        Called as ``make_input(name, repetition)`` before each call; its time is not counted.
    n_repetitions : int
        The number of rounds, after one round that is not counted.

    Returns
    -------
    seconds : dict of str to float
        The median of each function.
    """
    seconds = {name: [] for name in functions}
    for repetition in range(n_repetitions + 1):
        for name, function in functions.items():
            argument = make_input(name, repetition)
            start = time.perf_counter()
            function(argument)
            elapsed = time.perf_counter() - start
            if repetition > 0:
                seconds[name].append(elapsed)
    return {name: statistics.median(values) for name, values in seconds.items()}


def machine():
    """Return the machine and the versions on it, in one line."""
    packages = ("skpar-select", "scikit-learn", "numpy", "scipy")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"


def processor():
    """Return the model of the processor, as the system names it."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def print_table(title, header, rows, note):
    """Print a Markdown table, below its title and above a note."""
    print(f"\n### {title}\n")
    print(f"| {' | '.join(header)} |")
    print("|" + "---|" * len(header))
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)
    print(f"\n{note}")
