"""Laws of timestamps: in every format, a time is the same count of nanoseconds."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.core.timestamps.forms import dated
from rollsignal.core.timestamps.reader import TimestampReader, iso, to_ns
from rollsignal.errors import BadCellError
from tests.support.strategies import cuts_of

EPOCH = datetime(1970, 1, 1)
SECOND_NS = 10**9
INDIA = timezone(timedelta(hours=5, minutes=30))
AMERICA = timezone(timedelta(hours=-8))


def formatted(pattern: str) -> Callable[[datetime], str]:
    return lambda time: time.strftime(pattern)


def shifted(zone: timezone, pattern: str) -> Callable[[datetime], str]:
    """Write the same time by the clock of another zone."""
    return lambda time: time.replace(tzinfo=UTC).astimezone(zone).strftime(pattern)


def counted(unit_ns: int) -> Callable[[datetime], str]:
    return lambda time: str(nanoseconds(time) // unit_ns)


def nanoseconds(time: datetime) -> int:
    return (time - EPOCH) // timedelta(microseconds=1) * 1000


SECOND_FORMATS = {
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
    "seconds with a fraction": lambda time: counted(SECOND_NS)(time) + ".0",
    "milliseconds": counted(10**6),
    "microseconds": counted(10**3),
    "nanoseconds": counted(1),
}
MICROSECOND_FORMATS = {
    "ISO with a fraction": formatted("%Y-%m-%d %H:%M:%S.%f"),
    "ISO with a comma": formatted("%Y-%m-%dT%H:%M:%S,%f"),
    "nine decimals in UTC": formatted("%Y-%m-%dT%H:%M:%S.%f000Z"),
    "fraction in India": shifted(INDIA, "%Y-%m-%d %H:%M:%S.%f+0530"),
    "microseconds": counted(10**3),
    "nanoseconds": counted(1),
}
DAY_FORMATS = {
    "ISO": formatted("%Y-%m-%d"),
    "eight digits": formatted("%Y%m%d"),
    "slashes": formatted("%Y/%m/%d"),
    "day first": formatted("%d-%m-%Y"),
    "month first, short": lambda day: f"{day.month}/{day.day}/{day.year}",
}

NO_TIMESTAMPS = [
    *("", " ", "n/a", "close", "2024-01", "24-01-01", "2024/01-01", "Jan 1 2024", "2024-W05-3"),
    *("2024-01-01 10:", "2024-01-01 1:2:3", "2024-01-01 10:5", "2024-01-01,", "1.5.2024.1"),
    *("1e-9", "1,704,067,200", "1704067200s", "٢٠٢٤-٠١-٠١", "2024-01-01 10:00:00.0000000001"),
    *("2024-01-01 930", "2024-01-01 9", "2024-01-01x10:00", "2024-01-31-05:00", "2024-031"),
]

# A count of an earlier time may be anything else, and so may nanoseconds of 1975 and of 1990.
times = st.datetimes(datetime(1977, 1, 1), datetime(1989, 1, 1)) | st.datetimes(
    datetime(1993, 1, 1), datetime(2199, 12, 31)
)
# A date such as 13/12/2024 shows that the day comes first.
clear_day = datetime(2024, 12, 13, 14, 15, 16)


def read(cells: Sequence[str], written: str | None = None) -> list[int]:
    return [to_ns(time) for time in TimestampReader(written).read(cells)]


def refusal(*cells: str, written: str | None = None) -> tuple[int, str]:
    with pytest.raises(BadCellError) as caught:
        TimestampReader(written).read(cells)
    return caught.value.index, caught.value.reason


@pytest.mark.parametrize("format", SECOND_FORMATS)
@settings(max_examples=15)
@given(drawn=st.lists(times, max_size=5))
def test_every_format_of_a_second_is_read_exactly(format: str, drawn: list[datetime]) -> None:
    whole = [clear_day, *(time.replace(microsecond=0) for time in drawn)]
    assert read(list(map(SECOND_FORMATS[format], whole))) == list(map(nanoseconds, whole))


@pytest.mark.parametrize("format", MICROSECOND_FORMATS)
@settings(max_examples=15)
@given(drawn=st.lists(times, min_size=1, max_size=5))
def test_every_format_of_a_fraction_is_read_exactly(format: str, drawn: list[datetime]) -> None:
    assert read(list(map(MICROSECOND_FORMATS[format], drawn))) == list(map(nanoseconds, drawn))


@pytest.mark.parametrize("format", DAY_FORMATS)
@settings(max_examples=15)
@given(drawn=st.lists(st.dates(datetime(1900, 1, 1).date()), max_size=5))
def test_every_format_of_a_day_is_its_midnight(format: str, drawn: list[datetime]) -> None:
    days = [clear_day.replace(hour=0, minute=0, second=0)]
    days += [datetime(day.year, day.month, day.day) for day in drawn]
    assert read(list(map(DAY_FORMATS[format], days))) == list(map(nanoseconds, days))


@given(st.integers(0, 10**10 - 1), st.integers(0, SECOND_NS - 1))
def test_fractions_keep_all_nine_decimals(second: int, fraction: int) -> None:
    ns = second * SECOND_NS + fraction
    assert read([f"{second}.{fraction:09d}", f"-{second}.{fraction:09d}"], "epoch_s") == [ns, -ns]
    text = (EPOCH + timedelta(seconds=second)).isoformat(" ")
    assert read([f"{text}.{fraction:09d}"]) == [second * SECOND_NS + fraction]


@pytest.mark.parametrize("format", SECOND_FORMATS)
@settings(max_examples=15)
@given(data=st.data(), drawn=st.lists(times, max_size=8))
def test_any_cutting_into_batches_reads_the_same(
    format: str, data: st.DataObject, drawn: list[datetime]
) -> None:
    cells = [SECOND_FORMATS[format](time) for time in (clear_day, *drawn)]
    reader = TimestampReader()
    column = list(reader.read(cells[:1]))
    for batch in data.draw(cuts_of(len(drawn))):
        column += reader.read(cells[1:][batch])
    assert [to_ns(time) for time in column] == read(cells)


@given(st.lists(st.datetimes(), max_size=5), st.booleans())
def test_timestamps_of_one_column_compare_as_their_nanoseconds_do(
    drawn: list[datetime], zoned: bool
) -> None:
    cells = [time.isoformat(timespec="seconds") + "Z" * zoned for time in drawn]
    column: Any = TimestampReader().read(cells)
    nanos = [to_ns(time) for time in column]
    assert nanos == [nanoseconds(time.replace(microsecond=0)) for time in drawn]
    assert [a < b for a in column for b in column] == [a < b for a in nanos for b in nanos]


@given(st.datetimes(), st.integers(0, 999))
def test_iso_writes_what_is_read_back(time: datetime, more_ns: int) -> None:
    ns = nanoseconds(time) + more_ns
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


def test_reading_no_cells_returns_nothing_and_sets_no_format() -> None:
    reader = TimestampReader()
    assert reader.read([]) == []
    later = reader.read(["1704067200", "1704067260000"])
    assert [to_ns(time) for time in later] == [1704067200 * SECOND_NS, 1704067260 * SECOND_NS]


def test_the_unit_of_a_count_follows_from_its_own_size() -> None:
    for cell, unit_ns in (
        ("94694400", SECOND_NS),
        ("7258118399", SECOND_NS),
        ("100000000000", 10**6),
        ("7258118399999", 10**6),
        ("100000000000000", 10**3),
        ("7258118399999999", 10**3),
        ("100000000000000000", 1),
        ("7258118399999999999", 1),
    ):
        assert read([cell]) == read([cell + ".0"]) == [int(cell) * unit_ns]


def test_a_count_may_have_a_fraction_of_its_unit() -> None:
    assert read(["1704067201.5", "1704067202.25", "1704067203"]) == [
        ns * 10**7 for ns in (170406720150, 170406720225, 170406720300)
    ]
    assert read(["100000000000.5", "100000000001.000001000"]) == [
        10**17 + 5 * 10**5,
        10**17 + 10**6 + 1,
    ]
    assert refusal("1704067201.5", "1704067201.0000000001") == (1, "finer than a nanosecond")
    assert refusal("1700000000000000000.1") == (0, "finer than a nanosecond")


# Their last digits are no minutes of an hour, so that no column may be one of dates as digits.
SECONDS = (st.integers(200_000_000, 610_000_000) | st.integers(700_000_000, 7_258_118_299)).map(
    lambda second: second // 100 * 100 + 66 + second % 4
)


@given(st.data(), st.lists(st.tuples(SECONDS, st.sampled_from([0, 3, 6, 9])), min_size=1))
def test_counts_of_any_units_may_be_mixed_in_batches_of_any_size(
    data: st.DataObject, drawn: list[tuple[int, int]]
) -> None:
    cells = [f"{second}{'0' * zeros}" for second, zeros in drawn]
    reader = TimestampReader()
    column: list[Any] = []
    for batch in data.draw(cuts_of(len(cells))):
        column += reader.read(cells[batch])
    assert column == [second * SECOND_NS for second, _ in drawn]
    assert reader.unproven is None


def test_a_file_that_goes_over_to_smaller_units_is_read() -> None:
    # As Binance's files do from 2025 on.
    cells = ["1735689599000", "1735689600000000", "1735689601000000.0"]
    assert read(cells) == [second * SECOND_NS for second in range(1735689599, 1735689602)]
    too_many = (0, "too many digits for seconds since 1970")
    assert refusal("1735689600000", written="epoch_s") == too_many


UNCLEAR = [
    *("0", "1", "930", "2021", "1871.01", "45292.5", "45292", "739252", "2460310.5", "28401120"),
    *("94694399", "94694399.999", "-1325583000", "-1", "86400"),
]


@pytest.mark.parametrize("cell", UNCLEAR)
def test_a_count_before_1973_is_not_proved_by_itself(cell: str) -> None:
    reader = TimestampReader()
    reader.read([cell])
    doubt = reader.unproven
    assert doubt is not None
    assert doubt.reason == "not clearly a time: as seconds since 1970 it would be before 1973"
    assert ("%Y" in doubt.hint) == (cell == "2021")
    reader.read(["1704067200"])
    assert reader.unproven is doubt
    assert refusal("1704067200", cell)[0] == 1
    assert read([cell], "epoch_s") == [int(Fraction(cell) * SECOND_NS)]


def test_numbers_that_rise_and_fall_before_1973_are_refused_at_once() -> None:
    assert refusal("930", "1600", "930")[0] == 0


DAYS = range(-5_364_662_400, 2_000_000_000, 86_400)


@pytest.mark.parametrize("step", [1, -1])
@settings(max_examples=20)
@given(data=st.data())
def test_seconds_that_go_through_1973_are_times_in_batches_of_any_size(
    step: int, data: st.DataObject
) -> None:
    # 220 to 243 days after 1970, seconds have the digits of dates such as 20990101.
    first = data.draw(st.integers(1, 3000).filter(lambda days: not 220 <= 1_096 - days <= 243))
    days = [*DAYS[62_091 + 1_096 - first : 62_091 + 1_096 + 500]][::step]
    reader = TimestampReader()
    column: list[Any] = []
    size = data.draw(st.integers(300, 4000))
    for begin in range(0, len(days), size):
        column += reader.read(list(map(str, days[begin : begin + size])))
    assert column == [day * SECOND_NS for day in days]
    assert reader.unproven is None


IMPLAUSIBLE = [
    *("7258118400", "99999999999", "7258118400000", "20240131093000.5", "17258118400000000"),
    *("7258118400000000000", "9999999999999999999", "-1325583000000", "-5364662401"),
]


@pytest.mark.parametrize("cell", IMPLAUSIBLE)
def test_a_count_that_is_no_plausible_time_is_refused(cell: str) -> None:
    assert refusal("1704067200", cell)[1].startswith("no plausible time as ")
    assert refusal(cell)[1].startswith("no plausible time as ")


@pytest.mark.parametrize("cell", ["01012024093000", "09022024093000", "0001704067200", "00"])
def test_a_number_that_begins_with_a_zero_is_not_a_count(cell: str) -> None:
    assert refusal(cell) == (0, "not a timestamp")


@pytest.mark.parametrize("year", [1950, 1973, 1999, 2024, 2099, 2199])
@pytest.mark.parametrize("epoch", [datetime(1, 1, 1), datetime(1601, 1, 1)])
def test_units_of_100_ns_since_another_year_are_refused(year: int, epoch: datetime) -> None:
    cell = str((datetime(year, 12, 31) - epoch) // timedelta(microseconds=1) * 10)
    assert len(cell) == 18
    reason = "not clearly a time: nanoseconds since 1970, or units of 100 ns as in .NET"
    assert refusal(cell) == (0, reason)
    assert read([cell], "epoch_ns") == [int(cell)]


@pytest.mark.parametrize(("word", "zeros"), [("ms", 3), ("us", 6), ("ns", 9)])
def test_a_named_unit_that_puts_some_rows_into_january_1970_is_refused(
    word: str, zeros: int
) -> None:
    now = [f"{1735689600 + second}{'0' * zeros}" for second in range(3)]
    written = f"epoch_{word}"
    for coarser in range(zeros - 3, -1, -3):
        past = f"1735689603{'0' * coarser}"
        index, reason = refusal(*now, past, written=written)
        assert index == 3
        assert reason.startswith("in January 1970 as ")
        assert refusal(past, *now, written=written)[0] == 0
        for first, second in ((now, [past]), ([past], now)):
            reader = TimestampReader(written)
            reader.read(first)
            with pytest.raises(BadCellError, match="in January 1970 as") as caught:
                reader.read(second)
            assert caught.value.index == 0


@pytest.mark.parametrize("first", [-30, 0, 30])
@given(st.integers(1, 800))
def test_a_named_unit_whose_days_go_through_january_1970_is_read(first: int, size: int) -> None:
    days = [day * 86_400 for day in range(first, 800)]
    reader = TimestampReader("epoch_s")
    column: list[Any] = []
    for begin in range(0, len(days), size):
        column += reader.read(list(map(str, days[begin : begin + size])))
    assert column == [day * SECOND_NS for day in days]


@pytest.mark.parametrize("zeros", ["0", "0" * 5000])
def test_zeros_before_a_count_do_not_matter(zeros: str) -> None:
    cells = [zeros + "1704067199", zeros + "1704067200"]
    assert read(cells, "epoch_s") == [1704067199 * SECOND_NS, 1704067200 * SECOND_NS]


def test_a_count_of_thousands_of_digits_is_refused() -> None:
    assert refusal("9" * 5000) == (0, "not a timestamp")
    assert refusal("9" * 5000, written="epoch_ns")[1].startswith("too many digits")


def test_digits_that_begin_like_a_year_are_calendar_times() -> None:
    assert read(["20240229"]) == [nanoseconds(datetime(2024, 2, 29))]
    assert read(["20240229235959"]) == [nanoseconds(datetime(2024, 2, 29, 23, 59, 59))]
    assert read(["20240229235959123"]) == [nanoseconds(datetime(2024, 2, 29, 23, 59, 59, 123000))]
    no_date = "not a valid date (month must be in 1..12)"
    assert refusal("20241301") == refusal("20241301000000") == (0, no_date)


@pytest.mark.parametrize(("text", "hour"), [("12:30 AM", 0), ("1:30 am", 1), ("12:30PM", 12)])
def test_noon_and_midnight_are_where_clocks_of_twelve_hours_have_them(text: str, hour: int) -> None:
    assert read([f"2024-01-01 {text}"]) == [nanoseconds(datetime(2024, 1, 1, hour, 30))]


@pytest.mark.parametrize("cell", NO_TIMESTAMPS)
def test_a_cell_that_is_not_a_timestamp_is_refused(cell: str) -> None:
    assert refusal("2024-01-01 10:00:00.5", cell) == (1, "not a timestamp like those above")
    assert refusal("1704067200", cell) == (1, "not a count since 1970")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("2023-02-29", "not a valid date (day is out of range for month)"),
        ("2024-13-01", "not a valid date (month must be in 1..12)"),
        ("0000-01-01", "not a valid date (year 0 is out of range)"),
        ("2024-01-01 24:00:01", "not a valid time of day"),
        ("2024-01-01 24:00:00.000000001", "not a valid time of day"),
        ("2024-01-01 25:00", "not a valid time of day"),
        ("2024-01-01 23:60", "not a valid time of day"),
        ("2024-01-01 23:59:61", "not a valid time of day"),
        ("2016-12-31T23:59:60Z", "a leap second, which a count since 1970 cannot express"),
        ("2024-01-01 13:00 PM", "not a valid time of day"),
        ("2024-01-01 0:30 AM", "not a valid time of day"),
    ],
)
def test_a_time_that_does_not_exist_is_refused(cell: str, reason: str) -> None:
    assert refusal(cell) == (0, reason)


def test_a_column_that_changes_its_format_is_refused() -> None:
    mixed = (1, "not like those above: only some have a zone")
    assert refusal("2024-01-01 10:00:00", "2024-01-01 11:00:00Z") == mixed
    assert refusal("2024-01-01 10:00:00Z", "2024-01-01 11:00:00") == mixed
    assert refusal("1704067200", "2024-01-01") == (1, "not a count since 1970")
    assert refusal("2024-01-01", "1704067200") == (1, "not a timestamp like those above")
    assert refusal("13/01/2024", "12/31/2024")[1].startswith("not a valid date")


CHANGES = [
    ["2024-01-01 00:00:00", "1704067260"],
    ["1704067200", "2024-01-01 00:01:00"],
    ["2024-01-01 00:00:00", "13/01/2024 00:00:00"],
    ["13/01/2024", "01/13/2024"],
    ["01/13/2024", "13/01/2024"],
    ["2024-01-01T00:00:00.5", "2024-01-01T00:00:01Z"],
]


@pytest.mark.parametrize("cells", CHANGES)
def test_a_change_of_format_is_refused_between_batches_as_within_one(cells: list[str]) -> None:
    assert refusal(*cells)[0] == 1
    reader = TimestampReader()
    reader.read(cells[:1])
    with pytest.raises(BadCellError):
        reader.read(cells[1:])


def test_an_hour_without_minutes_may_be_mixed_with_full_times() -> None:
    assert read(["2024-01-01 10"]) == read(["2024-01-01 10", "2024-01-01 11:00:00.5"])[:1]


def test_the_zone_of_the_first_batch_holds_for_the_next() -> None:
    reader = TimestampReader()
    reader.read(["2024-01-01T10:00:00Z"])
    with pytest.raises(BadCellError, match="only some have a zone"):
        reader.read(["2024-01-01T11:00:00"])


def test_days_that_come_first_in_one_batch_come_first_in_the_next() -> None:
    reader = TimestampReader()
    reader.read(["13/01/2024"])
    assert list(reader.read(["01/02/2024"])) == [nanoseconds(datetime(2024, 2, 1))]


def test_24_00_is_the_midnight_at_the_end_of_the_day() -> None:
    expected = [nanoseconds(datetime(2024, 3, 1)), nanoseconds(datetime(2024, 3, 1, 0, 1))]
    for midnight in ("2024-02-29 24:00:00", "2024-02-29T24:00", "2024-02-29 24:00:00.000"):
        assert read([midnight, "2024-03-01 00:01"]) == expected
    assert read(["20240229 2400"]) == read(["29.02.2024 24:00"]) == expected[:1]
    assert read(["24:00, 29 Feb 2024"], "%H:%M, %d %b %Y") == expected[:1]
    days = (datetime(9999, 12, 31) - EPOCH).days + 1
    assert read(["9999-12-31T24:00:00"]) == [days * 86_400 * SECOND_NS]


ISO_PIECES = st.tuples(
    st.sampled_from(
        ["2024-02-29", "0001-01-01", "9999-12-31", "2023-02-29", "2024-W01", "2024-1-1"]
    ),
    st.sampled_from(["T", " ", "t", "_", "x", "", "  ", "5"]),
    st.sampled_from(["00:00", "23:59:59", "24:00:00", "23:59:60", "10", "1030", "103059", "1:30"]),
    st.sampled_from(["", ".5", ",123", ".123456", ".1234567", ".123456789", ".", ".1234567890"]),
    st.sampled_from(
        [
            *("", "", "Z", "z", "+05:30", "-0800", "+01", " +01:00", "-00:00", "+24:00"),
            *("+01:60", "+01:30:15", "+01:30:15.5", " UTC", "-5", "+0", "Z+01:00", "+01:00Z"),
        ]
    ),
)


@settings(max_examples=500)
@given(st.lists(ISO_PIECES.map("".join), min_size=1, max_size=3))
def test_our_own_expression_reads_the_same_as_the_library(cells: list[str]) -> None:
    try:
        times = TimestampReader().read(cells)
    except BadCellError:
        return
    assert list(map(to_ns, times)) == dated("%Y-%m-%d").read_all(cells)


def test_a_batch_of_another_width_is_read_like_the_one_before() -> None:
    reader = TimestampReader()
    column = [*reader.read(["2024-01-01 10:00:00"]), *reader.read(["2024-01-01 10:00:00.5"])]
    column += reader.read(["2024-01-02"])
    assert [to_ns(time) for time in column] == read(
        ["2024-01-01 10:00:00", "2024-01-01 10:00:00.5", "2024-01-02"]
    )
    with pytest.raises(BadCellError, match="not a timestamp like those above"):
        reader.read(["02/01/2024"])


MONTHS = "January February March April May June July August September October November December"


def month(at: datetime) -> str:
    """Name the month in English, whatever the machine's language."""
    return MONTHS.split()[at.month - 1]


