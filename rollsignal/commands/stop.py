"""This module turns the signals that end a command into an exception that cannot get lost.

An exception from a signal handler is raised wherever Python happens to be: where it is ignored (in
a weakref's callback, in `__del__`), or in Python code called by a compiled library, which panics.
So it is raised again until `noticed` is called, which reports the stop instead of any other error.
"""

import signal
import sys
from contextlib import suppress
from time import perf_counter
from types import FrameType

from rollsignal.errors import StoppedError

AGAIN_S = 0.01
# For how long a stop waits where it would do harm; a run has to end within two seconds.
PATIENCE_S = 0.5
# Code that is not interrupted: a half imported module could not be used to report the stop, and
# polars panics in Python code that its compiled code calls.
_UNINTERRUPTED = ("_frozen_importlib", "polars")
# On a platform without such a timer, the exception is raised only once.
_CAN_WAIT = hasattr(signal, "setitimer")


class Stop:
    """Whether a signal asked a command to stop; signals count from `listen` on."""

    def __init__(self) -> None:
        self._asked: StoppedError | None = None
        self._is_over = False
        self._until = 0.0

    def listen(self) -> None:
        """From now on, raise `KeyboardInterrupt` when SIGINT or SIGTERM comes."""
        _set_handlers(self._ask)

    def noticed(self, error: BaseException) -> BaseException:
        """Return what ended the work: the stop if one was asked for, else the error.

        Call it first in the `except` clause. After it, signals raise nothing any more, so that the
        rest of the work is not cut in half.
        """
        self._is_over = True
        return self._asked or error

    def end(self) -> None:
        """Ignore signals from now on: the little that is left to do is not interrupted."""
        self._is_over = True
        _set_handlers(signal.SIG_IGN)
        if self._asked and _CAN_WAIT:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._is_over:
            return
        _set_handlers(signal.SIG_IGN)
        self._asked = StoppedError(number, signal.Signals(number).name)
        self._until = perf_counter() + PATIENCE_S
        if _CAN_WAIT:
            signal.signal(signal.SIGALRM, self._raise)
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S, AGAIN_S)
        self._raise(number, frame)

    def _raise(self, _: int, frame: FrameType | None) -> None:
        """Raise the stop, or wait for the next call where it would do harm."""
        if self._is_over:
            return
        now = perf_counter()
        if _CAN_WAIT and now < self._until and (sys.exception() or _is_uninterrupted(frame)):
            # The exception in progress may be this stop, while its handlers remove files.
            return
        self._until = now + PATIENCE_S
        raise KeyboardInterrupt(str(self._asked))


def _is_uninterrupted(frame: FrameType | None) -> bool:
    """Return whether a frame, or a caller of it, is code that must not be interrupted."""
    while frame:
        if frame.f_globals.get("__name__", "").partition(".")[0] in _UNINTERRUPTED:
            return True
        frame = frame.f_back
    return False


def _set_handlers(handler: "signal._HANDLER") -> None:
    # Only the main thread may set handlers; others get a ValueError.
    with suppress(ValueError):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, handler)
