"""This module reads timestamps as text into nanoseconds since 1970-01-01 UTC, exactly.

A timestamp without a zone is taken as UTC. A column keeps one form throughout: epoch numbers of
one unit or calendar times, one day/month order, with a zone or without.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal

NAMES = (
    *("timestamp", "datetime", "date_time", "date time", "open_time", "open time", "opentime"),
    *("time", "date", "ts", "unix", "epoch", "gmt time", "local time"),
)

_DATE = re.compile(r"([0-9]{4})([-/.]?)([0-9]{2})\2([0-9]{2})")
_DATE_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})")
_CLOCK = re.compile(
    r"([0-9]{1,2})(:?)([0-9]{2})(?:\2([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r"(?: ?([AP]M))?(?: ?(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?"
)
_EPOCH = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,9}))?")
_COMPACT = re.compile(
    r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[0-9]{4}|[0-9]{6})?"
)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_SECOND_NS = 10**9
_MICROSECOND = timedelta(microseconds=1)
_CACHED_DATES = 100_000

YearLast = Literal["day", "month"]
Moment = int | datetime
"""A timestamp: nanoseconds since 1970 UTC, or a datetime where that is exact (and faster)."""


class BadTimestampError(ValueError):
    """One cell is no timestamp; `index` is its place in the cells, `reason` what is wrong."""

    def __init__(self, reason: str, index: int = 0) -> None:
        super().__init__(reason)
        self.index = index
        self.reason = reason


class TimestampReader:
    """Read one column's timestamps, batch after batch, all in the form of the first.

    >>> TimestampReader().read(["1970-01-02 00:00:00.5", "1970-01-02 00:00:01"])
    [86400500000000, 86401000000000]
    """

    def __init__(self) -> None:
        self._separator: str | None = None
        self._epoch_unit_ns = 0
        self._leading: YearLast | None = None
        self._zoned = False
        self._dates: dict[str, int] = {}

    def read(self, cells: Sequence[str]) -> Sequence[Moment]:
        """Read timestamps, which compare with each other; raises `BadTimestampError`."""
        if not cells:
            return []
        if self._separator is None:
            self._learn(cells)
        if self._epoch_unit_ns:
            return self._each(self._epoch, cells)
        return self._read_iso(cells) or self._each(self._calendar, cells)

    def _read_iso(self, cells: Sequence[str]) -> Sequence[datetime]:
        """Read plain ISO 8601 by the standard library; nothing if that could lose something."""
        text = "".join(cells)
        if "." in text or "," in text:
            return []
        try:
            moments = list(map(datetime.fromisoformat, cells))
        except ValueError:
            return []
        zoned = {moment.tzinfo is not None for moment in moments}
        return moments if zoned == {self._zoned} else []

    @staticmethod
    def _each(read: Callable[[str], int], cells: Sequence[str]) -> list[int]:
        moments: list[int] = []
        try:
            moments.extend(map(read, cells))
        except BadTimestampError as bad:
            raise BadTimestampError(bad.reason, len(moments)) from None
        return moments

    def _learn(self, cells: Sequence[str]) -> None:
        """Take the column's form from its first cells."""
        first = cells[0].strip()
        compact = _COMPACT.fullmatch(first)
        if compact and len(first) > 8:
            raise BadTimestampError("either a calendar time or a count since 1970")
        epoch = _EPOCH.fullmatch(first)
        if epoch and not compact:
            size = len(epoch[1])
            unit = 9 if size < 12 else 6 if size < 15 else 3 if size < 18 else 0
            self._epoch_unit_ns = 10**unit
        self._separator = "T" if "T" in first[:11] else " "
        if not _DATE.match(first):
            days = {cell.strip().partition(self._separator)[0] for cell in cells}
            self._leading = _leading_field(days)
        zone = _CLOCK.fullmatch(first.partition(self._separator)[2].upper())
        self._zoned = zone is not None and zone[7] is not None

    def _epoch(self, cell: str) -> int:
        match = _EPOCH.fullmatch(cell.strip())
        if match is None:
            raise BadTimestampError("not a number of the kind above it")
        fraction = (match[2] or "").ljust(9, "0")
        return int(match[1]) * self._epoch_unit_ns + int(fraction) * self._epoch_unit_ns // 10**9

    def _calendar(self, cell: str) -> int:
        day, _, clock = cell.strip().partition(self._separator or " ")
        day_ns = self._dates.get(day)
        if day_ns is None:
            if len(self._dates) >= _CACHED_DATES:
                self._dates.clear()
            day_ns = self._dates[day] = _date_ns(day, self._leading)
        clock_ns, zoned = _clock_ns(clock)
        if zoned != self._zoned:
            raise BadTimestampError("not in the form of those above: only some have a zone")
        return day_ns + clock_ns