PATTERNS: dict[str, Callable[[datetime], str]] = {
    "%d/%m/%Y %H:%M:%S": lambda at: f"{at:%d/%m/%Y %H:%M:%S}",
    "%m/%d/%y %I:%M:%S %p": lambda at: f"{at:%m/%d/%y %I:%M:%S} {'am' if at.hour < 12 else 'PM'}",
    "%d-%b-%Y %H:%M:%S": lambda at: f"{at.day}-{month(at)[:3].upper()}-{at:%Y %H:%M:%S}",
    "%B %d, %Y at %H:%M:%S": lambda at: f"{month(at)} {at:%d, %Y} at  {at:%H:%M:%S}",
    "%Y%m%d%H%M%S": lambda at: f"{at:%Y%m%d%H%M%S}",
    "%H:%M:%S %d.%m.%Y": lambda at: f"{at:%H:%M:%S} {at.day}.{at.month}.{at:%Y}",
    "%Y-%m-%dT%H:%M:%S%z": lambda at: f" {at:%Y-%m-%dT%H:%M:%S}Z ",
    "%H:%M:%S;%d/%m/%Y %Z": lambda at: f"{at + timedelta(hours=1):%H:%M:%S;%d/%m/%Y} GMT+01",
    "100%% %Y.%m.%d-%H.%M.%S": lambda at: f"100% {at:%Y.%m.%d-%H.%M.%S}",
}
recent = st.datetimes(datetime(1969, 1, 2), datetime(2068, 12, 30))


