"""Parse, run, and turn whatever happens into an exit code."""

import os
import sys
import warnings
from collections.abc import Sequence

from skpar_select.cli._console import Console
from skpar_select.cli._parser import make_parser, parse, words_of

# h5py reports some damaged files by KeyError and RuntimeError.
_FAULTS = (ImportError, KeyError, OSError, RuntimeError, ValueError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0 if all went well, 2 after an error, 130 after Ctrl-C."""
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

            run(options, console)
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader has closed the pipe: the rest of the output is discarded.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except MemoryError as error:
            console.error(
                f"Out of memory{f' ({error})' if str(error) else ''}. All workers together must "
                "fit into what is free. Lower --memory-budget or --n-jobs."
            )
            return 2
        except _FAULTS as error:
            message = str(error) or type(error).__name__
            console.error(" ".join([message, *getattr(error, "__notes__", [])]))
            return 2
        except KeyboardInterrupt:
            console.error("interrupted")
            return 130
    return 0
