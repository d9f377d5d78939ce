"""This module reads the serial days of spreadsheets: 45292.5 is noon of 1 January 2024.

Excel counts days from 1900 on, and took 1900 for a leap year, so its days are clear from 1 March
1900 on, which is 61. The time of the day is a fraction, which can rarely be written exactly.
"""

import re
from collections.abc import Sequence

from rollsignal.core.timestamps.counts import read_each
from rollsignal.core.timestamps.zones import DAY_NS, SECOND_NS
from rollsignal.errors import BadCellError

EXCEL = "excel"
"""The word for serial days in the config."""

FIRST_DAY, LAST_DAY = 61, 2_958_465
# Serial days of 1 January 1970.
DAYS_TO_EPOCH = 25_569
LEAST_DECIMALS = 9
DAY_MS, MS_NS = 86_400_000, 10**6

_DAYS = re.compile(r"([0-9]{1,9})(?:\.([0-9]{0,40}))?", re.ASCII)
_WRITE_HINT = "have the spreadsheet write times as 2024-01-31 14:30:00, or all decimals of its days"


class SerialDays:
    """Serial days of Excel, in its system of 1900, in no zone."""

    counts = None
    pattern = EXCEL
    zoned: bool | None = False

    def read(self, cell: str) -> int:
        """Read one serial day; raises `BadCellError` if it is none, or may be rounded."""
        match = _DAYS.fullmatch(cell.strip())
        if match is None:
            raise BadCellError("not a serial day of Excel, such as 45292 or 45292.5")
        day, fraction = int(match[1]), (match[2] or "").rstrip("0")
        if not FIRST_DAY <= day <= LAST_DAY:
            raise BadCellError(
                f"not a serial day of Excel from {FIRST_DAY}, which is 1 March 1900, to {LAST_DAY}"
            )
        return (day - DAYS_TO_EPOCH) * DAY_NS + _clock_of(fraction)

    def read_all(self, cells: Sequence[str]) -> list[int]:
        """Read many serial days."""
        return read_each(self.read, cells)

    def setting(self, cell: str) -> str:
        """Return the word for serial days."""
        return EXCEL


def _clock_of(fraction: str) -> int:
    """Return the time of a day in nanoseconds from the decimals of a fraction.

    A fraction is a time if it is a whole number of seconds, or if it has at least nine decimals and
    is within a billionth of a day, 0.09 ms, of a whole millisecond, which it then is.

    >>> _clock_of("604166666666667")
    52200000000000
    """
    if not fraction:
        return 0
    size, unit = int(fraction), int("1" + "0" * len(fraction))
    seconds, rest = divmod(size * 86_400, unit)
    if not rest:
        return seconds * SECOND_NS
    if len(fraction) < LEAST_DECIMALS:
        what = f"a day with fewer than {LEAST_DECIMALS} decimals, so its time may be rounded"
        raise BadCellError(what, hint=_WRITE_HINT)
    milliseconds = (2 * size * DAY_MS + unit) // (2 * unit)
    if abs(size * DAY_MS - milliseconds * unit) * 10**9 > DAY_MS * unit:
        raise BadCellError("a day whose time is not a whole millisecond", hint=_WRITE_HINT)
    return milliseconds * MS_NS
