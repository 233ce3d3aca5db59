"""Selected columns of a matrix: read into an array, or written to a file, tile by tile."""

from collections.abc import Sequence
from functools import partial
from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skpar_select._finite import NonFiniteError, check_finite
from skpar_select._typing import Array, IndexArray, Names
from skpar_select.execution import Executor
from skpar_select.matrices import Matrix
from skpar_select.matrices.io._selection import Extent, scatter
from skpar_select.scoring import Progress
from skpar_select.tables._anndata_file import create_anndata
from skpar_select.tables._checksum import Checksum
from skpar_select.tables._copies import Copy, ascending_runs, plan_copies, run_copies
from skpar_select.tables._files import TEXT_FORMATS, format_of
from skpar_select.tables._hdf5_output import (
    TEXT,
    bytes_of_matrix,
    writing_hdf5,
    written_hdf5,
)
from skpar_select.tables._output import Output, output_of
from skpar_select.tables._reduced_table import TABLE_FORMATS, check_table, write_table

MATRIX_FORMATS = (".h5", ".hdf5", ".h5ad", *TABLE_FORMATS)


def read_columns(
    matrix: Matrix,
    columns: IndexArray,
    executor: Executor,
    *,
    memory_budget: int,
    allow_nan: bool = False,
    progress: Progress | None = None,
) -> Array:
    """Read scattered columns into an array, in the order given, by as many threads as workers.

    The budget counts the result and the reading of it. Raises ValueError if that is too small or
    values are not finite, and an OSError if a file cannot be read, or has changed.
    """
    out = _read(matrix, columns, executor, memory_budget=memory_budget, progress=progress)
    try:
        check_finite(out, columns, allow_nan=allow_nan)
    except NonFiniteError as error:
        raise ValueError(error.described(matrix.label, matrix.feature_names)) from error
    return out


def write_matrix(
    path: str | PathLike[str] | Output,
    matrix: Matrix,
    columns: IndexArray,
    feature_names: Sequence[str] | NDArray[Any],
    executor: Executor,
    *,
    memory_budget: int,
    progress: Progress | None = None,
) -> None:
    """Write some columns of a matrix, in the order given and in the format that the name ends in.

    - ``.h5`` and ``.hdf5``: ``data`` (n_samples, n_columns), ``features`` and, where the matrix
      has ids, ``samples``: the names that :func:`skpar_select.open_matrix` looks for;
    - ``.h5ad``: an AnnData file with ``X``, and the ids and names as the indices of ``obs`` and
      ``var``;
    - ``.csv``, ``.tsv``, either with ``.gz``, and ``.parquet``: a table with a column for each
      feature, after one of the ids. It is held in memory whole, and text is refused above 50
      million values.

    Values keep their type, and NaN is written. A file is replaced when the new one is complete and
    was read once more; after an error a file of that name is as it was. An :class:`Output` is one
    that was made before. The budget counts what is held at a time: a ValueError if it is too small,
    as for another end of the name.
    """
    given = path.path if isinstance(path, Output) else path
    suffix = format_of(given, MATRIX_FORMATS)
    shape = matrix.shape[0], len(columns)
    if suffix in TABLE_FORMATS:
        check_table(given, suffix, shape)
    with output_of(path) as output:
        if suffix in TABLE_FORMATS:
            values = _read_for(suffix, matrix, columns, executor, memory_budget, progress)
            write_table(output, suffix, values, matrix.sample_ids, feature_names)
        else:
            # A tile, and the copy in row order that HDF5 is handed.
            copies = plan_copies(
                matrix, columns, executor.in_flight, 2, held_bytes=0, memory_budget=memory_budget
            )
            _write(output, suffix, matrix, copies, feature_names, executor, progress)
        output.replace()


def _write(
    output: Output,
    suffix: str,
    matrix: Matrix,
    copies: list[Copy],
    feature_names: Sequence[str] | NDArray[Any],
    executor: Executor,
    progress: Progress | None,
) -> None:
    """Write a file of HDF5, and read it again."""
    shape, ids = (matrix.shape[0], len(feature_names)), matrix.sample_ids
    output.reserve(bytes_of_matrix(shape, matrix.dtype, feature_names, ids))
    checksum = Checksum()
    with writing_hdf5(output) as file:
        if suffix == ".h5ad":
            data = create_anndata(file, shape, matrix.dtype, ids, feature_names)
        else:
            data = _create(file, shape, matrix.dtype, ids, feature_names)

        def write(rows: Extent, positions: slice | IndexArray, tile: Array) -> None:
            for run in ascending_runs(rows):
                output.check()
                values = tile[run.within()]
                checksum.add(values, run.destination, positions)
                if isinstance(positions, slice):
                    data[run.destination, positions] = values
                else:
                    for position, column in zip(positions.tolist(), values.T, strict=True):
                        data[run.destination, position] = column

        for _ in run_copies(copies, write, executor, progress):
            pass
        matrix.check_unchanged()
    names = (
        ("X", "var/_index", "obs/_index") if suffix == ".h5ad" else ("data", "features", "samples")
    )
    with written_hdf5(output) as written:
        written.check_matrix(names[0], shape, checksum)
        written.check_text(names[1], feature_names)
        if ids is not None:
            written.check_text(names[2], ids)


def _read_for(
    suffix: str,
    matrix: Matrix,
    columns: IndexArray,
    executor: Executor,
    memory_budget: int,
    progress: Progress | None,
) -> Array:
    """Read the values of a table: by rows for text, by columns for Parquet, which encodes a copy."""
    read = partial(_read, matrix, columns, executor, memory_budget=memory_budget, progress=progress)
    return read() if suffix in TEXT_FORMATS else read(order="F", n_held=2)


def _create(
    file: Any,
    shape: tuple[int, int],
    dtype: np.dtype[Any],
    sample_ids: Names | None,
    feature_names: Sequence[str] | NDArray[Any],
) -> Any:
    """Write the labels to an empty HDF5 file, and return the dataset ``data`` to be filled."""
    file.create_dataset("features", data=np.asarray(feature_names, dtype=object), dtype=TEXT)
    if sample_ids is not None:
        file.create_dataset("samples", data=np.asarray(sample_ids, dtype=object), dtype=TEXT)
    return file.create_dataset("data", shape, dtype=dtype)


def _read(
    matrix: Matrix,
    columns: IndexArray,
    executor: Executor,
    *,
    memory_budget: int,
    progress: Progress | None = None,
    order: Literal["C", "F"] = "C",
    n_held: int = 1,
) -> Array:
    """Read scattered columns into an array, of which there will be `n_held` copies."""
    shape = matrix.shape[0], len(columns)
    n_bytes = n_held * shape[0] * shape[1] * matrix.dtype.itemsize
    copies = plan_copies(
        matrix, columns, executor.in_flight, 1, held_bytes=n_bytes, memory_budget=memory_budget
    )
    out: Array = np.empty(shape, dtype=matrix.dtype, order=order)

    def write(rows: Extent, positions: slice | IndexArray, tile: Array) -> None:
        scatter(tile, rows, Extent(slice(0, tile.shape[1]), positions), out)

    for _ in run_copies(copies, write, executor, progress):
        pass
    matrix.check_unchanged()
    return out
