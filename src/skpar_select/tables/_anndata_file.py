"""AnnData files, ``.h5ad``, as anndata and scanpy read them; h5py alone writes them.

The encodings are those of https://anndata.readthedocs.io/en/stable/fileformat-prose.html.
"""

from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from skpar_select.tables._hdf5_output import TEXT

_MAPPINGS = ("layers", "obsm", "obsp", "uns", "varm", "varp")


def create_anndata(
    file: Any,
    shape: tuple[int, int],
    dtype: np.dtype[Any],
    sample_ids: Sequence[str] | NDArray[Any] | None,
    feature_names: Sequence[str] | NDArray[Any],
) -> Any:
    """Make of an empty HDF5 file an AnnData file, and return its dataset ``X`` to be filled.

    Its frames have an index and no columns. Without ids, ``obs`` is numbered.
    """
    _encode(file, "anndata", "0.1.0")
    for name in _MAPPINGS:
        _encode(file.create_group(name), "dict", "0.1.0")
    ids = [str(row) for row in range(shape[0])] if sample_ids is None else sample_ids
    for name, index in (("obs", ids), ("var", feature_names)):
        frame = file.create_group(name)
        _encode(frame, "dataframe", "0.2.0")
        frame.attrs["_index"] = "_index"
        frame.attrs["column-order"] = np.array([], dtype=h5py.string_dtype())
        text = np.asarray(index, dtype=object)
        _encode(
            frame.create_dataset("_index", data=text, dtype=TEXT),
            "string-array",
            "0.2.0",
        )
    X = file.create_dataset("X", shape, dtype=dtype)
    _encode(X, "array", "0.2.0")
    return X


def _encode(item: Any, kind: str, version: str) -> None:
    item.attrs["encoding-type"], item.attrs["encoding-version"] = kind, version