@pytest.mark.parametrize("pattern", PATTERNS)
@settings(max_examples=25)
@given(st.data(), st.lists(recent, min_size=1, max_size=8))
def test_times_written_by_a_pattern_are_read_by_it_in_batches_of_any_size(
    pattern: str, data: st.DataObject, drawn: list[datetime]
) -> None:
    # Days and times of day come in all combinations, as in bars.
    whole = [
        datetime.combine(one, two.time().replace(microsecond=0)) for one in drawn for two in drawn
    ]
    reader = TimestampReader(pattern)
    column: list[Any] = []
    for batch in data.draw(cuts_of(len(whole))):
        column += reader.read([PATTERNS[pattern](at) for at in whole[batch]])
    assert column == list(map(nanoseconds, whole))


@given(recent, st.integers(1, 9), st.integers(0, SECOND_NS - 1))
def test_a_fraction_has_one_to_nine_decimals(at: datetime, decimals: int, ns: int) -> None:
    fraction = f"{ns:09d}"[:decimals]
    expected = nanoseconds(at.replace(microsecond=0)) + int(fraction.ljust(9, "0"))
    assert read([f"{at:%d.%m.%Y %H:%M:%S},{fraction}"], "%d.%m.%Y %H:%M:%S,%f") == [expected]
    assert read([f"{at:%Y%m%d%H%M%S}{fraction}"], "%Y%m%d%H%M%S%f") == [expected]


