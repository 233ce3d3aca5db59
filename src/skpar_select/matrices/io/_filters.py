"""Filters of HDF5: their names, whether they are installed, and the decoding of gzip.

gzip, shuffle and fletcher32 are decoded here, which needs neither h5py nor its lock, of which there
is one for a whole interpreter: every worker decodes its own chunks. One worker scores some 50 MB a
second. Under the lock HDF5 decodes 250 MB a second of gzip, enough for 5 workers. All other filters
are left to it: 380 MB a second of lzf feed 8 workers, 700 of zstd and 1,900 of bitshuffle 14 and more.
"""

import contextlib
import os
import sys
import zlib
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from h5py import h5z

from skpar_select._typing import Array
from skpar_select.matrices.io._buffers import empty

# https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md
_NAMES = {
    1: "gzip", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset",
    307: "bzip2", 32000: "lzf", 32001: "blosc", 32004: "lz4", 32008: "bitshuffle",
    32013: "zfp", 32015: "zstd", 32017: "sz", 32018: "fcidecomp", 32024: "sz3",
    32026: "blosc2", 32028: "sperr",
}  # fmt: skip

_DEFLATE, _SHUFFLE, _FLETCHER32 = 1, 2, 3
_WITHOUT_COMPRESSION = (_SHUFFLE, _FLETCHER32)

# nbit, scaleoffset and bitshuffle say themselves how large their output is, and another filter after them
# is usual.
_SAME_SIZE = (*_WITHOUT_COMPRESSION, 5, 6, 32008)

# A chunk is decoded in steps, so that a few bytes that claim to be a huge chunk never take more memory
# than they decode to.
_STEP = 2**18

# Words of a checksum that are summed at once: their products stay below 2**63.
_WORDS = 2**16


@dataclass(frozen=True)
class Filter:
    """One filter of a pipeline, with the values that it was set up with."""

    code: int
    options: tuple[int, ...]

    @property
    def name(self) -> str:
        """Its usual name."""
        return filter_name(self.code)


def filter_name(code: int) -> str:
    """Return the usual name of a filter."""
    return _NAMES.get(code, f"filter {code}")


def pipeline(data: Any) -> tuple[Filter, ...]:
    """Return the filters of a dataset, in the order in which they were applied."""
    properties = data.id.get_create_plist()
    found = (properties.get_filter(position) for position in range(properties.get_nfilters()))
    return tuple(Filter(int(code), tuple(options)) for code, _, options, _ in found)


def check_filters(data: Any, label: str) -> None:
    """Make every filter of a dataset available in this process, before any work begins.

    Raises OSError if one is not installed, naming it and the package that brings it, and ValueError
    if a dataset is compressed twice: nothing tells how large the inner one is.
    """
    compressing = [filter_.name for filter_ in pipeline(data) if filter_.code not in _SAME_SIZE]
    if len(compressing) > 1:
        raise ValueError(
            f"{label} is compressed by {' and then by '.join(compressing)}. A dataset is compressed "
            "once, so that the memory that it takes is known. Write it with one filter: h5repack -f "
            "GZIP=4."
        )
    if _missing(data):
        _load_plugins(label)
    missing = " and ".join(f"{filter_name(code)} ({code})" for code in _missing(data))
    if missing:
        raise OSError(
            f"{label} is compressed with the filter {missing}, which is not installed. Every "
            "filter of a dataset is needed to read it. pip install hdf5plugin, or repack the file "
            "with gzip: h5repack -f GZIP=4."
        )


def _load_plugins(label: str) -> None:
    """Import hdf5plugin, which registers its filters, unless it lies in the working folder.

    A file that asks for a filter must not run what came with it.
    """
    if "hdf5plugin" not in sys.modules:
        spec = find_spec("hdf5plugin")
        folder = os.path.realpath(os.curdir)
        origin = os.path.realpath(spec.origin) if spec is not None and spec.origin else ""
        if origin.startswith(
            (os.path.join(folder, "hdf5plugin."), os.path.join(folder, "hdf5plugin", ""))
        ):
            raise OSError(
                f"{label} needs the package hdf5plugin, which would be taken from '{origin}'. What a file asks "
                "for is not run from the working folder. Work in another folder, or import hdf5plugin first."
            )
    with contextlib.suppress(ImportError):
        import hdf5plugin  # noqa: F401  # registers its filters


def _missing(data: Any) -> list[int]:
    return [filter_.code for filter_ in pipeline(data) if not h5z.filter_avail(filter_.code)]


def compresses(filters: tuple[Filter, ...]) -> bool:
    """Return whether a filter among these makes data smaller."""
    return any(filter_.code not in _WITHOUT_COMPRESSION for filter_ in filters)


