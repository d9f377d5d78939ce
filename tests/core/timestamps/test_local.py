"""Laws of local times: they become UTC as the rules of their place say, or are refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from rollsignal.core.timestamps import local_rules
from rollsignal.core.timestamps.local import LocalTimes, UnclearTimeError
from rollsignal.core.timestamps.local_rules import ZoneNameError, named_zone
from rollsignal.core.timestamps.reader import LocalZone

EPOCH = datetime(1970, 1, 1)
NEW_YORK = LocalZone("America/New_York", in_order=True)
# With whole and half hours, both hemispheres, changes at midnight, and an offset that is kept.
PLACES = (
    *("America/New_York", "Europe/Berlin", "Europe/London", "Australia/Lord_Howe"),
    *("America/Sao_Paulo", "Asia/Beirut", "America/Havana", "Africa/Casablanca", "Asia/Kolkata"),
    *("Pacific/Apia", "America/St_Johns", "Atlantic/Azores", "Asia/Pyongyang", "Europe/Dublin"),
)


def ns(time: datetime) -> int:
    """Count nanoseconds since 1970 of the clock that a time shows."""
    return (time.replace(tzinfo=None) - EPOCH) // timedelta(microseconds=1) * 1000


def in_utc(
    zone: LocalZone, times: Sequence[datetime], cuts: Sequence[int] = (), symbols: str = ""
) -> list[int]:
    """Turn local times into UTC, in batches that begin at the cuts; lines are counted from 1."""
    local, read = LocalTimes(*zone), list[int]()
    bounds = [0, *sorted(cuts), len(times)]
    for begin, end in pairwise(bounds):
        rows = slice(begin, end)
        lines = range(begin + 1, end + 1)
        names = list(symbols[rows]) if symbols else None
        read += local.in_utc(list(map(ns, times[rows])), names, lines, list(map(str, times[rows])))
    local.finish()
    return read


def night(*clocks: str) -> list[datetime]:
    """Return times of the night in which New York sets its clock back at two."""
    return [datetime.fromisoformat(f"2024-11-03 {clock}") for clock in clocks]


def refusal(times: Sequence[datetime], zone: LocalZone = NEW_YORK) -> tuple[int, str]:
    with pytest.raises(UnclearTimeError) as caught:
        in_utc(zone, times)
    return caught.value.line, caught.value.bad.reason


@given(
    st.sampled_from(PLACES),
    st.datetimes(datetime(1980, 1, 1), datetime(2037, 12, 1)),
    st.sampled_from([1, 5, 15, 30, 60]),
    st.lists(st.integers(0, 600), max_size=3),
)
def test_every_step_of_a_clock_is_undone(
    name: str, begin: datetime, minutes: int, cuts: Sequence[int]
) -> None:
    zone = ZoneInfo(name)
    utc = [
        begin.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
        + timedelta(minutes=minutes * n)
        for n in range(600)
    ]
    local = [time.astimezone(zone).replace(tzinfo=None) for time in utc]
    # The first and last rows may have only one of two hours.
    whole = all(at.astimezone(zone).fold == 0 for at in (utc[0], utc[-1]))
    assume(whole and _folds(local[0], zone) == _folds(local[-1], zone) == 1)
    assume(not any(_back(zone, time) < timedelta(minutes=minutes) for time in utc))
    assert in_utc(LocalZone(name, True), local, cuts) == list(map(ns, utc))


def _folds(local: datetime, zone: ZoneInfo) -> int:
    """Return how many offsets a local time has."""
    return len({local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)})


def _back(zone: ZoneInfo, time: datetime) -> timedelta:
    """Return how far the clock is set back in the hour after a time; a day if it is not."""
    offsets = [at.astimezone(zone).utcoffset() for at in (time, time + timedelta(hours=1))]
    assert offsets[0] is not None
    assert offsets[1] is not None
    return offsets[0] - offsets[1] if offsets[1] < offsets[0] else timedelta(days=1)


@st.composite
def times_of_some_years(draw: st.DrawFn) -> list[datetime]:
    """Draw times that are at most nine years apart: the rules of each year take a while."""
    first = draw(st.integers(1801, 2198))
    last = draw(st.integers(first, min(first + 8, 2198)))
    times = st.datetimes(datetime(first, 1, 1), datetime(last + 1, 1, 1))
    return draw(st.lists(times, min_size=1, max_size=20))


@given(st.sampled_from(PLACES), times_of_some_years())
@example("America/New_York", [datetime(year, 7, 1, 12) for year in (2198, *range(1801, 2199, 30))])
@example("Europe/Berlin", [datetime(year, 2, 3) for year in range(1801, 2199, 3)])
def test_an_array_of_clear_times_is_the_same_as_its_rows(name: str, times: list[datetime]) -> None:
    zone = LocalZone(name, True)
    array = LocalTimes(*zone).clear_in_utc(np.array(list(map(ns, times)), np.int64))
    # The oracle is zoneinfo: whether a time has one offset, and which.
    place = ZoneInfo(name)
    clear = all(_folds(time, place) == 1 for time in times)
    assert (array is not None) == clear
    if array is not None:
        right = [ns(time.replace(tzinfo=place).astimezone(UTC)) for time in times]
        assert array.tolist() == in_utc(zone, times) == right


def test_a_step_back_tells_the_second_hour_from_the_first() -> None:
    times = night("00:30", "01:00", "01:30", "01:00", "01:30", "02:00")
    hours = [(at - ns(datetime(2024, 11, 3))) / (3600 * 10**9) for at in in_utc(NEW_YORK, times)]
    assert hours == [4.5, 5, 5.5, 6, 6.5, 7]


def test_each_of_two_hourly_bars_at_one_time_has_its_hour() -> None:
    times = night("00:00", "01:00", "01:00", "02:00")
    hours = [(at - ns(datetime(2024, 11, 3))) / (3600 * 10**9) for at in in_utc(NEW_YORK, times)]
    assert hours == [4, 5, 6, 7]


def test_every_series_has_its_own_order() -> None:
    times = night("01:00", "01:00", "01:30", "01:30", "01:00", "01:00", "01:30", "01:30")
    read = in_utc(NEW_YORK, times, symbols="ABABABAB")
    assert read[::2] == read[1::2] == in_utc(NEW_YORK, times[::2])
    assert in_utc(NEW_YORK, times, [1, 3, 5], "ABABABAB") == read


@pytest.mark.parametrize("clocks", [("01:00", "01:30", "02:00"), ("00:30", "01:30"), ("01:00",)])
def test_an_hour_that_is_there_once_is_refused_at_its_first_bar(clocks: Sequence[str]) -> None:
    line, reason = refusal(night(*clocks))
    assert line == 1 + (clocks[0] == "00:30")
    assert reason == (
        "a time that comes twice in America/New_York, and the rows of its series have it once:"
        " nothing tells which it is"
    )


def test_a_small_step_back_may_be_a_row_out_of_order() -> None:
    line, reason = refusal(night("00:59", "01:00", "01:02", "01:01", "01:03", "02:00"))
    assert (line, reason.partition(", and ")[2]) == (
        4, "it steps back so little that the order may be wrong",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("clocks", "line"),
    [
        (("01:00", "01:00", "01:30"), 3),
        (("01:00", "01:30", "01:30"), 3),
        (("01:00", "01:00", "01:00"), 3),
    ],
)
def test_a_bar_may_be_there_twice_in_an_hour_with_others(clocks: Sequence[str], line: int) -> None:
    assert refusal(night(*clocks)) == (
        line,
        "a time that comes twice in America/New_York, and one of these bars may be there twice",
    )


def test_rows_that_may_be_out_of_order_tell_nothing() -> None:
    times = night("00:30", "01:00", "01:30", "01:00", "01:30", "02:00")
    line, reason = refusal(times, LocalZone("America/New_York", in_order=False))
    assert (line, reason.partition(", and ")[2]) == (2, "the order of the rows may be wrong")
    with pytest.raises(UnclearTimeError) as caught:
        in_utc(LocalZone("America/New_York", in_order=False), times)
    assert caught.value.bad.hint.endswith(
        "; without sort: true, and with checks: {order: error}, the order of the rows tells it"
    )


def test_a_time_that_the_clock_passes_over_is_refused() -> None:
    times = [datetime(2024, 3, 10, 1, 59), datetime(2024, 3, 10, 2, 30)]
    assert refusal(times) == (
        2,
        "a time that does not exist in America/New_York: the clock goes from 02:00 to 03:00",
    )


@pytest.mark.parametrize("year", [1799, 2200, 9999])
def test_years_without_known_rules_are_refused(year: int) -> None:
    reason = "not in the years 1800 to 2199, for which timezone has rules"
    assert refusal([datetime(2024, 1, 1), datetime(year, 1, 1)]) == (2, reason)
    array = np.array([ns(datetime(2024, 1, 1)), 2**63 - 1], np.int64)
    assert LocalTimes(*NEW_YORK).clear_in_utc(array) is None


def test_what_is_read_next_depends_on_an_hour_that_is_not_over() -> None:
    local = LocalTimes(*NEW_YORK)
    local.in_utc([ns(night("01:30")[0])], None, [7], ["01:30"])
    assert local.memory
    assert local.clear_in_utc(np.array([ns(datetime(2025, 1, 1))], np.int64)) is None
    local.in_utc(list(map(ns, night("01:00", "02:00"))), None, [8, 9], ["01:00", "02:00"])
    assert local.memory == {}


@pytest.mark.parametrize(
    "name", ["EST", "GMT", "America", "right/America/New_York", "../zone", "a/b\0", "x/" + "y" * 99]
)
def test_what_is_no_place_is_refused(name: str) -> None:
    with pytest.raises(ZoneNameError, match="write a place such as America/New_York, or an"):
        named_zone(name)


def test_a_misspelled_place_is_named() -> None:
    with pytest.raises(ZoneNameError, match=r"did you mean Europe/Berlin\?"):
        named_zone("Europe/Berlyn")


def test_a_system_without_rules_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoneinfo.available_timezones", set)
    monkeypatch.setattr("zoneinfo.ZoneInfo", _missing)
    with pytest.raises(ZoneNameError, match="package tzdata, or run pip install tzdata"):
        named_zone("Europe/Paris")


def _missing(name: str) -> None:
    raise KeyError(name)


def test_an_offset_holds_at_all_times() -> None:
    for name, hours in (("-05:00", -5), ("+05:30", 5.5), ("UTC", 0)):
        (read,) = in_utc(LocalZone(name, False), [datetime(2024, 7, 1)])
        assert (ns(datetime(2024, 7, 1)) - read) / (3600 * 10**9) == hours


def test_rules_are_found_to_the_second() -> None:
    rules = local_rules.local_rules("America/New_York", 2024, 2024)
    forward, back = datetime(2024, 3, 10, 2), datetime(2024, 11, 3, 1)
    hour = timedelta(hours=1)
    for at, begin in ((-4, forward), (-3, back)):
        assert (rules.begins_ns[at], rules.ends_ns[at]) == (ns(begin), ns(begin + hour))
