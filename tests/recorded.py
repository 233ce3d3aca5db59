"""A matrix that notes what was read of it, and by which thread."""

import threading
from typing import NamedTuple

import numpy as np

from skpar_select.matrices import Layout, Matrix
from skpar_select.matrices.io._selection import as_slice, cross


class Read(NamedTuple):
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    thread: int


class RecordedMatrix(Matrix):
    """An array that is said to lie on a disk, in an order that is given.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_features)
    sample_ids : ndarray of str of shape (n_samples,), default=None
    error : Exception, default=None
        Raised by every read.
    together : int, default=1
        A read waits until so many threads read, or 10 seconds have passed.
    **layout
        Fields of the layout, besides shape, type and rows.
    """

    label = "the recorded matrix"
    description = "recorded"

    def __init__(self, values, sample_ids=None, *, error=None, together=1, **layout):
        self.values = values
        self.shape, self.dtype = values.shape, values.dtype
        self.ids = sample_ids
        self.error = error
        self.meeting = threading.Barrier(together, timeout=10)
        self.given = {"order": "row-major", **layout}
        self.reads = []

    @property
    def sample_ids(self):
        return self.ids

    def layout_of(self, rows, columns):
        shape = len(rows), len(columns)
        stored = shape[0] * shape[1] * self.dtype.itemsize
        return Layout(
            shape=shape,
            dtype=self.dtype,
            n_rows=self.shape[0],
            **{"stored_bytes": stored, **self.given},
        )

    def read(self, columns, rows=None):
        rows = range(self.shape[0]) if rows is None else rows
        self.reads.append(Read(tuple(rows), tuple(columns), threading.get_ident()))
        if self.error is not None:
            raise self.error
        self.meeting.wait()
        return np.array(self.values[cross(as_slice(rows), as_slice(columns))])