@pytest.mark.parametrize(
    ("word", "unit_ns"), [("s", 10**9), ("ms", 10**6), ("us", 10**3), ("ns", 1)]
)
@given(st.integers(-(10**10) + 1, 10**10 - 1), st.booleans())
def test_a_count_of_a_named_unit_is_read_whatever_its_size(
    word: str, unit_ns: int, count: int, is_float: bool
) -> None:
    cell = f"{count}.0" if is_float else str(count)
    assert read([cell, cell], f"epoch_{word}") == [count * unit_ns] * 2


@pytest.mark.parametrize(
    ("pattern", "cell"),
    [
        ("%d/%m/%Y", "2024-01-31"),
        ("%d/%m/%Y", "31/01/2024 10:00"),
        ("%d/%m/%Y", "31/01/24"),
        ("%d/%m/%Y %H:%M", "31/01/2024"),
        ("%d/%m/%Y %H:%M", "31/01/2024 10:5"),
        ("%d/%m/%Y %H:%M", "31/01/2024 10:05Z"),
        ("%d/%m/%Y %H:%M", "31/01/2024  10:05:00"),
        ("%d/%m/%Y%z", "31/01/2024"),
        ("%Y%m%d", "2024131"),
        ("%Y%m%d", "202401311"),
        ("%d-%b-%Y", "31-Jän-2024"),
        ("%d-%b-%Y", "31-Janu-2024"),
        ("%I:%M %p %d.%m.%Y", "10:05 31.01.2024"),
        ("%Y.%m.%d", "2024-01-31"),
    ],
)
def test_a_cell_that_does_not_fit_the_pattern_is_refused(pattern: str, cell: str) -> None:
    assert refusal(cell, written=pattern) == (0, f'not in the format "{pattern}"')


