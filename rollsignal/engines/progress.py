"""This module tells how far a run is: on a terminal as one line, otherwise in the log."""

from collections.abc import Callable, Sequence
from time import perf_counter

from rollsignal.files.find import Input
from rollsignal.messages import plural

FIRST_S = 1.0
DRAW_EVERY_S = 0.5
LOG_EVERY_S = 5.0

Draw = Callable[[str], None]


def total_bytes(files: Sequence[Input]) -> int:
    """Return the size of all files, 0 if one of them is no regular file."""
    sizes = [file.size for file in files]
    return 0 if None in sizes else sum(size or 0 for size in sizes)


class Progress:
    """Receive how many bytes and rows are read, and show it now and then.

    total_bytes: of all inputs, 0 if that is not known; so are the bytes read of a pipe. draw:
    replaces the terminal's line; None where nobody looks at one, and it goes to `log` instead.
    clock: seconds, from any start.
    """

    def __init__(
        self,
        total_bytes: int,
        draw: Draw | None,
        log: Callable[..., None],
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._total = total_bytes
        self._draw = draw
        self._log = log
        self._clock = clock
        self._start = clock()
        self._next = self._start + (FIRST_S if draw else LOG_EVERY_S)

    def __call__(self, read_bytes: Callable[[], int], rows: int) -> None:
        """Show how far it is, if it is time to; only then are the bytes asked for."""
        now = self._clock()
        if now < self._next:
            return
        elapsed_s, done_bytes = now - self._start, read_bytes()
        facts = {"rows": rows, "rows_per_s": round(rows / elapsed_s)}
        if done_bytes:
            facts["bytes"] = done_bytes
        if done_bytes and self._total:
            # A file may grow while it is read.
            left = max(0, self._total - done_bytes)
            facts |= {"of_bytes": self._total, "seconds_left": round(elapsed_s * left / done_bytes)}
        if self._draw:
            self._draw(_line(facts))
            self._next = now + DRAW_EVERY_S
        else:
            self._log("INFO", "progress", **facts)
            self._next = now + LOG_EVERY_S

    def close(self) -> None:
        """Clear the terminal's line, once and for all."""
        draw, self._draw = self._draw, None
        if draw:
            draw("")


def _line(facts: dict[str, int]) -> str:
    parts = [plural(facts["rows"], "row"), f"{facts['rows_per_s']:,} rows/s"]
    if "of_bytes" in facts:
        share = min(100, 100 * facts["bytes"] // facts["of_bytes"])
        parts.insert(0, f"{share} % of {facts['of_bytes'] / 1e6:,.0f} MB")
        parts.append(f"{facts['seconds_left']:,} s left")
    elif "bytes" in facts:
        parts.insert(0, f"{facts['bytes'] / 1e6:,.0f} MB")
    return ", ".join(parts)