def _leading_field(halves: set[str]) -> YearLast | None:
    """Tell whether dates such as 31/12/2024 lead with the day, from those that leave no doubt."""
    leading: YearLast | None = None
    for half in halves:
        match = _DATE_YEAR_LAST.fullmatch(half)
        if match and int(match[1]) > 12:
            leading = "day"
        elif match and int(match[3]) > 12:
            leading = "month"
    return leading


def _date_ns(half: str, leading: YearLast | None) -> int:
    match = _DATE.fullmatch(half)
    if match:
        year, month, day = match[1], match[3], match[4]
    else:
        match = _DATE_YEAR_LAST.fullmatch(half)
        if match is None:
            raise BadTimestampError("not a timestamp")
        if leading is None:
            raise BadTimestampError("ambiguous: day/month or month/day")
        month, day = (match[3], match[1]) if leading == "day" else (match[1], match[3])
        year = match[4]
    try:
        ordinal = date(int(year), int(month), int(day)).toordinal()
    except ValueError as error:
        raise BadTimestampError(f"no date of the calendar ({error})") from None
    return (ordinal - _EPOCH_DAY) * 86_400 * _SECOND_NS


def _clock_ns(half: str) -> tuple[int, bool]:
    """Read the time of day to nanoseconds, its zone's offset taken off, and if it has a zone."""
    if not half:
        return 0, False
    match = _CLOCK.fullmatch(half.strip().upper())
    if match is None:
        raise BadTimestampError("not a timestamp")
    hour, minute, second = int(match[1]), int(match[3]), int(match[4] or 0)
    if match[6]:
        if not 1 <= hour <= 12:
            raise BadTimestampError("no time of the day")
        hour = hour % 12 + (12 if match[6] == "PM" else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise BadTimestampError("no time of the day")
    seconds = hour * 3600 + minute * 60 + second - _offset_seconds(match[7] or "")
    return seconds * _SECOND_NS + int((match[5] or "").ljust(9, "0")), match[7] is not None


def _offset_seconds(zone: str) -> int:
    digits = zone[1:].replace(":", "") if zone[:1] in ("+", "-") else "0"
    size = int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60
    return -size if zone[:1] == "-" else size


def to_ns(moment: Moment) -> int:
    """Convert a moment to nanoseconds since 1970 UTC."""
    if isinstance(moment, int):
        return moment
    epoch = datetime(1970, 1, 1, tzinfo=UTC if moment.tzinfo else None)
    return (moment - epoch) // _MICROSECOND * 1000


def iso(ns: int) -> str:
    """Write nanoseconds since 1970 UTC as ISO 8601, with as many decimals as it needs.

    >>> iso(86_400_500_000_000)
    '1970-01-02T00:00:00.5Z'
    """
    seconds, fraction = divmod(ns, _SECOND_NS)
    text = (datetime(1970, 1, 1) + timedelta(seconds=seconds)).isoformat()
    return f"{text}.{fraction:09d}".rstrip("0").rstrip(".") + "Z" if fraction else text + "Z"