def test_a_pattern_sets_the_order_of_day_and_month_whatever_the_cells_look_like() -> None:
    cells = ["01/02/2024", "02/02/2024"]
    assert read(cells, "%d/%m/%Y") == [nanoseconds(datetime(2024, 2, day)) for day in (1, 2)]
    assert read(cells, "%m/%d/%Y") == [
        nanoseconds(datetime(2024, *leading)) for leading in ((1, 2), (2, 2))
    ]
    assert refusal("13/13/2024", written="%d/%m/%Y")[1].startswith("not a valid date")


def test_a_cell_that_is_not_iso_is_refused_if_the_format_is_iso() -> None:
    assert read(["2024-01-31T10:00:00.123456789Z"], "iso") == read(
        ["20240131T100000.123456789Z"], "iso"
    )
    assert read(["20240131"], "iso") == read(["2024-01-31"], "iso")
    for cell in ("1704067200", "2024/01/31", "31.01.2024", "20240131100000", "Jan 31, 2024"):
        assert refusal(cell, written="iso") == (0, "not ISO 8601")


def test_the_offset_of_each_row_is_its_own() -> None:
    nine = [datetime(2024, 1, 31, 9), datetime(2024, 7, 31, 9)]
    winter, summer = nanoseconds(nine[0]), nanoseconds(nine[1])
    hour = 3600 * SECOND_NS
    expected = [winter + 5 * hour, summer + 4 * hour, winter + 5 * hour]
    cells = ["20240131 09:00:00 {}", "20240731 09:00:00 {}", "20240131 09:00:00 {}"]
    assert read([cell.format("US/Eastern") for cell in cells]) == expected
    offsets = ["GMT-0500", "GMT-0400", "GMT-0500"]
    assert read(list(map(str.format, cells, offsets))) == expected
    iso_cells = ["2024-01-31 09:00:00-05:00", "2024-07-31 09:00:00-04:00"]
    assert read(iso_cells) == expected[:2]


def test_more_times_than_are_remembered_are_read() -> None:
    step = timedelta(milliseconds=1)
    times = [datetime(2024, 1, 31) + row * step for row in range(100_010)]
    cells = [f"{time:%d.%m.%Y %H:%M:%S.%f}" for time in times]
    assert read(cells + cells[:5]) == list(map(nanoseconds, times + times[:5]))
