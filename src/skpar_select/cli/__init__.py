"""The command line: ``skpar-select``.

``_main`` runs a command: ``_parser`` reads the options, without a library; ``_commands`` and what it
imports load when a command runs; ``_console`` is all that is said, in the words of the options.
"""

from skpar_select.cli._main import main

__all__ = ["main"]
