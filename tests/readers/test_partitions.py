"""Folders named like columns: files in them have that symbol, whatever their format."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from rollsignal.config.rules import NO_SYMBOLS, SymbolFrom
from rollsignal.config.settings import Columns, JobConfig
from rollsignal.errors import DataError
from rollsignal.files.find import find_paths
from rollsignal.outputs.summary import SummaryRow, summary_rows
from tests.support.deciding import decide
from tests.support.frames import arrow, parquet
from tests.support.tables import CONFIG

BY_COLUMN = CONFIG._replace(columns=Columns(symbol=SymbolFrom("symbol")))
TIMES = [datetime(2024, 1, 1) + timedelta(hours=7 * row) for row in range(12)]
SYMBOLS = ["A", "BRK/B", "é %"]
TABLE = pl.DataFrame(
    {
        "symbol": [symbol for _ in TIMES for symbol in SYMBOLS],
        "timestamp": [time for time in TIMES for _ in SYMBOLS],
        "close": [row * row % 11 / 4 for row in range(len(TIMES) * len(SYMBOLS))],
    }
)


def written(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.col("timestamp").dt.to_string("%Y-%m-%d %H:%M:%S"))


WRITERS: dict[str, Callable[[pl.DataFrame], bytes]] = {
    "parquet": parquet,
    "arrow": arrow,
    "csv": lambda table: written(table).write_csv().encode(),
    "ndjson": lambda table: written(table).write_ndjson().encode(),
}


def summary(paths: list[str], config: JobConfig = BY_COLUMN) -> list[SummaryRow]:
    return summary_rows(decide(paths, config).accounts, config)


def refusal(path: Path, config: JobConfig = BY_COLUMN) -> str:
    with pytest.raises(DataError) as caught:
        decide([str(path)], config)
    return caught.value.message.replace(f"{path.parent}/", "")


@pytest.fixture
def expected(tmp_path: Path) -> list[SummaryRow]:
    """Summarize the table as one file with a column of symbols."""
    (tmp_path / "flat.parquet").write_bytes(parquet(TABLE))
    return summary([str(tmp_path / "flat.parquet")])


def test_a_folder_partitioned_by_another_program_gives_what_one_file_gives(
    tmp_path: Path, expected: list[SummaryRow]
) -> None:
    table = TABLE.with_columns(date=pl.col("timestamp").dt.date())
    table.write_parquet(tmp_path / "bars", partition_by=["symbol", "date"])
    paths = find_paths([str(tmp_path / "bars")])
    assert len(paths) == len(SYMBOLS) * len({time.date() for time in TIMES})
    assert summary(paths) == summary(paths[::-1]) == expected


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("form", WRITERS)
def test_a_column_of_the_path_may_also_be_one_of_the_rows_if_they_agree(
    tmp_path: Path, expected: list[SummaryRow], form: str, kept: bool
) -> None:
    for (symbol,), rows in TABLE.group_by("symbol"):
        name = str(symbol).replace("%", "%25").replace("/", "%2F")
        file = tmp_path / f"symbol={name}" / "part-0"
        file.parent.mkdir()
        file.write_bytes(WRITERS[form](rows if kept else rows.drop("symbol")))
    assert summary(find_paths([f"{tmp_path}/symbol=*/*"])) == expected


@pytest.mark.parametrize("form", WRITERS)
def test_a_column_that_contradicts_the_path_is_refused(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "symbol=A"
    folder.mkdir()
    rows = TABLE.filter(pl.col("symbol") == "A").with_row_index()
    symbols = pl.when(pl.col("index") == 5).then(pl.lit("B")).otherwise("symbol").alias("symbol")
    (folder / "bars").write_bytes(WRITERS[form](rows.with_columns(symbols)))
    where = {"csv": "line 7", "ndjson": "line 6"}.get(form, "row 6")
    assert refusal(folder / "bars") == f"bars {where}: the symbol is 'B', but 'A' in the path"


def test_whole_numbers_as_symbols_agree_with_their_path(tmp_path: Path) -> None:
    rows = TABLE.filter(pl.col("symbol") == "A").with_columns(symbol=pl.lit(600_000))
    for name in ("600000", "0600000"):
        (tmp_path / f"symbol={name}").mkdir()
        (tmp_path / f"symbol={name}" / "bars").write_bytes(parquet(rows))
    assert [row.symbol for row in summary([str(tmp_path / "symbol=600000/bars")])] == ["600000"]
    message = "bars row 1: the symbol is '600000', but '0600000' in the path"
    assert refusal(tmp_path / "symbol=0600000/bars") == message


@pytest.mark.parametrize("form", WRITERS)
def test_without_symbols_in_the_config_the_path_says_nothing(tmp_path: Path, form: str) -> None:
    (tmp_path / "symbol=B").mkdir()
    path = tmp_path / "symbol=B" / "bars"
    path.write_bytes(WRITERS[form](TABLE.filter(pl.col("symbol") == "A")))
    none = CONFIG._replace(columns=Columns(symbol=NO_SYMBOLS))
    assert [row.symbol for row in summary([str(path)], none)] == [""]


@pytest.mark.parametrize("form", WRITERS)
def test_timestamps_that_are_only_in_the_path_are_refused(tmp_path: Path, form: str) -> None:
    (tmp_path / "date=2024-01-01").mkdir()
    path = tmp_path / "date=2024-01-01" / "bars"
    path.write_bytes(WRITERS[form](TABLE.filter(pl.col("symbol") == "A")))
    config = CONFIG._replace(columns=Columns(timestamp="date"))
    where = "bars line 1" if form in ("csv", "ndjson") else "bars"
    assert refusal(path, config) == (
        f"{where}: 'date' is only in the path, where all rows have the same"
        " (name a column of the rows under columns, or timestamp: null)"
    )
    assert [row.rows for row in summary([str(path)], CONFIG)] == [len(TIMES)]


def test_a_column_of_the_rows_is_taken_before_one_of_the_path(tmp_path: Path) -> None:
    (tmp_path / "timestamp=1999").mkdir()
    path = tmp_path / "timestamp=1999" / "bars"
    path.write_bytes(parquet(TABLE.filter(pl.col("symbol") == "A")))
    config = CONFIG._replace(columns=Columns(timestamp="timestamp"))
    assert summary([str(path)], config)[0].first_timestamp == "2024-01-01T00:00:00Z"
