"""This module writes signals as text while they are decided: a row of CSV for every bar.

The rows are in the order in which the bars were read, in one canonical format, so that equal bars
give equal bytes, whatever files they came from.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rollsignal.core.decisions import ArrayDecided, Decided, PlainDecided, joined
from rollsignal.core.kernel import NO_SIGNAL, rolling_mean
from rollsignal.core.ticks import decimal_text
from rollsignal.core.timestamps.reader import iso
from rollsignal.files.replace import cannot_write, close_quietly
from rollsignal.outputs.signals.forms import HEADER, escape_formula

TIMES_NS = 2**63
# Writing a few rows of arrays takes as long as writing thousands.
HELD_ROWS = 1 << 15


class Widths(NamedTuple):
    """What the columns of a text need of their types.

    `whole` and `decimals` are the most digits of a close before and after its point; `fits_ns` is
    whether all timestamps fit into 64 bits of nanoseconds.
    """

    whole: int = 0
    decimals: int = 0
    fits_ns: bool = True

    def joined(self, more: "Widths") -> "Widths":
        """Return what both texts need together."""
        wholes, decimals = zip(self[:2], more[:2], strict=True)
        return Widths(max(wholes), max(decimals), self.fits_ns and more.fits_ns)


class SignalsText:
    """A text file of signals, written at `unfinished`; messages name `path` instead.

    `widths` are those of the rows so far. escaped: whether symbols are protected from being run as
    formulas by a spreadsheet.
    """

    def __init__(self, path: str, unfinished: str, window: int, *, escaped: bool) -> None:
        """Create the file; raises `OSError` or `DiskError`."""
        self.escaped = escaped
        self.unfinished = unfinished
        self.widths = Widths()
        self._path = path
        self._window = window
        self._held: list[ArrayDecided] = []
        self._held_rows = 0
        self._file = open(unfinished, "wb")  # noqa: SIM115  # open until closed
        self._begin()

    def _begin(self) -> None:
        self.widths = Widths()
        self._take_held()
        self._write(csv_bytes([HEADER]))

    def take(self, bars: Decided) -> None:
        """Write decided bars now or later; raises `DiskError`."""
        if isinstance(bars, PlainDecided):
            self._flush()
            self.add(*self._plain_csv(bars))
            return
        if self._held and not bars.continues(self._held[-1]):
            self._flush()
        self._held.append(bars)
        self._held_rows += bars.rows
        if self._held_rows >= HELD_ROWS:
            self._flush()

    def add(self, text: bytes, widths: Widths) -> None:
        """Write rows that are already text."""
        self.widths = self.widths.joined(widths)
        self._write(text)

    def begin_again(self) -> None:
        """Discard what is written so far; raises `DiskError`."""
        try:
            self._file.seek(0)
            self._file.truncate()
        except OSError as problem:
            raise cannot_write(self._path, problem) from problem
        self._begin()

    def close(self) -> None:
        """Write the rest, and close the file; raises `OSError` or `DiskError`."""
        self._flush()
        self._file.close()

    def close_quietly(self) -> None:
        """Close a file that is not needed any more, without errors."""
        close_quietly(self._file)

    def _flush(self) -> None:
        if self._held:
            from rollsignal.outputs.signals.arrays import csv_of

            text, whole, decimals = csv_of(joined(self._take_held()), self._window, self.escaped)
            self.add(text, Widths(whole, decimals))

    def _take_held(self) -> list[ArrayDecided]:
        """Return the held bars, and hold none."""
        held, self._held, self._held_rows = self._held, [], 0
        return held

    def _plain_csv(self, bars: PlainDecided) -> tuple[bytes, Widths]:
        times_ns, names = bars.timestamps_ns, bars.names
        fits_ns = not times_ns or -TIMES_NS <= min(times_ns) <= max(times_ns) < TIMES_NS
        if self.escaped:
            names = list(map(escape_formula, names))
        stamps = [""] * bars.rows if times_ns is None else list(map(iso, times_ns))
        scale = bars.scale
        closes = ["" if tick is None else decimal_text(tick, scale) for tick in bars.closes]
        halves = [close.lstrip("-").partition(".") for close in closes]
        whole, decimals = (max(len(half[index]) for half in halves) for index in (0, 2))
        means = [
            "" if margin is None else rolling_mean(margin, close or 0, self._window, scale)
            for close, margin in zip(bars.closes, bars.margins, strict=True)
        ]
        signals = ["" if signal == NO_SIGNAL else signal for signal in bars.signals]
        rows = zip(stamps, names, closes, means, signals, strict=True)
        return csv_bytes(rows), Widths(whole, decimals, fits_ns)

    def _write(self, text: bytes) -> None:
        try:
            self._file.write(text)
        except OSError as problem:
            raise cannot_write(self._path, problem) from problem


def csv_bytes(rows: Iterable[Sequence[object]]) -> bytes:
    """Write rows as CSV."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
