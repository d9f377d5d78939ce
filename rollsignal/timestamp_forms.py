"""This module reads the forms of timestamps beyond plain ISO 8601: epochs, fractions, dates.

It stands apart so that a table with plain ISO timestamps need not load it.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Literal

from rollsignal.errors import BadCellError

_DATE = re.compile(r"([0-9]{4})([-/.]?)([0-9]{2})\2([0-9]{2})")
_DATE_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})")
_CLOCK = re.compile(
    r"([0-9]{1,2})(?:(:?)([0-9]{2})(?:\2([0-9]{2})(?:[.,]([0-9]{1,9}))?)?)?"
    r"(?: ?([AP]M))?(?: ?(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?"
)
_EPOCH = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,9}))?")
_COMPACT = re.compile(
    r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[0-9]{4}|[0-9]{6})?"
)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_SECOND_NS = 10**9
_CACHED_DATES = 100_000

YearLast = Literal["day", "month"]


class OtherForms:
    """Read the cells of one column in the form of its first ones."""

    def __init__(self, cells: Sequence[str], zoned: bool | None) -> None:
        """Learn the form; `zoned` is known if earlier cells were plain ISO."""
        self.epoch_unit_ns = 0
        self._leading: YearLast | None = None
        self._dates: dict[str, int] = {}
        first = cells[0].strip()
        self._separator = "T" if "T" in first[:11] else " "
        if zoned is None:
            self._learn(first, cells)
        clock = _CLOCK.fullmatch(first.partition(self._separator)[2].upper())
        self.zoned = zoned if zoned is not None else clock is not None and clock[7] is not None

    def _learn(self, first: str, cells: Sequence[str]) -> None:
        compact = _COMPACT.fullmatch(first)
        if compact and len(first) > 8:
            raise BadCellError("either a calendar time or a count since 1970")
        epoch = _EPOCH.fullmatch(first)
        if epoch and not compact:
            size = len(epoch[1])
            unit = 9 if size < 12 else 6 if size < 15 else 3 if size < 18 else 0
            self.epoch_unit_ns = 10**unit
        if not _DATE.match(first):
            self._leading = _leading_field([cell.strip().partition(" ")[0] for cell in cells])

    def read(self, cell: str) -> int:
        """Read one cell to nanoseconds since 1970 UTC; raises `BadCellError`."""
        return self._epoch(cell) if self.epoch_unit_ns else self._calendar(cell)

    def _epoch(self, cell: str) -> int:
        match = _EPOCH.fullmatch(cell.strip())
        if match is None:
            raise BadCellError("not a number of the kind above it")
        fraction = (match[2] or "").ljust(9, "0")
        return int(match[1]) * self.epoch_unit_ns + int(fraction) * self.epoch_unit_ns // 10**9

    def _calendar(self, cell: str) -> int:
        day, _, clock = cell.strip().partition(self._separator)
        day_ns = self._dates.get(day)
        if day_ns is None:
            if len(self._dates) >= _CACHED_DATES:
                self._dates.clear()
            day_ns = self._dates[day] = _date_ns(day, self._leading)
        clock_ns, zoned = _clock_ns(clock)
        if zoned != self.zoned:
            raise BadCellError("not in the form of those above: only some have a zone")
        return day_ns + clock_ns


def _leading_field(halves: Sequence[str]) -> YearLast | None:
    """Tell whether dates such as 31/12/2024 lead with the day, from those that leave no doubt."""
    for half in halves:
        match = _DATE_YEAR_LAST.fullmatch(half)
        if match and int(match[1]) > 12:
            return "day"
        if match and int(match[3]) > 12:
            return "month"
    return None


def _date_ns(half: str, leading: YearLast | None) -> int:
    match = _DATE.fullmatch(half)
    if match:
        year, month, day = match[1], match[3], match[4]
    else:
        match = _DATE_YEAR_LAST.fullmatch(half)
        if match is None:
            raise BadCellError("not a timestamp")
        if leading is None:
            raise BadCellError("ambiguous: day/month or month/day")
        month, day = (match[3], match[1]) if leading == "day" else (match[1], match[3])
        year = match[4]
    try:
        ordinal = date(int(year), int(month), int(day)).toordinal()
    except ValueError as error:
        raise BadCellError(f"no date of the calendar ({error})") from None
    return (ordinal - _EPOCH_DAY) * 86_400 * _SECOND_NS


def _clock_ns(half: str) -> tuple[int, bool]:
    """Read the time of day to nanoseconds, its zone's offset taken off, and if it has a zone."""
    if not half:
        return 0, False
    match = _CLOCK.fullmatch(half.strip().upper())
    if match is None:
        raise BadCellError("not a timestamp")
    hour, minute, second = int(match[1]), int(match[3] or 0), int(match[4] or 0)
    if match[6]:
        if not 1 <= hour <= 12:
            raise BadCellError("no time of the day")
        hour = hour % 12 + (12 if match[6] == "PM" else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise BadCellError("no time of the day")
    seconds = hour * 3600 + minute * 60 + second - _offset_seconds(match[7] or "")
    return seconds * _SECOND_NS + int((match[5] or "").ljust(9, "0")), match[7] is not None


def _offset_seconds(zone: str) -> int:
    digits = zone[1:].replace(":", "") if zone[:1] in ("+", "-") else "0"
    size = int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60
    return -size if zone[:1] == "-" else size
