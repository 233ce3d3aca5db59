"""What must hold on every host where a worker is, before it is sent a block."""

import socket
from collections.abc import Callable
from typing import Any, NamedTuple

from skpar_select._version import __version__


class Checked(NamedTuple):
    """What a check on the host of a worker has found."""

    error: Exception | None


def checked(check: Callable[[], None], version: str, place: Any = None) -> Checked:
    """Run a check on the host of a worker, which must have the version of the package given."""
    host = socket.gethostname()
    if version != __version__:
        return Checked(
            RuntimeError(
                f"A worker on the host '{host}' has version {__version__} of skpar-select, and this "
                f"process version {version}. Both must be the same, as others may give other "
                "scores. Install one version everywhere."
            )
        )
    try:
        check()
    except Exception as error:
        kind = OSError if isinstance(error, OSError) else RuntimeError
        return Checked(
            kind(
                f"A worker on the host '{host}' does not find what this process has opened: {error} "
                "Every worker opens a file by itself, by the same path. Put it on a file system "
                "that all hosts see in the same place."
            )
        )
    return Checked(None)
