"""This module looks up when the clock of a place is set forward or back: the rules of its zone."""

import re
from bisect import bisect_right
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from rollsignal.core.timestamps.zones import SECOND_NS

_OFFSET = re.compile("([+-])([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
# No zone has changed its offset twice within so many seconds.
_PROBED_SECONDS = 6 * 3600
_NO_RULES = (
    "install the system's package tzdata, or run pip install tzdata: there are no rules of any zone"
)


class ZoneRules(NamedTuple):
    """The changes of a clock, in order, and the offsets from UTC between them.

    The local times from `begins_ns` to before `ends_ns` do not exist if the clock is set forward,
    and come twice if it is set back. There is one more offset than there are changes.
    """

    begins_ns: list[int]
    ends_ns: list[int]
    offsets_ns: list[int]

    def without_change(self, least_ns: int, most_ns: int) -> int | None:
        """Return the offset of all local times between two; None if the clock changes there."""
        at = (bisect_right(each, ns) for each in self[:2] for ns in (least_ns, most_ns))
        first, *others = at
        return self.offsets_ns[first] if others == [first] * 3 else None


class ZoneNameError(ValueError):
    """There is no such zone, or none is known here; the text says why and what to write."""


@lru_cache
def named_zone(name: str) -> tzinfo:
    """Find the zone of a place such as `Europe/Berlin`, `UTC`, or an offset such as `-05:00`.

    Raises `ZoneNameError`. An abbreviation such as CST stands for several zones.
    """
    if match := _OFFSET.fullmatch(name):
        size = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-size if match[1] == "-" else size)
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo, available_timezones

    # Those below right/ count leap seconds.
    if "/" in name and not name.startswith(("right/", "posix/")):
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            if not available_timezones():
                raise ZoneNameError(_NO_RULES) from None
    from rollsignal.messages import did_you_mean

    places = [place for place in available_timezones() if "/" in place]
    near = did_you_mean(name, places) if len(name) < 64 and places else ""
    near = f"; {near}" if near.startswith("did") else ""
    raise ZoneNameError(
        f"write a place such as America/New_York, or an offset such as -05:00{near}"
    )


def local_rules(name: str, first_year: int, last_year: int) -> ZoneRules:
    """Return the rules that local times of some years need."""
    zone = named_zone(name)
    begin = _year_begin(first_year - 1)
    offset = _offset(zone, begin)
    rules = ZoneRules([], [], [offset * SECOND_NS])
    for year in range(first_year - 1, last_year + 2):
        for at, after in _changes_in(name, year):
            low, high = sorted((offset, after))
            rules.begins_ns.append((at + low) * SECOND_NS)
            rules.ends_ns.append((at + high) * SECOND_NS)
            rules.offsets_ns.append(after * SECOND_NS)
            offset = after
    return rules


@lru_cache(maxsize=1024)
def _changes_in(name: str, year: int) -> tuple[tuple[int, int], ...]:
    """List the changes in a year of UTC: the first second of each, and the offset from then on."""
    zone = named_zone(name)
    times = [
        *range(_year_begin(year), _year_begin(year + 1), _PROBED_SECONDS),
        _year_begin(year + 1),
    ]
    offsets = [(at, _offset(zone, at)) for at in times]
    changes = []
    for (low, before), (high, after) in pairwise(offsets):
        if before != after:
            changes.append((_first_second(zone, low, high), after))
    return tuple(changes)


def _first_second(zone: tzinfo, low: int, high: int) -> int:
    """Return the first second after `low` with the offset of `high`."""
    after = _offset(zone, high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(zone, middle) == after else (middle, high)
    return high


def _offset(zone: tzinfo, at: int) -> int:
    """Return the offset from UTC in seconds, at a number of seconds since 1970 UTC."""
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)).astimezone(zone)
    offset = local.utcoffset()
    assert offset is not None, "every zone has an offset"
    return offset // timedelta(seconds=1)


def _year_begin(year: int) -> int:
    return (datetime(year, 1, 1) - datetime(1970, 1, 1)) // timedelta(seconds=1)
