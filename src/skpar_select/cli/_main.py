"""Parse, run, and turn whatever happens into an exit code."""

import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress

from skpar_select.cli._console import Console
from skpar_select.cli._parser import make_parser, parse, words_of
from skpar_select.cli._signals import INTERRUPTED, Signals

# h5py reports some damaged files by KeyError and RuntimeError.
_FAULTS = (ImportError, KeyError, MemoryError, OSError, RuntimeError, ValueError)


def run_command(arguments: Sequence[str] | None, signals: Signals) -> int:
    """Run the command that the arguments name, those of the process by default; return an exit code."""
    parser = make_parser()
    options = parse(parser, arguments)
    console = Console(
        words_of(parser, options.command), quiet=options.quiet, progress=options.progress
    )
    with warnings.catch_warnings():
        warnings.showwarning = console.show_warning
        # They are messages for whoever runs the command, whatever filters say.
        warnings.simplefilter("always", UserWarning)
        try:
            # Not before: scikit-learn takes 1.2 s, which help and wrong options need not wait for.
            from skpar_select.cli._commands import run

            try:
                signals.command_begins()
                run(options, console)
                sys.stdout.flush()
            finally:
                signals.command_ends()
        except BrokenPipeError:
            # The reader has closed the pipe: the rest of the output is discarded.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except (KeyboardInterrupt, *_FAULTS) as error:
            # Some libraries make another error of an interrupt that meets them.
            if signals.came or isinstance(error, KeyboardInterrupt):
                with suppress(OSError):  # the terminal may be what has ended
                    console.error("interrupted")
                    sys.stdout.flush()
                return INTERRUPTED
            console.error(_described(error))
            return 2
    return 0


def _described(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return (
            f"Out of memory{f' ({error})' if str(error) else ''}. All workers together must "
            "fit into what is free. Lower --memory-budget or --n-jobs."
        )
    message = str(error) or type(error).__name__
    return " ".join([message, *getattr(error, "__notes__", [])])