def shuffles(filters: tuple[Filter, ...]) -> bool:
    """Return whether the bytes of a chunk are in another order than the values."""
    return any(filter_.code == _SHUFFLE for filter_ in filters)


def is_decoded_here(filters: tuple[Filter, ...], itemsize: int) -> bool:
    """Return whether :func:`decode` knows all of these, applied to values of so many bytes.

    Unusual ones are left to HDF5: gzip twice, where no size of the inner one is stored, and a
    shuffle of other values than those that are stored.
    """
    codes = [filter_.code for filter_ in filters]
    return (
        all(code in (_DEFLATE, _SHUFFLE, _FLETCHER32) for code in codes)
        and codes.count(_DEFLATE) <= 1
        and all(filter_.options == (itemsize,) for filter_ in filters if filter_.code == _SHUFFLE)
    )


def decode(raw: Array, filters: tuple[Filter, ...], mask: int, n_bytes: int) -> Array:
    """Undo the filters of one chunk of so many bytes, in the order in which they were applied.

    Bits of `mask` are the filters that were left out. Where the bytes are damaged, the words of the
    OSError follow "cannot be read".
    """
    applied = [filter_ for position, filter_ in enumerate(filters) if not mask >> position & 1]
    while applied:
        filter_ = applied.pop()
        if filter_.code == _FLETCHER32:
            raw = _without_checksum(raw)
        elif filter_.code == _SHUFFLE:
            raw = _unshuffle(raw, filter_.options[0] if filter_.options else 1)
        else:
            # A checksum that was made before compression is inside.
            n_checksums = sum(inner.code == _FLETCHER32 for inner in applied)
            raw = _inflate(raw, n_bytes + 4 * n_checksums)
    if raw.size != n_bytes:
        raise OSError(f"its {raw.size} bytes are not the {n_bytes} of a chunk")
    return raw


def _inflate(raw: Array, n_bytes: int) -> Array:
    out = empty((n_bytes,), np.dtype(np.uint8))
    stream = zlib.decompressobj()
    filled = 0
    for start in range(0, raw.size + 1, _STEP):
        pending: Any = raw[start : start + _STEP].tobytes()
        while not stream.eof:
            try:
                # One byte more than fits, to notice data that go on too long.
                got = stream.decompress(pending, min(n_bytes - filled + 1, 4 * _STEP))
            except zlib.error as error:
                raise OSError(f"gzip: {error}") from error
            if filled + len(got) > n_bytes:
                raise OSError(f"gzip: it decodes to more than the {n_bytes} bytes of a chunk")
            out[filled : filled + len(got)] = np.frombuffer(got, dtype=np.uint8)
            filled += len(got)
            pending = stream.unconsumed_tail
            if not got and not pending:
                break
    if not stream.eof or filled != n_bytes:
        raise OSError(f"gzip: it decodes to {filled} of the {n_bytes} bytes of a chunk")
    return out


def _unshuffle(raw: Array, itemsize: int) -> Array:
    # The first bytes of all values come first, then the second ones. The rest of an incomplete
    # last value stays as it is.
    n_values = raw.size // max(1, itemsize)
    if itemsize < 2 or n_values < 2:
        return raw
    whole = n_values * itemsize
    out = empty(raw.shape, raw.dtype)
    planes = raw[:whole].reshape(itemsize, n_values)
    values = out[:whole].reshape(n_values, itemsize)
    if itemsize > n_values:
        # Only a hostile file claims such wide values, and a step for each byte of one takes hours.
        values[...] = planes.T
    else:
        for position in range(itemsize):
            values[:, position] = planes[position]
    out[whole:] = raw[whole:]
    return out


def _without_checksum(raw: Array) -> Array:
    values, stored = raw[:-4], raw[-4:]
    if raw.size < 4 or fletcher32(values) != tuple((stored.view("<u2") % 65535).tolist()):
        raise OSError("its checksum (fletcher32) does not fit")
    return values


def fletcher32(values: Array) -> tuple[int, int]:
    """Sum bytes as HDF5's checksum does: both halves of it, modulo 65,535.

    HDF5 writes a half of 0 as 65,535 at times, so that only the remainders can be compared.
    """
    if values.size % 2:
        values = np.append(values, np.uint8(0))
    words = values.view(">u2")
    # The second sum adds up the first sum after every word: a word counts once for itself and once
    # for every word that follows it.
    first, second, left = 0, 0, len(words)
    for start in range(0, len(words), _WORDS):
        some = words[start : start + _WORDS].astype(np.int64)
        left -= len(some)
        total = int(some.sum())
        second += int(some @ np.arange(len(some), 0, -1)) + left * total
        first += total
    return first % 65535, second % 65535
