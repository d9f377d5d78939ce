"""A check tells closes that jump and bars off the grid of their series; a run looks for neither."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.commands.check import check
from rollsignal.engines import inputs
from rollsignal.readers.opening import OpenedFile
from tests.support.oracle import doubtful, price
from tests.support.shell import Heard, Job

START = datetime(2024, 1, 1)
PANEL = "columns: {symbol: symbol, timestamp: timestamp}\n"
JUMP, STRAY = ": is a decimal point lost?", ": is the bar unfinished?"


def checked(folder: Path, *files: str) -> dict[str, Any]:
    config = folder / "c.yaml"
    config.write_text(PANEL)
    report = check([str(folder / file) for file in files], str(config), Heard()).document
    checks: dict[str, Any] = json.loads(json.dumps(report))["checks"]
    return checks


def told(checks: dict[str, Any], ending: str) -> list[tuple[str, int, str]]:
    """Return the file, the row and the symbol of the findings that are shown."""
    found = [each for each in checks["values"]["first"] if each["message"].endswith(ending)]
    return [(Path(each["file"]).name, each["row"], each["symbol"]) for each in found]


Rows = list[tuple[str, str]]
"""The symbols and closes of rows."""


def without_grid(row: int) -> timedelta:
    """Return times of which no two steps are alike."""
    return timedelta(seconds=3**row)


def each_minute(row: int) -> timedelta:
    return timedelta(minutes=row)


def written(rows: Rows, begin: int = 0, after: Callable[[int], timedelta] = each_minute) -> str:
    times = (START + after(begin + row) for row in range(len(rows)))
    lines = [f"{time},{s},{close}\n" for time, (s, close) in zip(times, rows, strict=True)]
    return "".join(["timestamp,symbol,close\n", *lines])


def jumps_of(rows: Rows) -> list[int]:
    """List the indexes of the closes that jump, by the definition."""
    found = []
    for symbol in {symbol for symbol, _ in rows}:
        bars = [(at, price(close)) for at, (s, close) in enumerate(rows) if s == symbol and close]
        for (_, one), (at, close), (_, other) in zip(bars, bars[1:], bars[2:], strict=False):
            least, most = min(one, other), max(one, other)
            if least > 0 and 0 < close < 2**31 - 1 and (close / most >= 5 or least / close >= 5):
                found.append(at)
    return sorted(found)


closes = st.sampled_from(
    ["10", "11.5", "9", "50", "54.9", "57.5", "100", "1.8", "2", "0.2", "0", "-7", "", "2147483647"]
)
table_rows = st.lists(st.tuples(st.sampled_from("AAB"), closes), min_size=1, max_size=14)


@settings(max_examples=60)
@given(table_rows, st.integers(0, 14))
def test_the_closes_that_jump_are_told_with_their_lines_whatever_files_they_are_in(
    rows: Rows, cut: int
) -> None:
    jumps, doubts = jumps_of(rows), doubtful(price(c) if c else None for _, c in rows)
    cut = min(cut, len(rows) - 1)
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "one.csv").write_text(written(rows, 0, without_grid))
        (folder / "a.csv").write_text(written(rows[:cut], 0, without_grid))
        (folder / "b.csv").write_text(written(rows[cut:], cut, without_grid))
        whole, parted = checked(folder, "one.csv"), checked(folder, "a.csv", "b.csv")
    shown = [("one.csv", at + 2, rows[at][0]) for at in jumps][: max(0, 5 - doubts)]
    assert told(whole, JUMP) == shown
    assert whole["values"]["count"] == parted["values"]["count"] == len(jumps) + doubts
    places = [("a.csv", at + 2) if at < cut else ("b.csv", at - cut + 2) for at in jumps]
    assert [place[:2] for place in told(parted, JUMP)] == places[: len(shown)]


LONG: Rows = [
    ("AB"[row % 2], str(100 + row % 7) if row % 400 not in (0, 7) else "1000.5" if row % 3 else "3")
    for row in range(8_000)
]


def read_as_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "LARGE_BYTES", 0)
    monkeypatch.setattr(inputs, "OpenedFile", partial(OpenedFile, block_bytes=9_000))


@pytest.mark.parametrize("form", ["csv", "parquet", "arrow", "ndjson"])
def test_a_large_table_has_the_jumps_of_a_small_one_in_every_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    path = tmp_path / f"bars.{form}"
    text = written(LONG)
    if form == "csv":
        path.write_text(text)
    else:
        frame = pl.read_csv(text.encode()).with_columns(pl.col("close").cast(pl.Float64))
        getattr(frame, {"arrow": "write_ipc"}.get(form, f"write_{form}"))(path)
    jumps = jumps_of(LONG)
    assert len(jumps) == 39
    small = checked(tmp_path, path.name)
    read_as_arrays(monkeypatch)
    assert checked(tmp_path, path.name) == small
    first = 2 if form == "csv" else 1
    expected = [(path.name, at + first, LONG[at][0]) for at in jumps[:5]]
    assert (small["values"]["count"], told(small, JUMP)) == (len(jumps), expected)


def test_a_jump_is_told_with_both_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "bars.csv").write_text(written([("A", "99.5"), ("A", "1001"), ("A", "100.25")]))
    (finding,) = checked(tmp_path, "bars.csv")["values"]["first"]
    what = "line 3: the close 1001 of 'A' is between 99.5 and 100.25: is a decimal point lost?"
    assert finding["message"] == f"{tmp_path / 'bars.csv'} {what}"
    assert finding["timestamp"] == "2024-01-01T00:01:00Z"


def test_closes_without_timestamps_are_told_by_their_lines(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("columns: {timestamp: none}\n")
    path = tmp_path / "bars.csv"
    path.write_text("close\n10\n100\n10\n")
    report = check([str(path)], str(config), Heard()).document
    assert f"{path} line 3: the close 100 is between 10 and 10" in json.dumps(report)


# The grid of a series.


def at(day: int, clock: str = "00:00:00", month: int = 1) -> str:
    return f"2024-{month:02d}-{day:02d} {clock}"


DAILY = [at(day) for day in range(1, 7)]
HOURLY = [at(day, f"{hour:02d}:00:00") for day in range(1, 4) for hour in range(10, 17)]
HALVES = sorted([*HOURLY, *(at(day, "09:30:00") for day in range(1, 4))])
MINUTES = [at(1, f"00:{minute:02d}:00") for minute in range(20)]
GRIDS: dict[str, tuple[Sequence[str], list[str]]] = {
    "a daily table": (DAILY, []),
    "a last quote of the day": ([*DAILY, at(6, "21:04:03")], [at(6, "21:04:03")]),
    "a quote between two days": ([*DAILY[:5], at(5, "21:04:03"), at(6), at(7)],
        [at(5, "21:04:03")]),
    "days without weekends": ([at(day) for day in range(1, 31) if day % 7 < 5], []),
    "a clock that changes": ([at(day, f"0{4 + (day < 4)}:00:00") for day in range(1, 9)], []),
    "a clock that changes at the end": ([*(at(day, "05:00:00") for day in range(1, 9)),
        at(9, "04:00:00")], []),
    "months": ([at(1, month=month) for month in range(1, 13)], []),
    "months with a last quote": ([*(at(1, month=month) for month in range(1, 13)),
        at(3, "21:04:03", 12)], [at(3, "21:04:03", 12)]),
    "sessions from half past nine": (HALVES, []),
    "a second too late": ([*MINUTES[:9], at(1, "00:09:01"), *MINUTES[10:]], [at(1, "00:09:01")]),
    "gaps": ([*MINUTES[:4], *MINUTES[9:]], []),
    "times without a grid": ([at(1, f"00:{row * row // 60:02d}:{row * row % 60:02d}")
        for row in range(20)], []),
}  # fmt: skip


@pytest.mark.parametrize("arrays", [False, True])
@pytest.mark.parametrize("kind", GRIDS)
def test_a_bar_off_the_grid_of_its_series_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, arrays: bool
) -> None:
    times, strays = GRIDS[kind]
    bars = [(time, symbol) for time in times for symbol in "AB"]
    rows = [f"{time},{symbol},{10 + row % 3}\n" for row, (time, symbol) in enumerate(bars)]
    (tmp_path / "bars.csv").write_text("".join(["timestamp,symbol,close\n", *rows]))
    if arrays:
        read_as_arrays(monkeypatch)
    values = checked(tmp_path, "bars.csv")["values"]
    expected = [(time.replace(" ", "T") + "Z", symbol) for time in strays for symbol in "AB"]
    assert [(each["timestamp"], each["symbol"]) for each in values["first"]] == expected
    assert values["level"] == "warn"
    lines = [bars.index((time, symbol)) + 2 for time in strays for symbol in "AB"]
    assert [each["row"] for each in values["first"]] == lines


def test_a_stray_bar_is_told_with_the_grid(tmp_path: Path) -> None:
    times = [*DAILY, at(6, "21:04:03")]
    rows = "".join(f"{time},A,{row + 10}\n" for row, time in enumerate(times))
    (tmp_path / "bars.csv").write_text("timestamp,symbol,close\n" + rows)
    (finding,) = checked(tmp_path, "bars.csv")["values"]["first"]
    what = "line 8: 2024-01-06T21:04:03Z of 'A' is 21:04:03 after 2024-01-06T00:00:00Z"
    grid = "off the grid of 1 day, 0:00:00: is the bar unfinished?"
    assert finding["message"] == f"{tmp_path / 'bars.csv'} {what}, {grid}"


@pytest.mark.parametrize("level", ["warn", "error"])
def test_a_run_looks_for_neither(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], level: str
) -> None:
    times = [*DAILY, at(6, "21:04:03")]
    closes = ["10", "11", "120", "12", "13", "14", "15"]
    rows = "".join(map("{},{}\n".format, times, closes))
    config = f"seed: 1\nwindow: 3\nversion: 'v'\nchecks: {{values: {level}, gaps: error}}\n"
    assert Job(tmp_path, "timestamp,close\n" + rows, config).run() == 0
    assert capsys.readouterr().err == ""
