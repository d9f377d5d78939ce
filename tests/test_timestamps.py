"""Laws of timestamps: every form of a moment is the same count of nanoseconds."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.errors import BadCellError
from rollsignal.timestamps import TimestampReader, iso, to_ns
from tests.strategies import cuts_of

EPOCH = datetime(1970, 1, 1)
SECOND_NS = 10**9
INDIA = timezone(timedelta(hours=5, minutes=30))
AMERICA = timezone(timedelta(hours=-8))


def formatted(pattern: str) -> Callable[[datetime], str]:
    return lambda moment: moment.strftime(pattern)


def shifted(zone: timezone, pattern: str) -> Callable[[datetime], str]:
    """Write the same moment by the clock of another zone."""
    return lambda moment: moment.replace(tzinfo=UTC).astimezone(zone).strftime(pattern)


def counted(unit_ns: int) -> Callable[[datetime], str]:
    return lambda moment: str(nanoseconds(moment) // unit_ns)


def nanoseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


SECOND_FORMS = {
    "ISO with a blank": formatted("%Y-%m-%d %H:%M:%S"),
    "ISO with a T": formatted("%Y-%m-%dT%H:%M:%S"),
    "ISO without separators": formatted("%Y%m%dT%H%M%S"),
    "ISO in UTC": formatted("%Y-%m-%dT%H:%M:%SZ"),
    "UTC": formatted("%Y-%m-%d %H:%M:%S UTC"),
    "GMT": formatted("%Y.%m.%d %H:%M:%S GMT"),
    "ISO in India": shifted(INDIA, "%Y-%m-%dT%H:%M:%S+05:30"),
    "ISO in America": shifted(AMERICA, "%Y-%m-%d %H:%M:%S-08"),
    "slashes in America": shifted(AMERICA, "%Y/%m/%d %H:%M:%S -0800"),
    "blanks around": formatted(" %Y-%m-%d %H:%M:%S "),
    "slashes": formatted("%Y/%m/%d %H:%M:%S"),
    "points": formatted("%Y.%m.%d %H:%M:%S"),
    "day first": formatted("%d/%m/%Y %H:%M:%S"),
    "day first, points": formatted("%d.%m.%Y %H:%M:%S.000"),
    "month first": formatted("%m/%d/%Y %I:%M:%S %p"),
    "month first, dashes": formatted("%m-%d-%Y %H:%M:%S"),
    "half days": formatted("%Y-%m-%d %I:%M:%S %p"),
    "seconds": counted(SECOND_NS),
    "seconds with a fraction": lambda moment: counted(SECOND_NS)(moment) + ".0",
    "milliseconds": counted(10**6),
    "microseconds": counted(10**3),
    "nanoseconds": counted(1),
}
MICROSECOND_FORMS = {
    "ISO with a fraction": formatted("%Y-%m-%d %H:%M:%S.%f"),
    "ISO with a comma": formatted("%Y-%m-%dT%H:%M:%S,%f"),
    "nine decimals in UTC": formatted("%Y-%m-%dT%H:%M:%S.%f000Z"),
    "fraction in India": shifted(INDIA, "%Y-%m-%d %H:%M:%S.%f+0530"),
    "microseconds": counted(10**3),
    "nanoseconds": counted(1),
}
DAY_FORMS = {
    "ISO": formatted("%Y-%m-%d"),
    "eight digits": formatted("%Y%m%d"),
    "slashes": formatted("%Y/%m/%d"),
    "day first": formatted("%d-%m-%Y"),
    "month first, short": lambda day: f"{day.month}/{day.day}/{day.year}",
}

NO_TIMESTAMPS = [
    *("", " ", "n/a", "close", "2024-01", "2024-1-1", "24-01-01", "2024/01-01", "Jan 1 2024"),
    *("2024-01-01 10:", "2024-01-01 1:2:3", "2024-01-01 10:00 CET", "2024-01-01,", "1.5.2024.1"),
    *("-5", "1e9", "1,704,067,200", "1704067200s", "٢٠٢٤-٠١-٠١", "2024-01-01 10:00:00.0000000001"),
]

# Before 1974, counts of milliseconds and less are so short that they look like seconds.
moments = st.datetimes(datetime(1974, 1, 1), datetime(2199, 12, 31))
# A date such as 13/12/2024 tells what leads.
clear_day = datetime(2024, 12, 13, 14, 15, 16)


def read(cells: Sequence[str]) -> list[int]:
    return [to_ns(moment) for moment in TimestampReader().read(cells)]


def refusal(*cells: str) -> tuple[int, str]:
    with pytest.raises(BadCellError) as caught:
        TimestampReader().read(cells)
    return caught.value.index, caught.value.reason


@pytest.mark.parametrize("form", SECOND_FORMS)
@settings(max_examples=15)
@given(drawn=st.lists(moments, max_size=5))
def test_every_form_of_a_second_is_read_exactly(form: str, drawn: list[datetime]) -> None:
    whole = [clear_day, *(moment.replace(microsecond=0) for moment in drawn)]
    assert read(list(map(SECOND_FORMS[form], whole))) == list(map(nanoseconds, whole))


@pytest.mark.parametrize("form", MICROSECOND_FORMS)
@settings(max_examples=15)
@given(drawn=st.lists(moments, min_size=1, max_size=5))
def test_every_form_of_a_fraction_is_read_exactly(form: str, drawn: list[datetime]) -> None:
    assert read(list(map(MICROSECOND_FORMS[form], drawn))) == list(map(nanoseconds, drawn))


@pytest.mark.parametrize("form", DAY_FORMS)
@settings(max_examples=15)
@given(drawn=st.lists(st.dates(datetime(1900, 1, 1).date()), max_size=5))
def test_every_form_of_a_day_is_its_midnight(form: str, drawn: list[datetime]) -> None:
    days = [clear_day.replace(hour=0, minute=0, second=0)]
    days += [datetime(day.year, day.month, day.day) for day in drawn]
    assert read(list(map(DAY_FORMS[form], days))) == list(map(nanoseconds, days))


@given(st.integers(0, 10**11 - 1), st.integers(0, SECOND_NS - 1))
def test_fractions_keep_all_nine_decimals(second: int, fraction: int) -> None:
    assert read([f"{second}.{fraction:09d}"]) == [second * SECOND_NS + fraction]
    text = (EPOCH + timedelta(seconds=second)).isoformat(" ")
    assert read([f"{text}.{fraction:09d}"]) == [second * SECOND_NS + fraction]


@pytest.mark.parametrize("form", SECOND_FORMS)
@settings(max_examples=15)
@given(data=st.data(), drawn=st.lists(moments, max_size=8))
def test_any_cutting_into_batches_reads_the_same(
    form: str, data: st.DataObject, drawn: list[datetime]
) -> None:
    cells = [SECOND_FORMS[form](moment) for moment in (clear_day, *drawn)]
    reader = TimestampReader()
    found = list(reader.read(cells[:1]))
    for batch in data.draw(cuts_of(len(drawn))):
        found += reader.read(cells[1:][batch])
    assert [to_ns(moment) for moment in found] == read(cells)


@given(st.lists(st.datetimes(), max_size=5), st.booleans())
def test_moments_of_one_column_compare_as_their_nanoseconds_do(
    drawn: list[datetime], zoned: bool
) -> None:
    cells = [moment.isoformat(timespec="seconds") + "Z" * zoned for moment in drawn]
    column: Any = TimestampReader().read(cells)
    nanos = [to_ns(moment) for moment in column]
    assert nanos == [nanoseconds(moment.replace(microsecond=0)) for moment in drawn]
    assert [a < b for a in column for b in column] == [a < b for a in nanos for b in nanos]


@given(st.datetimes(), st.integers(0, 999))
def test_iso_writes_what_is_read_back(moment: datetime, more_ns: int) -> None:
    ns = nanoseconds(moment) + more_ns
    assert read([iso(ns)]) == [ns]


def test_iso_writes_no_more_decimals_than_needed() -> None:
    texts = [iso(ns) for ns in (0, 10**9, 5 * 10**8, -1)]
    assert texts == [
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:01Z",
        "1970-01-01T00:00:00.5Z",
        "1969-12-31T23:59:59.999999999Z",
    ]


def test_iso_writes_a_count_beyond_the_calendar_as_it_is() -> None:
    assert iso(10**30) == f"{10**30} ns since 1970"
    assert iso(-(10**30)) == f"{-(10**30)} ns since 1970"


def test_no_cells_are_no_moments_and_teach_nothing() -> None:
    reader = TimestampReader()
    assert reader.read([]) == []
    assert [to_ns(moment) for moment in reader.read(["0", "60"])] == [0, 60 * SECOND_NS]


def test_the_first_cell_sets_the_unit_of_a_count() -> None:
    assert read(["0", "100000000000"]) == [0, 10**11 * SECOND_NS]
    assert read(["99999999999"]) == [99999999999 * SECOND_NS]
    assert read(["100000000000"]) == [10**11 * 10**6]
    assert read(["99999999999999"]) == [99999999999999 * 10**6]
    assert read(["100000000000000"]) == [10**14 * 10**3]
    assert read(["99999999999999999"]) == [99999999999999999 * 10**3]
    assert read(["100000000000000000"]) == [10**17]


def test_a_count_may_have_a_fraction_of_its_unit() -> None:
    assert read(["1.5", "2.25", "3"]) == [15 * 10**8, 225 * 10**7, 3 * 10**9]
    assert read(["100000000000.5", "100000000001.000001"]) == [
        10**17 + 5 * 10**5,
        10**17 + 10**6 + 1,
    ]


def test_eight_digits_that_are_a_date_are_a_date() -> None:
    assert read(["20240229"]) == [nanoseconds(datetime(2024, 2, 29))]
    assert read(["20241301"]) == [20241301 * SECOND_NS]


@pytest.mark.parametrize(("text", "hour"), [("12:30 AM", 0), ("1:30 am", 1), ("12:30PM", 12)])
def test_noon_and_midnight_are_where_clocks_of_twelve_hours_have_them(text: str, hour: int) -> None:
    assert read([f"2024-01-01 {text}"]) == [nanoseconds(datetime(2024, 1, 1, hour, 30))]


@pytest.mark.parametrize("cell", NO_TIMESTAMPS)
def test_what_is_no_timestamp_is_refused(cell: str) -> None:
    assert refusal("2024-01-01 10:00:00.5", cell) == (1, "not a timestamp")
    assert refusal("1704067200", cell) == (1, "not a number of the kind above it")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("2023-02-29", "no date of the calendar (day is out of range for month)"),
        ("2024-13-01", "no date of the calendar (month must be in 1..12)"),
        ("0000-01-01", "no date of the calendar (year 0 is out of range)"),
        ("2024-01-01 24:00", "no time of the day"),
        ("2024-01-01 23:60", "no time of the day"),
        ("2024-01-01 23:59:60", "no time of the day"),
        ("2024-01-01 13:00 PM", "no time of the day"),
        ("2024-01-01 0:30 AM", "no time of the day"),
        ("202401011000", "either a calendar time or a count since 1970"),
        ("20240101100000", "either a calendar time or a count since 1970"),
        ("01/02/2024 10:00", "ambiguous: day/month or month/day"),
    ],
)
def test_what_the_calendar_does_not_have_is_refused(cell: str, reason: str) -> None:
    assert refusal(cell) == (0, reason)


def test_a_column_that_changes_its_form_is_refused() -> None:
    not_alike = (1, "not in the form of those above: only some have a zone")
    assert refusal("2024-01-01 10:00:00", "2024-01-01 11:00:00Z") == not_alike
    assert refusal("2024-01-01 10:00:00Z", "2024-01-01 11:00:00") == not_alike
    assert refusal("1704067200", "2024-01-01") == (1, "not a number of the kind above it")
    assert refusal("2024-01-01", "1704067200") == (1, "not a timestamp")
    assert refusal("13/01/2024", "12/31/2024")[1].startswith("no date of the calendar")


CHANGES = [
    ["2024-01-01 00:00:00", "1704067260"],
    ["1704067200", "2024-01-01 00:01:00"],
    ["2024-01-01 00:00:00", "13/01/2024 00:00:00"],
    ["13/01/2024", "01/13/2024"],
    ["01/13/2024", "13/01/2024"],
    ["2024-01-01T00:00:00.5", "2024-01-01T00:00:01Z"],
]


@pytest.mark.parametrize("cells", CHANGES)
def test_a_change_of_form_is_refused_between_batches_as_within_one(cells: list[str]) -> None:
    assert refusal(*cells)[0] == 1
    reader = TimestampReader()
    reader.read(cells[:1])
    with pytest.raises(BadCellError):
        reader.read(cells[1:])


def test_an_hour_without_minutes_is_read_beside_any_other_time() -> None:
    assert read(["2024-01-01 10"]) == read(["2024-01-01 10", "2024-01-01 11:00:00.5"])[:1]


def test_the_zone_of_the_first_batch_holds_for_the_next() -> None:
    reader = TimestampReader()
    reader.read(["2024-01-01T10:00:00Z"])
    with pytest.raises(BadCellError, match="only some have a zone"):
        reader.read(["2024-01-01T11:00:00"])


def test_days_that_lead_in_the_first_batch_lead_in_the_next() -> None:
    reader = TimestampReader()
    reader.read(["13/01/2024"])
    assert list(reader.read(["01/02/2024"])) == [nanoseconds(datetime(2024, 2, 1))]
