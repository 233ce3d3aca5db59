"""AnnData objects: their matrices and names as they are in memory.

Only attributes of the object are asked; anndata is not imported. Its matrices have the spelling
that they have in a file: ``X``, ``layers/NAME``, ``obsm/NAME``, ``raw/X``.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import issparse

from skpar_select._typing import Names
from skpar_select._wording import listing
from skpar_select.matrices._array import ArrayMatrix
from skpar_select.matrices._base import Matrix
from skpar_select.matrices._labels import Axis, as_text
from skpar_select.matrices._sparse import SparseMatrix
from skpar_select.matrices.formats._base import OpenedMatrix
from skpar_select.matrices.io._checks import check_matrix_shape
from skpar_select.matrices.io._session import FileSession


@dataclass(frozen=True)
class OpenedHeldAnnData(OpenedMatrix):
    """A matrix of an AnnData object, with the names that the object has now."""

    names: tuple[Names, Names | None] = field(kw_only=True)
    """Those of the observations, and of the variables where the matrix has them."""

    frames: tuple[Any, Any] | None = field(kw_only=True)
    """The data frames obs and var, whose columns may be named; they do not pickle."""

    def read_labels(
        self, session: FileSession, place: str, axis: Axis, along: int
    ) -> tuple[Names, str] | None:
        """Give the index of a data frame of the object, or a column of it."""
        frame = ("obs", "var")[along]
        label = f"{axis}={place!r} in {self.matrix.label}, '{frame}'"
        if place == "auto":
            names = self.names[along]
            return None if names is None else (names, label)
        held = None if self.frames is None else self.frames[along]
        if held is not None and place not in held:
            # With the frame that it is in, as in a file.
            place = place.removeprefix(f"{frame}/")
        if held is None or place not in held:
            columns = [] if held is None else [str(column) for column in held]
            raise ValueError(
                f"{label} is no column. Columns there are: "
                f"{', '.join(sorted(columns)[:10]) or 'none'}. Name one of them, or take the index "
                f"with {axis}='auto'."
            )
        column = held[place].astype(object)
        return np.asarray([as_text(value, label) for value in column], dtype=object), label

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "frames": None}


def name_of(dataset: str | None) -> str:
    """Return the name of a matrix in the spelling of files."""
    return "X" if dataset is None else dataset.strip("/")


def element_of(adata: Any, name: str) -> Any:
    """Return a matrix of an AnnData object by its name; ValueError where there is none."""
    folder, _, key = name.rpartition("/")
    if name == "X":
        element = adata.X
    elif name == "raw/X":
        element = None if adata.raw is None else adata.raw.X
    elif folder == "layers":
        element = adata.layers.get(key)
    elif folder == "obsm":
        element = adata.obsm.get(key)
    else:
        element = None
    if element is None:
        places = [
            *(["X"] if adata.X is not None else []),
            *(f"layers/{layer}" for layer in adata.layers),
            *(f"obsm/{key}" for key in adata.obsm),
            *(["raw/X"] if adata.raw is not None else []),
        ]
        raise ValueError(
            f"the AnnData holds no '{name}'. It has {listing(places, quoted=False) or 'none'}. "
            "Name one as dataset, as in open_matrix(adata, 'layers/counts')."
        )
    return element


def open_in_memory(adata: Any, name: str, element: Any) -> OpenedMatrix:
    """Open a matrix that is in memory, dense or sparse."""
    matrix = _in_memory(element, f"AnnData, '{name}'")
    return with_names(OpenedMatrix(matrix, rows_are_samples=True), adata, name)


def with_names(opened: OpenedMatrix, adata: Any, name: str) -> OpenedMatrix:
    """Return an opened matrix with the names that an AnnData object has in memory."""
    frame: Any = None
    if name == "raw/X":
        frame = adata.raw.var
    elif not name.startswith("obsm/"):
        frame = adata.var
    return OpenedHeldAnnData(
        opened.matrix,
        rows_are_samples=True,
        names=(_texts(adata.obs_names), None if frame is None else _texts(frame.index)),
        frames=(adata.obs, frame),
    )


def _texts(index: Any) -> Names:
    return np.asarray([str(name) for name in index], dtype=object)


def _in_memory(element: Any, label: str) -> Matrix:
    if issparse(element):
        check_matrix_shape(element.shape, element.dtype, label)
        return SparseMatrix(element.tocsc())
    if isinstance(element, np.ma.MaskedArray):
        raise ValueError(
            f"{label} is a masked array. What is masked would be read as values. Fill it, "
            "array.filled(numpy.nan)."
        )
    if not isinstance(element, np.ndarray):
        raise TypeError(
            f"{label} is a {type(element).__module__}.{type(element).__name__}. A matrix is an "
            "array or a sparse matrix. Convert it with numpy.asarray."
        )
    values = np.asarray(element)
    check_matrix_shape(values.shape, values.dtype, label)
    return ArrayMatrix(values, label=label)
