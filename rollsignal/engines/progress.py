"""This module shows the progress of a run: as one line on a terminal, otherwise in the log."""

from collections.abc import Callable, Sequence
from time import perf_counter

from rollsignal.files.find import Input
from rollsignal.messages import plural

FIRST_S = 1.0
DRAW_EVERY_S = 0.5
LOG_EVERY_S = 5.0

Draw = Callable[[str], None]


def total_bytes(files: Sequence[Input]) -> int:
    """Return the size of all files, 0 if any is not a regular file."""
    sizes = [file.size for file in files]
    return 0 if None in sizes else sum(size or 0 for size in sizes)


class Progress:
    """Receive the numbers of bytes and rows read, and show them now and then.

    total_bytes: that of all inputs, 0 if it is not known. draw: replaces the line on the terminal;
    None to write to `log` instead. clock: seconds, from any start.
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
        """Show the progress if enough time has passed; `read_bytes` is only called then."""
        now = self._clock()
        if now < self._next:
            return
        elapsed_s, done_bytes = now - self._start, read_bytes()
        facts = {"rows": rows, "rows_per_s": round(rows / elapsed_s)}
        if done_bytes:
            facts["bytes"] = done_bytes
        if done_bytes and self._total:
            # A file may grow while it is read, beyond its total.
            left = max(0, self._total - done_bytes)
            facts |= {"of_bytes": self._total, "seconds_left": round(elapsed_s * left / done_bytes)}
        if self._draw:
            self._draw(_progress_line(facts))
            self._next = now + DRAW_EVERY_S
        else:
            self._log("INFO", "progress", **facts)
            self._next = now + LOG_EVERY_S

    def close(self) -> None:
        """Clear the line on the terminal, and draw no more."""
        draw, self._draw = self._draw, None
        if draw:
            draw("")


def _progress_line(facts: dict[str, int]) -> str:
    parts = [plural(facts["rows"], "row"), f"{facts['rows_per_s']:,} rows/s"]
    if "of_bytes" in facts:
        share = min(100, 100 * facts["bytes"] // facts["of_bytes"])
        parts.insert(0, f"{share} % of {facts['of_bytes'] / 1e6:,.0f} MB")
        parts.append(f"{facts['seconds_left']:,} s left")
    elif "bytes" in facts:
        parts.insert(0, f"{facts['bytes'] / 1e6:,.0f} MB")
    return ", ".join(parts)
