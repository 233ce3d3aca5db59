"""What AnnData writes into an HDF5 file, found alike for a matrix and for a table."""

from typing import Any

import h5py

from skpar_select.matrices.io._attributes import attribute
from skpar_select.matrices.io._datasets import follow, link_of, text_of
from skpar_select.matrices.io._session import FileSession


def is_anndata(session: FileSession) -> bool:
    """Return whether an HDF5 file says that AnnData wrote it, or looks so and is called so."""
    file = session.hdf5
    return encoding_of(file) == "anndata" or (
        session.path.endswith(".h5ad") and link_of(file, "obs") is not None
    )


def encoding_of(item: Any) -> str:
    """Return what AnnData says that a group or a dataset is, or no text."""
    return text_of(attribute(item, "encoding-type", ""))


def find_frame(file: Any, name: str, label: str) -> tuple[Any, str]:
    """Return the group of a data frame, ``obs`` or ``var``, and the name of its index."""
    group = follow(file, name, label)
    if not isinstance(group, h5py.Group):
        raise ValueError(
            f"{label} is no data frame that can be read here. AnnData 0.7 and later write obs and "
            "var as groups. Read the file with anndata and write it again."
        )
    return group, text_of(attribute(group, "_index", "_index"))
