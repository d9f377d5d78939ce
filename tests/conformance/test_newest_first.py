"""The same bars newest first and oldest first give the same signals, byte for byte."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Checks, Columns, JobConfig
from rollsignal.core.ledger import Missing
from rollsignal.engines import inputs
from rollsignal.engines.interface import Engine
from rollsignal.errors import DataError
from tests.support import oracle
from tests.support.answers import Answer, answer

MakeEngine = Callable[[], Engine]

UP = JobConfig(seed=1, window=3, version="v")
DOWN = UP._replace(order="newest_first")
SYMBOLS = Columns(symbol=SymbolFrom("symbol"))
FORMS = ["csv", "tsv", "ndjson", "json", "parquet", "arrow", "csv.gz"]
Row = dict[str, str]


def bars(count: int, seed: int = 0, symbols: str = "") -> list[Row]:
    """Return bars of minutes, oldest first; with symbols, a bar of a random one in each minute."""
    random = Random(seed)
    begin = datetime(2024, 1, 1)
    return [
        {
            "time": f"{begin + timedelta(minutes=number)}",
            **({"symbol": random.choice(symbols)} if symbols else {}),
            "close": f"{random.randrange(10000, 10010) / 100:.{random.randrange(2, 5)}f}",
        }
        for number in range(count)
    ]


def write(path: Path, rows: Sequence[Row]) -> Path:
    frame, form = pl.DataFrame(rows), path.suffix[1:]
    if form == "json":
        path.write_text(json.dumps({"bars": list(rows)}))
    elif form == "ndjson":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif form == "parquet":
        frame.with_columns(pl.col("time").str.to_datetime()).write_parquet(path, row_group_size=7)
    elif form == "arrow":
        frame.write_ipc(path, record_batch_size=7)
    else:
        text = frame.write_csv(separator="\t" if form == "tsv" else ",").encode()
        path.write_bytes(gzip.compress(text) if form == "gz" else text)
    return path


def read(engine: MakeEngine, folder: Path, form: str, rows: list[Row], config: JobConfig) -> Answer:
    """Read bars; return what does not depend on the lines where they stand."""
    found = answer(engine(), [write(folder / f"bars.{form}", rows)], config)
    assert found.error is None
    return found._replace(found=found.found[:3])


@pytest.mark.parametrize("is_fast", [False, True])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("symbols", ["", "ABC"])
def test_both_orders_give_the_same_signals(
    engine: MakeEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    symbols: str,
    is_fast: bool,
) -> None:
    if is_fast:
        monkeypatch.setattr(inputs, "LARGE_BYTES", 0)
    columns = SYMBOLS if symbols else Columns()
    for seed in range(2):
        rows = bars(60, seed, symbols)
        up = read(engine, tmp_path, form, rows, UP._replace(columns=columns))
        down = read(engine, tmp_path, form, rows[::-1], DOWN._replace(columns=columns))
        assert up == down
    closes = [row["close"] for row in rows if row.get("symbol", "A") == "A"]
    written = [line.split(",") for line in down.signals.splitlines()[1:]]
    signals = [line[-1] for line in written if line[1] in ("", "A")]
    decided = oracle.signals(oracle.prices(closes), 3)
    assert signals == ["" if signal is None else str(signal) for signal in decided]


@pytest.mark.parametrize("missing", ["skip", "gap"])
def test_bars_without_a_close_are_the_same_in_both_orders(
    engine: MakeEngine, tmp_path: Path, missing: Missing
) -> None:
    rows = bars(40)
    for row in rows[5::9]:
        row["close"] = ""
    up = read(engine, tmp_path, "csv", rows, UP._replace(missing=missing))
    assert up == read(engine, tmp_path, "csv", rows[::-1], DOWN._replace(missing=missing))


@pytest.mark.parametrize("is_fast", [False, True])
def test_files_are_put_in_the_order_of_time(
    engine: MakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_fast: bool
) -> None:
    if is_fast:
        monkeypatch.setattr(inputs, "LARGE_BYTES", 0)
    rows = bars(60)
    parts = [rows[at : at + 6] for at in range(0, 60, 6)]
    names = Random(1).sample(range(10), 10)
    paths = [
        write(tmp_path / f"{name}.csv", part[::-1]) for name, part in zip(names, parts, strict=True)
    ]
    paths.append(write(tmp_path / "empty.csv", rows[:1]))
    paths[-1].write_text("time,close\n")
    whole = answer(engine(), [write(tmp_path / "up.csv", rows)], UP)
    found = answer(engine(), sorted(paths), DOWN)
    assert (found.error, found.signals) == (None, whole.signals)


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("is_fast", [False, True])
@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
@pytest.mark.parametrize("minutes", [10, 30, 60])
def test_an_hour_that_comes_twice_is_told_apart_from_below(
    engine: MakeEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    minutes: int,
    is_fast: bool,
) -> None:
    if is_fast:
        monkeypatch.setattr(inputs, "LARGE_BYTES", 0)
    begin = datetime(2024, 10, 26, 20, tzinfo=UTC)
    times = [begin + timedelta(minutes=minutes * row) for row in range(60)]
    utc = [{"time": f"{at:%Y-%m-%d %H:%M}", "close": f"{100 + n * 7 % 11}"}
           for n, at in enumerate(times)]  # fmt: skip
    local = [row | {"time": f"{at.astimezone(BERLIN):%Y-%m-%d %H:%M}"}
             for row, at in zip(utc, times, strict=True)]  # fmt: skip
    up = read(engine, tmp_path, form, utc, UP)
    by_clock = DOWN._replace(timezone="Europe/Berlin")
    down = read(engine, tmp_path, form, local[::-1], by_clock)
    assert up.signals == down.signals
    error = answer(engine(), [write(tmp_path / f"up.{form}", local)], by_clock).error
    assert error is not None


def refusal(engine: MakeEngine, path: Path, config: JobConfig = DOWN) -> str:
    error = answer(engine(), [path], config).error
    assert error is not None
    assert error[0] is DataError
    return error[1].removeprefix(f"{path} ")


@pytest.mark.parametrize(
    ("form", "place"), [("csv", "line 3"), ("ndjson", "line 2"), ("json", "row 2"),
                        ("parquet", "row 2"), ("arrow", "row 2")]
)  # fmt: skip
def test_bars_that_stand_oldest_first_are_refused(
    engine: MakeEngine, tmp_path: Path, form: str, place: str
) -> None:
    path = write(tmp_path / f"bars.{form}", bars(20))
    assert refusal(engine, path) == (
        f"{place}: the timestamp 2024-01-01T00:01:00Z is later than 2024-01-01T00:00:00Z above it,"
        " but order is newest_first (set order: oldest_first if all files stand so, or sort: true"
        " in place of order)"
    )


@pytest.mark.parametrize(
    ("form", "place"), [("csv", "line 9"), ("ndjson", "line 8"), ("json", "row 8"),
                        ("parquet", "row 8"), ("arrow", "row 8")]
)  # fmt: skip
@pytest.mark.parametrize("columns", [Columns(), SYMBOLS])
def test_a_bar_out_of_place_is_refused_with_its_line(
    engine: MakeEngine, tmp_path: Path, form: str, place: str, columns: Columns
) -> None:
    rows = bars(20, symbols="A" if columns == SYMBOLS else "")[::-1]
    rows[7], rows[8] = rows[8], rows[7]
    path = write(tmp_path / f"bars.{form}", rows)
    hint = "set sort: true in place of order: newest_first"
    of = " of 'A'" if columns == SYMBOLS else ""
    if not of:
        hint = f"for one series {hint}, for several columns: {{symbol: NAME}}"
    else:
        hint += (
            "; if they are of several series, set columns: {symbol: [A, B]} with all columns that"
            " tell these apart"
        )
    assert refusal(engine, path, DOWN._replace(columns=columns)) == (
        f"{place}: time is earlier than 2024-01-01T00:12:00Z in the row below{of} ({hint})"
    )


def test_a_panel_that_stands_oldest_first_is_refused(engine: MakeEngine, tmp_path: Path) -> None:
    rows = sorted(bars(40, symbols="AB"), key=lambda row: row["symbol"])
    path = write(tmp_path / "bars.csv", rows)
    message = refusal(engine, path, DOWN._replace(columns=SYMBOLS))
    assert "in the row below of 'B' (set sort: true in place of order: newest_first;" in message


def test_each_series_of_a_panel_may_stand_by_itself(engine: MakeEngine, tmp_path: Path) -> None:
    rows = bars(60, symbols="AB")
    by_series = sorted(rows, key=lambda row: row["symbol"])
    up = read(engine, tmp_path, "csv", by_series, UP._replace(columns=SYMBOLS))
    down = read(engine, tmp_path, "csv", by_series[::-1], DOWN._replace(columns=SYMBOLS))
    assert up == down
    turned = sorted(rows[::-1], key=lambda row: row["symbol"])
    again = read(engine, tmp_path, "csv", turned, DOWN._replace(columns=SYMBOLS))
    assert sorted(again.signals.splitlines()) == sorted(up.signals.splitlines())
    assert again.found[2] == up.found[2]


def test_a_time_that_is_there_twice_is_told_of_the_row_above(
    engine: MakeEngine, tmp_path: Path
) -> None:
    rows = bars(20)[::-1]
    rows[7]["time"] = rows[8]["time"]
    message = refusal(engine, write(tmp_path / "bars.csv", rows))
    assert message.startswith("line 9: time is the same as in the row below (for one series keep")


def test_bars_without_timestamps_are_refused(engine: MakeEngine, tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("close\n" + "5\n7\n" * 9)
    error = answer(engine(), [path], DOWN).error
    assert error is not None
    assert error[1] == f"{path}: no timestamps, which must show that the bars stand newest first"


@pytest.mark.parametrize("is_fast", [False, True])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_findings_name_the_true_line(
    engine: MakeEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    is_fast: bool,
) -> None:
    if is_fast:
        monkeypatch.setattr(inputs, "LARGE_BYTES", 0)
    rows = bars(20)[::-1]
    rows[4]["close"] = "0.00"
    config = DOWN._replace(checks=Checks(gaps="warn"))
    del rows[9]
    found = answer(engine(), [write(tmp_path / f"bars.{form}", rows)], config)
    place = "line 6" if form == "csv" else "row 5"
    assert any(f"{place}: close is 0, not above zero" in text for _, text in found.told)
    gap = "line 10: a step of 0:02:00" if form == "csv" else "row 9: a step of 0:02:00"
    assert any(gap in text for _, text in found.told)


def test_files_that_overlap_are_refused(engine: MakeEngine, tmp_path: Path) -> None:
    rows = bars(20)
    paths = [write(tmp_path / "a.csv", rows[11::-1]), write(tmp_path / "b.csv", rows[:8:-1])]
    error = answer(engine(), paths, DOWN).error
    assert error is not None
    assert "do they overlap?" in error[1]
