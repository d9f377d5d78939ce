"""Counts with exponents, serial days of Excel, and milliseconds since midnight are read exactly."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.core.timestamps.reader import LocalZone, TimestampReader, to_ns
from rollsignal.errors import BadCellError

START = 1_704_067_200


def read(cells: list[str], written: str | None = None) -> list[int]:
    return [to_ns(stamp) for stamp in TimestampReader(written).read(cells)]


def why(cells: list[str], written: str | None = None) -> str:
    with pytest.raises(BadCellError) as caught:
        read(cells, written)
    return caught.value.reason


def java(count: int) -> str:
    """Write a count as Java writes a double: with the shortest mantissa."""
    digits = str(count)
    return f"{digits[0]}.{digits[1:].rstrip('0') or '0'}E{len(digits) - 1}"


@pytest.mark.parametrize(
    ("unit", "word"), [(1, "epoch_s"), (1000, "epoch_ms"), (10**9, "epoch_ns")]
)
@pytest.mark.parametrize("form", [java, lambda count: f"{java(count)}".replace("E", "e+")])
@given(start=st.integers(1_600_000_000, 1_900_000_000))
def test_a_count_with_an_exponent_is_the_count_it_stands_for(
    unit: int, word: str, form: object, start: int
) -> None:
    counts = [(start + 60 * row) * unit for row in range(5)]
    cells = [form(count) for count in counts]  # type: ignore[operator]
    for written in (None, word):
        assert read(cells, written) == [count // unit * 10**9 for count in counts]


def test_a_count_with_an_exponent_must_be_whole() -> None:
    assert why(["1.70406720012E9"]) == "a count with an exponent that is not a whole number"
    assert read(["1.7040672000E9"]) == [START * 10**9]
    assert why(["1.7E30"]) == "too many digits for a count since 1970"


@pytest.mark.parametrize("written", [None, "epoch_ms"])
def test_counts_of_few_digits_are_in_doubt_until_a_longer_one_is_read(written: str | None) -> None:
    reader = TimestampReader(written)
    reader.read(["1704067200000", "1.70407E+12", "1.704067E+12"])
    assert reader.unproven is not None
    assert (reader.unproven.index, reader.unproven.reason) == (
        1, "with an exponent and at most 7 digits, so perhaps rounded",
    )  # fmt: skip
    reader.read(["1.70406738E12"])
    assert reader.unproven is None
    reader.read(["1.7E12"])
    assert reader.unproven is None


def excel(serial: Fraction, decimals: int) -> str:
    """Write a number with so many decimals, rounded half up, without zeros at its end."""
    units = (serial * 10**decimals * 2 + 1) // 2
    whole, rest = divmod(units, 10**decimals)
    return f"{whole}.{rest:0{decimals}}".rstrip("0").rstrip(".")


@given(st.datetimes(datetime(1900, 3, 1), datetime(2199, 12, 31)), st.integers(10, 14))
def test_a_serial_day_is_the_time_to_the_millisecond(moment: datetime, decimals: int) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    since = moment - datetime(1899, 12, 30)
    serial = Fraction(since // timedelta(milliseconds=1), 86_400_000)
    ns = (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1) * 1000
    cell = excel(serial, decimals)
    if len(cell.partition(".")[2]) >= 9 or (serial * 86_400).denominator == 1:
        assert read([cell], "excel") == [ns]


def test_every_second_of_a_day_is_read_from_ten_decimals() -> None:
    cells = [excel(45292 + Fraction(second, 86_400), 10) for second in range(86_400)]
    assert read(cells, "excel") == [(START + second) * 10**9 for second in range(86_400)]


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("45292", 0), ("45292.0", 0), ("45292.5", 43_200), ("45292.604166666667", 52_200),
        ("45292.604166666664", 52_200), ("45292.125", 10_800), (" 45292.25 ", 21_600),
    ],
)  # fmt: skip
def test_serial_days_are_days_of_the_system_of_1900(cell: str, seconds: int) -> None:
    assert read([cell], "excel") == [(START + seconds) * 10**9]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("60", "not a serial day of Excel from 61"), ("2958466", "not a serial day of Excel from"),
        ("1704067200", "not a serial day of Excel, such"), ("2024-01-01", "not a serial day"),
        ("-5", "not a serial day of Excel, such"), ("45292,5", "not a serial day of Excel, such"),
        ("4.5292E4", "not a serial day of Excel, such"),
        ("45292.60417", "a day with fewer than 9 decimals, so its time may be rounded"),
        ("45292.6042", "a day with fewer than 9 decimals"),
        ("45292.604166669", "a day whose time is not a whole millisecond"),
    ],
)  # fmt: skip
def test_what_is_no_clear_serial_day_is_refused(cell: str, reason: str) -> None:
    assert why([cell], "excel").startswith(reason)


def test_serial_days_may_be_those_of_a_place() -> None:
    reader = TimestampReader("excel")
    reader.set_zone(LocalZone("America/New_York", True))
    reader.read(["45292.5"])
    assert reader.is_local
    assert TimestampReader("excel").zoned is None


@given(
    st.dates(datetime(1970, 1, 1).date()), st.integers(0, 86_399_999), st.sampled_from(["", "-"])
)
def test_milliseconds_of_a_day_are_added_to_its_midnight(
    day: datetime, milliseconds: int, sign: str
) -> None:
    cell = f"{day.year:04}{sign}{day.month:02}{sign}{day.day:02} {milliseconds}"
    since = datetime(day.year, day.month, day.day) - datetime(1970, 1, 1)
    assert read([cell], "ms_of_day") == [(since.days * 86_400_000 + milliseconds) * 10**6]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("34200000", "not a date such as"), ("2024-0102 5", "not a date such as"),
        ("20240102 86400000", "milliseconds beyond the end of a day"),
        ("20240132 5", "not a valid date"), ("20240102 9:30", "not a date such as"),
        ("02012024 5", "not a valid date"),
    ],
)  # fmt: skip
def test_what_is_no_date_with_milliseconds_is_refused(cell: str, reason: str) -> None:
    assert why([cell], "ms_of_day").startswith(reason)


@pytest.mark.parametrize(
    ("cells", "hint"),
    [
        (["34200000", "34260000"], "if these are milliseconds since midnight, set"),
        (["45292", "45293"], "if these are days of Excel, set timestamp_format: excel"),
        (["5", "6"], "if these are counts since 1970"),
    ],
)
def test_small_numbers_are_refused_with_what_they_may_be(cells: list[str], hint: str) -> None:
    reader = TimestampReader()
    reader.read(cells)
    assert reader.unproven is not None
    assert reader.unproven.hint.startswith(hint)
    assert "34200000" not in cells or "epoch" not in reader.unproven.hint
