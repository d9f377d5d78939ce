"""Timestamps that the config says how to read: plain blocks are read as carefully, or left."""

from datetime import datetime, timedelta

import pytest

from rollsignal.config.rules import DateAndTime
from rollsignal.config.settings import Columns
from rollsignal.readers.careful import CarefulParser
from rollsignal.readers.dialect import find_dialect
from rollsignal.readers.fast.parser import FastParser
from tests.support.tables import CONFIG

START = datetime(2024, 2, 1, 9, 30)
EPOCH = datetime(1970, 1, 1)


def at_once(cells: list[str], written: str | None, more: str = "") -> list[int] | None:
    """Read the first cell carefully and the others as one block; None if the block is left."""
    config = CONFIG._replace(timestamp_format=written)
    header = f"timestamp{more},close\n"
    rows = [f"{cell},1.5\n".encode() for cell in cells]
    careful = CarefulParser("bars.csv", find_dialect(header, config.columns, "bars.csv"), config)
    first, problem = careful.batch(header.encode() + rows[0])
    assert first
    assert problem is None
    fast = FastParser(careful, config)
    batch = fast.batch(fast.fields(b"".join(rows[1:])), lambda: first)
    return None if batch is None or batch.timestamps_ns is None else [*batch.timestamps_ns]


def times(step: timedelta) -> list[datetime]:
    return [START + row * step for row in range(40)]


HALF_DAYS = [START + timedelta(hours=2) + row * timedelta(minutes=10) for row in range(40)]
PLAIN = [
    ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S"),
    ("%Y-%m-%d %H:%M:%S", "iso"),
    ("%Y.%m.%d %H:%M", "%Y.%m.%d %H:%M"),
    ("%Y/%m/%d %H:%M:%S.%f", "%Y/%m/%d %H:%M:%S.%f"),
    ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%z"),
    ("%Y-%m-%d", "%Y-%m-%d"),
    ("%Y-%m-%d %H:%M:%S UTC", None),
]
LEFT = [
    ("%Y-%d-%m", "%Y-%d-%m"),
    ("%Y-%d-%m %H:%M:%S", "%Y-%d-%m %H:%M:%S"),
    ("%Y-%m-%d %M:%H", "%Y-%m-%d %M:%H"),
    ("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M"),
    ("%Y-%m-%d %I:%M PM", None),
    ("%Y-%m-%d %I:%M PM", "%Y-%m-%d %I:%M %p"),
]


@pytest.mark.parametrize(("form", "written"), PLAIN)
@pytest.mark.parametrize("step", [timedelta(days=1), timedelta(days=1, minutes=7)])
def test_a_pattern_with_the_year_first_is_read_at_once(
    form: str, written: str | None, step: timedelta
) -> None:
    timestamps = times(step)
    if "%H" not in form:
        timestamps = [datetime.combine(at.date(), datetime.min.time()) for at in timestamps]
    times_ns = at_once([at.strftime(form) for at in timestamps], written)
    assert times_ns == [(at - EPOCH) // timedelta(microseconds=1) * 1000 for at in timestamps[1:]]


@pytest.mark.parametrize(("form", "written"), LEFT)
def test_a_block_that_only_looks_like_that_is_left_to_the_careful_parser(
    form: str, written: str | None
) -> None:
    assert at_once([at.strftime(form) for at in HALF_DAYS[:30]], written) is None


@pytest.mark.parametrize("word", ["s", "ms", "us", "ns"])
def test_counts_of_a_named_unit_are_read_at_once(word: str) -> None:
    unit_ns = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[word]
    counts = [45322 + row for row in range(9)]
    times_ns = at_once(list(map(str, counts)), f"epoch_{word}")
    assert times_ns == [count * unit_ns for count in counts[1:]]


def test_a_date_and_a_time_of_day_in_two_columns_are_left() -> None:
    config = CONFIG._replace(columns=Columns(timestamp=DateAndTime("day", "time")))
    dialect = find_dialect("day,time,close\n", config.columns, "bars.csv")
    careful = CarefulParser("bars.csv", dialect, config)
    row = b"2024-01-31,09:30,1\n"
    first, _ = careful.batch(b"day,time,close\n" + row)
    assert first
    fast = FastParser(careful, config)
    assert fast.batch(fast.fields(row), lambda: first) is None
