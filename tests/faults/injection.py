"""The Nth call on files of a folder fails: a library that is preloaded, made when it is asked for."""

import ctypes
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).with_name("injection.c")
LIBRARY = "FAULTS_LIBRARY"
FAIL, FULL, SHORT, NOTHING = range(4)


@dataclass(frozen=True)
class How:
    """What the calls give that fail, and how many do."""

    mode: int
    words: str
    goes_on: bool

    def last(self, first):
        return 2**31 if self.goes_on else first

    def __str__(self):
        return f"{self.words}, {'from then on' if self.goes_on else 'once'}"


HOWS = [
    How(mode, words, goes_on)
    for mode, words in (
        (FAIL, "an input/output error"),
        (FULL, "a full disk"),
        (SHORT, "half of the bytes"),
        (NOTHING, "no bytes"),
    )
    for goes_on in (False, True)
]


def compiler():
    """The C compiler, or None where there is none or nothing is preloaded."""
    return (shutil.which("cc") or shutil.which("gcc")) if sys.platform == "linux" else None


def is_loaded():
    return LIBRARY in os.environ


def run_with_it(folder, arguments):
    """Run the command once more, in an interpreter that has the library; return its exit status."""
    library = folder / "injection.so"
    compile_it = [compiler(), "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"]
    subprocess.run(compile_it, check=True)
    set_now = {LIBRARY: str(library), "LD_PRELOAD": str(library)}
    command = [sys.executable, "-m", "tests.faults", *arguments]
    root = SOURCE.parents[2]
    return subprocess.run(command, env={**os.environ, **set_now}, cwd=root, check=False).returncode


@cache
def _library():
    library = ctypes.CDLL(os.environ[LIBRARY])
    library.faults_arm.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_long, ctypes.c_long]
    library.faults_count.argtypes, library.faults_count.restype = [ctypes.c_int], ctypes.c_long
    return library


def arm(folder, how, first):
    """Count the calls on files below a folder, and let the one of this number fail; 0: none."""
    last = how.last(first) if first else -1
    _library().faults_arm(os.fsencode(folder), how.mode, first, last)


def disarm():
    """Let nothing fail any more; return how many calls each of the ways could have changed."""
    _library().faults_disarm()
    return [_library().faults_count(how.mode) for how in HOWS]
