"""This module puts short batches of decided bars together before they are written."""

from collections.abc import Callable

from rollsignal.core.decisions import ArrayDecided, Decided, joined

# Writing a few rows of arrays takes as long as writing thousands.
HELD_ROWS = 1 << 15


class HeldBars:
    """A buffer of bars on arrays; `write` receives all bars in order, in longer batches."""

    def __init__(self, write: Callable[[Decided], None]) -> None:
        self._write = write
        self._held: list[ArrayDecided] = []
        self._rows = 0

    def take(self, bars: Decided) -> None:
        """Receive the next bars, and pass them on now or later."""
        joinable = bars.joinable()
        if joinable is None:
            self.flush()
            self._write(bars)
            return
        if self._held and not joinable.continues(self._held[-1]):
            self.flush()
        self._held.append(joinable)
        self._rows += bars.rows
        if self._rows >= HELD_ROWS:
            self.flush()

    def flush(self) -> None:
        """Pass on what is held."""
        if self._held:
            held = self._held
            self.discard()
            self._write(joined(held))

    def discard(self) -> None:
        """Forget what is held."""
        self._held, self._rows = [], 0
