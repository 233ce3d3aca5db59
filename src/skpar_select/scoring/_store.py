"""A store: a folder that keeps finished blocks by content, for a fit that goes on, a second one, a grid.

An entry is a folder named by a fingerprint, with ``manifest.json``, which says what its results follow
from, and journals. A secret of the folder keys all fingerprints and checksums in it.
"""

import hashlib
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from skpar_select._wording import listing
from skpar_select.scoring._entry import MANIFEST, Entry, manifest_of, remove_entry
from skpar_select.scoring._file_digests import FileDigests
from skpar_select.scoring._fingerprint import Fingerprint
from skpar_select.scoring._journal import Seal
from skpar_select.scoring._shared_files import open_regular, sweep, write_new

LIMIT_BYTES = 2**30
"""A folder holds at most so much; 483,512 features take 3.9 MB an entry."""

_KEY_BYTES = 32

# How an entry is called: other folders are not looked into.
_ENTRY = re.compile("[0-9a-f]{64}")


class ScoreStore:
    """Finished blocks by fingerprint, in a folder that you alone can write to.

    Parameters
    ----------
    folder : str or path-like
        Made where it is not there, with rights for you alone.
    tell : callable, default=None
        Called with a sentence where a fit finds results, or nothing but those of other fits.
    limit_bytes : int, default=LIMIT_BYTES
        Above it, the entries that were used longest ago are removed.

    Raises
    ------
    OSError
        If the folder cannot be made or written to, or others may write to it: they could put
        any scores there.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        tell: Callable[[str], None] | None = None,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        if not os.fspath(folder):
            raise ValueError(
                f"store={os.fspath(folder)!r} is no folder. Finished blocks are kept in a folder of "
                "their own. Name one, or set store=None."
            )
        try:
            self.folder = Path(folder).expanduser().absolute()
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = self.folder.stat()
            if _may_be_changed_by_others(status):
                raise PermissionError(
                    f"others may write to it and put any scores there: owner {status.st_uid}, mode "
                    f"{stat.S_IMODE(status.st_mode):o}; chmod 700 gives it to you alone"
                )
            if not os.access(self.folder, os.W_OK):
                raise PermissionError("it is read-only")
            sweep(self.folder)
            self._key = _key_of(self.folder)
        except (OSError, RuntimeError, ValueError) as error:
            raise OSError(
                f"store={os.fspath(folder)!r} cannot be used ({error}). Finished blocks are kept in a "
                "folder that you alone can write to. Name one that is there or can be made, or set "
                "store=None."
            ) from error
        self.limit_bytes = limit_bytes
        self.tell = tell
        self._given = os.fspath(folder)

    def __getstate__(self) -> dict[str, Any]:
        """Give the address: a pickle does not carry the secret of the folder."""
        return {"folder": self.folder, "limit_bytes": self.limit_bytes}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open the folder again."""
        self.__init__(**state)  # type: ignore[misc]  # as it was made

    @property
    def digests(self) -> FileDigests:
        """The digests of files that were read before."""
        derived = hashlib.blake2b(self._key, digest_size=8, person=b"seed").digest()
        path = self.folder / "digests"
        return FileDigests(int.from_bytes(derived, "little"), path=path, key=self._key)

    @contextmanager
    def entry(self, fingerprint: Fingerprint, n_features: int) -> Iterator["Entry"]:
        """Give the entry of a fingerprint for as long as the context lasts."""
        folder = self.folder / fingerprint.key
        entry = Entry(folder, Seal(self._key, fingerprint.key), fingerprint, n_features)
        entry.look_again()
        self._tell_of(entry, fingerprint)
        try:
            yield entry
        finally:
            entry.release()
            if entry.has_written:
                self._shrink(folder)

    def _tell_of(self, entry: "Entry", fingerprint: Fingerprint) -> None:
        if self.tell is None:
            return
        n_done = entry.n_done
        if n_done or manifest_of(self.folder / fingerprint.key) is not None:
            self.tell(
                f"store='{self._given}' holds {n_done:,} of {entry.n_features:,} features of this run"
            )
            return
        manifests = [manifest_of(folder) for folder in self._entries()]
        differences = [fingerprint.difference(parts) for parts in manifests if parts]
        if differences:
            nearest = min(differences, key=len)
            self.tell(
                f"store='{self._given}' holds nothing of this run, the nearest is that of "
                f"{listing(nearest, most=len(nearest), quoted=False)}"
            )

    def _entries(self) -> list[Path]:
        with suppress(OSError):
            return [
                self.folder / found.name
                for found in os.scandir(self.folder)
                if _ENTRY.fullmatch(found.name) and found.is_dir(follow_symlinks=False)
            ]
        return []

    def _shrink(self, current: Path) -> None:
        """Remove the entries that were used longest ago, if no living process writes there."""
        used = []
        for folder in self._entries():
            with suppress(OSError):
                size = sum(path.lstat().st_size for path in folder.iterdir())
                used.append(((folder / MANIFEST).lstat().st_mtime_ns, size, folder))
        left = sum(size for _, size, _ in used)
        for _, size, folder in sorted(used):
            if left <= self.limit_bytes:
                break
            if folder != current:
                remove_entry(folder)
                left -= size


def open_store(store: str | os.PathLike[str] | ScoreStore | None) -> ScoreStore | None:
    """Return the store that is given, itself or as a folder."""
    return store if store is None or isinstance(store, ScoreStore) else ScoreStore(store)


def _key_of(folder: Path) -> bytes:
    """Return the secret of a store, which is made with the folder."""
    path = folder / "key"
    if not os.path.lexists(path):
        # Of two processes that make one at once, both take the first.
        with suppress(FileExistsError):
            write_new(path, secrets.token_bytes(_KEY_BYTES), os.link)
    with open(path, "rb", opener=open_regular) as file:
        key = file.read(_KEY_BYTES + 1)
        if _may_be_changed_by_others(os.fstat(file.fileno())):
            raise PermissionError(f"others may write to '{path}'")
    if len(key) != _KEY_BYTES:
        raise OSError(f"'{path}' is not the key of a store, which has {_KEY_BYTES} bytes")
    return key


def _may_be_changed_by_others(status: os.stat_result) -> bool:
    if not hasattr(os, "geteuid"):
        return False
    return status.st_uid != os.geteuid() or bool(status.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
