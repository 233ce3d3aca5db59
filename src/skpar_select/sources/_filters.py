"""Filters that a dataset needs: whether they are there, and what they are called."""

import contextlib
from typing import Any

from h5py import h5z

# https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md
_NAMES = {
    1: "gzip", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset",
    307: "bzip2", 32000: "lzf", 32001: "blosc", 32004: "lz4", 32008: "bitshuffle",
    32013: "zfp", 32015: "zstd", 32017: "sz", 32018: "fcidecomp", 32024: "sz3",
    32026: "blosc2", 32028: "sperr",
}  # fmt: skip


def filter_name(code: int) -> str:
    """Give the usual name of a filter."""
    return _NAMES.get(code, f"filter {code}")


def check_filters(data: Any, where: str) -> None:
    """Make every filter of a dataset available in this process, before any work is begun.

    Parameters
    ----------
    data : h5py.Dataset
        The dataset.
    where : str
        The same in words, for errors.

    Raises
    ------
    OSError
        If a filter is not installed. It names the filter, and the package that brings it.
    """
    if _missing(data):
        with contextlib.suppress(ImportError):
            import hdf5plugin  # noqa: F401  # registers its filters
    missing = " and ".join(f"{filter_name(code)} ({code})" for code in _missing(data))
    if missing:
        raise OSError(
            f"{where} is compressed with the filter {missing}, which is not installed. Every "
            "filter of a dataset is needed to read it. pip install hdf5plugin, or repack the file "
            "with gzip: h5repack -f GZIP=4."
        )


def _missing(data: Any) -> list[int]:
    properties = data.id.get_create_plist()
    codes = [int(properties.get_filter(place)[0]) for place in range(properties.get_nfilters())]
    return [code for code in codes if not h5z.filter_avail(code)]
