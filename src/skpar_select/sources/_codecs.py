"""Filters of HDF5 that are decoded here: gzip, lzf, shuffle and fletcher32.

Decoding here needs neither h5py nor its lock, of which there is one for a whole interpreter, so
that every worker decodes its own chunks. One worker scores some 50 MB a second. Under the lock
HDF5 decoded 250 MB a second of gzip and 380 of lzf, enough for 5 and 8 workers; the plugins are
left to it: 700 of zstd and 1,900 of bitshuffle feed 14 workers and more.
"""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from skpar_select._typing import Array
from skpar_select.kernels import decode_lzf
from skpar_select.sources._buffers import empty
from skpar_select.sources._filters import filter_name

_DEFLATE, _SHUFFLE, _FLETCHER32, _LZF = 1, 2, 3, 32000
_BYTE = np.dtype(np.uint8)
_WITHOUT_COMPRESSION = {_SHUFFLE, _FLETCHER32}

# So that a few bytes that claim to be a huge chunk never take more memory than the chunk.
_PIECE = 2**18

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


def pipeline(data: Any) -> tuple[Filter, ...]:
    """Give the filters of a dataset, in the order in which they were applied."""
    properties = data.id.get_create_plist()
    found = (properties.get_filter(place) for place in range(properties.get_nfilters()))
    return tuple(Filter(int(code), tuple(options)) for code, _, options, _ in found)


def compresses(filters: tuple[Filter, ...]) -> bool:
    """Whether a filter among these makes data smaller."""
    return any(filter_.code not in _WITHOUT_COMPRESSION for filter_ in filters)


def shuffles(filters: tuple[Filter, ...]) -> bool:
    """Whether the bytes of a chunk are in another order than the values."""
    return any(filter_.code == _SHUFFLE for filter_ in filters)


def decoded_here(filters: tuple[Filter, ...], itemsize: int) -> bool:
    """Whether :func:`decode` knows all of these, applied to values of so many bytes.

    What is unusual is left to HDF5: two compressors, of which the inner one's size is told
    nowhere, and a shuffle of other values than those that are stored.
    """
    codes = [filter_.code for filter_ in filters]
    return (
        all(code in (_DEFLATE, _SHUFFLE, _FLETCHER32, _LZF) for code in codes)
        and codes.count(_DEFLATE) + codes.count(_LZF) <= 1
        and all(filter_.options == (itemsize,) for filter_ in filters if filter_.code == _SHUFFLE)
    )


def decode(raw: Array, filters: tuple[Filter, ...], mask: int, n_bytes: int) -> Array:
    """Undo the filters of one chunk.

    Parameters
    ----------
    raw : ndarray of uint8
        The chunk as stored.
    filters : tuple of Filter
        In the order in which they were applied.
    mask : int
        Bits of the filters that were left out for this chunk.
    n_bytes : int
        The size of the chunk.

    Returns
    -------
    ndarray of uint8 of shape (n_bytes,)

    Raises
    ------
    OSError
        If the bytes are damaged, in words that follow "cannot be read".
    """
    for place, filter_ in reversed(list(enumerate(filters))):
        if mask >> place & 1:
            continue
        if filter_.code == _FLETCHER32:
            raw = _without_checksum(raw)
        elif filter_.code == _SHUFFLE:
            raw = _unshuffle(raw, filter_.options[0] if filter_.options else 1)
        else:
            # A checksum that was made before compression is inside.
            inner = [code.code for bit, code in enumerate(filters[:place]) if not mask >> bit & 1]
            expand = _inflate if filter_.code == _DEFLATE else _expand_lzf
            raw = expand(raw, n_bytes + 4 * inner.count(_FLETCHER32))
    if raw.size != n_bytes:
        raise OSError(f"its {raw.size} bytes are not the {n_bytes} of a chunk")
    return raw


def _inflate(raw: Array, n_bytes: int) -> Array:
    out = empty((n_bytes,), _BYTE)
    stream = zlib.decompressobj()
    filled = 0
    for start in range(0, raw.size + 1, _PIECE):
        pending: Any = raw[start : start + _PIECE].tobytes()
        while not stream.eof:
            try:
                # One byte more than fits, to notice what goes on too long.
                got = stream.decompress(pending, min(n_bytes - filled + 1, 4 * _PIECE))
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


def _expand_lzf(raw: Array, n_bytes: int) -> Array:
    out = empty((n_bytes,), _BYTE)
    if not decode_lzf(raw, out):
        raise OSError(f"lzf: it does not decode to the {n_bytes} bytes of a chunk")
    return out


def _unshuffle(raw: Array, itemsize: int) -> Array:
    # The first bytes of all values come first, then the second ones. What is left over of the
    # last value stays as it is.
    n_values = raw.size // max(1, itemsize)
    if itemsize < 2 or n_values < 2:
        return raw
    whole = n_values * itemsize
    out = empty(raw.shape, raw.dtype)
    planes = raw[:whole].reshape(itemsize, n_values)
    values = out[:whole].reshape(n_values, itemsize)
    if itemsize > n_values:
        # Values are not so wide: a file claims it, and a step for each byte of one takes hours.
        values[...] = planes.T
    else:
        for place in range(itemsize):
            values[:, place] = planes[place]
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
    # The second sum is of the first sum's course: a word counts once for itself and once for
    # every word that follows it.
    first, second, left = 0, 0, len(words)
    for start in range(0, len(words), _WORDS):
        piece = words[start : start + _WORDS].astype(np.int64)
        left -= len(piece)
        total = int(piece.sum())
        second += int(piece @ np.arange(len(piece), 0, -1)) + left * total
        first += total
    return first % 65535, second % 65535
