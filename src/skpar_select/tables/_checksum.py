"""A checksum of a matrix that its pieces are added to in any order."""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skpar_select._typing import Array, IndexArray

# Words that are counted at a time: half a megabyte, so that a processor has them near itself.
_MOST = 2**16
_WORDS = 2**64

# The golden ratio, as SplitMix64 has it.
_ODD = np.uint64(0x9E3779B97F4A7C15)


class Checksum:
    """The sum of all values, as whole numbers, each times an odd number that its place gives.

    So any one wrong value changes it, and so do values that are exchanged or left out, but for one case in 2**40.
    Threads may add at once.
    """

    def __init__(self) -> None:
        self.value = 0
        self._lock = threading.Lock()

    def add(self, values: Array, rows: slice | IndexArray, columns: slice | IndexArray) -> None:
        """Count in the values of a rectangle, by its rows and columns in the whole."""
        total = sum_of(values, rows, columns)
        with self._lock:
            self.value = (self.value + total) % _WORDS


def sum_of(values: Array, rows: slice | IndexArray, columns: slice | IndexArray) -> int:
    """Return what a rectangle of values counts."""
    itemsize = values.dtype.itemsize
    unit = next(size for size in (8, 4, 2, 1) if itemsize % size == 0)
    n_words = itemsize // unit
    of_rows, of_columns = _weights(rows, 1), _weights(columns, n_words)
    n_columns = values.shape[1]
    wide = max(1, _MOST // n_words)
    tall = max(1, wide // max(1, n_columns))
    total = 0
    for row in range(0, values.shape[0], tall):
        for column in range(0, n_columns, wide):
            piece = np.ascontiguousarray(values[row : row + tall, column : column + wide])
            words = _spread(piece.view(f"u{unit}"))
            sums = words @ of_columns[column * n_words : (column + wide) * n_words]
            total += int((sums * of_rows[row : row + tall]).sum())
    return total % _WORDS


def _spread(words: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.uint64]:
    """Return other numbers for other words, and such as differ in their low bits.

    Floats such as 0, 1 and 2 differ in their high bits alone. Odd numbers differ by even ones, and these shift
    the high bits of what they are multiplied by out of the sum.
    """
    spread = words.astype(np.uint64)
    if words.itemsize <= 2:
        return spread
    if words.itemsize == 8:
        spread ^= spread >> np.uint64(32)
    spread *= _ODD
    spread ^= spread >> np.uint64(29)
    return spread


def _weights(places: slice | IndexArray, n_words: int) -> NDArray[np.uint64]:
    """Return an odd number for each word of each place: SplitMix64 of its number."""
    if isinstance(places, slice):
        numbers = np.arange(places.start * n_words, places.stop * n_words, dtype=np.uint64)
    else:
        numbers = (places[:, None] * n_words + np.arange(n_words)).reshape(-1).astype(np.uint64)
    mixed = (numbers + np.uint64(1)) * _ODD
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (mixed ^ (mixed >> np.uint64(31))) | np.uint64(1)
