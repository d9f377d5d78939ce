"""This module reads a whole column of timestamps from bytes: calendar times of one shape, counts.

It accepts only times with the year first, all of one length, with the same separators and the same
zone. The careful `TimestampReader` decides what the first of them means.
"""

import re
from typing import TYPE_CHECKING

from rollsignal.core.timestamps.reader import TimestampReader, to_ns
from rollsignal.core.timestamps.zones import DAY_NS, SECOND_NS
from rollsignal.readers.fast.fields import Fields
from rollsignal.readers.fast.words import NotPlainError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rollsignal.core.timestamps.counts import Count

    Text = NDArray[np.uint8]


_SHAPE = re.compile(
    rb"[0-9]{4}([-/.])[0-9]{2}\1[0-9]{2}(?P<clock>[T ][0-9]{2}:[0-9]{2}"
    rb"(?P<second>:[0-9]{2}(?:\.(?P<fraction>[0-9]{1,9}))?)?)?"
    rb"(?P<zone> ?(?:Z|UTC|GMT)|[+-][0-9:]+)?"
)
# The answer for the first time holds for all if its pattern is one of these.
_PATTERN = re.compile(r"%Y([-/.])%m\1%d(?:[T ]%H:%M(?::%S(?:\.%f)?)?(?: ?%[zZ])?)?", re.ASCII)
DAYS_TO_1970 = 719_468
ZERO = ord("0")
# Masks: the digits' values in the eight bytes HH:MM:SS, and the hours and minutes of its pairs.
DIGITS = 0x0F0F000F0F000F0F
HOURS_AND_MINUTES = 0x00000000FF0000FF
# The first and last year whose times all fit into an int64 of nanoseconds, in any zone.
FIRST_YEAR, LAST_YEAR = 1678, 2261


def timestamps_of(fields: Fields, column: int, reader: TimestampReader) -> "NDArray[np.int64]":
    """Read a column of timestamps to nanoseconds since 1970 UTC; raises `NotPlainError`."""
    if reader.counts:
        return _counts_ns(fields, column, reader.counts)
    times_ns = _calendar_ns(fields, column, reader)
    if reader.local is None or not reader.is_local:
        return times_ns
    in_utc = reader.local.clear_in_utc(times_ns)
    if in_utc is None:
        raise NotPlainError("local times that do not exist, or that come twice")
    return in_utc


def _calendar_ns(fields: Fields, column: int, reader: TimestampReader) -> "NDArray[np.int64]":
    """Read calendar times as they are written."""
    import numpy as np

    text = fields.texts(column)
    first = text[0].tobytes()
    shape = _SHAPE.fullmatch(first)
    if shape is None:
        raise NotPlainError("timestamps that are not plain calendar times")
    timestamp = reader.read([first.decode()])[0]
    if not _PATTERN.fullmatch(reader.pattern):
        raise NotPlainError("timestamps of another order")
    least, most = _extremes(text)
    _check_shape(first, least, most, shape.start("zone") if shape["zone"] else len(first))
    days, counts = _days(text, same_century=least[:2] == most[:2])
    local = days * DAY_NS
    clock = _clocks_ns(text, shape, most) if shape["clock"] else None
    local += to_ns(timestamp) - int(local[0]) - (0 if clock is None else int(clock[0]))
    times_ns = np.repeat(local, counts)
    return times_ns if clock is None else np.add(times_ns, clock, out=times_ns)


def _counts_ns(fields: Fields, column: int, counts: "Count") -> "NDArray[np.int64]":
    values = fields.whole_numbers(column)
    least, most = int(values.min()), int(values.max())
    unit_ns = counts.unit_ns_of(least, most)
    if not unit_ns or most * unit_ns >= 2**63:
        raise NotPlainError("counts of several units, or beyond 64 bits")
    return values * unit_ns


def _extremes(text: "Text") -> tuple[list[int], list[int]]:
    """Find the least and the greatest byte at every index of the cells.

    Rows are joined in groups of 64, because NumPy is slow along short rows.
    """
    rows, width = text.shape
    whole = rows - rows % 64
    parts = [part for part in (text[:whole].reshape(-1, 64 * width), text[whole:]) if part.size]
    least = [part.min(axis=0).reshape(-1, width).min(axis=0).tolist() for part in parts]
    most = [part.max(axis=0).reshape(-1, width).max(axis=0).tolist() for part in parts]
    return list(map(min, zip(*least, strict=True))), list(map(max, zip(*most, strict=True)))


