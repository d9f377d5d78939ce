"""This module reads times that are milliseconds since midnight, after the date of the day."""

import re
from collections.abc import Sequence
from datetime import date

from rollsignal.core.timestamps.counts import read_each
from rollsignal.core.timestamps.zones import DAY_NS
from rollsignal.errors import BadCellError

MS_OF_DAY = "ms_of_day"
"""The word for milliseconds since midnight in the config."""

_DAY_AND_MS = re.compile(r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})[ \t]+([0-9]{1,8})", re.ASCII)
_DAY_OF_1970 = date(1970, 1, 1).toordinal()
_MS_NS = 10**6
_BOTH_HINT = (
    "name the columns of date and time: columns: {timestamp: [DATE, TIME]}; or, for a date in the"
    ' path, {from: path, pattern: "([0-9]{8})_"} in place of DATE'
)


class MillisecondsOfDay:
    """Dates as 2024-01-31 or 20240131, each with milliseconds since its midnight, in no zone."""

    counts = None
    pattern = MS_OF_DAY
    zoned: bool | None = False

    def read(self, cell: str) -> int:
        """Read one time; raises `BadCellError` if it is none, or beyond the day."""
        match = _DAY_AND_MS.fullmatch(cell.strip())
        if match is None:
            what = "not a date such as 2024-01-31 or 20240131, and milliseconds since its midnight"
            raise BadCellError(what, hint=_BOTH_HINT)
        clock_ns = int(match[5]) * _MS_NS
        if clock_ns >= DAY_NS:
            raise BadCellError("milliseconds beyond the end of a day")
        try:
            day = date(*map(int, match.group(1, 3, 4))).toordinal() - _DAY_OF_1970
        except ValueError as error:
            raise BadCellError(f"not a valid date ({error})") from None
        return day * DAY_NS + clock_ns

    def read_all(self, cells: Sequence[str]) -> list[int]:
        """Read many times."""
        return read_each(self.read, cells)

    def setting(self, cell: str) -> str:
        """Return the word for milliseconds since midnight."""
        return MS_OF_DAY
