"""An entry of a store: the results of one fingerprint, in journals of all processes that score for it.

Every process that scores for an entry writes a journal of its own, which it holds by a lock of the
operating system for as long as it lives, so that nothing is left to be cleaned up after a kill,
and nobody waits for anybody: whoever finds columns claimed by a living process scores others
first, and scores those too if they are all that is left.
"""

import json
import os
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from skpar_select._caller import warn_caller
from skpar_select._typing import BoolArray, FloatArray, Index, Result
from skpar_select.matrices.io._selection import as_slice
from skpar_select.scoring._fingerprint import Fingerprint
from skpar_select.scoring._journal import (
    JournalReader,
    JournalWriter,
    Kind,
    Record,
    Seal,
    open_regular,
)
from skpar_select.scoring._sinks import Sink

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows: nobody can tell who lives, and two processes may score the same
    fcntl = None

MANIFEST = "manifest.json"
JOURNAL = ".journal"

# A manifest names some fifteen parts; a longer file is none.
_MANIFEST_BYTES = 2**16

# What a process was killed while it made is removed after so long.
_STALE_SECONDS = 24 * 3600.0


class Unkept(Sink):
    """Results that nobody keeps: where there is no store."""

    def write(self, columns: Index, result: Result) -> None:
        """Let them go."""

    def found(self) -> Iterator[tuple[Index, Result]]:
        """Yield the results of others that were read since the last call; some come twice."""
        return iter(())

    def is_free(self, columns: Index) -> bool:
        """Claim these columns, unless their results are known or another process scores them."""
        return True

    def is_missing(self, columns: Index) -> bool:
        """Return whether results of some of these columns are not known."""
        return True

    def join(self, results: dict[str, FloatArray]) -> None:
        """Keep the results of all columns in one piece."""


