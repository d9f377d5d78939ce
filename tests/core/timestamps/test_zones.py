"""Time zones: how far a clock is ahead of UTC, and times that are ambiguous."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.core.timestamps.zones import has_rules, offset_ns
from rollsignal.errors import BadCellError

EPOCH = datetime(1970, 1, 1)
MINUTE_NS = 60 * 10**9


def local_ns(*parts: int) -> int:
    # The parts of a datetime, from the year on.
    return (datetime(*parts) - EPOCH) // timedelta(microseconds=1) * 1000  # type: ignore[arg-type]


def refusal(zone: str, ns: int = 0) -> tuple[str, str]:
    with pytest.raises(BadCellError) as caught:
        offset_ns(zone, ns)
    return caught.value.reason, caught.value.hint


@pytest.mark.parametrize(
    "zone", ["Z", "z", "UTC", "utc", "GMT", "+00:00", "-00", "UTC+0", "GMT-0000"]
)
def test_utc_has_many_names(zone: str) -> None:
    assert offset_ns(zone, 0) == 0
    assert not has_rules(zone)


@given(st.integers(0, 23), st.integers(0, 59), st.sampled_from(["+", "-"]))
def test_an_offset_is_hours_and_minutes_ahead(hours: int, minutes: int, sign: str) -> None:
    expected = (hours * 60 + minutes) * MINUTE_NS * (-1 if sign == "-" else 1)
    for name in ("", "UTC", "gmt"):
        for zone in (f"{hours:02d}:{minutes:02d}", f"{hours:02d}{minutes:02d}"):
            assert offset_ns(f"{name}{sign}{zone}", 0) == expected
    assert offset_ns(f"UTC{sign}{hours}", 0) == hours * 60 * MINUTE_NS * (-1 if sign == "-" else 1)


def test_an_offset_may_have_seconds() -> None:
    assert offset_ns("+00:19:32", 0) == (19 * 60 + 32) * 10**9


@pytest.mark.parametrize("zone", ["+24:00", "-05:60", "+01:00:60", "UTC+99"])
def test_an_offset_beyond_a_day_or_of_sixty_minutes_is_refused(zone: str) -> None:
    assert refusal(zone)[0] == f"{zone} is not a valid offset from UTC"


@pytest.mark.parametrize(
    ("zone", "parts", "hours"),
    [
        ("US/Eastern", (2024, 1, 31, 9, 30), -5),
        ("America/New_York", (2024, 7, 31, 9, 30), -4),
        ("Asia/Kolkata", (2024, 1, 31, 9, 15), 5.5),
        ("Europe/Berlin", (1969, 12, 31, 9, 0), 1),
        ("Etc/GMT+5", (2024, 1, 31), -5),
    ],
)
def test_the_offset_of_a_place_is_that_of_the_day(
    zone: str, parts: tuple[int, ...], hours: float
) -> None:
    assert offset_ns(zone, local_ns(*parts)) == hours * 60 * MINUTE_NS
    assert has_rules(zone)


@pytest.mark.parametrize("parts", [(2024, 11, 3, 1, 30), (2024, 3, 10, 2, 30)])
def test_a_time_that_occurs_twice_or_never_is_refused(parts: tuple[int, ...]) -> None:
    assert refusal("US/Eastern", local_ns(*parts)) == (
        "a time that occurs twice, or never, in US/Eastern",
        "write offsets such as -05:00 instead",
    )


@pytest.mark.parametrize("zone", ["EST", "CST", "IST", "CET", "BST", "EST5EDT", "Japan", "UTC1000"])
def test_a_zone_without_a_place_is_refused(zone: str) -> None:
    reason, hint = refusal(zone)
    assert reason == f"{zone} is an ambiguous or unknown time zone"
    assert hint == "write offsets such as -05:00, or names such as America/New_York"


@pytest.mark.parametrize(
    "zone", ["Mars/Base", "America/", "America/Argentina", "a/../../etc/x", "US//"]
)
def test_an_unknown_place_is_refused(zone: str) -> None:
    assert refusal(zone)[0] == f"{zone} is not a time zone known here"


@pytest.mark.parametrize("ns", [-(10**20), 10**21])
def test_a_place_has_no_offset_beyond_the_calendar(ns: int) -> None:
    assert refusal("US/Eastern", ns)[0] == "not within the years 1 to 9999"
