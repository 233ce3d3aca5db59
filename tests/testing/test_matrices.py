"""The suite of matrices refuses what breaks a promise."""

import os

import numpy as np
import pytest
from scipy import sparse

from skpar_select.matrices import ArrayBlock, ArrayMatrix, Layout, Part
from skpar_select.testing import MatrixConformance

VALUES = np.arange(56.0).reshape(7, 8)


class Sound(ArrayMatrix):
    """A matrix that keeps all promises."""


class LiesAboutOrder(ArrayMatrix):
    def layout_of(self, rows, columns):
        return Layout(shape=(len(rows), len(columns)), dtype=self.dtype, order="row-major")


class IgnoresRows(ArrayMatrix):
    def read(self, columns, rows=None):
        return super().read(columns)


class SortsColumns(ArrayMatrix):
    def read(self, columns, rows=None):
        return super().read(np.sort(columns), rows)


class ChangesTheType(ArrayMatrix):
    def read(self, columns, rows=None):
        return super().read(columns, rows).astype("f4")


class FetchesAllRows(ArrayMatrix):
    def fetch(self, columns, rows=None):
        return ArrayBlock(self.read(columns))


class NativeOfZeros(ArrayMatrix):
    def fetch(self, columns, rows=None):
        class Zeros(ArrayBlock):
            def native(self):
                return sparse.csc_array(self.values.shape)

        return Zeros(self.read(columns, rows))


class CarriesMuch(ArrayMatrix):
    def __getstate__(self):
        return vars(self) | {"cache": bytes(10_000)}


class Counts(ArrayMatrix):
    n_reads = 0

    def read(self, columns, rows=None):
        self.n_reads += 1
        return super().read(columns, rows)


class LeavesFilesOpen(ArrayMatrix):
    def read(self, columns, rows=None):
        os.open("/dev/null", os.O_RDONLY)
        return super().read(columns, rows)


class LosesAColumn(ArrayMatrix):
    @property
    def parts(self):
        return (Part(ArrayMatrix(self.values[:, 1:]), range(1, 8)),)


class SwapsParts(ArrayMatrix):
    @property
    def parts(self):
        held = [ArrayMatrix(self.values[:, :4]), ArrayMatrix(self.values[:, 4:])]
        return (Part(held[1], range(4)), Part(held[0], range(4, 8)))


class ForgetsContent(ArrayMatrix):
    def fingerprint_parts(self):
        return iter(())


class FingerprintsItsIdentity(ArrayMatrix):
    def fingerprint_parts(self):
        yield str(id(self)).encode()


class SaysNothing(ArrayMatrix):
    description = ""


SUITE = MatrixConformance()


@pytest.mark.parametrize(
    ("kind", "test", "arguments"),
    [
        (LiesAboutOrder, SUITE.test_layout__is_that_of_the_matrix, []),
        (IgnoresRows, SUITE.test_read__gives_rows_in_the_order_asked_for, ["steps"]),
        (SortsColumns, SUITE.test_read__gives_columns_in_the_order_asked_for, ["both ends"]),
        (ChangesTheType, SUITE.test_read__gives_columns_in_the_order_asked_for, ["all"]),
        (FetchesAllRows, SUITE.test_fetch__decodes_to_what_read_gives, ["all"]),
        (NativeOfZeros, SUITE.test_native__is_the_block_for_a_score_function, ["middle"]),
        (CarriesMuch, SUITE.test_pickle__is_an_address, []),
        (Counts, SUITE.test_read__leaves_the_matrix_as_it_was, []),
        (LeavesFilesOpen, SUITE.test_read__leaves_no_file_open, []),
        (LosesAColumn, SUITE.test_parts__hold_every_column_once, []),
        (SwapsParts, SUITE.test_parts__give_the_values_of_the_whole, []),
        (ForgetsContent, SUITE.test_fingerprint_parts__are_equal_for_equal_content, []),
        (FingerprintsItsIdentity, SUITE.test_fingerprint_parts__are_equal_for_equal_content, []),
        (SaysNothing, SUITE.test_matrix__describes_itself_in_words, []),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_suite__refuses_what_breaks_a_promise(kind, test, arguments):
    test((Sound(VALUES), VALUES), *arguments)
    before = set(os.listdir("/proc/self/fd"))
    try:
        with pytest.raises(AssertionError):
            test((kind(VALUES), VALUES), *arguments)
    finally:
        for name in set(os.listdir("/proc/self/fd")) - before:
            if os.path.exists(f"/proc/self/fd/{name}"):
                os.close(int(name))
