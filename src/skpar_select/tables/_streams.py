"""What writers of formats write through, so that no fault of a disk is lost on its way."""

import contextlib
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from skpar_select.tables._output import Output

# What is read again at a time.
_BLOCK_BYTES = 2**20

_PAGE_BYTES = 2**12


class PartStream(io.RawIOBase):
    """The file of an output, read and written at any place; `Output.fault` keeps the first fault."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._at = 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def writable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}
        end = os.fstat(self._output.descriptor).st_size if whence == os.SEEK_END else 0
        self._at = base.get(whence, end) + offset
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as there is something, or raise OSError in the words of the output."""
        rest = memoryview(buffer).cast("B")
        done = 0
        try:
            while done < len(rest):
                got = os.preadv(self._output.descriptor, [rest[done:]], self._at)
                if not got:
                    if self._at < os.fstat(self._output.descriptor).st_size:
                        # HDF5 would take zeros for them.
                        raise OSError("no bytes came from the midst of it")
                    break
                done += got
                self._at += got
        except OSError as error:
            raise self._found(error) from error
        return done

    def write(self, data: Any) -> int:
        """Write all of it, or raise OSError in the words of the output."""
        rest = memoryview(data).cast("B")
        n_bytes = len(rest)
        try:
            while rest:
                done = os.pwrite(self._output.descriptor, rest, self._at)
                if not done:
                    raise OSError("nothing was written")
                self._at += done
                rest = rest[done:]
        except OSError as error:
            raise self._found(error) from error
        return n_bytes

    def truncate(self, size: int | None = None) -> int:
        """Cut or lengthen the file."""
        size = self._at if size is None else size
        try:
            os.ftruncate(self._output.descriptor, size)
        except OSError as error:
            raise self._found(error) from error
        return size

    def _found(self, error: OSError) -> OSError:
        described = self._output.described(error)
        if self._output.fault is None:
            self._output.fault = described
        # No exception is raised twice: what it is raised in the midst of would lead back to itself.
        return OSError(str(described))


class SilentStream(PartStream):
    """A stream whose writes never fail: for HDF5, which ends the process or goes on where one does.

    What the disk does not take is held in memory from the first fault on, as HDF5 reads again what it wrote; so
    whoever uses it asks :meth:`Output.check` after every piece, and ends.
    """

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self._held: dict[int, bytearray] = {}

    def write(self, data: Any) -> int:
        """Write it, or keep the fault and hold it."""
        place, rest = self._at, memoryview(data).cast("B")
        if self._output.fault is None:
            try:
                return super().write(data)
            except BaseException as fault:  # Ctrl-C, too, is raised outside of HDF5
                self._keep(fault)
        for page, within, piece in _pages(place, len(rest)):
            if page not in self._held:
                self._held[page] = self._page(page)
            self._held[page][within] = rest[piece]
        self._at = place + len(rest)
        return len(rest)

    def truncate(self, size: int | None = None) -> int:
        """Cut or lengthen the file, or keep the fault."""
        try:
            return super().truncate(size)
        except BaseException as fault:
            self._keep(fault)
        return self._at if size is None else size

    def readinto(self, buffer: Any) -> int:
        """Read what was written, held or not; a fault is kept, too."""
        place, rest = self._at, memoryview(buffer).cast("B")
        got = super().readinto(buffer)
        if not self._held:
            return got
        rest[got:] = bytes(len(rest) - got)
        for page, within, piece in _pages(place, len(rest)):
            if page in self._held:
                rest[piece] = self._held[page][within]
        self._at = place + len(rest)
        return len(rest)

    def _page(self, page: int) -> bytearray:
        """Return what the disk holds of a page."""
        held = b""
        with contextlib.suppress(OSError):
            held = os.pread(self._output.descriptor, _PAGE_BYTES, page * _PAGE_BYTES)
        return bytearray(held.ljust(_PAGE_BYTES, b"\0"))

    def _keep(self, fault: BaseException) -> None:
        if self._output.fault is None:
            self._output.fault = fault


def _pages(place: int, n_bytes: int) -> Iterator[tuple[int, slice, slice]]:
    """Cut bytes where pages end: yield the number of each, the place in it, and in the bytes."""
    done = 0
    while done < n_bytes:
        page, start = divmod(place + done, _PAGE_BYTES)
        n_here = min(_PAGE_BYTES - start, n_bytes - done)
        yield page, slice(start, start + n_here), slice(done, done + n_here)
        done += n_here


class _Forwards(PartStream):
    """A stream of bytes, one after another, that knows their checksum."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self.checksum = 0

    def seekable(self) -> bool:
        """Say no."""
        return False

    def write(self, data: Any) -> int:
        """Write it, and count it in."""
        n_bytes = super().write(data)
        self.checksum = zlib.crc32(data, self.checksum)
        return n_bytes


@contextmanager
def writing_forwards(output: Output) -> Iterator[Any]:
    """Give a stream of bytes for a whole output, which is read again afterwards and compared."""
    stream = _Forwards(output)
    try:
        with io.BufferedWriter(stream) as buffered:
            yield buffered
        stream.truncate()
        _check_again(output, stream.tell(), stream.checksum)
    except Exception:
        # A library may have made its own of it.
        output.check()
        raise
    output.check()


def _check_again(output: Output, n_bytes: int, checksum: int) -> None:
    stream = PartStream(output)
    found, buffer = 0, memoryview(bytearray(_BLOCK_BYTES))
    while got := stream.readinto(buffer):
        found = zlib.crc32(buffer[:got], found)
    if (stream.tell(), found) != (n_bytes, checksum):
        raise differs(output)


def differs(output: Output) -> OSError:
    """Return the error of a file that does not hold what was written to it."""
    return OSError(
        f"'{output.path}' cannot be written: what was read again is not what was written. Results are "
        "read once more before they count, and nothing was replaced. Check the disk, or choose another folder."
    )
