"""This module says what to do about counts that are not clearly times."""

import re
from collections.abc import Sequence

from rollsignal.core.timestamps.zones import SECOND_NS

_YEAR = re.compile("[12][0-9]{3}", re.ASCII)
_YEARS = 'if these are years, set timestamp_format: "%Y"'
NO_TIME_HINT = (
    "if these are counts since 1970, name their unit with timestamp_format: epoch_s, epoch_ms,"
    " epoch_us or epoch_ns; write other numbers as dates such as 2024-01-31"
)
# Serial days of 1927 to 2173, and the milliseconds of a day.
_SERIAL_DAYS, _MS_OF_DAY = (10_000, 100_000), 86_400_000
EXCEL_DAYS = (
    "if these are days of Excel, set timestamp_format: excel; write other numbers as dates such as"
    " 2024-01-31"
)
_OF_DAY = (
    "if these are milliseconds since midnight, set timestamp_format: ms_of_day, and columns:"
    " {timestamp: [DATE, TIME]} with the columns of both; or, for a date in the path, {from: path,"
    ' pattern: "([0-9]{8})_"} in place of DATE'
)


def hint_for(cell: str, times_ns: Sequence[int]) -> str:
    """Return what to do about counts that are too small to be times.

    cell: the first of them. times_ns: all of them, read as seconds.
    """
    if _YEAR.fullmatch(cell.strip()):
        return _YEARS
    most = max(times_ns) // SECOND_NS
    if _SERIAL_DAYS[0] <= most < _SERIAL_DAYS[1]:
        return EXCEL_DAYS
    are_seconds = not any(ns % (1000 * SECOND_NS) for ns in times_ns)
    return _OF_DAY if 10**6 <= most < _MS_OF_DAY and are_seconds else NO_TIME_HINT
