"""This module writes signals as text while they are decided: a row of CSV for every bar.

The rows stand in the order in which the bars were read, in one canonical form, so that the same
bars give the same bytes from whatever files they came.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from rollsignal.engines.rows import ArrayRows, Rows, SignalRow, joined
from rollsignal.files import abandon, cannot_write
from rollsignal.sinks.summary import harmless
from rollsignal.timestamps import iso

HEADER = ("timestamp", "symbol", "close", "rolling_mean", "signal")
TIMES_NS = 2**63
# To write a few rows of arrays takes as long as to write some thousands.
HELD_ROWS = 1 << 15


class SignalsText:
    """A file of text that is written; `unfinished` is where, and `path` what messages name.

    `whole` and `decimals` are the most digits before and after the point of any close; `fits_ns`
    tells whether all timestamps fit into 64 bits of nanoseconds.
    """

    def __init__(self, path: str, unfinished: str, window: int, harmless_in: bool) -> None:
        """Begin the file; raises `OSError`, or `DiskError`.

        harmless_in: whether symbols are to be harmless where spreadsheets run formulas.
        """
        self.harmless_in = harmless_in
        self._path = path
        self._window = window
        self._held: list[ArrayRows] = []
        self._held_rows = 0
        # Open until `close` or `abandon`.
        self._file = open(unfinished, "wb")  # noqa: SIM115  # open until closed
        self._begin()

    def _begin(self) -> None:
        self.whole = self.decimals = 0
        self.fits_ns = True
        self._taken()
        self._write(csv_bytes([HEADER]))

    def write(self, rows: Rows) -> None:
        """Write rows, maybe later; raises `DiskError`."""
        if not isinstance(rows, ArrayRows):
            self._flush()
            self.add(*self._csv_of(rows))
            return
        if self._held and not rows.continues(self._held[-1]):
            self._flush()
        self._held.append(rows)
        self._held_rows += len(rows.closes)
        if self._held_rows >= HELD_ROWS:
            self._flush()

    def add(self, text: bytes, whole: int, decimals: int) -> None:
        """Write rows that are text, with the most digits around the point of any close."""
        self.whole, self.decimals = max(self.whole, whole), max(self.decimals, decimals)
        self._write(text)

    def begin_anew(self) -> None:
        """Forget what is written; raises `DiskError`."""
        try:
            self._file.seek(0)
            self._file.truncate()
        except OSError as problem:
            raise cannot_write(self._path, problem) from problem
        self._begin()

    def close(self) -> None:
        """Write what is left, and close the file; raises `OSError`, or `DiskError`."""
        self._flush()
        self._file.close()

    def abandon(self) -> None:
        """Close the file, which nobody will read."""
        abandon(self._file)

    def _flush(self) -> None:
        if self._held:
            from rollsignal.sinks.signal_arrays import csv_of

            rows = joined(self._taken())
            self.add(*csv_of(rows, self._window, harmless_in=self.harmless_in))

    def _taken(self) -> list[ArrayRows]:
        """Take what is held."""
        held, self._held, self._held_rows = self._held, [], 0
        return held

    def _csv_of(self, rows: Sequence[SignalRow]) -> tuple[bytes, int, int]:
        """Write rows as CSV; tell the most digits before and after the point of any close."""
        if self.harmless_in:
            rows = [row._replace(symbol=harmless(row.symbol)) for row in rows]
        times_ns = [row.ns for row in rows if row.ns is not None]
        if times_ns and not -TIMES_NS <= min(times_ns) <= max(times_ns) < TIMES_NS:
            self.fits_ns = False
        halves = [(row.close or "").lstrip("-").partition(".") for row in rows]
        whole, decimals = (max(len(half[place]) for half in halves) for place in (0, 2))
        return csv_bytes(map(_cells, rows)), whole, decimals

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


def _cells(row: SignalRow) -> tuple[object, ...]:
    stamp = "" if row.ns is None else iso(row.ns)
    return (stamp, row.symbol, row.close, row.mean, row.signal)
