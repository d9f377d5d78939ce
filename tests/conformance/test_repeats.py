"""Rows that repeat a bar, and are left out, change no signal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import polars as pl
import pytest

from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Checks, Columns, JobConfig, Repeats
from rollsignal.engines import inputs
from rollsignal.engines.interface import Engine
from rollsignal.errors import DataError
from tests.support import oracle
from tests.support.answers import Answer, answer
from tests.support.cut_engine import CutEngine

MakeEngine = Callable[[], Engine]

CONFIG = JobConfig(seed=1, window=3, version="v")
SYMBOLS = Columns(symbol=SymbolFrom("symbol"))
FORMS = ["csv", "ndjson", "parquet", "arrow"]
Row = tuple[str, str, str]


def bars(count: int, seed: int = 0, symbols: str = "") -> list[Row]:
    """Return bars, one or more of each minute: of a random symbol, or of no symbol."""
    random = Random(seed)
    return [
        (
            f"2024-01-01 {number // 60:02}:{number % 60:02}:00",
            symbol,
            f"{random.randrange(10000, 10010) / 100:.2f}",
        )
        for number in range(count)
        for symbol in ([s for s in symbols if random.random() < 0.7] if symbols else [""])
    ]


def write(path: Path, rows: Sequence[Row]) -> Path:
    has_symbols = any(symbol for _, symbol, _ in rows)
    frame = pl.DataFrame(rows, ["timestamp", "symbol", "close"], orient="row")
    frame = frame if has_symbols else frame.drop("symbol")
    if path.suffix == ".csv":
        frame.write_csv(path)
    elif path.suffix == ".ndjson":
        frame.write_ndjson(path)
    elif path.suffix == ".parquet":
        frame.write_parquet(path, row_group_size=7)
    else:
        frame.write_ipc(path, record_batch_size=7)
    return path


def repeated(rows: Sequence[Row], seed: int, *, wrong: bool) -> list[Row]:
    """Put rows before some: equal to them, or with another close."""
    random, found = Random(seed), list[Row]()
    for time, symbol, close in rows:
        for _ in range(random.choice([0, 0, 0, 1, 3])):
            before = f"{random.randrange(10000, 10010) / 100:.2f}" if wrong else f"{close}00"
            found.append((time, symbol, before))
        found.append((time, symbol, close))
    return found


def signals_of(engine: MakeEngine, paths: Sequence[Path], config: JobConfig) -> str:
    found = answer(engine(), paths, config)
    assert found.error is None
    return found.signals


@pytest.mark.parametrize("is_fast", [False, True])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("symbols", ["", "ABC"])
@pytest.mark.parametrize("duplicates", ["same", "last"])
def test_repeated_rows_change_no_signal(
    engine: MakeEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    symbols: str,
    duplicates: Repeats,
    is_fast: bool,
) -> None:
    if is_fast:
        monkeypatch.setattr(inputs, "LARGE_BYTES", 0)
    config = CONFIG._replace(columns=SYMBOLS if symbols else Columns())
    rows = bars(40, 1, symbols)
    plain = signals_of(engine, [write(tmp_path / f"plain.{form}", rows)], config)
    twice = repeated(rows, 1, wrong=duplicates == "last")
    config = config._replace(duplicates=duplicates)
    assert signals_of(engine, [write(tmp_path / f"twice.{form}", twice)], config) == plain
    down = write(tmp_path / f"down.{form}", twice[::-1])
    assert signals_of(engine, [down], config._replace(order="newest_first")) == plain


@pytest.mark.parametrize("duplicates", ["same", "last"])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_rows_are_compared_over_the_bounds_of_files(
    engine: MakeEngine, tmp_path: Path, form: str, duplicates: Repeats
) -> None:
    rows = bars(40, 2, "AB")
    config = CONFIG._replace(columns=SYMBOLS)
    plain = signals_of(engine, [write(tmp_path / f"plain.{form}", rows)], config)
    twice = repeated(rows, 2, wrong=duplicates == "last")
    paths = [
        write(tmp_path / f"{9 - at // 12}.{form}", twice[at : at + 12])
        for at in range(0, len(twice), 12)
    ]
    config = config._replace(duplicates=duplicates)
    # Bars of a panel at one time may be in several files, which only their names put in order.
    found = answer(engine(), paths, config)
    if found.error is None:
        assert found.signals == plain
    one = [(time, "", close) for time, symbol, close in rows if symbol == "A"]
    plain = signals_of(engine, [write(tmp_path / f"one.{form}", one)], CONFIG)
    first, second = write(tmp_path / f"x.{form}", one[:9]), tmp_path / f"y.{form}"
    if duplicates == "last":
        write(tmp_path / f"x.{form}", [*one[:8], (*one[8][:2], "7")])
    write(second, one[8:])
    assert signals_of(engine, [first, second], CONFIG._replace(duplicates=duplicates)) == plain


@pytest.mark.parametrize("duplicates", ["same", "last"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("symbols", ["", "ABC"])
def test_overlapping_files_are_sorted_first(
    engine: MakeEngine, tmp_path: Path, form: str, symbols: str, duplicates: Repeats
) -> None:
    config = CONFIG._replace(columns=SYMBOLS if symbols else Columns(), sort=True)
    rows = bars(60, 3, symbols)
    plain = answer(engine(), [write(tmp_path / f"plain.{form}", rows)], config)
    first = rows[:40]
    if duplicates == "last":
        first[20:] = [(time, symbol, "7.5") for time, symbol, _ in first[20:]]
    random = Random(3)
    random.shuffle(first)
    paths = [write(tmp_path / f"1.{form}", first), write(tmp_path / f"2.{form}", rows[20:])]
    found = answer(engine(), paths, config._replace(duplicates=duplicates))
    assert (plain.error, found.error) == (None, None)
    # Series at one time stand in the order of their rows.
    assert sorted(found.signals.splitlines()) == sorted(plain.signals.splitlines())
    assert found.found[2] == plain.found[2]


def test_the_signals_are_those_of_the_last_closes(engine: MakeEngine, tmp_path: Path) -> None:
    rows = bars(30, 4)
    path = write(tmp_path / "bars.csv", repeated(rows, 4, wrong=True))
    found = signals_of(engine, [path], CONFIG._replace(duplicates="last"))
    column = [line.rpartition(",")[2] for line in found.splitlines()[1:]]
    decided = oracle.signals(oracle.prices([close for *_, close in rows]), 3)
    assert column == ["" if signal is None else str(signal) for signal in decided]


def refusal(engine: MakeEngine, path: Path, config: JobConfig) -> str:
    error = answer(engine(), [path], config).error
    assert error is not None
    assert error[0] is DataError
    return error[1].removeprefix(f"{path} ")


@pytest.mark.parametrize("sort", [False, True])
def test_rows_of_one_time_that_differ_are_left_to_the_check(
    engine: MakeEngine, tmp_path: Path, sort: bool
) -> None:
    rows = bars(20)
    rows[9:9] = [rows[9], (*rows[9][:2], "7")]
    path = write(tmp_path / "bars.csv", rows)
    message = refusal(engine, path, CONFIG._replace(duplicates="same", sort=sort))
    # This engine cuts sorted bars too, whose lines are those of the whole.
    assert message.startswith("line 12: ") or (sort and engine is CutEngine)
    assert "is the same as in the previous row" in message


def test_a_row_out_of_order_is_still_refused(engine: MakeEngine, tmp_path: Path) -> None:
    rows = bars(20)
    rows[12] = rows[5]
    path = write(tmp_path / "bars.csv", rows)
    for duplicates in ("same", "last"):
        message = refusal(engine, path, CONFIG._replace(duplicates=duplicates))
        assert message.startswith("line 14: timestamp is earlier than")


OHLC = "timestamp,open,high,low,close\n"


@pytest.mark.parametrize("is_fast", [False, True])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_what_a_check_reads_is_compared_too(
    engine: MakeEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    is_fast: bool,
) -> None:
    if is_fast:
        monkeypatch.setattr(inputs, "LARGE_BYTES", 0)
    lines = [f"2024-01-01 00:{minute:02}:00,5,9,1,{5 + minute % 3}" for minute in range(20)]
    lines[7:7] = [lines[7]]
    config = CONFIG._replace(duplicates="same", checks=Checks(ohlc="error"))
    path = tmp_path / f"bars.{form}"

    def written() -> Path:
        text = OHLC + "\n".join(lines) + "\n"
        if form == "csv":
            path.write_text(text)
        else:
            pl.read_csv(text.encode()).write_parquet(path)
        return path

    assert answer(engine(), [written()], config).error is None
    lines[7] = lines[7].replace(",9,", ",8,")
    message = refusal(engine, written(), config)
    assert "timestamp is the same as in the previous row" in message
    assert answer(engine(), [path], config._replace(checks=Checks())).error is None


def test_the_checks_judge_what_is_left(engine: MakeEngine, tmp_path: Path) -> None:
    rows = bars(20)
    rows[9:9] = [(*rows[9][:2], "0")]
    path = write(tmp_path / "bars.csv", rows)
    config = CONFIG._replace(duplicates="last", checks=Checks(values="error"))
    found: Answer = answer(engine(), [path], config)
    assert (found.error, found.told) == (None, ())


def test_bars_without_times_cannot_be_compared(engine: MakeEngine, tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("close\n" + "5\n7\n" * 9)
    for duplicates in ("same", "last"):
        error = answer(engine(), [path], CONFIG._replace(duplicates=duplicates)).error
        assert error is not None
        assert error[1] == f"{path}: no timestamps by which a row repeats another"
