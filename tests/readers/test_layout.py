"""Facts about tables whose header, first row and columns the config declares, or that are found."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.config.rules import NO_SYMBOLS, DateAndTime, SymbolFrom
from rollsignal.config.settings import Columns, JobConfig, Table
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.splits import opened_split, splits_of
from rollsignal.errors import DataError
from rollsignal.files.find import input_of
from rollsignal.readers.columnar import FrameReader
from rollsignal.readers.ndjson import NdjsonReader
from rollsignal.readers.opening import OpenedFile
from tests.support import oracle
from tests.support.strategies import series
from tests.support.tables import CONFIG, Cut, bars_of, opened, read, refusal

BINANCE = "".join(
    f"{1499040000000 + 60_000 * row},0.8,0.9,0.7,{close},148.1,{1499040059999 + 60_000 * row},1.5\n"
    for row, close in enumerate(["0.01577100", "0.0158", "0.01590"])
)
HIST_DATA = "".join(
    f"20120201 00000{row};1.306600;1.306600;1.306560;{close};0\n"
    for row, close in enumerate(["1.306560", "1.306570", "1.306550"])
)
META_TRADER = "".join(
    f"2024.01.02,00:0{row},1.10427,1.10448,1.10425,{close},44\n"
    for row, close in enumerate(["1.10429", "1.10430", "1.10428"])
)
YAHOO = (
    "Price,Close,High,Low,Open,Volume\nTicker,AAPL,AAPL,AAPL,AAPL,AAPL\nDate,,,,,\n"
    "2024-01-02,184.29,187,182,185,82\n2024-01-03,182.91,184,182,182,58\n"
)
ABOVE = "https://www.CryptoDataDownload.com\nunix,date,open,close\n"
DOWNLOAD = ABOVE + "1704067200,2024-01-01,9,1.5\n1704153600,2024-01-02,9,1.6\n"
DATED = "Date,Close,Volume\n2024-01-01,1.5,7\n2024-01-02,1.6,8\n"
UNTIMED = JobConfig(1, 3, "t", columns=Columns(timestamp="none"))
MINUTE_NS = 60 * 10**9


def by_place(
    close: int | str = 2,
    timestamp: int | str | DateAndTime | None = 1,
    symbol: SymbolFrom | None = None,
    table: Table = CONFIG.table,
) -> JobConfig:
    return CONFIG._replace(columns=Columns(close, timestamp, symbol), table=table)


def declared(**settings: object) -> JobConfig:
    return CONFIG._replace(table=Table(**settings))  # type: ignore[arg-type]


def described(data: str, config: JobConfig = CONFIG) -> str:
    with opened(data, config) as reader:
        return reader.describe()


@pytest.mark.parametrize(
    ("text", "config", "closes"),
    [
        (BINANCE, by_place(5), ["0.01577100", "0.0158", "0.01590"]),
        (HIST_DATA, by_place(5), ["1.306560", "1.306570", "1.306550"]),
        (META_TRADER, by_place(6, DateAndTime(1, 2)), ["1.10429", "1.10430", "1.10428"]),
        (YAHOO, declared(first_row=4), ["184.29", "182.91"]),
        (DOWNLOAD, CONFIG, ["1.5", "1.6"]),
        (DOWNLOAD, declared(header=2), ["1.5", "1.6"]),
        (DOWNLOAD, by_place(4, 2, table=Table("none", 3)), ["1.5", "1.6"]),
        (DATED, by_place(2, 1), ["1.5", "1.6"]),
        (DATED, by_place(3, "Date"), ["7", "8"]),
        (DATED, by_place("close", 1), ["1.5", "1.6"]),
        ("Date,,x\n2024-01-01,3,1\n", by_place(2), ["3"]),
        ("Date,Close,Close\n2024-01-01,3,4\n", by_place(3), ["4"]),
        ("2024-01-01,,x\n2024-01-02,3,x\n", by_place(2, 1, NO_SYMBOLS), None),
        ("A title\n\n" + DATED, CONFIG, ["1.5", "1.6"]),
    ],
)
def test_tables_of_vendors_are_read_by_what_is_declared(
    text: str, config: JobConfig, closes: list[str] | None
) -> None:
    bars = read(text, config._replace(missing="skip"))
    assert bars.closes == ([None, 3] if closes is None else oracle.prices(closes))
    assert len(bars.times_ns) == len(bars.closes)


def test_lines_are_counted_as_in_an_editor() -> None:
    assert read(YAHOO, declared(first_row=4)).lines == [4, 5]
    assert read(DOWNLOAD).lines == [3, 4]
    assert read(BINANCE, by_place(5)).lines == [1, 2, 3]


def test_what_is_not_at_the_top_is_told() -> None:
    assert "comma, header in line 2, close from close" in described(DOWNLOAD)
    assert "comma, first bar in line 4, close from Close" in described(YAHOO, declared(first_row=4))
    assert "no header, close from column 5, timestamp from column 1" in described(
        BINANCE, by_place(5)
    )
    assert described(DATED) == "utf-8, comma, close from Close, timestamp from Date"


PROBLEMS = {
    "no place, and no header": (BINANCE, CONFIG, "line 1: no 'close' column in the header"),
    "a place beyond the table": (BINANCE, by_place(9), "line 1: 8 columns, and so no column 9"),
    "two columns of times": (
        BINANCE,
        by_place(5, None),
        "line 1: the columns 1 and 7 may each be the timestamps; say which (set columns:"
        " {timestamp: 1} or {timestamp: 7}, whichever is the time of the bars)",
    ),
    "a time of day in a column of its own": (
        META_TRADER,
        by_place(6, None),
        "line 1: '00:00' in column 2 may be the time of the day (set columns: {timestamp: [1, 2]}",
    ),
    "a text that may be a symbol": (
        "A,2024-01-01,1\nA,2024-01-02,2\n",
        by_place(3, 2),
        "line 1: 'A' in column 1 may be the symbol (set columns: {symbol: 1}, or none if",
    ),
    "a bar as the header": (
        BINANCE,
        by_place(5, table=Table(1)),
        "line 1: a bar, but table.header says that it is the header (set table: {header: none})",
    ),
    "a header as a bar": (
        DATED,
        by_place(2, table=Table("none")),
        "line 1: Close is 'Close'"[:8],
    ),
    "bars above the first one": (
        DATED,
        declared(first_row=3),
        "line 2: a bar, above line 3, which would be that of the first bar",
    ),
    "bars above the header": (
        "Date,Price\n2024-01-01,5\n"
        + DATED.replace(",Volume", "").replace(",7", "").replace(",8", ""),
        CONFIG,
        "line 2: a bar, above line 3, which would be that of the header",
    ),
    "two headers": (
        "x\nDate,Close\n" + "Date,Close\n2024-01-01,1\n2024-01-02,1\n",
        CONFIG,
        ": lines 2 and 3 may each be the header (set table: {header: 2} or the like)",
    ),
    "a line that is not there": (DATED, declared(header=9), ": 3 lines, but table.header is 9"),
    "a blank line": ("\n" + DATED, declared(header=1), "line 1: blank, but table.header names it"),
    "a first row above the header": (
        DATED,
        declared(header=1, first_row=1),
        "line 1: the header, and so table.first_row, 1, must be below it",
    ),
    "the numbers of columns": (
        "0,1\n" + "2024-01-01,1\n",
        by_place(2),
        "line 1: '0,1' may be the header, or a bar (set table: {header: none} if it is a bar, or",
    ),
    "half a bar": ("2024-01-01,close\n2024-01-02,1\n", by_place(2), "line 1: '2024-01-01,close' m"),
    "a bar with a line end in a field": (
        '"A\nB",2024-01-01,1\nC,2024-01-02,2\n',
        by_place(3, 2),
        "line 1: 'A\\nB' in column 1 may be the symbol",
    ),
    "a delimiter that may be a sign in numbers": (
        "2024-01-01,1,234.5\n2024-01-02,1,235.5\n",
        by_place(2, table=Table(thousands=",")),
        "line 1: comma between fields, which table has in numbers (say with table.delimiter",
    ),
    "no times, and no word about them": (
        "5,1\n6,2\n",
        by_place(2, None, table=Table("none")),
        "line 1: no column is clearly that of the timestamps (set columns: {timestamp: PLACE} w",
    ),
    "the numbers of columns as a bar": (
        "0,1,2\n2024-01-01,1,7\n",
        by_place(2, table=Table("none")),
        "line 1: the numbers of the columns, and not a bar (set table: {header: 1}, or leave out",
    ),
    "a first row, and no header above": (
        DATED,
        declared(first_row=1),
        "line 1: the first row, and so no header is above it, but columns.close is a name",
    ),
    "a name without a header": (
        "A,2024-01-01,1\n",
        by_place(3, 2, SymbolFrom("name"), Table("none")),
        "line 1: no header, and so no column 'name'",
    ),
    "nothing": ("\n\n", by_place(2), ": no rows: the file is empty or blank"),
    "several delimiters": (
        "1,2;1,2\n",
        by_place(1, "none"),
        "line 1: the header can be split in more than one way, by comma and semicolon"[:8],
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_contradicts_the_config_or_is_unclear_is_refused(name: str) -> None:
    text, config, message = PROBLEMS[name]
    separator = "" if message.startswith(":") else " "
    assert refusal(text, config).startswith(f"bars.csv{separator}{message}")


@st.composite
def layouts(draw: DrawFn) -> tuple[str, JobConfig, list[Fraction | None]]:
    """Draw a table without a header, or below other lines, and the config that reads it."""
    drawn = draw(series(max_scale=6))
    closes = [cell for cell in drawn.cells if cell]
    width = draw(st.integers(2, 6))
    stamp, close = draw(st.permutations(range(width)))[:2]
    sign = draw(st.sampled_from(",;\t|"))
    rows = []
    for row, cell in enumerate(closes):
        cells = ["7"] * width
        cells[stamp], cells[close] = f"2024-01-01 {row // 60:02}:{row % 60:02}", cell
        rows.append(sign.join(cells) + "\n")
    names = [f"c{column}" for column in range(width)]
    kind = draw(st.sampled_from(["auto", "none", "header", "below", "first row"]))
    above = "".join(draw(st.lists(st.sampled_from(["\n", "a title\n", "x\n"]), max_size=4)))
    lines, head = above.count("\n"), sign.join(names) + "\n"
    place = Columns(close + 1, stamp + 1)
    text, table = "".join(rows), Table()
    if kind == "none":
        text, table = above + text, Table("none", lines + 1)
    elif kind == "header":
        text, table = above + head + text, Table(lines + 1)
        place = draw(st.sampled_from([place, Columns(names[close], names[stamp])]))
    elif kind == "below":
        text = above + head + text
        place = Columns(names[close], names[stamp])
    elif kind == "first row":
        text, table = head + above + text, Table(1, lines + 2)
    config = CONFIG._replace(columns=place, table=table)
    return text, config, oracle.prices(closes) if rows else []


@given(layouts(), st.sampled_from([64, 200, 4096]))
def test_the_same_bars_in_any_layout_are_read_the_same_carefully_and_fast(
    drawn: tuple[str, JobConfig, list[Fraction | None]], size: int
) -> None:
    text, config, closes = drawn
    if not closes:
        return
    assert read(text, config).closes == closes
    # A header below other lines is sought in the first block.
    with opened(text, config, Cut(0, max(size, 256), size)) as reader:
        bars = bars_of(reader)
    assert bars.closes == closes
    assert bars == read(text, config)


FORMS = ["parquet", "arrow"]


def columnar(folder: Path, form: str, closes: list[float]) -> str:
    days = [f"2024-01-0{row + 1}" for row in range(len(closes))]
    frame = pl.DataFrame({"day": days, "": closes, "close": [7.0] * len(closes)})
    path = folder / f"bars.{form}"
    frame.write_parquet(path) if form == "parquet" else frame.write_ipc(path)
    return str(path)


@pytest.mark.parametrize("form", FORMS)
def test_in_a_columnar_file_a_place_is_that_of_the_column(tmp_path: Path, form: str) -> None:
    path = columnar(tmp_path, form, [1.5, 1.6])
    reader = FrameReader(input_of(path), form, by_place(2, 1))
    assert bars_of(reader).closes == oracle.prices(["1.5", "1.6"])
    with pytest.raises(DataError, match="3 columns, and so no column 9"):
        FrameReader(input_of(path), form, by_place(9))


@pytest.mark.parametrize("form", FORMS)
def test_in_a_columnar_file_a_declared_number_means_a_missing_close(
    tmp_path: Path, form: str
) -> None:
    path = columnar(tmp_path, form, [1.5, -9.0, -9.5])
    config = by_place(2, 1, table=Table(missing_values=("-9",), decimal=","))
    reader = FrameReader(input_of(path), form, config._replace(missing="skip"))
    assert bars_of(reader).closes == [Fraction("1.5"), None, Fraction("-9.5")]


def test_keys_of_objects_have_no_place_and_may_hold_declared_missing_values(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bars.ndjson"
    path.write_text('{"t": "2024-01-01", "close": -9.0}\n{"t": "2024-01-02", "close": "x"}\n')
    config = declared(missing_values=("-9", "x"))._replace(missing="skip")
    with closing(OpenedFile(input_of(str(path)))) as file:
        assert bars_of(NdjsonReader(file, config)).closes == [None, None]
    message = "line 1: columns.close is the place 2, but the bars are objects with names"
    with (
        closing(OpenedFile(input_of(str(path)))) as file,
        pytest.raises(DataError, match=message),
    ):
        NdjsonReader(file, by_place(2))


@pytest.mark.parametrize("lines", [1, 5000])
def test_a_first_row_in_any_depth_is_found_in_the_whole_and_in_splits(
    tmp_path: Path, lines: int
) -> None:
    path = tmp_path / "bars.csv"
    rows = [f"{1_704_067_200 + row};{row}.5\n" for row in range(350_000)]
    path.write_text("x;y\n" * lines + "".join(rows))
    config = by_place(table=Table("none", lines + 1))
    file = input_of(str(path))
    made = splits_of([file], config, None, 2 << 20)
    assert len(made) > 1
    count, total = 0, Fraction(0)
    for split in made:
        with opened_split(split, config, None) as reader:
            for batch in reader.batches():
                count += batch.rows
                total += Fraction(sum(batch.closes.listed()), 10**batch.closes.scale)  # type: ignore[arg-type]
    assert count == 350_000
    assert total == sum(range(350_000)) + 175_000


def test_a_table_with_a_footer_is_not_cut(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("time,close\n" + "2024-01-01,1\n" * 9000)
    made = splits_of([input_of(str(path))], declared(footer="skip"), None, 1000)
    assert len(made) == 1


def test_small_files_with_places_are_read_as_others(tmp_path: Path) -> None:
    files = []
    for number in range(5):
        path = tmp_path / f"{number}.csv"
        path.write_text(BINANCE.replace("14990", f"1{5 + number}990"))
        files.append(input_of(str(path)))
    inputs = Inputs(files, by_place(5)).fast()
    closes = []
    for _, opening in inputs.each(files):
        with opening as reader:
            closes += bars_of(reader).closes
    assert closes == oracle.prices(["0.01577100", "0.0158", "0.01590"]) * 5
