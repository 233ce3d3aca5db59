"""Arrays whose memory goes back to the system as soon as they are freed."""

import math
import mmap
from typing import Any

import numpy as np

from skpar_select._typing import Array

# Smaller arrays come from the allocator of each thread, which keeps them, and more than was held at any
# time: 40 MB more, when several threads freed arrays of 31 MB. To touch 1 MB of new pages takes up to
# 0.7 ms, of pages that the allocator kept 0.04; to score it takes 20.
MAPPED_BYTES = 256 * 2**10


def kept_bytes(n_bytes: int) -> int:
    """Return what stays of an array that was freed: a thread's allocator keeps the small ones."""
    return n_bytes if n_bytes < MAPPED_BYTES else 0


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return an array like ``numpy.empty``; a large one in pages of its own."""
    n_values = math.prod(shape)
    n_bytes = n_values * dtype.itemsize
    if n_bytes < MAPPED_BYTES or not hasattr(mmap, "MAP_PRIVATE"):
        return np.empty(shape, dtype=dtype)
    pages = mmap.mmap(-1, n_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        # To touch 31 MB the first time takes 4 ms so, as in NumPy's own large arrays, else 18.
        pages.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(pages, dtype=dtype, count=n_values).reshape(shape)
