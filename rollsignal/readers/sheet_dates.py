"""This module writes the dates and times of day of a workbook as ISO 8601.

A date is a number of days, shown as a date by the format of its cell. Excel counts the days from
1900 on, with a 29 February 1900 that never was, or from 1904 on.
"""

import re
from datetime import date, timedelta
from typing import Literal

DateKind = Literal["date", "clock", "both", "span"]
"""What the format of a cell shows of a number of days; a span may have more than 24 hours."""

DAY_MS = 86_400_000
# What a program shows for a number that is no day; it is neither a time nor a number.
NO_DAY = "########"
_NEVER_WAS, _LAST_DAY = 60, 2_958_465
# Formats that every program knows by their numbers. Some of the dates are those of East Asia.
_KNOWN: dict[DateKind, frozenset[int]] = {
    "date": frozenset((14, 15, 16, 17, *range(27, 37), *range(50, 59))),
    "clock": frozenset((18, 19, 20, 21, 45, 47)),
    "both": frozenset((22,)),
    "span": frozenset((46,)),
}
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
# Texts in quotes, escaped signs, fillers, colours and places; halves of the day; parts of seconds.
_ASIDE = re.compile(r'"[^"]*"?|[\\_*].|\[[^\]]*\]|am/pm|a/p|(?<=s)[.,]0+', re.IGNORECASE)


def kind_of_format(number: str, code: str | None) -> DateKind | None:
    """Return what the format of a number shows: a date, a time of day or both; None for a number.

    >>> kind_of_format("164", '[$-409]m/d/yy h:mm AM/PM;@'), kind_of_format("165", '0.00" USD"')
    ('both', None)
    """
    if code is None:
        known = (kind for kind, numbers in _KNOWN.items() if number.isdigit())
        return next((kind for kind in known if int(number) in _KNOWN[kind]), None)
    if code.lower() in ("general", "standard"):
        return None
    if _ELAPSED.search(code):
        return "span"
    signs = _ASIDE.sub(" ", code.lower()).partition(";")[0]
    if set(signs) & set("0#?%@"):
        return None
    has_clock = bool(set(signs) & set("hs"))
    has_date = bool(set(signs) & set("yd")) or ("m" in signs and not has_clock)
    if has_date:
        return "both" if has_clock else "date"
    return "clock" if has_clock else None


def date_text(days: float, kind: DateKind, *, from_1904: bool) -> str:
    """Write a number of days as its cell means it, to the millisecond.

    >>> date_text(45292.5, "both", from_1904=False), date_text(45292, "date", from_1904=False)
    ('2024-01-01 12:00:00', '2024-01-01')
    """
    if not 0 <= days <= _LAST_DAY + 1:
        return NO_DAY
    day, milliseconds = divmod(round(days * DAY_MS), DAY_MS)
    clock = _clock_text(milliseconds)
    if kind == "clock" and not day:
        return clock
    if kind == "span":
        return _clock_text(day * DAY_MS + milliseconds)
    written = _day_text(day, from_1904)
    if written == NO_DAY or (kind == "date" and not milliseconds):
        return written
    return f"{written} {clock}"


def _clock_text(milliseconds: int) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    decimals = f".{milliseconds:03d}" if milliseconds else ""
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{decimals}"


def _day_text(day: int, from_1904: bool) -> str:
    if from_1904:
        first = date(1904, 1, 1)
    elif day in (0, _NEVER_WAS):
        return NO_DAY
    else:
        first = date(1899, 12, 31 if day < _NEVER_WAS else 30)
    try:
        return (first + timedelta(days=day)).isoformat()
    except OverflowError:
        return NO_DAY
