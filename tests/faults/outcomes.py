"""How a case may end, and how many cases ended so."""

import time
from abc import ABC, abstractmethod
from collections import Counter
from enum import Enum
from typing import NamedTuple


class Outcome(Enum):
    """How a case ended."""

    RIGHT = "right"
    """With the right scores, bit for bit."""

    REFUSED = "refused"
    """With an error that names the file, and says what is wrong."""

    UNSEALED = "unsealed"
    """With the scores of other values: the bytes that were changed are under no checksum."""

    WRONG = "wrong"
    """With wrong scores, or a wrong file, and no word."""

    HANG = "hangs"
    MEMORY = "memory"
    CRASH = "crashes"

    UNCLEAR = "unclear"
    """With an error of another kind, or one that does not name the file; or something is left behind."""


GOOD = {Outcome.RIGHT, Outcome.REFUSED, Outcome.UNSEALED}


class Ended(NamedTuple):
    """The end of a case."""

    outcome: Outcome
    words: str
    """What was done and what came of it, for whoever runs it again."""


class Figures:
    """Counts the ends of the cases of one kind, and prints those that must not be."""

    def __init__(self, kind, seed):
        self.kind, self.seed = kind, seed
        self.counts = Counter()
        self.began = time.monotonic()

    def add(self, number, ended):
        self.counts[ended.outcome] += 1
        if ended.outcome not in GOOD:
            print(
                f"{self.kind} --seed {self.seed} --only {number}: {ended.outcome.value}: {ended.words}",
                flush=True,
            )

    @property
    def good(self):
        return self.counts.total() > 0 and set(self.counts) <= GOOD

    def line(self, more):
        parts = [f"{self.kind}: tried {self.counts.total()}"]
        parts += [f"{outcome.value} {self.counts[outcome]}" for outcome in Outcome]
        return ", ".join([*parts, *more, f"{time.monotonic() - self.began:.0f} s"])


class Kind(ABC):
    """A kind of attack: its cases by number.

    Parameters
    ----------
    folder : pathlib.Path
        Where its files may be.
    seed : int
        What the cases are drawn from.
    """

    more = ()
    """More figures of all cases, in words."""

    def __init__(self, folder, seed):
        self.folder, self.seed = folder, seed

    def numbers(self, n):
        """The numbers of the first `n` cases; fewer where there are no more."""
        return range(n)

    @abstractmethod
    def case(self, number):
        """Do a case, and tell how it ended."""
