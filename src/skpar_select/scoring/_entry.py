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
from abc import abstractmethod
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from skpar_select._caller import warn_caller
from skpar_select._locks import lock, unlock
from skpar_select._typing import BoolArray, FloatArray, Index, Result
from skpar_select.matrices.io._selection import as_slice
from skpar_select.scoring._fingerprint import Fingerprint
from skpar_select.scoring._journal import (
    JournalReader,
    JournalWriter,
    Kind,
    Record,
    Seal,
)
from skpar_select.scoring._shared_files import (
    PART,
    is_at,
    may_be_held,
    open_regular,
    sweep,
    taken,
    write_new,
    write_through,
)
from skpar_select.scoring._sinks import Sink

MANIFEST = "manifest.json"
JOURNAL = ".journal"

# Others may remove an entry that nobody held while it is made.
_MOST_ATTEMPTS = 10

# A manifest names some fifteen parts; a longer file is none.
_MANIFEST_BYTES = 2**16

# A larger journal is none: 3,072 numbers a column are the scores, rank correlations and numbers of
# samples of 300 targets, written three times.
_JOURNAL_BYTES, _COLUMN_BYTES = 2**24, 8 * 3072

# How often the system is asked which of the others live: an answer takes 20 microseconds.
_ASK_SECONDS = 1.0


class Keeper(Sink):
    """Keeps results, and tells those that others have."""

    @abstractmethod
    def found(self) -> Iterator[tuple[Index, Result]]:
        """Yield the results of others that were read since the last call; some come twice."""

    @abstractmethod
    def is_free(self, columns: Index) -> bool:
        """Claim these columns, unless their results are known or another process scores them."""

    @abstractmethod
    def is_missing(self, columns: Index) -> bool:
        """Return whether results of some of these columns are not known."""

    @abstractmethod
    def join(self, results: dict[str, FloatArray]) -> None:
        """Keep the results of all columns in one piece."""


class NothingKept(Keeper):
    """No store."""

    def write(self, columns: Index, result: Result) -> None:
        """Let them go."""

    def found(self) -> Iterator[tuple[Index, Result]]:
        """Yield nothing."""
        return iter(())

    def is_free(self, columns: Index) -> bool:
        """Let every block be scored."""
        return True

    def is_missing(self, columns: Index) -> bool:
        """Let every block be scored."""
        return True

    def join(self, results: dict[str, FloatArray]) -> None:
        """Let them go."""


class Entry(Keeper):
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
        self._manifest: int | None = None
        self._ask_again = 0.0
        self._most_bytes = _JOURNAL_BYTES + _COLUMN_BYTES * n_features
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
            self._hold()
            for name in _journals_in(self._folder):
                if name not in self._journals and name != self._own:
                    self._journals[name] = _Journal(
                        JournalReader(self._folder / name, self._seal, most_bytes=self._most_bytes),
                        self.n_features,
                    )
            asks = time.monotonic() >= self._ask_again
            if asks:
                self._ask_again = time.monotonic() + _ASK_SECONDS
            for journal in self._journals.values():
                if journal.is_open:
                    # Of a writer that is gone, nothing more comes after this.
                    journal.is_open = not asks or may_be_held(journal.reader.path)
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
        with self._lock:
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
        with self._lock:
            self._append(Record(Kind.RESULT, columns, result))
            self._done[as_slice(columns)] = True

    def join(self, results: dict[str, FloatArray]) -> None:
        """Write the results of all columns as one journal, and remove those of which it is made."""
        with self._lock:
            if len(self._journals) + (self._writer is not None) < 2:
                return
            self._append(Record(Kind.RESULT, range(self.n_features), results))
            if self._gave_up:
                return
            for journal in self._journals.values():
                if not may_be_held(journal.reader.path):
                    with suppress(OSError):
                        journal.reader.path.unlink()

    def release(self) -> None:
        """Close the journal of this process."""
        with suppress(OSError):
            # The time of the last use.
            os.utime(self._folder / MANIFEST)
        if self._writer is not None:
            unlock(self._writer.descriptor)
            with suppress(OSError):
                self._writer.close()
            self._writer = None
            if not self.has_written:
                with suppress(OSError):
                    (self._folder / self._own).unlink()
        if self._manifest is not None:
            unlock(self._manifest)
            os.close(self._manifest)
            self._manifest = None
        if not self.has_written and not _journals_in(self._folder):
            remove_entry(self._folder)

    def _append(self, record: Record) -> None:
        if self._gave_up:
            return
        try:
            if self._writer is None:
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
        self._make()
        sweep(self._folder)
        descriptor, part = tempfile.mkstemp(suffix=PART, dir=self._folder)
        path = Path(part).with_suffix(JOURNAL)
        try:
            # It has its name when it is held, so that nobody takes it for that of a dead process.
            lock(descriptor)
            os.replace(part, path)
        except BaseException:
            os.close(descriptor)
            Path(part).unlink(missing_ok=True)
            raise
        write_through(self._folder)
        self._own = path.name
        return JournalWriter(descriptor, self._seal)

    def _make(self) -> None:
        """Make the folder and its manifest, and hold them, so that nobody removes them."""
        manifest = {"n_features": self.n_features, "parts": self._parts}
        for _ in range(_MOST_ATTEMPTS):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with suppress(FileExistsError):
                content = json.dumps(manifest, indent=1).encode()
                write_new(self._folder / MANIFEST, content, os.link)
            self._hold()
            if self._manifest is not None:
                return
            if manifest_of(self._folder) is None:
                # It is damaged, or no file.
                (self._folder / MANIFEST).unlink(missing_ok=True)
        raise OSError(f"'{self._folder}' is removed by others again and again")

    def _hold(self) -> None:
        """Hold the manifest, if it is there: an entry that somebody holds is not removed."""
        if self._manifest is not None:
            return
        path = self._folder / MANIFEST
        try:
            descriptor = open_regular(path, os.O_RDONLY)
        except OSError:
            return
        if lock(descriptor, shared=True) is not False and is_at(descriptor, path):
            self._manifest = descriptor
        else:
            os.close(descriptor)


class _Journal:
    """A journal of another process, or of this one before."""

    def __init__(self, reader: JournalReader, n_features: int) -> None:
        self.reader = reader
        self.is_open = True
        """Whether its writer may live, so that more may come."""
        self.claimed: BoolArray = np.zeros(n_features, dtype=bool)


def remove_entry(folder: Path) -> None:
    """Remove an entry and what a store has written into it, unless somebody uses it."""
    with taken(folder / MANIFEST) as is_ours, suppress(OSError):
        if is_ours:
            names = os.listdir(folder)
            # From now on another process makes it anew, beside what is removed here.
            (folder / MANIFEST).unlink()
            for name in names:
                if name.endswith((JOURNAL, PART)):
                    (folder / name).unlink()
            folder.rmdir()


def manifest_of(folder: Path) -> dict[str, str] | None:
    """Return the parts that an entry names, or None where its manifest is none."""
    try:
        with open(folder / MANIFEST, "rb", opener=open_regular) as file:
            parts = json.loads(file.read(_MANIFEST_BYTES))["parts"]
        return {str(name): str(value) for name, value in parts.items()}
    except (OSError, ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return None


def _journals_in(folder: Path) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.endswith(JOURNAL)]
    except OSError:
        return []
