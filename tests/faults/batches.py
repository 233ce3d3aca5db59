"""Cases of which many are done in one forked process, which says which one it is at."""

import mmap
from abc import abstractmethod

from .children import Raised, ended_of, in_child
from .outcomes import Kind


class Batches(Kind):
    """Cases too small for a process each: one that dies or hangs is named all the same."""

    size = 100
    seconds = 60

    def __init__(self, folder, seed):
        super().__init__(folder, seed)
        self._ready, self._wanted = {}, []
        self._at = mmap.mmap(-1, 8)  # which the forked process writes, whatever becomes of it

    @abstractmethod
    def one(self, number):
        """Do a case in this process, and tell how it ended."""

    def numbers(self, n):
        """The numbers of the cases, which are done by batches in this order."""
        self._wanted = list(super().numbers(n))
        return self._wanted

    def case(self, number):
        """Give how a case ended; do a batch from it on where that is not known."""
        if number not in self._ready:
            place = self._wanted.index(number) if number in self._wanted else 0
            self._ready = self._done(self._wanted[place : place + self.size] or [number])
        return self._ready.pop(number)

    def _done(self, numbers):
        ended = in_child(self._work, numbers, seconds=self.seconds)
        if isinstance(ended, Raised):
            raise RuntimeError(ended.trace)
        if hasattr(ended, "value"):
            return ended.value
        bad = int.from_bytes(self._at[:8], "little")
        before = numbers[: numbers.index(bad)]
        return {**(self._done(before) if before else {}), bad: ended_of(ended, f"case {bad}")}

    def _work(self, numbers):
        found = {}
        for number in numbers:
            self._at[:8] = number.to_bytes(8, "little")
            found[number] = self.one(number)
        return found
