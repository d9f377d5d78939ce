"""Whole columns of timestamps: read as the careful reader reads them one by one, or refused."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.core.timestamps.reader import TimestampReader, to_ns
from rollsignal.errors import BadCellError
from rollsignal.readers.fast.fields import Fields, Masks
from rollsignal.readers.fast.timestamps import timestamps_of
from rollsignal.readers.fast.words import NotPlainError

EPOCH = datetime(1970, 1, 1)
DAY_NS = 86_400 * 10**9


def carefully(cells: Sequence[str], before: Sequence[str]) -> list[int] | None:
    """Read one by one, after some that came before; None where one is refused."""
    reader = TimestampReader()
    try:
        if before:
            reader.read(before)
        return list(map(to_ns, reader.read(cells)))
    except BadCellError:
        return None


def fields_of(cells: Sequence[str]) -> Fields:
    return Fields("".join(f"1|{cell}\n" for cell in cells).encode(), "|", 2, Masks())


def at_once(cells: Sequence[str], before: Sequence[str]) -> list[int] | None:
    """Read cells as a column of a block, after the cells before; None if they are refused."""
    reader = TimestampReader()
    try:
        if before:
            reader.read(before)
        return list(map(int, timestamps_of(fields_of(cells), 1, reader)))
    except (NotPlainError, BadCellError):
        return None


def agree(cells: Sequence[str], before: Sequence[str] = ()) -> bool:
    """Check that a column is refused or read as one by one; return whether it is read."""
    times_ns = at_once(cells, before)
    assert times_ns is None or times_ns == carefully(cells, before)
    return times_ns is not None


def ns(timestamp: datetime) -> int:
    return (timestamp - EPOCH) // timedelta(microseconds=1) * 1000


@pytest.mark.parametrize("sign", "-/.")
@pytest.mark.parametrize(
    ("first", "last"),
    [(1678, 1700), (1796, 1805), (1896, 1905), (1966, 2032), (2096, 2105), (2196, 2261)],
)
def test_every_date_is_its_count_of_days(first: int, last: int, sign: str) -> None:
    begin, end = date(first, 1, 1).toordinal(), date(last, 12, 31).toordinal() + 1
    dates = [date.fromordinal(day).isoformat().replace("-", sign) for day in range(begin, end)]
    epoch = EPOCH.toordinal()
    assert at_once(dates, dates[:1]) == [(day - epoch) * DAY_NS for day in range(begin, end)]
    assert at_once(dates[::-1], dates[:1]) == [
        (day - epoch) * DAY_NS for day in reversed(range(begin, end))
    ]


@pytest.mark.parametrize("year", [1700, 1900, 1999, 2000, 2023, 2024, 2100])
def test_every_month_has_its_days_and_no_other(year: int) -> None:
    for month in range(20):
        for day in (*range(33), 40, 99):
            cells = ["2024-01-31", f"{year:04d}-{month:02d}-{day:02d}"]
            assert agree(cells, cells[:1]) == (carefully(cells, cells[:1]) is not None)
            assert agree(cells[1:], cells[:1]) == (carefully(cells[1:], cells[:1]) is not None)


@pytest.mark.parametrize("year", [0, 1, 1582, 1676, 1677, 2262, 2263, 4000, 9999])
@pytest.mark.parametrize("clock", ["", " 00:00", " 23:59:59", "T12:00:00.5Z"])
@pytest.mark.parametrize("day", ["01-01", "04-11", "04-12", "09-20", "09-21", "12-31"])
def test_a_time_that_an_int64_may_not_hold_is_read_exactly_or_refused(
    year: int, clock: str, day: str
) -> None:
    odd, usual = f"{year:04d}-{day}{clock}", f"2024-01-01{clock}"
    for cells in ([odd], [usual, odd], [odd, usual], [usual, usual, odd]):
        agree(cells, [usual])


def test_every_minute_of_a_day_is_read() -> None:
    for sign in " T":
        timestamps = [datetime(2024, 2, 29) + timedelta(minutes=minute) for minute in range(1440)]
        cells = [timestamp.isoformat(sign, "minutes") for timestamp in timestamps]
        assert at_once(cells, cells[:1]) == list(map(ns, timestamps))
        cells = [timestamp.isoformat(sign, "seconds") for timestamp in timestamps]
        assert at_once(cells, cells[:1]) == list(map(ns, timestamps))


@pytest.mark.parametrize("hour", [0, 9, 19, 23, 24, 29, 30, 99])
@pytest.mark.parametrize("minute", [0, 9, 59, 60, 99])
def test_every_time_of_the_day_is_read_and_no_other(hour: int, minute: int) -> None:
    usual = "2024-01-01 12:34:56"
    for second in (0, 59, 60, 61, 99):
        cells = [usual, f"2024-01-01 {hour:02d}:{minute:02d}:{second:02d}"]
        for some in (cells, cells[1:]):
            # The midnight that ends a day is left to the careful reader.
            read = carefully(some, [usual]) is not None and hour != 24
            assert agree(some, [usual]) == read


@pytest.mark.parametrize("places", range(1, 10))
def test_fractions_of_a_second_are_exact_to_the_nanosecond(places: int) -> None:
    fractions = [f"{number:09d}"[-places:] for number in (0, 1, 123456789, 999999999, 500000000)]
    cells = [f"1969-12-31 23:59:{second}.{f}" for second in ("00", "59") for f in fractions]
    seconds = [-60 * 10**9] * 5 + [-(10**9)] * 5
    expected = [
        second + int(fraction.ljust(9, "0"))
        for second, fraction in zip(seconds, fractions * 2, strict=True)
    ]
    assert at_once(cells, cells[:1]) == expected
    assert at_once(cells, ["1969-12-31 23:59:00"]) == expected
    assert at_once([cell + "Z" for cell in cells], ["1969-12-31 23:59:00Z"]) == expected


ZONES = [
    *("Z", " Z", "UTC", " UTC", "GMT", " GMT", "+00:00", "-00:00", "+05:30", "-0330", "+14", "-12"),
    *("+05:30:15", " +05:30", "+24:00", "+99:99", "-99", "+5", "+:", "+", " ", "z", " utc", "EST"),
    *(
        "AM",
        " AM",
        "PM",
        " PM",
        " PMZ",
        "PM UTC",
        "AMZ",
        "Zulu",
        "ZZ",
        "UTC+1",
        "+05:30Z",
        "+0530:",
    ),
]
CLOCKS = ["", " 00:00", "T09:30", " 12:00", "T13:59", " 00:00:00", "T12:34:56", " 23:59:59.999"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("zoned", ["", "Z", "+01:00"])
def test_a_zone_is_read_as_one_by_one_or_refused(zone: str, zoned: str) -> None:
    for clock in CLOCKS:
        cells = [f"2024-0{month}-28{clock}{zone}" for month in (1, 2, 3)]
        agree(cells, [f"2024-01-01 00:00:00{zoned}"])
        if carefully(cells, ()) is not None:
            agree(cells, cells)
            noon = clock[:1] + "12:00:00.000"[: len(clock) - 1]
            agree([*cells, *(cell.replace(clock, noon) for cell in cells if clock)], cells)


@pytest.mark.parametrize("zone", ["Z", "UTC", " GMT", "+05:30", "-0330", "+14"])
def test_a_column_with_one_zone_throughout_is_read(zone: str) -> None:
    cells = [f"2024-01-0{day} 0{day}:00:00{zone}" for day in range(1, 9)]
    assert agree(cells, cells[:1])
    mixed = [*cells[:5], cells[5].replace(zone, "+00:00"[: len(zone)].rjust(len(zone)))]
    assert not agree(mixed, cells[:1])


@pytest.mark.parametrize(
    ("least", "most", "unit_ns"),
    [
        (94_694_400, 7_258_118_399, 10**9),
        (10**11, 7_258_118_399_999, 10**6),
        (10**14, 7_258_118_399_999_999, 10**3),
        (10**18, 7_258_118_399_999_999_999, 1),
    ],
)
def test_counts_of_every_unit_are_exact(least: int, most: int, unit_ns: int) -> None:
    values = [*range(least, most, (most - least) // 9), most]
    cells = list(map(str, values))
    assert at_once(cells, cells[:1]) == [value * unit_ns for value in values]
    assert carefully(cells, cells[:1]) == [value * unit_ns for value in values]


EDGES = [
    *(0, 1, 94_694_399, 94_694_400, 7_258_118_399, 7_258_118_400, 2**63 - 1, 2**63, 10**20),
    *(edge + step for edge in (10**11, 10**14, 10**17, 10**18) for step in (-1, 0, 1)),
    *(edge * 10**15 + step for edge in (110, 190, 615, 695) for step in (-1, 0, 1)),
]


@given(
    st.sampled_from(["1704067200", "1704067200000", "1704067200000000", "1704067200000000000"]),
    st.lists(
        st.integers(0, 10**19) | st.sampled_from(EDGES) | st.integers(10**9, 10**10),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 3),
)
@example("1704067200", [9_223_372_036], 0)
@example("1704067200", [9_223_372_037], 0)
@example("1704067200", [2**63 - 1], 0)
@example("1704067200", [2**63], 0)
@example("1704067200", [1704067260, 1704067320000], 0)
def test_counts_are_read_as_one_by_one_or_refused(
    first: str, values: list[int], zeros: int
) -> None:
    agree(["0" * zeros + str(value) for value in values], [first])


@given(
    st.sampled_from(["s", "ms", "us", "ns"]),
    st.lists(st.lists(st.integers(0, 9_999_999_999), min_size=1, max_size=4), min_size=1),
)
def test_counts_of_a_named_unit_are_read_block_by_block_as_one_by_one(
    word: str, blocks: list[list[int]]
) -> None:
    fast, careful = TimestampReader(f"epoch_{word}"), TimestampReader(f"epoch_{word}")
    for reader in (fast, careful):
        reader.read(["5000000000"])
    for block in blocks:
        cells = list(map(str, block))
        try:
            expected = list(map(to_ns, careful.read(cells)))
        except BadCellError:
            with pytest.raises((BadCellError, NotPlainError)):
                timestamps_of(fields_of(cells), 1, fast)
            return
        try:
            times_ns = list(map(int, timestamps_of(fields_of(cells), 1, fast)))
        except NotPlainError:
            times_ns = list(map(to_ns, fast.read(cells)))
        assert times_ns == expected


ODD = [
    *("2024-02-30 00:00:00", "2023-02-29 00:00:00", "2024-13-01 00:00:00", "2024-00-10 00:00:00"),
    *("2024-03-00 00:00:00", "2024-03-01 24:00:00", "2024-03-01 23:60:00", "2024-03-01 00:00:60"),
    *("2024-03-01 0a:00:00", "2024-03-01 00:5x:00", "2024-03-01 00:00   ", "2024-03-01T00:00:00"),
    *("2024-03-01 00:00Z  ", "2024-03-01 00:00.50", "2024/03/01 00:00:00", "2024-03-01 00:00+00"),
    *("01/03/2024 00:00:00", "1709251200000000000", "2024-03-01 00-00-00", "2024-W09-5 00:00:00"),
    *("0000-01-01 00:00:00", "9999-12-31 23:59:59", " 024-03-01 00:00:00", "2024-03-01,00:00:00"),
    *("2024-03-01\t00:00:00", "2024-03-01_00:00:00", "2023-01-01 00:00:00", "2024-02-28 23:50:00"),
    *("2024-03-01", "2024-03-01 00:00", "", " ", "x", "2024-03-01 00:00:00Z", "2024.03.01 00:00"),
    *("2024-03-01 00:00:00.5", "2024-03-01 00:00:00,5", "20240301", "20240301T000000", "2024-061"),
    *("2024-03-01 0:00:00", "2024-3-1 00:00:00", "2024-03-01 00:00:00.0000000001", "1709251200"),
    *("2024-03-01 12:00:00 AM", "2024-03-01 12:00 PM", "2024-03-01 01:00 PM", "1709251200.5"),
    *("2024-03-01  00:00:00", "2024-03-01 00:00:00 ", "2024-03-01T", "2024-03-01Z", "-1", "+1"),
    *("2024-03/01 00:00:00", "2024-03-01 00.00.00", "2024-03-01 00:00:00+01:00", "1e9", "0x10"),
]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("before", [(), ("2024-01-01 00:00:00",), ("2024-01-01T00:00Z",), ("1",)])
def test_an_odd_timestamp_is_read_as_one_by_one_or_refused(odd: str, before: Sequence[str]) -> None:
    usual = ["2024-03-01 00:00:00", "2024-03-01 00:01:00"]
    agree([odd], before or [odd])
    for index in range(3):
        agree([*usual[:index], odd, *usual[index:]], before or usual)
        agree([odd, odd[:-1] + "1"], before or [odd])


SIGNS = "0123456789-/.: TZ+APMUTCG\x00\x7f"


@st.composite
def columns(draw: DrawFn) -> list[str]:
    """Draw timestamps of one pattern, then change a few characters."""
    timestamps = draw(
        st.lists(
            st.datetimes(datetime(1678, 1, 1), datetime(2261, 1, 1))
            | st.sampled_from(
                [datetime(2024, 2, 29), datetime(1900, 2, 28), datetime(2000, 2, 29)]
            ),
            min_size=1,
            max_size=5,
        )
    )
    form = draw(
        st.sampled_from(["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y/%m/%dT%H:%M:%S", "%Y.%m.%d %H:%M:%S.%f"])
    )
    zone = draw(st.sampled_from(["", "", "Z", " UTC", "+05:30", " AM"])) if "H" in form else ""
    cells = [timestamp.strftime(form).rjust(len(form), "0") + zone for timestamp in timestamps]
    cells *= draw(st.sampled_from([1, 1, 13, 64]))
    for _ in range(draw(st.integers(0, 2))):
        row, index = draw(st.integers(0, len(cells) - 1)), draw(st.integers(0, len(cells[0]) - 1))
        cells[row] = cells[row][:index] + draw(st.sampled_from(SIGNS)) + cells[row][index + 1 :]
    return cells


@settings(max_examples=300)
@given(columns(), st.booleans())
def test_a_column_with_a_few_other_characters_is_read_as_one_by_one_or_refused(
    cells: list[str], learned: bool
) -> None:
    before = [cells[0]] if carefully(cells[:1], ()) is not None and learned else ()
    agree(cells, before or ["2024-01-01 00:00:00"])


@pytest.mark.parametrize("rows", [1, 63, 64, 65, 127, 128, 200])
def test_a_bad_timestamp_is_noticed_in_any_row(rows: int) -> None:
    cells = [str(datetime(2024, 1, 31) + timedelta(hours=row)) for row in range(rows)]
    assert agree(cells, cells[:1])
    for row in {0, 1, 62, 63, 64, rows // 2, rows - 1} & set(range(rows)):
        for bad in (
            *("2024-02-30 00:00:00", "2023-02-29 00:00:00", "2024-01-31 24:00:00"),
            *("2024-01-31T00:00:00", "2024-01-31 0x:00:00", "2024-01:31 00:00:00"),
        ):
            is_read = agree([*cells[:row], bad, *cells[row + 1 :]], cells[:1])
            # Alone, it may have another pattern, which no other cell has.
            assert not is_read or rows == 1


def test_the_same_day_of_another_century_is_looked_at_for_itself() -> None:
    assert agree(["2000-02-29", "2000-02-29"], ["2000-02-29"])
    assert not agree(["2000-02-29", "1900-02-29"], ["2000-02-29"])
    assert not agree(["2000-02-29"] * 100 + ["2100-02-29"], ["2000-02-29"])
