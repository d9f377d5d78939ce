"""This module turns the signals that end a command into an exception, and sees that it counts.

What a signal handler raises comes up wherever Python happens to be: where nobody can catch it (in
a weakref's callback, in `__del__`), or in Python code that a compiled library has called, which
panics. So it is raised again until it is noticed, and stands for whatever else ended the command.
"""

import signal
import sys
from contextlib import suppress
from time import perf_counter
from types import FrameType

from rollsignal.errors import StoppedError

AGAIN_S = 0.01
# For how long a stop waits where it would do harm: a run ends within two seconds.
PATIENCE_S = 0.5
# A module that is half imported is of no use to those who tell about the stop, and polars panics
# where its compiled code has called back.
_WHOLE = ("_frozen_importlib", "polars")
# Not where the platform has no such timer: there the first time is the last.
_CAN_WAIT = hasattr(signal, "setitimer")


class Stop:
    """Whether a signal asked a command to stop; none ever does before `listen`."""

    def __init__(self) -> None:
        self._asked: StoppedError | None = None
        self._is_over = False
        self._until = 0.0

    def listen(self) -> None:
        """From now on, raise a `KeyboardInterrupt` when a signal comes, SIGTERM too."""
        _set_handlers(self._ask)

    def noticed(self, error: BaseException) -> BaseException:
        """Return what to tell of an error that ended the work: the stop, if one was asked for.

        To be called in the `except` clause itself, where nothing is raised; and after it, nothing
        is raised any more, so that what is left to do is not cut in half.
        """
        self._is_over = True
        return self._asked or error

    def end(self) -> None:
        """Ignore signals for good: what is left to do takes no time."""
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
        """Raise, or wait a little where that would do harm."""
        if self._is_over:
            return
        now = perf_counter()
        if _CAN_WAIT and now < self._until and (sys.exception() or _is_within(frame)):
            # What is handled may be this very stop, while files are removed.
            return
        self._until = now + PATIENCE_S
        raise KeyboardInterrupt(str(self._asked))


def _is_within(frame: FrameType | None) -> bool:
    """Tell whether this is in the middle of what must be left whole."""
    while frame:
        if frame.f_globals.get("__name__", "").partition(".")[0] in _WHOLE:
            return True
        frame = frame.f_back
    return False


def _set_handlers(handler: "signal._HANDLER") -> None:
    # Only the main thread may do so.
    with suppress(ValueError):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, handler)
