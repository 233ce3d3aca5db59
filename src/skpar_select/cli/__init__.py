"""The command line: ``skpar-select``.

``_main`` runs a command: ``_parser`` reads the options, without a library; ``_commands`` and what it
imports load when a command runs; ``_console`` is all that is said, in the words of the options;
``_signals`` is what ends it early. Nothing else is imported until that is in place.
"""

from __future__ import annotations

import os

from skpar_select.cli._signals import Signals

TYPE_CHECKING = False  # typing takes 10 ms to import
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0 if all went well, 2 after an error, 130 after Ctrl-C.

    Without arguments it is the program, takes those of the process, and handles signals.
    """
    signals = Signals()
    if arguments is None:
        signals.install()
    from skpar_select.cli._main import run_command

    code = run_command(arguments, signals)
    if signals.came:
        # All is in order. To take down what is imported takes 0.3 s, and many times that on a busy machine.
        os._exit(code)
    return code
