"""This module finds the offset from UTC of a time zone: `Z`, `+05:30`, `US/Eastern`."""

import re
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

from rollsignal.errors import BadCellError

HINT = "write offsets such as -05:00, or names such as America/New_York"
OFFSETS = "write offsets such as -05:00 instead"

_FIXED = re.compile(
    "(?:Z|(?:UTC|GMT)?(?:([+-])([0-9]{1,2})(?::?([0-9]{2}))?(?::?([0-9]{2}))?)?)",
    re.IGNORECASE | re.ASCII,
)
SECOND_NS = 10**9
DAY_NS = 86_400 * SECOND_NS


def has_rules(zone: str | None) -> bool:
    """Return whether the offset of a zone depends on the date."""
    return zone is not None and not isinstance(_zone(zone), int)


def offset_ns(zone: str, local_ns: int) -> int:
    """Return how far a zone's clock is ahead of UTC when it shows `local_ns` since 1970.

    Raises `BadCellError` for an unknown zone, and for a time that occurs twice or never there.
    """
    rules = _zone(zone)
    return rules if isinstance(rules, int) else _ruled_offset_ns(rules, zone, local_ns)


@lru_cache
def _zone(text: str) -> int | tzinfo:
    """Find a zone: its fixed offset in nanoseconds, or its rules."""
    match = _FIXED.fullmatch(text)
    if match is None:
        return _rules(text)
    hours, minutes, seconds = (int(part or 0) for part in match.group(2, 3, 4))
    if hours > 23 or minutes > 59 or seconds > 59:
        raise BadCellError(f"{text} is not a valid offset from UTC")
    size = (hours * 3600 + minutes * 60 + seconds) * SECOND_NS
    return -size if match[1] == "-" else size


def _rules(name: str) -> tzinfo:
    """Find the rules of a place; abbreviations such as CST or IST stand for several zones."""
    from zoneinfo import ZoneInfo

    if "/" not in name:
        raise BadCellError(f"{name} is an ambiguous or unknown time zone", hint=HINT)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadCellError(f"{name} is not a time zone known here", hint=HINT) from None


def _ruled_offset_ns(rules: tzinfo, zone: str, local_ns: int) -> int:
    try:
        local = datetime(1970, 1, 1) + timedelta(seconds=local_ns // SECOND_NS)
    except OverflowError:
        raise BadCellError("not within the years 1 to 9999") from None
    # Where the clock is set forward or back, the two folds differ.
    offsets = {rules.utcoffset(local.replace(fold=fold)) for fold in (0, 1)}
    if len(offsets) > 1:
        raise BadCellError(f"a time that occurs twice, or never, in {zone}", hint=OFFSETS)
    offset = offsets.pop()
    assert offset is not None, "zones with rules have an offset at all times"
    return offset // timedelta(seconds=1) * SECOND_NS
