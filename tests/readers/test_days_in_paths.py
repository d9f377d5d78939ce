"""The day of all rows of a file may be in its path, as in the files of LEAN."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from rollsignal.config.rules import DateAndTime, DayInPath, SymbolFrom
from rollsignal.config.settings import Columns, JobConfig
from rollsignal.engines import ENGINES
from rollsignal.errors import DataError
from tests.support.cut_engine import CutEngine
from tests.support.deciding import decide, inputs

MAKERS = {"local": ENGINES["local"], "plain": ENGINES["plain"], "cut": CutEngine}
DAY = DayInPath("/([0-9]{8})_")
LEAN = JobConfig(
    1, 2, "t", timestamp_format="ms_of_day",
    columns=Columns(5, DateAndTime(DAY, 1), SymbolFrom(folder=True)),
)  # fmt: skip
ROWS = ["34200000,1,1,1,1873000,5", "34260000,1,1,1,1868000,5", "34320000,1,1,1,1869900,5"]
OPEN_NS = 1_704_187_800 * 10**9
NAMED = LEAN._replace(columns=Columns("close", DateAndTime(DAY, "ms"), SymbolFrom(folder=True)))


def lean(folder: Path, symbol: str, day: str, rows: list[str]) -> Path:
    path = folder / symbol / f"{day}_trade.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("engine", MAKERS)
def test_files_of_days_are_read_in_the_order_of_time(tmp_path: Path, engine: str) -> None:
    paths = [
        lean(tmp_path, symbol, day, ROWS)
        for symbol in ("aapl", "msft")
        for day in ("20240103", "20240102")
    ]
    found = decide(paths, LEAN, engine=MAKERS[engine])
    for account in found.accounts.values():
        assert account.tally.rows == 6
        assert (account.first_ns, account.last_ns) == (
            OPEN_NS, OPEN_NS + (86_400 + 120) * 10**9,
        )  # fmt: skip


@pytest.mark.parametrize("form", ["csv", "ndjson", "json", "parquet", "arrow"])
def test_every_format_takes_the_day_from_the_path(tmp_path: Path, form: str) -> None:
    path = tmp_path / "aapl" / f"20240102_trade.{form}"
    path.parent.mkdir()
    frame = pl.DataFrame({"ms": [34200000, 34260000], "close": [5, 6]})
    writers = {"ndjson": "write_ndjson", "json": "write_json", "csv": "write_csv"}
    writers |= {"parquet": "write_parquet", "arrow": "write_ipc"}
    getattr(frame, writers[form])(path)
    account = decide([path], NAMED).accounts["aapl"]
    assert (account.first_ns, account.tally.ones) == (OPEN_NS, 1)


def test_a_large_file_gives_the_same_times(tmp_path: Path) -> None:
    rows = [f"{34_200_000 + row},1,1,1,{row % 7},5" for row in range(40_000)]
    path = lean(tmp_path, "aapl", "20240102", rows)
    with inputs([path], LEAN).fast().opened(inputs([path], LEAN).files[0]) as reader:
        times = [ns for batch in reader.batches() for ns in batch.timestamps_ns or ()]
    assert times == [OPEN_NS + row * 10**6 for row in range(40_000)]


def test_times_of_day_may_follow_a_day_in_the_path(tmp_path: Path) -> None:
    path = lean(tmp_path, "aapl", "20240102", ["time,close", "09:30:00,1", "09:31:00,2"])
    columns = Columns("close", DateAndTime(DAY, "time"), SymbolFrom(folder=True))
    account = decide([path], LEAN._replace(columns=columns, timestamp_format=None)).accounts["aapl"]
    assert account.first_ns == OPEN_NS


def test_a_path_without_the_day_or_with_two_is_refused(tmp_path: Path) -> None:
    path = lean(tmp_path, "aapl", "2024x", ROWS)
    with pytest.raises(DataError, match=r"columns.timestamp.pattern .* does not match the path"):
        decide([path], LEAN)
    two = LEAN._replace(
        columns=Columns(5, DateAndTime(DayInPath("(2024010[0-9])"), 1), SymbolFrom(folder=True))
    )
    path = lean(tmp_path, "aapl", "20240102-20240103", ROWS)
    with pytest.raises(DataError, match="finds several dates in the path: '20240102' and"):
        decide([path], two)


def test_what_is_no_time_names_the_day_too(tmp_path: Path) -> None:
    path = lean(tmp_path, "aapl", "20240102", [*ROWS, "99999999,1,1,1,5,5"])
    with pytest.raises(DataError, match="line 4: column 1 is '20240102 99999999', milliseconds"):
        decide([path], LEAN)
