"""What must hold on every host where a worker is, before it is sent a block."""

import socket
from collections.abc import Callable
from typing import Any, NamedTuple

from skpar_select._version import __version__


class Checked(NamedTuple):
    """What a check on the host of a worker has found."""

    error: Exception | None


def check_version(version: str) -> None:
    """Raise a RuntimeError where the calling process has another version of the package."""
    if version != __version__:
        raise RuntimeError(
            f"A worker on the host '{socket.gethostname()}' has version {__version__} of skpar-select, and "
            f"this process version {version}. Both must be the same, as others may give other "
            "scores. Install one version everywhere."
        )


def checked(check: Callable[[], None], version: str, place: Any = None) -> Checked:
    """Run a check on the host of a worker, which must have the version of the package given."""
    try:
        check_version(version)
    except RuntimeError as error:
        return Checked(error)
    try:
        check()
    except Exception as error:
        kind = OSError if isinstance(error, OSError) else RuntimeError
        return Checked(
            kind(
                f"A worker on the host '{socket.gethostname()}' does not find what this process has opened: {error} "
                "Every worker opens a file by itself, by the same path. Put it on a file system "
                "that all hosts see in the same place."
            )
        )
    return Checked(None)
