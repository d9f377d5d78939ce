"""Symbols are found out: by the name of their column or folder, in every format."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.config.rules import NO_SYMBOLS, NO_TIMESTAMPS, SymbolFrom
from rollsignal.config.settings import Columns, JobConfig
from rollsignal.core.findings import Found
from rollsignal.core.timestamps.reader import plain_name
from rollsignal.engines import ENGINES
from rollsignal.engines.inputs import LARGE_BYTES
from rollsignal.engines.interface import Engine
from rollsignal.errors import DataError
from rollsignal.files.find import find_paths
from rollsignal.readers.dialect import RARE_SYMBOL_NAMES, RAREST_SYMBOL_NAMES, SYMBOL_NAMES
from tests.support import oracle
from tests.support.configs import ON_ONE_FILE
from tests.support.cut_engine import CutEngine
from tests.support.deciding import decide, inputs

Table = dict[str, Sequence[object]]

CONFIG = JobConfig(seed=1, window=3, version="t")
UNTIMED = CONFIG._replace(columns=Columns(timestamp=NO_TIMESTAMPS))
NONE = CONFIG._replace(columns=Columns(symbol=NO_SYMBOLS))
FORMS = ["csv", "tsv", "ndjson", "parquet", "arrow"]
MAKERS: dict[str, Callable[[], Engine]] = {
    "local": ENGINES["local"],
    "plain": ENGINES["plain"],
    "cut": CutEngine,
}
DAYS = [f"2024-01-0{day}" for day in range(1, 7)]
# One after the other, A rises and B falls: read as one series, one signal of four would be 1.
TWO: Table = {"ticker": list("AAABBB"), "date": DAYS, "close": [10, 11, 12, 9, 8, 7]}
MIXED: Table = {"symbol": list("ABABAB"), "close": [100, 2, 101, 3, 102, 4]}
LARGE = 250_000


def write(path: Path, columns: Mapping[str, Sequence[object]]) -> Path:
    """Write a table in the format of the path's suffix."""
    frame = pl.DataFrame(dict(columns), strict=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".ndjson":
        frame.write_ndjson(path)
    elif path.suffix == ".parquet":
        frame.write_parquet(path)
    elif path.suffix == ".arrow":
        frame.write_ipc(path)
    else:
        frame.write_csv(path, separator="\t" if path.suffix == ".tsv" else ",")
    return path


def rate(found: Found) -> tuple[int, int]:
    return found.tally.ones, found.tally.signals


def refusal(*paths: Path, config: JobConfig = CONFIG) -> str:
    with pytest.raises(DataError) as caught:
        decide(paths, config)
    return str(caught.value).replace(f"{paths[0].parent}/", "")


@pytest.mark.parametrize("engine", MAKERS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["ticker", "Symbol", " <TICKER> ", "SYM_BOL", "Ticker (US)"])
def test_a_column_called_symbol_or_ticker_parts_the_series(
    tmp_path: Path, name: str, form: str, engine: str
) -> None:
    columns: Table = {name: TWO["ticker"], "date": DAYS, "close": TWO["close"]}
    path = write(tmp_path / f"bars.{form}", columns)
    found = decide([path], CONFIG, engine=MAKERS[engine])
    assert rate(found) == (1, 2)
    assert set(found.accounts) == {"A", "B"}
    assert rate(decide([path], NONE, engine=MAKERS[engine])) == (1, 4)


@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("engine", MAKERS)
@pytest.mark.parametrize("form", FORMS)
def test_rows_of_several_symbols_may_be_mixed_with_and_without_times(
    tmp_path: Path, form: str, engine: str, sort: bool
) -> None:
    path = write(tmp_path / f"bars.{form}", MIXED)
    assert rate(decide([path], UNTIMED, engine=MAKERS[engine])) == (2, 2)
    timed = write(
        tmp_path / f"timed.{form}", {**MIXED, "day": [DAYS[row // 2] for row in range(6)]}
    )
    assert rate(decide([timed], CONFIG._replace(sort=sort), engine=MAKERS[engine])) == (2, 2)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["code", "ts_code", "Instrument", "ISIN", "Name", "PERMNO"])
def test_another_usual_name_gives_the_one_symbol_of_a_file(
    tmp_path: Path, form: str, name: str
) -> None:
    one = write(
        tmp_path / f"1.{form}", {name: ["A"] * 6, "date": DAYS, "close": [1, 2, 3, 2, 3, 4]}
    )
    two = write(tmp_path / f"2.{form}", {name: ["B"] * 3, "date": DAYS[3:], "close": [9, 8, 7]})
    found = decide([one, two], CONFIG)
    assert {symbol: account.tally.rows for symbol, account in found.accounts.items()} == {
        "A": 6,
        "B": 3,
    }
    assert rate(found) == (3, 5)


@pytest.mark.parametrize("engine", MAKERS)
@pytest.mark.parametrize("form", FORMS)
def test_several_values_under_another_usual_name_are_refused_with_both_settings(
    tmp_path: Path, form: str, engine: str
) -> None:
    columns: Table = {"ts_code": TWO["ticker"], "date": DAYS, "close": TWO["close"]}
    path = write(tmp_path / f"bars.{form}", columns)
    where = {"csv": "line 5", "tsv": "line 5", "ndjson": "line 4"}.get(form, "row 4")
    with pytest.raises(DataError) as caught:
        decide([path], CONFIG, engine=MAKERS[engine])
    assert caught.value.message.endswith(
        f"bars.{form} {where}: ts_code is 'B', but 'A' above (set columns: {{symbol: ts_code}} if"
        " each ts_code is a series, or {symbol: none} if all bars are one series)"
    )
    declared = CONFIG._replace(columns=Columns(symbol=SymbolFrom("ts_code")))
    assert rate(decide([path], declared, engine=MAKERS[engine])) == (1, 2)
    assert rate(decide([path], NONE, engine=MAKERS[engine])) == (1, 4)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["code", "ticker"])
def test_a_rarer_name_beside_a_usual_one_is_not_read(tmp_path: Path, form: str, name: str) -> None:
    words = [f"Company {number}" for number in range(6)]
    columns: Table = {"Name": words, name: ["A"] * 6, "date": DAYS, "close": [1, 2, 3, 2, 3, 4]}
    found = decide([write(tmp_path / f"bars.{form}", columns)], CONFIG)
    assert (list(found.accounts), rate(found)) == (["A"], (3, 4))


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet", "arrow"])
def test_the_last_of_many_rows_may_have_the_second_value(tmp_path: Path, form: str) -> None:
    rows = LARGE if form in ("parquet", "arrow") else LARGE // 3
    closes = [row % 7 for row in range(rows)]
    stamps = [1_700_000_000 + 60 * row for row in range(rows)]
    columns: Table = {"contract": ["ESH4"] * rows, "time": stamps, "close": closes}
    columns["x"] = ["-" * 40] * rows
    path = write(tmp_path / f"bars.{form}", columns)
    whole = decide([path], CONFIG)
    assert rate(whole) == rate(decide([path], NONE))
    if form == "csv":
        assert path.stat().st_size > LARGE_BYTES
    columns["contract"] = ["ESH4"] * (rows - 1) + ["ESM4"]
    message = refusal(write(path, columns))
    assert "contract is 'ESM4', but 'ESH4' above" in message


def test_blanks_around_a_symbol_do_not_make_it_another(tmp_path: Path) -> None:
    rows = "".join(f"{' A' if row % 2 else 'A '},{row + 1}\n" for row in range(LARGE))
    path = tmp_path / "bars.csv"
    path.write_text("code,close\n" + rows * 2)
    assert path.stat().st_size > LARGE_BYTES
    found = decide([path], UNTIMED)
    assert (list(found.accounts), found.tally.rows) == (["A"], 2 * LARGE)


@pytest.mark.parametrize("form", FORMS)
def test_several_columns_that_may_be_the_symbol_are_refused(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / f"bars.{form}", {**TWO, "isin": ["x"] * 6})
    message = refusal(path)
    assert "'ticker' and 'isin' may each be the symbol; say which (set columns:" in message
    assert "{symbol: ticker} or the like, or {symbol: none} if all bars are one series" in message
    ticker = CONFIG._replace(columns=Columns(symbol=SymbolFrom("ticker")))
    assert rate(decide([path], ticker)) == (1, 2)


@pytest.mark.parametrize("form", FORMS)
def test_a_column_that_is_something_else_is_not_the_symbol(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / f"bars.{form}", {"code": DAYS, "coin": [10, 11, 12, 13, 14, 15]})
    found = decide([path], CONFIG._replace(columns=Columns("coin", "code")))
    assert (rate(found), list(found.accounts)) == ((4, 4), [""])


@pytest.mark.parametrize("form", FORMS)
def test_a_row_without_a_symbol_is_refused_with_the_way_out(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / f"bars.{form}", {**TWO, "ticker": ["A", "A", None, "B", "B", "B"]})
    message = refusal(path)
    assert "the symbol is empty (set columns: {symbol: none} if all bars are one series," in message
    assert "whatever ticker says)" in message
    assert rate(decide([path], NONE)) == (1, 4)
    declared = CONFIG._replace(columns=Columns(symbol=SymbolFrom("ticker")))
    assert refusal(path, config=declared).endswith("the symbol is empty")


@pytest.mark.parametrize("form", ["parquet", "arrow"])
@pytest.mark.parametrize("values", [[1.5] * 6, [None] * 6])
def test_a_column_that_cannot_hold_symbols_is_refused_with_the_way_out(
    tmp_path: Path, form: str, values: list[object]
) -> None:
    path = write(tmp_path / f"bars.{form}", {**TWO, "ticker": values})
    assert "not text or whole numbers (set columns: {symbol: none}" in refusal(path)
    assert rate(decide([path], NONE)) == (1, 4)


def test_a_key_that_the_first_object_lacks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.ndjson"
    later = '{"symbol": "A", "close": 2}\n'
    path.write_text('{"close": 1}\n' + later * 3)
    message = refusal(path, config=UNTIMED)
    assert message == (
        "bars.ndjson line 2: the key 'symbol', where the first object has no such key"
        " (set columns: {symbol: none} if all bars are one series)"
    )
    none = UNTIMED._replace(columns=Columns(timestamp=NO_TIMESTAMPS, symbol=NO_SYMBOLS))
    assert rate(decide([path], none)) == (1, 2)
    path.write_text(later * 3 + '{"close": 1}\n')
    assert "line 4: the symbol is empty (set" in refusal(path, config=UNTIMED)
    path.write_text(later * 3 + '{"symbol": "A", "code": "x", "close": 1}\n')
    assert "line 4: 'symbol' and 'code' may each be the symbol" in refusal(path, config=UNTIMED)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("key", ["symbol", "ticker", "Coin", "product_id"])
def test_a_folder_gives_the_symbol_of_its_files(tmp_path: Path, key: str, form: str) -> None:
    for symbol, rows in (("A", slice(0, 3)), ("B", slice(3, 6))):
        columns: Table = {"date": DAYS[rows], "close": TWO["close"][rows]}
        write(tmp_path / f"{key}={symbol}" / f"bars.{form}", columns)
    paths = find_paths([str(tmp_path)])
    assert rate(decide(paths, CONFIG)) == (1, 2)
    assert rate(decide(paths, NONE)) == (1, 4)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "source", [SymbolFrom(folder=True), SymbolFrom(pattern="/([A-Z]+)/1m-[0-9.a-z]+$")]
)
def test_the_path_gives_the_symbol_of_its_files(
    tmp_path: Path, source: SymbolFrom, form: str
) -> None:
    for symbol, rows in (("A", slice(0, 3)), ("B", slice(3, 6))):
        for part in (rows.start, rows.start + 1, rows.start + 2):
            columns: Table = {"date": [DAYS[part]], "close": [TWO["close"][part]]}
            write(tmp_path / symbol / f"1m-{part}.{form}", columns)
    config = CONFIG._replace(columns=Columns(symbol=source))
    for order in (1, -1):
        found = decide(find_paths([str(tmp_path)])[::order], config)
        assert set(found.accounts) == {"A", "B"}
        assert rate(found) == (1, 2)


def test_many_small_files_in_folders_of_symbols_are_read_together(tmp_path: Path) -> None:
    for number in range(400):
        folder = tmp_path / f"symbol=S{number % 20}"
        write(
            folder / f"{number}.csv",
            {
                "t": [number * 10**6 + 14 * 10**8, number * 10**6 + 14 * 10**8 + 99],
                "close": [number, number + 1],
            },
        )
    rows = 350_000
    big = write(
        tmp_path / "symbol=X" / "x.csv",
        {"t": range(10**9, 10**9 + rows), "close": [1] * rows},
    )
    assert big.stat().st_size > LARGE_BYTES
    paths = find_paths([str(tmp_path)])
    found, plain = decide(paths, CONFIG), decide(paths, CONFIG, engine=ENGINES["plain"])
    assert found.accounts == plain.accounts
    assert len(found.accounts) == 21


@pytest.mark.parametrize("form", FORMS)
def test_a_folder_and_a_column_of_one_name_must_agree(tmp_path: Path, form: str) -> None:
    path = tmp_path / "symbol=A" / f"bars.{form}"
    columns: Table = {"Symbol": ["A"] * 6, "date": DAYS, "close": TWO["close"]}
    assert list(decide([write(path, columns)], CONFIG).accounts) == ["A"]
    assert "the symbol is 'B', but 'A' in the path" in refusal(
        write(path, {**columns, "Symbol": ["B"] * 6})
    )
    assert "'ticker' and 'symbol' in the path may each be the symbol" in refusal(write(path, TWO))
    twice = tmp_path / "symbol=A" / "code=x" / f"bars.{form}"
    columns.pop("Symbol")
    assert "'symbol' in the path and 'code' in the path may each be" in refusal(
        write(twice, columns)
    )


@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("engine", MAKERS)
@pytest.mark.parametrize("names", [("1", "2"), ("2", "1")])
def test_files_of_which_some_have_symbols_are_refused_and_both_named(
    tmp_path: Path, names: tuple[str, str], engine: str, sort: bool
) -> None:
    first: Table = {"ticker": ["A"] * 3, "date": DAYS[:3], "close": [10, 11, 12]}
    second: Table = {"date": DAYS[3:], "close": [9, 8, 7]}
    if names == ("2", "1"):
        first, second = {**second, "date": DAYS[:3]}, {**first, "date": DAYS[3:]}
    paths = [write(tmp_path / "1.csv", first), write(tmp_path / "2.csv", second)]
    with pytest.raises(DataError) as caught:
        decide(paths, CONFIG._replace(sort=sort), engine=MAKERS[engine])
    message = str(caught.value)
    assert "1.csv" in message
    assert "2.csv" in message
    assert "set columns: {symbol: none} if all bars are one series" in message
    found = decide(paths, NONE._replace(sort=sort), engine=MAKERS[engine])
    assert (found.tally.signals, list(found.accounts)) == (4, [""])


@pytest.mark.parametrize("form", FORMS)
def test_none_reads_one_series_and_a_column_of_that_name_is_written_in_capitals(
    tmp_path: Path, form: str
) -> None:
    path = write(tmp_path / f"bars.{form}", {**TWO, "none": TWO["ticker"]})
    message = refusal(path, config=NONE)
    assert "columns.symbol is none, for one series, but a column is called none" in message
    assert "set columns: {symbol: NONE} for that column" in message
    upper = CONFIG._replace(columns=Columns(symbol=SymbolFrom("NONE")))
    assert rate(decide([path], upper)) == (1, 2)


@pytest.mark.parametrize("form", FORMS)
def test_where_the_symbols_are_found_is_described(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / f"bars.{form}", TWO)
    read = inputs([path], CONFIG)
    assert read.describe(read.files[0]).endswith("timestamp from date, symbol from ticker")
    read = inputs([path], NONE)
    assert read.describe(read.files[0]).endswith("timestamp from date")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("hidden", ["A\u00a0", "\ufeffA", "A\u200b", "A\u202f"])
def test_a_symbol_that_ends_in_what_nobody_sees_is_refused(
    tmp_path: Path, form: str, hidden: str
) -> None:
    columns: Table = {"symbol": ["A", hidden, "A"], "date": DAYS[:3], "close": [10, 11, 12]}
    path = write(tmp_path / f"bars.{form}", columns)
    place = {"parquet": "row 2", "arrow": "row 2", "ndjson": "line 2"}.get(form, "line 3")
    assert refusal(path).startswith(f"bars.{form} {place}: the symbol is {hidden!a}, with a")
    several = CONFIG._replace(columns=Columns(symbol=SymbolFrom("symbol", rest=("date",))))
    assert f"{place}: the symbol is {hidden!a}, with a" in refusal(path, config=several)


def test_a_symbol_that_ends_in_what_nobody_sees_is_refused_far_below_the_first_rows(
    tmp_path: Path,
) -> None:
    count = 60_000
    symbols = [*(["A", "É"] * count)[:-1], "É\u00a0"]
    path = write(tmp_path / "bars.csv", {"symbol": symbols, "close": [10, 11] * count})
    message = refusal(path, config=UNTIMED)
    assert message.startswith(f"bars.csv line {2 * count + 1}: the symbol is 'É\\xa0', with a sign")


def test_the_usual_names_are_written_as_they_are_compared() -> None:
    names = SYMBOL_NAMES + RARE_SYMBOL_NAMES + RAREST_SYMBOL_NAMES
    assert [plain_name(name) for name in names] == list(names)
    assert len(set(names)) == len(names)


ROWS = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 30)), min_size=9, max_size=40)
NAMES = ["symbol", "TICKER", "code", "Instrument", "Stock", "Ticker Symbol", "股票代码"]


