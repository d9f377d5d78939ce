"""This module tells by its cells whether a line of a text table is a bar, and no header."""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from rollsignal.config.rules import NO_SYMBOLS, DateAndTime
from rollsignal.config.settings import Columns, JobConfig
from rollsignal.core.ticks import BLANKS, NUMBER
from rollsignal.errors import DataError
from rollsignal.messages import shown
from rollsignal.readers.close_cells import closes_as_of
from rollsignal.readers.dialect import Dialect, columns_in_rows, find_column
from rollsignal.readers.wrong_headers import is_time, plausible_counts_ns

Verdict = Literal["bar", "unclear", "header"]
_LOGICAL = ("true", "false")
_TIME_OF_DAY = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?")


class BarLine:
    """What the cells of a bar must be, by a config; name: that of the file."""

    def __init__(self, config: JobConfig, in_path: Sequence[str], name: str) -> None:
        self._columns = config.columns
        symbols = symbols_beside(config.columns, in_path, name)
        self._has_names = any(isinstance(each, str) for each in symbols)
        self._closes_as = closes_as_of(config.table)
        self._written = config.timestamp_format
        self._reads_times = config.needs_timestamps

    def verdict(self, cells: Sequence[str]) -> Verdict:
        """Return what a line is by the cells of the columns that have a place."""
        close, stamp = self._columns.close, _places_of(self._columns.timestamp)
        if not isinstance(close, int) or max([close, *stamp]) > len(cells) or self._names_columns():
            return "header"
        cell = cells[close - 1]
        is_price, is_missing = self._is_number(cell), self._is_missing(cell)
        if are_numbered(cells):
            return "unclear"
        if stamp and self._reads_times:
            is_timed = self._is_time(cells, [place - 1 for place in stamp])
        else:
            others = [other for at, other in enumerate(cells) if at != close - 1]
            is_timed = any(self._is_clear_time(other) for other in others)
            is_timed |= all(self._is_number(other) or self._is_missing(other) for other in others)
        if is_timed and (is_price or (is_missing and stamp)):
            return "bar"
        has_values = any(map(self._is_value, cells))
        return "unclear" if is_timed or is_price or (is_missing and has_values) else "header"

    def is_bar(self, cells: Sequence[str], dialect: Dialect) -> bool:
        """Return whether a line is a bar of a table whose dialect is known."""
        if len(cells) != dialect.width or not self._is_number(cells[dialect.close]):
            return False
        stamps = [at for at in (dialect.timestamp, dialect.clock) if at is not None]
        return not (stamps and self._reads_times) or self._is_time(cells, stamps)

    def refuse_unsaid_clock(self, row: Sequence[str], dialect: Dialect, where: str) -> None:
        """Refuse a row with a date and a time of day, where the config says nothing of times."""
        dates = [at for at, cell in enumerate(row) if self._is_clear_time(cell)]
        clocks = [at for at, cell in enumerate(row) if _TIME_OF_DAY.fullmatch(cell.strip(BLANKS))]
        if dates and clocks and dialect.timestamp is None and self._reads_times:
            what = f"{shown(row[clocks[0]])} in column {clocks[0] + 1} may be the time of the day"
            hint = (
                f"set columns: {{timestamp: [{dates[0] + 1}, {clocks[0] + 1}]}}, or name the one"
                " column of timestamps"
            )
            both, date = [dates[0] + 1, clocks[0] + 1], dates[0] + 1
            choices = ({"columns.timestamp": both}, {"columns.timestamp": date})
            raise DataError(f"{where}: {what} ({hint})").choosing(*choices)

    def refuse_unsaid_symbols(self, row: Sequence[str], dialect: Dialect, where: str) -> None:
        """Refuse a row with a text that may be a symbol, where the config says nothing of them."""
        if self._columns.symbol is not None:
            return
        taken = (dialect.close, dialect.timestamp, dialect.clock)
        for at, cell in enumerate(row):
            text = cell.strip(BLANKS)
            if at in taken or text.lower() in _LOGICAL or _TIME_OF_DAY.fullmatch(text):
                continue
            if not (self._is_number(cell) or self._is_missing(cell) or self._is_time(row, [at])):
                what = f"{shown(cell)} in column {at + 1} may be the symbol"
                hint = f"set columns: {{symbol: {at + 1}}}, or none if all bars are one series"
                choices = ({"columns.symbol": at + 1}, {"columns.symbol": "none"})
                raise DataError(f"{where}: {what} ({hint})").choosing(*choices)

    def _names_columns(self) -> bool:
        """Return whether the config names a column, which only a header can have."""
        return self._columns.is_named("timestamp") or self._has_names

    def _is_time(self, cells: Sequence[str], columns: Sequence[int]) -> bool:
        day = self._columns.day
        parts = [cells[column] for column in columns]
        return is_time(" ".join([day.day, *parts] if day else parts), self._written)

    def _is_clear_time(self, cell: str) -> bool:
        """Return whether a cell is clearly a time, and no number but a count of our years."""
        if self._is_number(cell):
            return len(cell.strip(BLANKS)) > 8 and bool(plausible_counts_ns([cell], self._written))
        return is_time(cell, self._written)

    def _is_value(self, cell: str) -> bool:
        return self._is_number(cell) or self._is_clear_time(cell)

    def _is_number(self, cell: str) -> bool:
        return bool(NUMBER.fullmatch(self._closes_as.loosely([cell])[0]))

    def _is_missing(self, cell: str) -> bool:
        return self._closes_as.is_missing(cell)


class Places(NamedTuple):
    """The indexes of the columns of rows without a header."""

    close: int
    timestamp: int | None
    clock: int | None
    symbols: tuple[int, ...]


def columns_by_place(
    row: Sequence[str], columns: Columns, in_path: Sequence[str], where: str
) -> Places:
    """Return where the columns are in rows without names.

    Raises `DataError` for a column that has no place, or is beyond the row.
    """
    symbols = symbols_beside(columns, in_path, where)
    for name in symbols:
        if isinstance(name, str):
            what = f"no header, and so no column {shown(name)}"
            hint = "write under columns the place of the symbols, counted from 1"
            raise DataError(f"{where}: {what} ({hint})")
    assert isinstance(columns.close, int), "a config without a header has a place for the close"
    stamps = _places_of(columns.timestamp)
    date, clock = (
        None if place is None else find_column(row, place, where)
        for place in [*stamps, None, None][:2]
    )
    indexes = tuple(find_column(row, place, where) for place in symbols)
    return Places(find_column(row, columns.close, where), date, clock, indexes)


def symbols_beside(columns: Columns, in_path: Sequence[str], where: str) -> Sequence[str | int]:
    """Return the columns of symbols that the config names and the path does not have."""
    if columns.symbol is None or columns.symbol == NO_SYMBOLS:
        return ()
    return columns_in_rows(columns.symbol.columns, (), in_path, where)


def _places_of(stamp: object) -> list[int]:
    stamps = stamp.columns if isinstance(stamp, DateAndTime) else (stamp,)
    return [place for place in stamps if isinstance(place, int)]


def are_numbered(cells: Sequence[str]) -> bool:
    """Return whether cells count the columns, as pandas names them where there are no names."""
    given = [cell.strip(BLANKS) for cell in cells]
    if given[:1] == [""]:
        given = given[1:]
    return len(given) > 1 and any(
        given == [str(first + at) for at in range(len(given))] for first in (0, 1)
    )
