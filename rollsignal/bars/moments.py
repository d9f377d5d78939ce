"""This module reads a whole column of timestamps from bytes: calendar times of one shape, epochs.

It only knows times with the year first, all of one length, with the same signs between the digits
and the same zone. What the first of them means is asked of the careful `TimestampReader`.
"""

import re
from typing import TYPE_CHECKING

from rollsignal.bars.fields import DoubtError, Fields
from rollsignal.timestamps import TimestampReader, to_ns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Text = NDArray[np.uint8]

_SHAPE = re.compile(
    rb"[0-9]{4}([-/.])[0-9]{2}\1[0-9]{2}(?P<clock>[T ][0-9]{2}:[0-9]{2}"
    rb"(?P<second>:[0-9]{2}(?:\.(?P<fraction>[0-9]{1,9}))?)?)?"
    rb"(?P<zone> ?(?:Z|UTC|GMT)|[+-][0-9:]+)?"
)
# What is asked of the first time holds for all where its pattern is one of these, or their date's.
_PATTERN = re.compile(r"%Y([-/.])%m\1%d(?:[T ]%H:%M(?::%S(?:\.%f)?)?(?: ?%[zZ])?)?", re.ASCII)
DAY_S = 86_400
SECOND_NS = 10**9
DAYS_TO_1970 = 719_468
ZERO = ord("0")
# Whole years whose every moment, in whatever zone, fits into an int64 of nanoseconds.
FIRST_YEAR, LAST_YEAR = 1678, 2261


def moments_of(fields: Fields, place: int, reader: TimestampReader) -> "NDArray[np.int64]":
    """Read a column of timestamps to nanoseconds since 1970 UTC; raises `DoubtError`."""
    if reader.epoch_unit_ns:
        return _epochs(fields, place, reader.epoch_unit_ns)
    text = fields.texts(place)
    first = text[0].tobytes()
    shape = _SHAPE.fullmatch(first)
    if shape is None:
        raise DoubtError("timestamps beyond plain calendar times")
    moment = reader.read([first.decode()])[0]
    if not _PATTERN.fullmatch(reader.pattern):
        raise DoubtError("timestamps of another order")
    _check_shape(text, first, shape.start("zone") if shape["zone"] else len(first))
    local = _days(text) * (DAY_S * SECOND_NS)
    if shape["clock"]:
        local += _clock_ns(text, shape)
    local += to_ns(moment) - int(local[0])
    return local


def _epochs(fields: Fields, place: int, unit_ns: int) -> "NDArray[np.int64]":
    values = fields.whole_numbers(place)
    if int(values.max()) * unit_ns >= 2**63:
        raise DoubtError("timestamps beyond 64 bits")
    return values * unit_ns


def _check_shape(text: "Text", first: bytes, zone: int) -> None:
    """Make sure that all rows have digits where the first has, and else its very characters.

    Rows are joined 64 by 64, because NumPy is slow along short rows.
    """
    rows, width = text.shape
    whole = rows - rows % 64
    parts = [text[:whole].reshape(-1, 64 * width), text[whole:]]
    least = [part.min(axis=0).reshape(-1, width).min(axis=0) for part in parts if part.size]
    most = [part.max(axis=0).reshape(-1, width).max(axis=0) for part in parts if part.size]
    for place, sign in enumerate(first):
        low, high = min(part[place] for part in least), max(part[place] for part in most)
        digits = place < zone and chr(sign).isdigit()
        if (low, high) != (sign, sign) and not (digits and low >= ZERO and high <= ZERO + 9):
            raise DoubtError("timestamps of several shapes")


def _days(text: "Text") -> "NDArray[np.int64]":
    """Count the days since 1970 of every row; each that differs from the one above is computed."""
    import numpy as np

    rows, width = text.shape
    # The bytes of the date, YYYY-MM- and YY-MM-DD, as numbers.
    words = [np.ndarray((rows,), "<u8", text, at, (width,)) for at in (0, 2)]
    changes = (words[0][1:] != words[0][:-1]) | (words[1][1:] != words[1][:-1])
    begins = np.concatenate((np.zeros(1, np.int64), np.flatnonzero(changes) + 1))
    dates = text[begins, :10].astype(np.int64) - ZERO
    year = dates[:, :4] @ np.array([1000, 100, 10, 1])
    month, day = dates[:, 5:7] @ np.array([10, 1]), dates[:, 8:10] @ np.array([10, 1])
    _check_dates(year, month, day)
    return np.repeat(_days_of_dates(year, month, day), np.diff(begins, append=rows))


def _check_dates(
    year: "NDArray[np.int64]", month: "NDArray[np.int64]", day: "NDArray[np.int64]"
) -> None:
    import numpy as np

    if year.min() < FIRST_YEAR or year.max() > LAST_YEAR:
        raise DoubtError("timestamps beyond 64 bits")
    if month.min() < 1 or month.max() > 12 or day.min() < 1:
        raise DoubtError("no date of the calendar")
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[month - 1]
    if (day > longest + (leap & (month == 2))).any():
        raise DoubtError("no date of the calendar")


def _days_of_dates(
    year: "NDArray[np.int64]", month: "NDArray[np.int64]", day: "NDArray[np.int64]"
) -> "NDArray[np.int64]":
    """Count the days from 1970-01-01 to dates of the Gregorian calendar.

    In years that begin in March, so that the leap day is the last; 400 of them have 146,097 days.
    Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    """
    year = year - (month <= 2)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + of_year - DAYS_TO_1970


def _clock_ns(text: "Text", shape: "re.Match[bytes]") -> "NDArray[np.int64]":
    """Read the times of the day to nanoseconds."""
    import numpy as np

    hours, minutes = _pair(text, 11), _pair(text, 14)
    seconds = hours * 3600 + minutes * 60
    if hours.max() > 23 or minutes.max() > 59:
        raise DoubtError("no time of the day")
    if shape["second"]:
        last = _pair(text, 17)
        if last.max() > 59:
            raise DoubtError("no time of the day")
        seconds += last
    clock = seconds * SECOND_NS
    if shape["fraction"]:
        begin, end = shape.span("fraction")
        unit = SECOND_NS
        for place in range(begin, end):
            unit //= 10
            clock += (text[:, place].astype(np.int64) - ZERO) * unit
    return clock


def _pair(text: "Text", place: int) -> "NDArray[np.int64]":
    """Read two digits of every row."""
    import numpy as np

    tens = text[:, place].astype(np.int64)
    return (tens - ZERO) * 10 + (text[:, place + 1] - ZERO)
