"""What Ctrl-C, SIGTERM and the end of a terminal do to the program.

Before a command runs, libraries are imported. An exception would be lost in some of them, and taken for a
fault by others, and there is nothing to put in order: a signal ends the program at once. While a command
runs, a signal raises KeyboardInterrupt, so that files are closed and taken away.
"""

import _signal  # of which signal is made, after 5 ms in which Ctrl-C would find no handler
import os
import time

INTERRUPTED = 130

_LINE = b"skpar-select: error: interrupted\n"
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")

# Seconds to put things in order, in which another signal changes nothing. After them it ends the
# program at once.
_PATIENCE = 3.0


class Signals:
    """What a signal does now, and whether one has come.

    Attributes
    ----------
    came : bool
        Whether a command was told to end.
    """

    def __init__(self) -> None:
        self.came = False
        self._runs = False
        self._at_once_from = 0.0

    def install(self) -> None:
        """Handle signals from now on, but for those that are ignored, as after nohup."""
        for name in _NAMES:
            number = getattr(_signal, name, None)  # Windows lacks some
            if number is not None and _signal.getsignal(number) != _signal.SIG_IGN:
                _signal.signal(number, self._handle)

    def command_begins(self) -> None:
        """Raise KeyboardInterrupt from now on."""
        self._runs = True

    def command_ends(self) -> None:
        """Let the program end as it is about to."""
        self._runs = False
        self._be_patient()

    def _be_patient(self) -> None:
        self._at_once_from = self._at_once_from or time.monotonic() + _PATIENCE

    def _handle(self, number: int, frame: object) -> None:
        if self._runs and not self.came:
            self.came = True
            self._be_patient()
            raise KeyboardInterrupt
        if time.monotonic() >= self._at_once_from:
            try:
                os.write(2, _LINE)
            finally:
                os._exit(INTERRUPTED)
