"""Symbols of several columns: joined with a colon, and two pairs are never one series."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest

from rollsignal.config.rules import NO_TIMESTAMPS, SymbolFrom
from rollsignal.config.settings import Columns, JobConfig, Table
from rollsignal.core.findings import Found
from rollsignal.engines import ENGINES
from rollsignal.engines.inputs import LARGE_BYTES
from rollsignal.engines.interface import Engine
from rollsignal.errors import DataError
from rollsignal.files.find import find_paths
from tests.support import oracle
from tests.support.cut_engine import CutEngine
from tests.support.deciding import decide

Bars = dict[str, Sequence[object]]

FORMS = ["csv", "tsv", "ndjson", "json", "parquet", "arrow"]
MAKERS: dict[str, Callable[[], Engine]] = {
    "local": ENGINES["local"],
    "plain": ENGINES["plain"],
    "cut": CutEngine,
}
PAIR = SymbolFrom("venue", rest=("coin",))
CONFIG = JobConfig(seed=1, window=3, version="t", columns=Columns(symbol=PAIR))
VENUES = ["X", "Y", "X", "Y", "X", "Y", "X", "Y"]
COINS = ["a", "a", "b", "b", "a", "a", "a", "a"]
CLOSES = [10, 90, 5, 6, 11, 80, 12, 70]
DAYS = [f"2024-01-0{1 + row // 2}" for row in range(8)]
BARS: Bars = {"coin": COINS, "day": DAYS, "close": CLOSES, "venue": VENUES}


def write(path: Path, columns: Mapping[str, Sequence[object]]) -> Path:
    """Write a table in the format of the path's suffix."""
    frame = pl.DataFrame(dict(columns), strict=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    writers = {".ndjson": "write_ndjson", ".json": "write_json", ".parquet": "write_parquet"}
    writers[".arrow"] = "write_ipc"
    if path.suffix in writers:
        getattr(frame, writers[path.suffix])(path)
    else:
        frame.write_csv(path, separator="\t" if path.suffix == ".tsv" else ",")
    return path


def ones_and_rows(found: Found) -> dict[str, tuple[int, int]]:
    return {name: (each.tally.ones, each.tally.rows) for name, each in found.accounts.items()}


def by_definition(
    parts: Sequence[Sequence[str]], closes: Sequence[int]
) -> dict[str, tuple[int, int]]:
    series: dict[str, list[str]] = {}
    for key, close in zip(zip(*parts, strict=True), closes, strict=True):
        series.setdefault(":".join(key), []).append(str(close))
    return {
        name: (sum(s or 0 for s in oracle.signals(oracle.prices(cells), 3)), len(cells))
        for name, cells in series.items()
    }


def refusal(*paths: Path, config: JobConfig = CONFIG) -> str:
    with pytest.raises(DataError) as caught:
        decide(paths, config)
    return str(caught.value).replace(f"{paths[0].parent}/", "")


@pytest.mark.parametrize("engine", MAKERS)
@pytest.mark.parametrize("form", FORMS)
def test_each_pair_of_columns_is_a_series(tmp_path: Path, form: str, engine: str) -> None:
    path = write(tmp_path / f"bars.{form}", BARS)
    found = decide([path], CONFIG, engine=MAKERS[engine])
    assert ones_and_rows(found) == by_definition([VENUES, COINS], CLOSES)
    assert set(found.accounts) == {"X:a", "Y:a", "X:b", "Y:b"}


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_the_parts_stand_in_the_order_of_the_config(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / f"bars.{form}", BARS)
    columns = Columns(symbol=SymbolFrom("coin", rest=("venue",)))
    found = decide([path], CONFIG._replace(columns=columns))
    assert ones_and_rows(found) == by_definition([COINS, VENUES], CLOSES)


@pytest.mark.parametrize("form", ["csv", "tsv", "parquet", "arrow"])
def test_parts_may_be_places_and_whole_numbers(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / f"bars.{form}", {**BARS, "year": [24] * 8})
    found = decide([path], CONFIG._replace(columns=Columns(symbol=SymbolFrom(4, rest=(1, 5)))))
    years = ["24"] * 8
    assert ones_and_rows(found) == by_definition([VENUES, COINS, years], CLOSES)


def test_parts_are_places_in_a_table_without_a_header_and_in_arrays(tmp_path: Path) -> None:
    columns = Columns(3, 2, SymbolFrom(4, rest=(1,)))
    rows = list(zip(COINS, DAYS, map(str, CLOSES), VENUES, strict=True))
    path = tmp_path / "bars.csv"
    path.write_text("".join(",".join(row) + "\n" for row in rows))
    expected = by_definition([VENUES, COINS], CLOSES)
    assert ones_and_rows(decide([path], CONFIG._replace(columns=columns))) == expected
    path = tmp_path / "bars.json"
    path.write_text(str([list(row) for row in rows]).replace("'", '"'))
    assert ones_and_rows(decide([path], CONFIG._replace(columns=columns))) == expected


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_large_table_is_read_fast_with_the_same_series(tmp_path: Path, form: str) -> None:
    rows = 100_000
    venues = [" X", "Y", "NYSE Arca"] * (rows // 3 + 1)
    coins = ["BTC/USDT:USDT", "ETH"] * (rows // 2 + 1)
    closes = [row * 7919 % 1009 for row in range(rows)]
    venues, coins = venues[:rows], coins[:rows]
    columns: Bars = {"venue": venues, "coin": coins, "close": closes, "x": ["-" * 24] * rows}
    path = write(tmp_path / f"bars.{form}", columns)
    if form == "csv":
        assert path.stat().st_size > LARGE_BYTES
    untimed = CONFIG._replace(columns=Columns(timestamp=NO_TIMESTAMPS, symbol=PAIR))
    parts = [[cell.strip() for cell in venues], coins]
    assert ones_and_rows(decide([path], untimed)) == by_definition(parts, closes)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("missing", ["venue", "coin"])
@pytest.mark.parametrize("cell", [" ", None])
def test_an_empty_part_is_refused_as_an_empty_symbol(
    tmp_path: Path, form: str, missing: str, cell: str | None
) -> None:
    path = write(tmp_path / f"bars.{form}", {**BARS, missing: ["q"] * 4 + [cell] + ["q"] * 3})
    assert refusal(path).endswith(f" 5: the symbol is empty in column '{missing}'".replace(
        " 5:", " 6:" if form in ("csv", "tsv") else " 5:"
    ))  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_two_pairs_that_would_be_written_alike_are_never_one_series(
    tmp_path: Path, form: str
) -> None:
    alike = {**BARS, "venue": ["X", "X:a"] * 4, "coin": ["a:b", "b"] * 4}
    path = write(tmp_path / f"bars.{form}", alike)
    line = 3 if form in ("csv", "tsv") else 2
    assert refusal(path).endswith(
        f" {line}: the symbol has 'X:a' in column 'venue', but ':' stands between its parts, and"
        " only the last part may have it (name that column last in columns.symbol)"
    )
    turned = CONFIG._replace(columns=Columns(symbol=SymbolFrom("coin", rest=("venue",))))
    assert " 1: the symbol has 'a:b'" in refusal(path, config=turned).replace("line 2", "row 1")


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_the_last_part_may_have_a_colon(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / f"bars.{form}", {**BARS, "coin": ["BTC/USDT:USDT", "a"] * 4})
    assert set(decide([path], CONFIG).accounts) == {"X:BTC/USDT:USDT", "Y:a"}


def test_a_missing_part_is_refused_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "bars.csv", {"coin": COINS, "day": DAYS, "close": CLOSES})
    assert "no 'venue' column in the header" in refusal(path)


@pytest.mark.parametrize("form", FORMS)
def test_one_column_under_two_spellings_is_refused(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / f"bars.{form}", BARS)
    twice = CONFIG._replace(columns=Columns(symbol=SymbolFrom("venue", rest=("VENUE",))))
    assert "columns.symbol is [venue, VENUE], which is the same column twice" in refusal(
        path, config=twice
    )


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_folders_may_be_all_parts(tmp_path: Path, form: str) -> None:
    for venue, coin in (("X", "a"), ("Y", "a"), ("X", "b")):
        at = [row for row in range(8) if (VENUES[row], COINS[row]) == (venue, coin)]
        columns: Bars = {"day": [DAYS[row] for row in at], "close": [CLOSES[row] for row in at]}
        write(tmp_path / f"coin={coin}" / f"venue={venue}" / f"bars.{form}", columns)
    found = decide(find_paths([str(tmp_path)]), CONFIG)
    expected = by_definition([VENUES, COINS], CLOSES)
    expected.pop("Y:b")
    assert ones_and_rows(found) == expected


@pytest.mark.parametrize("form", FORMS)
def test_parts_of_which_only_some_are_folders_are_refused(tmp_path: Path, form: str) -> None:
    columns: Bars = {"coin": COINS, "day": DAYS, "close": CLOSES}
    path = write(tmp_path / "venue=X" / f"bars.{form}", columns)
    assert "'venue' is only in the path, and other parts of the symbol are in the rows" in refusal(
        path
    )


def test_a_folder_with_a_colon_may_only_be_the_last_part(tmp_path: Path) -> None:
    columns: Bars = {"day": DAYS[::2], "close": CLOSES[::2]}
    path = write(tmp_path / "venue=X:a" / "coin=b" / "bars.csv", columns)
    assert "'X:a' in the path has ':', which stands between the parts" in refusal(path)
    turned = CONFIG._replace(columns=Columns(symbol=SymbolFrom("coin", rest=("venue",))))
    assert set(decide([path], turned).accounts) == {"b:X:a"}


def test_a_symbol_that_is_cut_off_at_the_end_of_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("close,venue,coin\n1,X,BTCUSD\n2,X,BTCUSD\n3,X,BTCU")
    untimed = CONFIG._replace(columns=Columns(timestamp=NO_TIMESTAMPS, symbol=PAIR))
    assert "coin is 'BTCU', the beginning of another and without a line end" in refusal(
        path, config=untimed
    )


def test_bytes_that_are_not_utf_8_in_any_part_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_bytes(b"close,venue,coin\n1,X,a\n2,X,b\xe9\n")
    untimed = CONFIG._replace(columns=Columns(timestamp=NO_TIMESTAMPS, symbol=PAIR))
    assert "line 3: coin is 'b" in refusal(path, config=untimed)
    named = untimed._replace(table=Table(encoding="cp1252"))
    assert set(decide([path], named._replace(window=1)).accounts) == {"X:a", "X:bé"}