class Entry(Unkept):
    """The results of one fingerprint: those that are kept, by whichever process, and new ones.

    Attributes
    ----------
    has_written : bool
        Whether results were kept by this process.
    """

    def __init__(self, folder: Path, seal: Seal, fingerprint: Fingerprint, n_features: int) -> None:
        self.n_features = n_features
        self.has_written = False
        self._folder = folder
        self._seal = seal
        self._parts = fingerprint.parts
        self._done: BoolArray = np.zeros(n_features, dtype=bool)
        self._found: deque[tuple[Index, Result]] = deque()
        self._journals: dict[str, _Journal] = {}
        self._writer: JournalWriter | None = None
        self._own = ""
        self._gave_up = False
        # Some pools draw tasks in a thread of theirs.
        self._lock = threading.Lock()

    @property
    def n_done(self) -> int:
        """Columns whose results are known."""
        return int(np.count_nonzero(self._done))

    def look_again(self) -> None:
        """Read what other processes have finished or claimed since the last look."""
        with self._lock:
            for name in _journals_in(self._folder):
                if name not in self._journals and name != self._own:
                    reader = JournalReader(self._folder / name, self._seal)
                    self._journals[name] = _Journal(reader, self.n_features)
            for journal in self._journals.values():
                if journal.is_open:
                    # Of a writer that is gone, nothing more comes after this.
                    journal.is_open = is_held(journal.reader.path)
                    self._take(journal)

    def _take(self, journal: "_Journal") -> None:
        for record in journal.reader.new_records():
            columns = as_slice(record.columns)
            if record.kind is Kind.CLAIM:
                journal.claimed[columns] = True
            elif not self._done[columns].all():
                self._done[columns] = True
                self._found.append((record.columns, record.result))

    def found(self) -> Iterator[tuple[Index, Result]]:
        """Yield the results of others that were read since the last call; some come twice."""
        while self._found:
            yield self._found.popleft()

    def is_free(self, columns: Index) -> bool:
        """Claim these columns, unless their results are known or another process scores them."""
        if not self.is_missing(columns):
            return False
        positions = as_slice(columns)
        if any(
            journal.is_open and journal.claimed[positions].any()
            for journal in self._journals.values()
        ):
            return False
        self._append(Record(Kind.CLAIM, columns, {}))
        return True

    def is_missing(self, columns: Index) -> bool:
        """Look again, and return whether results of some of these columns are not known."""
        self.look_again()
        return not self._done[as_slice(columns)].all()

    def write(self, columns: Index, result: Result) -> None:
        """Keep the results of a block: when this returns they are on the disk."""
        self._append(Record(Kind.RESULT, columns, result))
        self._done[as_slice(columns)] = True

    def join(self, results: dict[str, FloatArray]) -> None:
        """Write the results of all columns as one journal, and remove those of which it is made."""
        with self._lock:
            if len(self._journals) + (self._writer is not None) < 2:
                return
            self._append_locked(Record(Kind.RESULT, range(self.n_features), results))
            if self._gave_up:
                return
            for journal in self._journals.values():
                if not is_held(journal.reader.path):
                    journal.reader.path.unlink(missing_ok=True)

    def release(self) -> None:
        """Close the journal of this process."""
        with suppress(OSError):
            # The time of the last use.
            os.utime(self._folder / MANIFEST)
        if self._writer is None:
            return
        with suppress(OSError):
            self._writer.close()
        self._writer = None
        if not self.has_written:
            with suppress(OSError):
                (self._folder / self._own).unlink()
                if not _journals_in(self._folder):
                    (self._folder / MANIFEST).unlink()
                    self._folder.rmdir()

    def _append(self, record: Record) -> None:
        with self._lock:
            self._append_locked(record)

    def _append_locked(self, record: Record) -> None:
        if self._gave_up:
            return
        try:
            if self._writer is None:
                try:
                    self._writer = self._new_journal()
                except FileNotFoundError:
                    # Another process has just removed the folder, in which nothing was.
                    self._writer = self._new_journal()
            self._writer.append(record)
            self.has_written |= record.kind is Kind.RESULT
        except OSError as error:
            self._gave_up = True
            warn_caller(
                f"finished blocks cannot be kept in store='{self._folder.parent}' ({error}). The fit goes "
                "on; what it scores from now on is lost if it is stopped. Make room there, or name "
                "another folder."
            )

    def _new_journal(self) -> JournalWriter:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        _sweep(self._folder)
        if manifest_of(self._folder) is None:
            manifest = {"n_features": self.n_features, "parts": self._parts}
            write_new(self._folder / MANIFEST, json.dumps(manifest, indent=1).encode(), os.replace)
        descriptor, part = tempfile.mkstemp(suffix=".part", dir=self._folder)
        path = Path(part).with_suffix(JOURNAL)
        try:
            if fcntl is not None:
                with suppress(OSError):  # a file system without locks
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # It has its name when it is held, so that nobody takes it for that of a dead process.
            os.replace(part, path)
        except BaseException:
            os.close(descriptor)
            Path(part).unlink(missing_ok=True)
            raise
        write_through(self._folder)
        self._own = path.name
        return JournalWriter(descriptor, self._seal)


class _Journal:
    """A journal of another process, or of this one before."""

    def __init__(self, reader: JournalReader, n_features: int) -> None:
        self.reader = reader
        self.is_open = True
        """Whether its writer may live, so that more may come."""
        self.claimed: BoolArray = np.zeros(n_features, dtype=bool)


def is_held(journal: Path) -> bool:
    """Return whether a living process, which may be stopped, writes to a journal."""
    if fcntl is None:
        return False
    try:
        descriptor = open_regular(journal, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def manifest_of(folder: Path) -> dict[str, str] | None:
    """Return the parts that an entry names, or None where its manifest is none."""
    try:
        with open(folder / MANIFEST, "rb", opener=open_regular) as file:
            parts = json.loads(file.read(_MANIFEST_BYTES))["parts"]
        return {str(name): str(value) for name, value in parts.items()}
    except (OSError, ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return None


def _sweep(folder: Path) -> None:
    """Remove what processes were killed while they made."""
    for part in folder.glob("*.part"):
        with suppress(OSError):
            if time.time() - part.lstat().st_mtime > _STALE_SECONDS:
                part.unlink()


def _journals_in(folder: Path) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.endswith(JOURNAL)]
    except OSError:
        return []


def write_new(path: Path, content: bytes, put: Callable[[str, Path], None]) -> None:
    """Write a file whole, and put it in its place when it is on the disk."""
    descriptor, part = tempfile.mkstemp(suffix=".part", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        put(part, path)
    finally:
        Path(part).unlink(missing_ok=True)
    write_through(path.parent)


def write_through(folder: Path) -> None:
    """Make the names in a folder last, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
