"""What a compressed chunk says of its size, read before HDF5 decodes it.

HDF5 gives most filters no limit: a few bytes that claim to be gigabytes take them. gzip alone is
decoded to see where it ends. Filters that are not known here are trusted.
"""

import zlib
from typing import Any

from skpar_select._typing import Array
from skpar_select.matrices.io._filters import Filter, compresses

_DEFLATE, _FLETCHER32, _SZIP, _NBIT, _SCALE_OFFSET = 1, 3, 4, 5, 6
_LZF, _BLOSC, _LZ4, _BITSHUFFLE, _ZSTD = 32000, 32001, 32004, 32008, 32015

# Headers of inner filters, and checksums.
_SLACK = 4096

_STEP = 2**18

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def check_head(raw: Array, filters: tuple[Filter, ...], mask: int, n_bytes: int) -> None:
    """Refuse a chunk that says that it decodes to more than `n_bytes`, or is of another size itself.

    The words of the OSError follow "cannot be read".
    """
    applied = [filter_ for place, filter_ in enumerate(filters) if not mask >> place & 1]
    n_checksums = sum(filter_.code == _FLETCHER32 for filter_ in applied)
    if not compresses(tuple(applied)) and raw.size != n_bytes + 4 * n_checksums:
        raise OSError(f"its {raw.size} bytes are not the {n_bytes} of a chunk")
    is_outermost = True
    for filter_ in reversed(applied):
        claimed = _claimed(raw if is_outermost else None, filter_, n_bytes)
        if claimed > n_bytes + _SLACK:
            raise OSError(
                f"{filter_.name}: it says that it decodes to {claimed} bytes, and a chunk has {n_bytes}"
            )
        if filter_.code == _FLETCHER32:
            raw = raw[:-4]
        else:
            # What is inside is known once this is undone.
            is_outermost = False


def _claimed(raw: Array | None, filter_: Filter, n_bytes: int) -> int:
    code, options = filter_.code, filter_.options
    if code in (_NBIT, _SCALE_OFFSET) and len(options) > 4:
        return options[2] * options[4]
    if code == _LZF and len(options) > 2:
        return options[2]
    if raw is None:
        return 0
    head = raw[:32].tobytes()
    if code == _DEFLATE:
        return _inflated(raw, n_bytes + _SLACK)
    if code == _ZSTD:
        return _of_zstd(raw)
    if code == _LZ4 or (code == _BITSHUFFLE and len(options) > 4 and options[4]):
        return int.from_bytes(head[:8], "big")
    if code == _BLOSC:
        return int.from_bytes(head[4:8], "little")
    if code == _SZIP:
        return int.from_bytes(head[:4], "little")
    return 0


def _inflated(raw: Array, most: int) -> int:
    """Count the bytes that gzip decodes to, up to a little more than so many."""
    stream, n_bytes = zlib.decompressobj(), 0
    for start in range(0, raw.size, _STEP):
        pending: Any = raw[start : start + _STEP].tobytes()
        while pending and n_bytes <= most and not stream.eof:
            try:
                n_bytes += len(stream.decompress(pending, _STEP))
            except zlib.error as error:
                raise OSError(f"gzip: {error}") from error
            pending = stream.unconsumed_tail
    # What is held back at the end is at most a window.
    return n_bytes


def _of_zstd(raw: Array) -> int:
    """Return the size that a frame says; HDF5's filter gives what memory held where it is cut short."""
    # https://datatracker.ietf.org/doc/html/rfc8878#section-3.1.1
    head = raw[:18].tobytes()
    if head[:4] != _ZSTD_MAGIC:
        raise OSError("zstd: it does not begin as a frame does")
    descriptor = head[4]
    single = descriptor >> 5 & 1
    width = (1 if single else 0, 2, 4, 8)[descriptor >> 6]
    at = 5 + (0 if single else 1) + (0, 1, 2, 4)[descriptor & 3]
    claimed = int.from_bytes(head[at : at + width], "little") + (256 if width == 2 else 0)
    at += width
    is_last = False
    while not is_last and at + 3 <= raw.size:
        block = int.from_bytes(raw[at : at + 3].tobytes(), "little")
        is_last, kind = bool(block & 1), block >> 1 & 3
        # A run is stored as one byte.
        at += 3 + (1 if kind == 1 else block >> 3)
    at += 4 * (descriptor >> 2 & 1)
    if not is_last or at != raw.size:
        raise OSError(f"zstd: its frame ends at byte {at} of {raw.size}")
    return claimed
