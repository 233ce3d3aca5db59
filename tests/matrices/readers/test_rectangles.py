"""A selection is cut into few rectangles: none is read twice, and a buffer stays bounded."""

from contextlib import contextmanager

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skpar_select.matrices import LazyMatrix
from skpar_select.matrices.readers import RectangleMatrix
from skpar_select.testing import MatrixConformance


class Rectangles(RectangleMatrix):
    """A matrix that notes which rectangles of it are read."""

    label, description = "rectangles", "in chunks or rows"

    def __init__(self, values, chunks=None, **sizes):
        self.values = values
        self.shape = values.shape
        self.dtype = values.dtype
        self.chunks = chunks
        self.stored_bytes = values.nbytes
        self.asked = []
        vars(self).update(sizes)

    @contextmanager
    def open_reader(self):
        def read(rows, columns, out):
            assert out.flags.c_contiguous
            self.asked.append((rows.start, rows.stop, columns.start, columns.stop))
            out[...] = self.values[rows, columns]

        yield read

    def __getstate__(self):
        return vars(self) | {"asked": []}


SMALL = {"tile_bytes": 64, "near_bytes": 8, "near_rows": 1}
VALUES = np.random.default_rng(0).normal(size=(8, 11)).astype("f4")


class TestRectangles(MatrixConformance):
    @pytest.fixture(params=[(chunks, sizes) for chunks in (None, (3, 4)) for sizes in ({}, SMALL)])
    def case(self, request):
        chunks, sizes = request.param
        return Rectangles(VALUES, chunks, **sizes), VALUES


def test_read__touches_only_overlapping_chunks():
    matrix = Rectangles(np.zeros((40, 1000), "f4"), (40, 10))
    matrix.read(np.array([3, 17, 25, 402, 408, 977]))
    assert matrix.asked == [(0, 40, 3, 26), (0, 40, 402, 409), (0, 40, 977, 978)]


def test_read__merges_near_columns_of_contiguous_files():
    matrix = Rectangles(np.zeros((3, 100_000), "f4"))
    matrix.read(np.array([60_000, 5, 2000]))
    assert matrix.asked == [(0, 3, 5, 2001), (0, 3, 60_000, 60_001)]


def test_read__takes_rows_in_runs_and_reads_every_row_of_chunks_once():
    matrix = Rectangles(np.zeros((400, 6), "f4"), (20, 6))
    matrix.read(range(6), np.r_[0:100, 350:360])
    assert matrix.asked == [(0, 100, 0, 6), (350, 360, 0, 6)]
    matrix.asked.clear()
    matrix.read(range(2, 4), np.random.default_rng(0).permutation(400)[:300])
    assert len(matrix.asked) == 1


def test_read__of_rows_out_of_order_keeps_its_buffer_bounded():
    values = np.random.default_rng(0).normal(size=(400, 50)).astype("f4")
    matrix = Rectangles(values, (10, 5), tile_bytes=4000)
    rows = np.random.default_rng(0).permutation(400)
    assert_array_equal(LazyMatrix(matrix)[rows].read(np.s_[:]), values[rows])
    sizes = [(r1 - r0) * (c1 - c0) * 4 for r0, r1, c0, c1 in matrix.asked]
    assert max(sizes) <= 4000
    assert sum(sizes) <= 400 * 50 * 4


def test_read__of_everything_is_one_rectangle_without_a_buffer():
    matrix = Rectangles(VALUES, (3, 4))
    matrix.read(range(11))
    assert matrix.asked == [(0, 8, 0, 11)]


def test_read__of_nothing_opens_nothing():
    matrix = Rectangles(VALUES)
    assert matrix.read(range(0)).shape == (8, 0)
    assert matrix.read(range(11), range(0)).shape == (0, 11)
    assert not matrix.asked
