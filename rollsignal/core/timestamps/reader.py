"""This module reads timestamps from text, exactly.

A timestamp without a zone is taken as UTC, or as the local time of a place. A column has one format
throughout: counts since 1970, or calendar times in one day/month order, all with a zone or all
without.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.errors import BadCellError, UsageError
from rollsignal.messages import shown

if TYPE_CHECKING:
    from rollsignal.core.timestamps.counts import Count
    from rollsignal.core.timestamps.forms import TimestampLayout
    from rollsignal.core.timestamps.local import LocalTimes


NAMES = (
    *("timestamp", "datetime", "opentime", "date/time", "tsevent", "windowstart", "time", "date"),
    *("ts", "unix", "epoch", "gmttime", "localtime", "unixtimestamp", "unixtime", "timeopen"),
    *("starttime", "start", "beginsat", "timeperiodstart", "candledatetimeutc", "candletime"),
    *("bartime", "tradedate", "tradetime", "tradingdate", "tradingday", "exchangedate"),
    *("exchangetime", "quotedate", "pricedate", "observationdate", "snappedat", "datetimeutc"),
    *("timestamputc", "timestampms", "day", "dt", "t", "datum", "data", "fecha", "日期"),
)
"""The usual names of the column of timestamps, the first of them that a table has being the one.

