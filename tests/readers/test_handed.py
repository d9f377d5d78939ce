"""Frames of a table are read as the rows of a columnar file are, if they are sorted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from rollsignal.config.rules import NO_SYMBOLS, SymbolFrom
from rollsignal.config.settings import Checks, Columns, JobConfig
from rollsignal.errors import DataError, DiskError
from rollsignal.files.find import input_of
from rollsignal.readers.handed import HandedReader

START = datetime(2024, 1, 1)
SCHEMA = pl.Schema({"symbol": pl.String(), "at": pl.Datetime("us"), "close": pl.Float64()})
Rows = list[tuple[str | None, int | None, float | None]]


def frame(rows: Rows) -> pl.DataFrame:
    """Make a frame of symbols, minutes and closes."""
    values = [
        (symbol, None if at is None else START + timedelta(minutes=at), close)
        for symbol, at, close in rows
    ]
    return pl.DataFrame(values, schema=SCHEMA, orient="row")


def read(*frames: Rows, **checks: Any) -> list[float]:
    """Read frames; return their closes."""
    columns = Columns("close", "at", SymbolFrom("symbol"))
    config = JobConfig(1, 3, "v", columns=columns, checks=Checks(**checks))
    reader = HandedReader(input_of("table:bars"), SCHEMA, config)
    batches = [batch.plain() for rows in frames for batch in reader.batches_of(frame(rows))]
    return [
        int(tick or 0) / 10**batch.closes.scale
        for batch in batches
        for tick in batch.closes.listed()
    ]


def test_frames_are_read_one_after_the_other() -> None:
    assert read([("A", 1, 0.5), ("A", 2, 1.0)], [("A", 3, 1.5), ("B", 1, 2.0)]) == [0.5, 1, 1.5, 2]


@pytest.mark.parametrize(
    "frames",
    [
        [[("A", 2, 1.0), ("A", 1, 1.0)]],
        [[("B", 1, 1.0), ("A", 2, 1.0)]],
        [[("A", 2, 1.0)], [("A", 1, 1.0)]],
        [[("B", 1, 1.0)], [("A", 2, 1.0)]],
        [[("A", 1, 1.0), ("B", 1, 1.0), ("A", 2, 1.0)]],
    ],
)
@pytest.mark.parametrize("level", ["error", "off"])
def test_rows_that_are_not_sorted_are_a_failure(frames: list[Rows], level: str) -> None:
    with pytest.raises(DiskError, match="bars: rows came from Spark in another order"):
        read(*frames, order=level, duplicates=level)


@pytest.mark.parametrize("close", [1.0, None])
@pytest.mark.parametrize("cut", [1, 2])
def test_unlike_bars_at_the_same_time_have_no_order(close: float | None, cut: int) -> None:
    rows: Rows = [("A", 1, 2.5), ("A", 1, close)]
    frames = [rows[:cut], rows[cut:]] if cut < 2 else [rows]
    with pytest.raises(DataError, match=r"^bars 'A' at 2024-01-01T00:01:00Z: two bars at the same"):
        read(*frames, duplicates="warn")


def test_equal_bars_at_the_same_time_are_left_to_the_check_of_duplicates() -> None:
    assert read([("A", 1, 2.5), ("A", 1, 2.5)], duplicates="warn") == [2.5, 2.5]
    assert read([("A", 1, 2.5), ("A", 1, 3.5)]) == [2.5, 3.5]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("A", 2, None), "'A' at 2024-01-01T00:02:00Z: close is '', not a number"),
        (("A", 2, float("nan")), "'A' at 2024-01-01T00:02:00Z: close is 'nan', not a number"),
        (("B", None, 1.0), "'B' without a time: at is '', not a time"),
        (("Z", 2, float("inf")), "'Z' at 2024-01-01T00:02:00Z: close is 'inf', not a number"),
    ],
)
def test_a_bad_row_is_named_by_its_symbol_and_time(row: Any, message: str) -> None:
    with pytest.raises(DataError) as refused:
        read([("A", 1, 1.0)], [row])
    assert refused.value.message.startswith(f"bars {message}")


def test_a_blank_symbol_is_refused() -> None:
    with pytest.raises(DataError, match=r"^bars at 2024-01-01T00:01:00Z: the symbol is empty"):
        read([("", 1, 1.0), ("A", 2, 1.0)])


def test_without_symbols_all_rows_are_one_series() -> None:
    config = JobConfig(1, 3, "v", columns=Columns("close", "at", NO_SYMBOLS))
    schema = pl.Schema({"at": SCHEMA["at"], "close": SCHEMA["close"]})
    reader = HandedReader(input_of("table:bars"), schema, config)
    rows = frame([("B", 1, 1.0), ("A", 2, 2.0)]).drop("symbol")
    assert [batch.rows for batch in reader.batches_of(rows)] == [2]
    assert reader.end == (b"", 1_704_067_320_000_000)
    with pytest.raises(DiskError):
        list(reader.batches_of(rows))