def _check_shape(first: bytes, least: list[int], most: list[int], zone: int) -> None:
    """Check that all rows have digits where the first has, and else the same characters."""
    for index, (sign, low, high) in enumerate(zip(first, least, most, strict=True)):
        digits = index < zone and chr(sign).isdigit()
        if (low, high) != (sign, sign) and not (digits and low >= ZERO and high <= ZERO + 9):
            raise NotPlainError("timestamps of several shapes")


def _days(text: "Text", same_century: bool) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Count the days since 1970 of every row whose date differs from the one above.

    Returns the days, and how many rows each of them stands for.
    """
    import numpy as np

    rows, width = text.shape
    # The bytes of the date, YY-MM-DD and YYYY-MM-, as numbers.
    words = [np.ndarray((rows,), "<u8", text, at, (width,)) for at in (2, 0)]
    changes = words[0][1:] != words[0][:-1]
    if not same_century:
        changes |= words[1][1:] != words[1][:-1]
    bounds = np.concatenate(([0], np.flatnonzero(changes) + 1, [rows]))
    begins, ends = bounds[:-1], bounds[1:]
    dates = text[begins, :10].astype(np.int64) - ZERO
    year = dates[:, :4] @ np.array([1000, 100, 10, 1])
    month, day = dates[:, 5:7] @ np.array([10, 1]), dates[:, 8:10] @ np.array([10, 1])
    _check_dates(year, month, day)
    return _days_of_dates(year, month, day), ends - begins


def _check_dates(
    year: "NDArray[np.int64]", month: "NDArray[np.int64]", day: "NDArray[np.int64]"
) -> None:
    import numpy as np

    if year.min() < FIRST_YEAR or year.max() > LAST_YEAR:
        raise NotPlainError("timestamps beyond 64 bits")
    if month.min() < 1 or month.max() > 12 or day.min() < 1:
        raise NotPlainError("a date that is not in the calendar")
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[month - 1]
    if (day > longest + (leap & (month == 2))).any():
        raise NotPlainError("a date that is not in the calendar")


def _days_of_dates(
    year: "NDArray[np.int64]", month: "NDArray[np.int64]", day: "NDArray[np.int64]"
) -> "NDArray[np.int64]":
    """Count the days from 1970-01-01 to dates of the Gregorian calendar.

    It counts years from March, so that the leap day is the last day; 400 years have 146,097 days.
    Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    """
    year = year - (month <= 2)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + of_year - DAYS_TO_1970


def _clocks_ns(text: "Text", shape: "re.Match[bytes]", most: list[int]) -> "NDArray[np.int64]":
    """Read the times of the day to nanoseconds, the digits HH:MM:SS in one word of 64 bits."""
    import numpy as np

    rows, width = text.shape
    if any(most[index] > ZERO + 5 for index in (14, 17) if index < shape.end("clock")):
        raise NotPlainError("a time that is not in a day")
    seconds_at = 48 if shape["second"] else 0
    # Without seconds, take the word "DD HH:MM" and shift it.
    word = np.ndarray((rows,), "<u8", text, 11 if seconds_at else 8, (width,)).copy()
    if not seconds_at:
        word >>= np.uint64(24)
    word &= np.uint64(DIGITS)
    # In each pair, ten times the tens is added to the ones, in the byte of the tens.
    pairs = word * np.uint64(10)
    word >>= np.uint64(8)
    pairs += word
    minutes = (pairs & np.uint64(HOURS_AND_MINUTES)) * np.uint64((60 << 24) + 1)
    minutes >>= np.uint64(24)
    minutes &= np.uint64(0xFFFF)
    if minutes.max() >= 24 * 60:
        raise NotPlainError("a time that is not in a day")
    minutes *= np.uint64(60)
    if seconds_at:
        pairs >>= np.uint64(seconds_at)
        pairs &= np.uint64(0xFF)
        minutes += pairs
    minutes *= np.uint64(SECOND_NS)
    clock: NDArray[np.int64] = minutes.view(np.int64)
    if shape["fraction"]:
        begin, end = shape.span("fraction")
        for index in range(begin, end):
            unit = 10 ** (8 - index + begin)
            clock += (text[:, index].astype(np.int64) - ZERO) * unit
    return clock