They are written as `plain_name` returns them.
"""

ISO = "iso"
ISO_DATE = "%Y-%m-%d"

_IGNORED = " \t\n\u00a0_<>"
_MICROSECOND = timedelta(microseconds=1)
_WIDTHS = (10, 16, 19)
_SIGNS = {4: "-", 7: "-", 10: " T", 13: ":", 16: ":"}

Timestamp = int | datetime
"""A timestamp: nanoseconds since 1970 UTC, or a datetime where that is exact (and faster)."""


class LocalZone(NamedTuple):
    """The place whose clock shows the times without a zone.

    in_order: whether rows that are not in the order of time are refused. newest_first: whether that
    order is from the newest to the oldest.
    """

    name: str
    in_order: bool
    newest_first: bool = False


class TimestampReader:
    """Read one column's timestamps, batch after batch, all in the format of the first.

    written: the format, as in the config's `timestamp_format`; None to find it out. Where times
    without a zone are those of a place, `read` returns what the clock there shows, and `local`
    turns that into UTC.

    >>> TimestampReader().read(["1970-01-02 00:00:00.5", "1970-01-02 00:00:01"])
    [86400500000000, 86401000000000]
    """

    def __init__(self, written: str | None = None) -> None:
        self.written = written
        self.local: LocalTimes | None = None
        self._zoned: bool | None = None
        self._format: TimestampLayout | None = None

    def set_zone(self, zone: LocalZone | None) -> None:
        """Say of which place times without a zone are; None if they are UTC."""
        if zone is not None:
            from rollsignal.core.timestamps import local

            self.local = local.LocalTimes(*zone)

    def read(self, cells: Sequence[str]) -> Sequence[Timestamp]:
        """Read timestamps that can be compared with each other; raises `BadCellError`."""
        if not cells:
            return []
        if self._format is None:
            timestamps = self._read_iso(cells) if self.written in (None, ISO) else []
            if timestamps:
                return timestamps
            self._format = self._find_format(cells)
        return self._format.read_all(cells)

    @property
    def counts(self) -> "Count | None":
        """Return the format of a column of counts since 1970, None for calendar times."""
        return self._format.counts if self._format else None

    @property
    def _has_zone(self) -> bool | None:
        return self._format.zoned if self._format else self._zoned

    @property
    def is_local(self) -> bool:
        """Return whether what was read is to be turned into UTC."""
        return self.local is not None and self._has_zone is False

    @property
    def zoned(self) -> bool | None:
        """Return whether what was read can be known in UTC: with a zone, or counts since 1970.

        None before anything is read.
        """
        return self.is_local or self._has_zone

    @property
    def memory(self) -> tuple[object, ...]:
        """Return all that the reading of further cells depends on, except for their format.

        It is equal after other cells of the column if these could be read in any order.
        """
        local = self.local.memory if self.local else None
        return self.zoned, self.counts.memory if self.counts else None, local

    @property
    def unproven(self) -> BadCellError | None:
        """Return why a cell of the column is no time unless later ones prove that it is one.

        Its index is that in the cells of the first `read` after which this was not None.
        """
        return self.counts.unproven if self.counts else None

    @property
    def pattern(self) -> str:
        """Return the pattern of a column of calendar times, or that of their dates.

        It is empty for counts, and before anything is read.
        """
        if self._format:
            return self._format.pattern
        return "" if self._zoned is None else ISO_DATE

    def _read_iso(self, cells: Sequence[str]) -> Sequence[datetime]:
        """Read plain ISO 8601 with the standard library; return [] if any cell is not plain."""
        zoned = _are_zoned(cells)
        if zoned is None or self._zoned not in (None, zoned):
            return []
        try:
            timestamps = list(map(datetime.fromisoformat, cells))
        except ValueError:
            return []
        self._zoned = zoned
        return timestamps

    def _find_format(self, cells: Sequence[str]) -> "TimestampLayout":
        from rollsignal.core.timestamps.forms import dated, declared_format

        if self._zoned is not None:
            return dated(ISO_DATE, self._zoned)
        if self.written is not None and self.written != ISO:
            return declared_format(self.written)
        from rollsignal.core.timestamps.discovery import discover_format

        return discover_format(cells, iso_only=self.written == ISO)


def _are_zoned(cells: Sequence[str]) -> bool | None:
    """Return whether all cells have a zone or all have none; None if they are not laid out alike.

    Cells of one length are compared as columns of characters. None is also the answer for what
    only the standard library reads, but no other format here (a week, any sign before the time,
    an offset of sixty minutes), and for decimals beyond microseconds, which it would cut off.
    """
    text, width = "".join(cells), len(cells[0])
    # In cells that the library reads, only a date has dashes three characters apart. So if the
    # text, cut into as many equal parts as there are cells, has them in each, the parts are cells.
    if width < _WIDTHS[0] or len(text) != len(cells) * width:
        return None
    end = width if width in _WIDTHS else width - _zone_width(text, width)
    if not all(_are(text[at::width], signs) for at, signs in _SIGNS.items() if at < end):
        return None
    if width == _WIDTHS[0] or end in _WIDTHS[1:] or _has_microseconds(text, width, end):
        return end < width
    return None


def _are(column: str, signs: str) -> bool:
    return sum(map(column.count, signs)) == len(column)


def _zone_width(text: str, width: int) -> int:
    """Return how many characters of every cell are its zone: `Z`, `+05:30`, or none."""
    if _are(text[width - 1 :: width], "Z"):
        return 1
    ends = [text[width - back :: width] for back in (6, 3, 2)]
    return 6 if all(map(_are, ends, ("+-", ":", "012345"))) else 0


def _has_microseconds(text: str, width: int, end: int) -> bool:
    """Return whether the seconds of every cell have one to six decimals that end at `end`."""
    point = _WIDTHS[-1]
    if not point + 1 < end <= point + 7 or not _are(text[point::width], ".,"):
        return False
    return all(text[at::width].isdigit() for at in range(point + 1, end))


def plain_name(name: str) -> str:
    """Return a column's name without case, blanks, `_`, `<>`, and what is in brackets at its end.

    >>> plain_name("<Open_Time> (UTC)")
    'opentime'
    """
    name = name.strip()
    if name.endswith(")"):
        name = name[: name.rfind("(")] if "(" in name else name
    return "".join(character for character in name.lower() if character not in _IGNORED)


def asked_ns(flag: str, text: str, hint: str) -> int:
    """Read a flag's timestamp to nanoseconds since 1970 UTC; raises `UsageError` with the hint.

    >>> asked_ns("--since", "2024-01-31", "write it so")
    1706659200000000000
    """
    reader = TimestampReader()
    try:
        timestamp = reader.read([text])[0]
        if reader.unproven:
            raise reader.unproven
        return to_ns(timestamp)
    except BadCellError as bad:
        raise UsageError(f"{flag} is {shown(text)}, {bad.reason}", hint) from None


def to_ns(timestamp: Timestamp) -> int:
    """Convert a timestamp to nanoseconds since 1970 UTC."""
    if not isinstance(timestamp, datetime):
        return int(timestamp)
    epoch = datetime(1970, 1, 1, tzinfo=UTC if timestamp.tzinfo else None)
    return (timestamp - epoch) // _MICROSECOND * 1000


def iso(ns: int) -> str:
    """Write nanoseconds since 1970 UTC as ISO 8601, with only the decimals it needs.

    >>> iso(86_400_500_000_000)
    '1970-01-02T00:00:00.5Z'
    """
    seconds, fraction = divmod(ns, 10**9)
    try:
        text = (datetime(1970, 1, 1) + timedelta(seconds=seconds)).isoformat()
    except OverflowError:
        return f"{ns} ns since 1970"
    return f"{text}.{fraction:09d}".rstrip("0").rstrip(".") + "Z" if fraction else text + "Z"
