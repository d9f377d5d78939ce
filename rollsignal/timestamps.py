"""This module reads timestamps as text, which compare, and convert to nanoseconds, exactly.

A timestamp without a zone is taken as UTC. A column keeps one form throughout: epoch numbers of
one unit or calendar times, one day/month order, with a zone or without.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rollsignal.errors import BadCellError

if TYPE_CHECKING:
    from rollsignal.timestamp_forms import OtherForms

NAMES = (
    *("timestamp", "datetime", "date_time", "date time", "open_time", "open time", "opentime"),
    *("time", "date", "ts", "unix", "epoch", "gmt time", "local time"),
)

_SECOND_NS = 10**9
_MICROSECOND = timedelta(microseconds=1)

Moment = int | datetime
"""A timestamp: nanoseconds since 1970 UTC, or a datetime where that is exact (and faster)."""


class TimestampReader:
    """Read one column's timestamps, batch after batch, all in the form of the first.

    >>> TimestampReader().read(["1970-01-02 00:00:00.5", "1970-01-02 00:00:01"])
    [86400500000000, 86401000000000]
    """

    def __init__(self) -> None:
        self._zoned: bool | None = None
        self._others: OtherForms | None = None

    def read(self, cells: Sequence[str]) -> Sequence[Moment]:
        """Read timestamps, which compare with each other; raises `BadCellError`."""
        iso_cells = self._read_iso(cells) if self._others is None else []
        return iso_cells or self._read_others(cells)

    @property
    def epoch_unit_ns(self) -> int:
        """Return the unit of a column of epoch numbers, 0 for calendar times."""
        return self._others.epoch_unit_ns if self._others else 0

    def _read_iso(self, cells: Sequence[str]) -> Sequence[datetime]:
        """Read ISO 8601 by the standard library; nothing where that could lose something."""
        if not cells or cells[0][4:5] != "-" or cells[0][7:8] != "-":
            return []
        text = "".join(cells)
        if "." in text or "," in text:
            # The library would cut a fraction after microseconds.
            return []
        try:
            moments = list(map(datetime.fromisoformat, cells))
        except ValueError:
            return []
        zoned = {moment.tzinfo is not None for moment in moments}
        if self._zoned is None and len(zoned) == 1:
            self._zoned = moments[0].tzinfo is not None
        return moments if zoned == {self._zoned} else []

    def _read_others(self, cells: Sequence[str]) -> Sequence[int]:
        from rollsignal.timestamp_forms import OtherForms

        if not cells:
            return []
        if self._others is None:
            self._others = OtherForms(cells, self._zoned)
            self._zoned = self._others.zoned
        moments: list[int] = []
        try:
            moments.extend(map(self._others.read, cells))
        except BadCellError as bad:
            raise BadCellError(bad.reason, len(moments)) from None
        return moments


def to_ns(moment: Moment) -> int:
    """Convert a moment to nanoseconds since 1970 UTC."""
    if not isinstance(moment, datetime):
        return int(moment)
    epoch = datetime(1970, 1, 1, tzinfo=UTC if moment.tzinfo else None)
    return (moment - epoch) // _MICROSECOND * 1000


def iso(ns: int) -> str:
    """Write nanoseconds since 1970 UTC as ISO 8601, with as many decimals as it needs.

    >>> iso(86_400_500_000_000)
    '1970-01-02T00:00:00.5Z'
    """
    seconds, fraction = divmod(ns, _SECOND_NS)
    try:
        text = (datetime(1970, 1, 1) + timedelta(seconds=seconds)).isoformat()
    except OverflowError:
        return f"{ns} ns since 1970"
    return f"{text}.{fraction:09d}".rstrip("0").rstrip(".") + "Z" if fraction else text + "Z"
