"""This module passes over the rows below the last bar that are no bars, such as sums and notes.

A row is passed over only if it can hardly be a bar that is damaged: where its time would be is a
text that does not begin like one, or, in a table without times, where its close would be.
"""

from collections.abc import Sequence

from rollsignal.core.ticks import BLANKS, MISSING_WORDS, NUMBER
from rollsignal.messages import plural, unit_of
from rollsignal.readers.cells import Cells
from rollsignal.readers.dialect import Dialect
from rollsignal.readers.records import Row, is_blank
from rollsignal.readers.wrong_headers import is_time


class Footer:
    """The rows of one table that are passed over; `line` is that of the first, 0 without any."""

    def __init__(self, dialect: Dialect, reads_times: bool, cells: Cells) -> None:
        self.line = 0
        self._rows = 0
        self._has_bars = False
        self._dialect = dialect
        self._reads_times = reads_times
        self._cells = cells

    def cut(self, rows: list[Row], lines: Sequence[int]) -> tuple[list[Row], Sequence[int]]:
        """Return the rows above the footer, of those that come next.

        Raises `DataError` for a bar below rows that were passed over.
        """
        end = next((at for at in range(len(rows), 0, -1) if self.is_bar(rows[at - 1])), 0)
        if end and self.line:
            unit = unit_of(self._cells.name)
            what = f"not a bar, but bars follow, as in {unit} {lines[end - 1]:,}"
            hint = "table: {footer: skip} passes over rows below the last bar only; remove this row"
            raise self._cells.problem(self.line, f"{what} ({hint})")
        self._has_bars |= bool(end)
        if not self._has_bars:
            # Without a bar above, these may be bars that are written in another way.
            return rows, lines
        passed = [line for row, line in zip(rows[end:], lines[end:], strict=True) if row]
        self._rows += len(passed)
        self.line = self.line or next(iter(passed), 0)
        return rows[:end], lines[:end]

    def describe(self) -> str:
        """Describe what was passed over; "" if nothing was."""
        if not self.line:
            return ""
        unit = unit_of(self._cells.name)
        return f"{plural(self._rows, 'row')} passed over from {unit} {self.line:,} on"

    def is_bar(self, row: Row) -> bool:
        """Return whether a row is a bar, or may be one that is damaged."""
        if is_blank(row) or not "".join(row).strip(BLANKS):
            return False
        dialect = self._dialect
        if not self._reads_times or dialect.timestamp is None:
            return self._has_close(row) or not any(map(_has_letter, row))
        stamps = [at for at in (dialect.timestamp, dialect.clock) if at is not None]
        stamp = " ".join(row[at] for at in stamps if at < len(row)).strip(BLANKS)
        if not stamp:
            return self._has_close(row)
        return stamp[0].isdigit() or is_time(stamp, self._cells.timestamps.written)

    def _has_close(self, row: Row) -> bool:
        columns = self._dialect.closes or (self._dialect.close,)
        return any(self._is_close(row[column]) for column in columns if column < len(row))

    def _is_close(self, cell: str) -> bool:
        closes_as = self._cells.closes_as
        if not cell.strip(BLANKS):
            return False
        if closes_as:
            return closes_as.is_missing(cell) or bool(
                NUMBER.fullmatch(closes_as.loosely([cell])[0])
            )
        return cell.strip(BLANKS).lower() in MISSING_WORDS or bool(NUMBER.fullmatch(cell))


def _has_letter(cell: str) -> bool:
    return any(sign.isalpha() for sign in cell)