@given(ROWS, st.sampled_from(NAMES), st.sampled_from([*FORMS, "csv.gz"]), st.booleans())
@ON_ONE_FILE
def test_any_panel_is_read_right_or_refused(
    tmp_path: Path, rows: list[tuple[str, int]], name: str, form: str, is_one: bool
) -> None:
    symbols = ["A" if is_one else symbol for symbol, _ in rows]
    cells = [f"{close}.{close % 10}0" for _, close in rows]
    path = tmp_path / f"bars.{form.removesuffix('.gz')}"
    write(path, {"open": [1] * len(rows), name: symbols, "close": cells})
    if form.endswith(".gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    series: dict[str, list[str]] = {}
    for symbol, cell in zip(symbols, cells, strict=True):
        series.setdefault(symbol, []).append(cell)
    expected = {name: oracle.counts(oracle.prices(closes), 3) for name, closes in series.items()}
    has_signals = any(counts[2] for counts in expected.values())
    is_unsure = len(series) > 1 and plain_name(name) not in ("symbol", "ticker")
    for engine in MAKERS.values():
        if is_unsure or not has_signals:
            with pytest.raises(DataError, match="symbol: none" if is_unsure else "fewer|no window"):
                decide([path], UNTIMED, engine=engine)
            continue
        accounts = decide([path], UNTIMED, engine=engine).accounts
        assert {
            symbol: (tally.rows, tally.missing, tally.signals, tally.ones, tally.ties)
            for symbol, account in accounts.items()
            if (tally := account.tally)
        } == expected
