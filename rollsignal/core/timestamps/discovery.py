"""This module finds out how the timestamps of a column are written, and never guesses.

Timestamps that can be read in more than one way are refused; the error lists the setting for each.
"""

import re
from collections.abc import Sequence

from rollsignal.core.timestamps.counts import COUNT, MOST_COUNT_DIGITS, SizedCount
from rollsignal.core.timestamps.forms import Calendar, TimestampLayout, dated
from rollsignal.core.timestamps.pattern import WEEKDAY
from rollsignal.core.timestamps.zones import DAY_NS
from rollsignal.errors import BadCellError

_DATE = re.compile(
    r"([0-9]{1,4}|[A-Z]{3,9})([-/. ]?)([0-9]{1,2}|[A-Z]{3,9})(\2|, ?)([0-9]{1,4})(?![0-9])",
    re.IGNORECASE | re.ASCII,
)
_WEEKDAY = re.compile(f"(?:{WEEKDAY})(?P<sign>,? ?)(?=[0-9a-z])", re.IGNORECASE | re.ASCII)
_ORDERS = ("Ymd", "dmY", "mdY", "Ybd", "dbY", "bdY", "ymd", "dmy", "mdy", "ybd", "dby", "bdy")
_ISO_DATES = ("%Y-%m-%d", "%Y%m%d")
# Numbers with this many digits that begin with 19 or 20: as counts they would be in August 1970.
_PACKED_TIMES = {8: "%Y%m%d", 14: "%Y%m%d%H%M%S", 17: "%Y%m%d%H%M%S%f"}
# Numbers with this many digits may also be counts in some unit.
_PACKED_OR_COUNT = {
    6: ("%Y%m", "%y%m%d", "%d%m%y", "%m%d%y"),
    8: ("%d%m%Y", "%m%d%Y"),
    10: (
        *("%Y%m%d%H", "%d%m%Y%H", "%m%d%Y%H"),
        *("%y%m%d%H%M", "%d%m%y%H%M", "%m%d%y%H%M"),
    ),
    12: (
        *("%Y%m%d%H%M", "%d%m%Y%H%M", "%m%d%Y%H%M"),
        *("%y%m%d%H%M%S", "%d%m%y%H%M%S", "%m%d%y%H%M%S"),
    ),
}
_YEAR_1900_NS = -25_567 * DAY_NS
_YEAR_2100_NS = 47_482 * DAY_NS


def discover_format(cells: Sequence[str], iso_only: bool) -> TimestampLayout:
    """Find the one format in which the first cells of a column are written.

    Raises `BadCellError` if no format fits, or several do.
    """
    first = cells[0].strip()
    formats = _formats(first, iso_only)
    if not formats:
        raise BadCellError("not ISO 8601" if iso_only else "not a timestamp")
    for cell in cells:
        if len(formats) == 1:
            break
        # If a cell fits no format, reading it with the first one raises the reason.
        formats = [each for each in formats if _fits(each, cell)] or formats[:1]
    settings = [each.setting(first) for each in formats]
    if len(settings) > 1 or "%y" in settings[0]:
        bad = BadCellError("ambiguous", hint=f"set timestamp_format: {' or '.join(settings)}")
        words = (word for setting in settings for word in setting.split(" or "))
        bad.choices = [{"timestamp_format": word.strip('"')} for word in words]
        raise bad
    return formats[0]


def _formats(first: str, iso_only: bool) -> list[TimestampLayout]:
    match = None if iso_only else COUNT.fullmatch(first)
    if match:
        return _counts(first, match[2])
    patterns = [date for date in _dates(first) if date in _ISO_DATES or not iso_only]
    return [each for each in map(dated, patterns) if each.matches(first)]


def _dates(first: str) -> list[str]:
    """List the patterns that the date at the beginning of a cell may have, after a weekday."""
    named = _WEEKDAY.match(first)
    match = _DATE.match(first, named.end() if named else 0)
    if match is None:
        return []
    weekday = f"%a{named['sign']}" if named else ""
    fields = [_field_pattern(match[group]) for group in (1, 3, 5)]
    return [
        f"{weekday}%{order[0]}{match[2]}%{order[1]}{match[4]}%{order[2]}"
        for order in _ORDERS
        if all(
            field == letter or (field == "number" and letter in "mdy")
            for field, letter in zip(fields, order, strict=True)
        )
    ]


def _field_pattern(text: str) -> str:
    """Return the letter of a field of a date, or "number" for a day, a month or a short year."""
    if text.isalpha():
        return "b"
    return "Y" if len(text) == 4 else "number" if len(text) < 3 else "none"


def _counts(first: str, digits: str) -> list[TimestampLayout]:
    """List the formats a number may have: a count since 1970, and times without separators."""
    is_plain = digits == first
    if is_plain and digits[:2] in ("19", "20") and len(digits) in _PACKED_TIMES:
        return [Calendar(_PACKED_TIMES[len(digits)])]
    if len(digits.lstrip("0")) > MOST_COUNT_DIGITS:
        return []
    packed = map(Calendar, _PACKED_OR_COUNT.get(len(digits), ()) if is_plain else ())
    fitting = (each for each in packed if _fits(each, first, in_1900_to_2099=True))
    # Only dates and times of a fixed width begin with a zero.
    is_count = digits == "0" or not digits.startswith("0") or not is_plain
    return [*([SizedCount()] if is_count else []), *fitting]


def _fits(format: TimestampLayout, cell: str, in_1900_to_2099: bool = False) -> bool:
    try:
        ns = format.read(cell)
    except BadCellError:
        return False
    return not in_1900_to_2099 or _YEAR_1900_NS <= ns < _YEAR_2100_NS
