"""This module reads timestamps other than plain ISO 8601: calendar times, and counts since 1970.

The format of a column is set in the config, or found out from its first cells if they can be read
in one way only. A table with plain ISO timestamps need not load this module.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import Protocol

from rollsignal.core.timestamps.counts import EPOCHS, Count, read_each
from rollsignal.core.timestamps.pattern import (
    HALF,
    MONTHS,
    WEEKDAYS,
    ZONE,
    PatternError,
    compiled,
    expression,
    pattern_of,
)
from rollsignal.core.timestamps.zones import DAY_NS, SECOND_NS, has_rules, offset_ns
from rollsignal.errors import BadCellError
from rollsignal.messages import escaped

# What may follow a date. Without colons each number has two digits, and there may be milliseconds
# without a point.
_CLOCK = (
    r"(?:(?:[ \t]+|[TD_]|,[ ]?|[-:](?=[0-9]{2}:[0-9]{2}:))"
    rf"(?P<H>[0-9]{{2}}|[0-9](?=:|[ -]?{HALF}))"
    r"(?:(?P<colon>:)?(?P<M>[0-9]{2})"
    r"(?:(?(colon):)(?P<S>[0-9]{2})"
    r"(?:(?:[.,]|(?(colon)(?!)|(?=[0-9]{3}(?![0-9]))))(?P<f>[0-9]{1,9}))?)?)?"
    rf"(?:[ -]?(?P<p>{HALF}))?(?:[ ]?(?P<z>{ZONE}))?)?"
)
_REMEMBERED = 100_000
# What a pattern may lack at its end.
_MORE = (
    *(".%f", ",%f", ":%S", ":%S.%f", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f"),
    *("T%H:%M", "T%H:%M:%S", "T%H:%M:%S.%f"),
)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


class TimestampLayout(Protocol):
    """How the timestamps of a column are written.

    `counts` is the format itself for counts since 1970, None for calendar times; `pattern` is that
    of calendar times, or of their dates alone, and empty for counts.
    """

    @property
    def counts(self) -> Count | None:
        """Return the format if it is one of counts."""

    @property
    def pattern(self) -> str:
        """Return the pattern of calendar times."""

    @property
    def zoned(self) -> bool | None:
        """Return whether times have a zone, or are counts in UTC; None before the first."""

    def read(self, cell: str) -> int:
        """Read one cell to nanoseconds since 1970 UTC; raises `BadCellError`."""

    def read_all(self, cells: Sequence[str]) -> list[int]:
        """Read many cells; raises `BadCellError` with the index of the first bad one."""

    def setting(self, cell: str) -> str:
        """Return the `timestamp_format` to set for a column like this cell."""


class Calendar:
    """Calendar times: all in one pattern, or dates in one pattern with an optional time of day.

    clock: the expression of that time of day. zoned: whether all have a zone or all have none;
    None to take it from the first that is read.
    """

    def __init__(self, pattern: str, clock: str = "", zoned: bool | None = None) -> None:
        self.counts = None
        self.pattern = pattern
        self._match = compiled(expression(pattern) + clock).fullmatch
        misfit = f'not in the format "{escaped(pattern)}"'
        self._reason = "not a timestamp like those above" if clock else misfit
        self._is_declared = not clock
        self.zoned = zoned
        self._separator = " "
        self._days_ns: dict[str, int] = {}
        self._clocks_ns: dict[str, int] = {}

    def read(self, cell: str) -> int:
        """Read one time; without a zone it is UTC."""
        day, _, clock = cell.partition(self._separator)
        try:
            return self._days_ns[day] + self._clocks_ns[clock]
        except KeyError:
            return self._parse(cell.strip())

    def _parse(self, text: str) -> int:
        match = self._match(text)
        if match is None:
            raise BadCellError(self._reason, hint=self._longer(text))
        fraction, zone = match.group("f", "z")
        clock_ns = _clock_ns(*match.group("H", "M", "S", "p"))
        clock_ns += int((fraction or "").ljust(9, "0"))
        if clock_ns > DAY_NS:
            raise BadCellError("not a valid time of day")
        if self.zoned is None:
            self.zoned = bool(zone)
        if self.zoned != bool(zone):
            raise BadCellError("not like those above: only some have a zone")
        day_ns = _day_ns(*match.group("Y", "y", "m", "b", "d"))
        if match["a"]:
            _check_weekday(match["a"], day_ns)
        if zone:
            clock_ns -= offset_ns(zone, day_ns + clock_ns)
        if not (has_rules(zone) or match["a"]):
            self._remember(match, day_ns, clock_ns)
        return day_ns + clock_ns

    def _longer(self, text: str) -> str:
        """Return the setting for a declared pattern that a text goes on beyond, "" without one."""
        for more in _MORE if self._is_declared else ():
            with suppress(PatternError):
                if compiled(expression(self.pattern + more)).fullmatch(text):
                    return f'set timestamp_format: "{self.pattern}{more}"'
        return ""

    def _remember(self, match: re.Match[str], day_ns: int, clock_ns: int) -> None:
        """Remember the halves of a cell that has a date, one separator and then a time of day."""
        end = max(match.end(group) for group in "Yymbd" if match[group])
        begin = min((match.start(group) for group in "HMSfpz" if match[group]), default=0)
        separator = match.string[end : end + 1]
        day, _, clock = match.string.partition(separator or " ")
        if len(day) < end or begin <= end:
            return
        is_full = len(self._days_ns) + len(self._clocks_ns) >= _REMEMBERED
        if is_full or separator != self._separator:
            self._days_ns.clear()
            self._clocks_ns.clear()
        self._separator = separator
        self._days_ns[day], self._clocks_ns[clock] = day_ns, clock_ns

    def read_all(self, cells: Sequence[str]) -> list[int]:
        """Read many times."""
        return read_each(self.read, cells)

    def matches(self, cell: str) -> bool:
        """Return whether a cell looks like this format, even if such a time does not exist."""
        return self._match(cell.strip()) is not None

    def setting(self, cell: str) -> str:
        """Return the whole pattern of a cell."""
        match = self._match(cell.strip())
        return f'"{pattern_of(match) if match else self.pattern}"'


def declared_format(written: str) -> TimestampLayout:
    """Make the format of a `timestamp_format`: a word for a count or days, or a pattern."""
    if written == "excel":
        from rollsignal.core.timestamps.serial import SerialDays

        return SerialDays()
    if written == "ms_of_day":
        from rollsignal.core.timestamps.of_day import MillisecondsOfDay

        return MillisecondsOfDay()
    return Count(written) if written in EPOCHS else Calendar(written)


def dated(pattern: str, zoned: bool | None = None) -> Calendar:
    """Make the format of dates in a pattern, each with or without a time of day after it."""
    return Calendar(pattern, _CLOCK, zoned)


def _day_ns(year: str, short_year: str, month: str, name: str, day: str) -> int:
    """Read a date to nanoseconds; two-digit years are 1969 to 2068, as in POSIX."""
    if short_year:
        year = ("19" if short_year >= "69" else "20") + short_year
    number = MONTHS.index(name[:3].lower()) + 1 if name else int(month or 1)
    try:
        ordinal = date(int(year), number, int(day or 1)).toordinal()
    except ValueError as error:
        raise BadCellError(f"not a valid date ({error})") from None
    return (ordinal - _EPOCH_DAY) * DAY_NS


def _check_weekday(name: str, day_ns: int) -> None:
    """Raise `BadCellError` if a date is of another day of the week than its name says."""
    # The first of January 1970 was a Thursday.
    weekday = WEEKDAYS[(day_ns // DAY_NS + 3) % 7]
    if name[:3].lower() != weekday:
        raise BadCellError(f"not a valid date (it is a {weekday.capitalize()})")


def _clock_ns(hours: str | None, minutes: str | None, seconds: str | None, half: str | None) -> int:
    """Read the time of day to nanoseconds; 24:00 is the midnight that ends the day."""
    hour, minute, second = int(hours or 0), int(minutes or 0), int(seconds or 0)
    if second == 60:
        raise BadCellError("a leap second, which a count since 1970 cannot express")
    if half:
        if not 1 <= hour <= 12:
            raise BadCellError("not a valid time of day")
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    if hour > 24 or minute > 59 or second > 59:
        raise BadCellError("not a valid time of day")
    return (hour * 3600 + minute * 60 + second) * SECOND_NS
