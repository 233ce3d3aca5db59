"""A short version of each kind of attack; docs/proof.md tells of the long ones."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(kind, n, *more):
    """Run an attack in a process of its own; return its figures by name."""
    command = [sys.executable, "-m", "tests.faults", "--kind", kind, "--n", str(n), *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    line = done.stdout.splitlines()[-1]
    if "not tried" in line:
        pytest.skip(line)
    return {name: int(number) for name, number in re.findall(r"(\w+) (\d+)", line)}


def test_calls_that_fail__give_the_right_scores_or_an_error_that_names_the_file():
    figures = run("io", 150)
    assert figures["tried"] == 150
    assert min(figures["right"], figures["refused"]) >= 30


def test_files_damaged_at_random__are_refused_or_give_the_scores_that_they_must():
    figures = run("mutants", 380)
    assert figures["tried"] == 380
    # Of use only where many are refused, and many are not.
    assert min(figures["right"], figures["refused"]) >= 80


def test_runs_killed_at_any_moment__go_on_to_the_right_scores():
    figures = run("kill", 2)
    assert figures["right"] == 2


def test_stores_torn_and_damaged__give_no_wrong_score():
    figures = run("journal", 300)
    assert figures["tried"] == 300
    # A store whose key is gone is refused; all else is scored again where it is damaged.
    assert figures["right"] >= 250


def test_fits_at_once_and_in_forks__give_the_bits_of_a_fit_alone():
    figures = run("threads", 13)
    assert figures["right"] == 13
