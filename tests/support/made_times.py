"""This module writes the same times in the ways in which files write them.

It never imports rollsignal, so that the product is never its own oracle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STEPS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=31),
    "year": timedelta(days=366),
}
NAMES = (
    *("timestamp", "time", "date", "datetime", "open_time", "trade_date", "tradedate", "start"),
    *("exchange_date", "snapped_at", "time_period_start", "candle_date_time_utc", "begins_at"),
    *("start_time", "startTime", "bar_time", "observation_date", "quote_date", "unix_timestamp"),
    *("dt", "day", "t", "ts_event", "timeOpen", "Datum", "Data", "日期"),
)
ODD_NAMES = ("", "stamp", "when", "closed at", "Zeit", "bar", "period", "as_of", "Unnamed: 0")
INDEX = "__index_level_0__"

Write = Callable[[datetime, Random], str]


class Spelling(NamedTuple):
    """How a column of times is written.

    write: writes a time. steps: the steps of time that it can tell apart. setting: a
    `timestamp_format` that reads it, "" if there is none. zoned: None if it has no time of day.
    """

    name: str
    write: Write
    steps: Sequence[str]
    setting: str = ""
    zoned: bool | None = False


DAILY = ("day", "week", "month", "year")
TIMED = ("minute", "hour", *DAILY)


def count(at: datetime, unit: int) -> str:
    return str((at - EPOCH) // timedelta(microseconds=1) * unit // 10**6)


def calendar(pattern: str, steps: Sequence[str] = DAILY, setting: str | None = None) -> Spelling:
    zoned = None if "H" not in pattern and "I" not in pattern else False
    return Spelling(pattern, lambda at, _: at.strftime(pattern), steps, setting or pattern, zoned)


def unpadded(pattern: str, setting: str) -> Spelling:
    def write(at: datetime, _: Random) -> str:
        return pattern.format(d=at.day, m=at.month, y=at.year)

    return Spelling(pattern, write, DAILY, setting, None)


def zoned(name: str, zone: Callable[[datetime], str], hours: float) -> Spelling:
    """Write local times of a fixed offset, with a zone after them."""
    local = timezone(timedelta(hours=hours))

    def write(at: datetime, _: Random) -> str:
        return at.astimezone(local).strftime("%Y-%m-%dT%H:%M:%S") + zone(at)

    return Spelling(name, write, TIMED, "iso", True)


def counts(word: str, unit: int) -> Spelling:
    return Spelling(word, lambda at, _: count(at, unit), TIMED, word, True)


def _new_york(at: datetime, _: Random) -> str:
    return at.astimezone(ZoneInfo("America/New_York")).isoformat()


def _named(at: datetime, _: Random) -> str:
    local = at.astimezone(ZoneInfo("America/New_York"))
    return local.strftime("%Y-%m-%d %H:%M:%S America/New_York")


def _mixed(at: datetime, rng: Random) -> str:
    return count(at, rng.choice([1, 10**3, 10**6, 10**9]))


def _grown(at: datetime, _: Random) -> str:
    return count(at, 10**6 if at.minute >= 30 or at.day > 15 else 10**3)


def _some_zoned(at: datetime, rng: Random) -> str:
    local = at + timedelta(hours=9)
    is_zoned = rng.random() < 0.5
    return local.strftime("%Y-%m-%dT%H:%M:%S") + ("+09:00" if is_zoned else "")


KNOWN = [
    calendar("%Y-%m-%d", setting="iso"),
    calendar("%Y-%m-%d %H:%M:%S", TIMED, "iso"),
    calendar("%Y-%m-%dT%H:%M", TIMED, "iso"),
    calendar("%Y-%m-%d %H:%M:%S.%f", TIMED, "iso"),
    *(calendar(pattern) for pattern in (
        "%Y%m%d", "%Y.%m.%d", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y",
        "%m/%d/%y", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y", "%d-%b-%y", "%B %d, %Y")),
    *(calendar(pattern, TIMED) for pattern in (
        "%Y.%m.%d %H:%M", "%Y%m%d %H%M%S", "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%d/%m/%Y %H:%M",
        "%m/%d/%Y %I:%M %p", "%d.%m.%Y %H:%M:%S", "%Y%m%d %H:%M")),
    unpadded("{m}/{d}/{y}", "%m/%d/%Y"),
    unpadded("{d}/{m}/{y}", "%d/%m/%Y"),
    unpadded("{d}.{m}.{y}", "%d.%m.%Y"),
    unpadded("{y}-{m}-{d}", "%Y-%m-%d"),
    zoned("Z", lambda _: "Z", 0),
    zoned("+00:00", lambda _: "+00:00", 0),
    zoned("+05:30", lambda _: "+05:30", 5.5),
    zoned("-0500", lambda _: "-0500", -5),
    zoned("UTC", lambda _: " UTC", 0),
    Spelling("New York", _new_york, TIMED, "iso", True),
    Spelling("named", _named, TIMED, "", True),
    *(counts(f"epoch_{unit}", 1000**place) for place, unit in enumerate(("s", "ms", "us", "ns"))),
    Spelling("s.0", lambda at, _: count(at, 1) + ".0", TIMED, "epoch_s", True),
    Spelling("date and time", lambda at, _: at.strftime("%Y.%m.%d"), TIMED),
    Spelling("mixed units", _mixed, TIMED, "", True),
    Spelling("ms, then us", _grown, TIMED, "", True),
]  # fmt: skip
"""Ways that tell the time; a table may still leave open which of two of them it has."""


def _clock(at: datetime, _: Random) -> str:
    return at.strftime("%H:%M")


def _day_of(first: datetime) -> Write:
    return lambda at, _: str((at - first).days)


def _year_fraction(at: datetime, _: Random) -> str:
    return f"{at.year}.{at.month:02}"


def _dot_net(at: datetime, _: Random) -> str:
    ticks = Fraction((at - datetime(1, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)) * 10
    return str(int(ticks))


DOUBTFUL = [
    Spelling("%Y", lambda at, _: str(at.year), ("year",), "%Y", None),
    Spelling("row number", lambda at, _: str((at - EPOCH) // timedelta(days=1) - 10_900), DAILY),
    Spelling("days since 1970", _day_of(EPOCH), DAILY),
    Spelling("Excel", _day_of(datetime(1899, 12, 30, tzinfo=UTC)), DAILY),
    Spelling("year and month", _year_fraction, ("month", "year")),
    Spelling("1871.1", lambda at, _: f"{at.year}.{at.month}", ("month", "year")),
    Spelling(".NET", _dot_net, TIMED),
    Spelling("1.7e9", lambda at, _: f"{count(at, 1)}e0", TIMED),
    Spelling("time of day", _clock, ("minute", "hour")),
    Spelling("some zoned", _some_zoned, TIMED, "", True),
    Spelling("EST", lambda at, _: at.strftime("%Y-%m-%d %H:%M:%S EST"), TIMED, "", True),
    Spelling("weekday", lambda at, _: at.strftime("%A"), DAILY),
    Spelling("quarter", lambda at, _: f"{at.year}Q{(at.month + 2) // 3}", ("month", "year")),
    Spelling("no year", lambda at, _: at.strftime("%d.%m."), DAILY),
]
"""Ways that do not, or that may be something else."""


def times(rng: Random, step: str, rows: int) -> list[datetime]:
    """Draw rising times on whole steps, sometimes with gaps."""
    first = datetime(
        rng.choice([1966, 1971, 1972, 1999, 2001, 2016, *[2024] * 8]),
        rng.choice([1, 1, 2, 3, 9, 11, 12]),
        rng.choice([1, 1, 2, 3, 10, 28]),
        tzinfo=UTC,
    )
    if step in ("minute", "hour"):
        first += timedelta(hours=rng.choice([0, 4, 9, 23]), minutes=rng.choice([0, 29, 30, 58]))
    if rows > 100:
        step = "minute"
    places, place = list[int](), 0
    for _ in range(rows):
        places.append(place)
        place += rng.choice([1, 1, 1, 1, 2, 3])
    if step not in ("month", "year"):
        return [first + place * STEPS[step] for place in places]
    months = [first.month - 1 + place * (12 if step == "year" else 1) for place in places]
    return [first.replace(year=first.year + m // 12, month=m % 12 + 1) for m in months]
