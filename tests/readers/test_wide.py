"""A wide table, with a column of closes for each symbol, gives what the long table gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.config.rules import NO_TIMESTAMPS, DateAndTime, InHeader, SymbolFrom
from rollsignal.config.settings import Checks, Columns, JobConfig, Table
from rollsignal.core.findings import Found
from rollsignal.engines import ENGINES, inputs
from rollsignal.engines.interface import Engine, Task
from rollsignal.errors import DataError
from rollsignal.outputs.signals.writer import Signals
from tests.support import oracle
from tests.support.cut_engine import CutEngine
from tests.support.deciding import REPORT, begun, decide, files, ignore
from tests.support.workers import engine_here

Rows = list[list[str | None]]

FORMS = ["csv", "tsv", "ndjson", "json", "parquet", "arrow"]
TEXTS = ["csv", "tsv"]
MAKERS: dict[str, Callable[[], Engine]] = {
    "local": ENGINES["local"],
    "plain": ENGINES["plain"],
    "cut": CutEngine,
    "pieces": lambda: engine_here(120),
}
WIDE = JobConfig(1, 3, "t", missing="skip", columns=Columns(symbol=SymbolFrom(header=InHeader())))
LONG = JobConfig(1, 3, "t", missing="skip")
NAMES = ["AAPL", "BRK.B", "7203"]
DAYS = [f"2024-01-{day:02}" for day in range(1, 29)]


def wide_config(
    only: tuple[str | int, ...] = (), leaves_out: tuple[str | int, ...] = (),
    timestamp: str | int | DateAndTime | None = None,
) -> JobConfig:  # fmt: skip
    source = SymbolFrom(header=InHeader(only, leaves_out))
    return WIDE._replace(columns=Columns(timestamp=timestamp, symbol=source))


def write(path: Path, header: Sequence[str], rows: Rows) -> Path:
    """Write a table in the format of the path's suffix, numbers in frames as decimals."""
    if path.suffix in (".csv", ".tsv"):
        sign = "\t" if path.suffix == ".tsv" else ","
        lines = [header, *[[cell or "" for cell in row] for row in rows]]
        path.write_text("".join(sign.join(line) + "\n" for line in lines))
    elif path.suffix in (".json", ".ndjson"):
        texts = [
            "{" + ", ".join(f"{json.dumps(name)}: {json_value(cell)}" for name, cell in
                zip(header, row, strict=True)) + "}"
            for row in rows
        ]  # fmt: skip
        body = "\n".join(texts) if path.suffix == ".ndjson" else "[" + ",\n".join(texts) + "]"
        path.write_text(body + "\n")
    else:
        columns = {name: column(name, [row[at] for row in rows]) for at, name in enumerate(header)}
        frame = pl.DataFrame(columns)
        frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_ipc(path)
    return path


def json_value(cell: str | None) -> str:
    if cell is None:
        return "null"
    return json.dumps(cell) if "-" in cell or not cell[0].isdigit() else cell


def column(name: str, cells: Sequence[str | None]) -> pl.Series:
    if name in ("Date", "symbol"):
        return pl.Series(cells, dtype=pl.String)
    return pl.Series(cells, dtype=pl.String).cast(pl.Float64)


def melted(header: Sequence[str], rows: Rows) -> Rows:
    """Return the long table of the same bars, row by row."""
    return [
        [row[0], name, cell] for row in rows for name, cell in zip(header[1:], row[1:], strict=True)
    ]


def signals_of(path: Path, config: JobConfig, engine: Callable[[], Engine]) -> tuple[bytes, Found]:
    written = path.with_name("signals.csv")
    with begun(Signals(str(written), config.window)) as signals:
        found = engine().decide(Task(files([path]), config, digest=True), [signals], ignore)
        signals.finish(REPORT)
    return written.read_bytes(), found


def refusal(path: Path, config: JobConfig = WIDE) -> str:
    with pytest.raises(DataError) as caught:
        decide([path], config)
    return str(caught.value).replace(f"{path.parent}/", "")


tables = st.integers(1, 3).flatmap(
    lambda count: st.lists(
        st.lists(st.integers(1, 99_999) | st.none(), min_size=count, max_size=count),
        min_size=3, max_size=28,
    )
)  # fmt: skip


def cell_of(tick: int | None, decimals: int) -> str | None:
    return None if tick is None else f"{tick // 10**decimals}.{tick % 10**decimals:0{decimals}}"


@pytest.mark.parametrize("engine", MAKERS)
@pytest.mark.parametrize("form", FORMS)
@given(tables, st.booleans(), st.booleans())
@settings(max_examples=6, deadline=None)
def test_a_wide_table_gives_the_signals_of_the_long_table(
    engine: str, form: str, ticks: list[list[int | None]], is_fast: bool, is_full: bool
) -> None:
    header = ["Date", *NAMES[: len(ticks[0])]]
    if is_full:
        ticks = [[tick or 7 for tick in row] for row in ticks]
    rows: Rows = [
        [day, *(cell_of(tick, 1 + at) for at, tick in enumerate(row))]
        for day, row in zip(DAYS, ticks, strict=False)
    ]
    columns = [[row[at] for row in rows] for at in range(1, len(header))]
    if all(sum(cell is not None for cell in cells) < 3 for cells in columns):
        return
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if is_fast:
            patch.setattr(inputs, "LARGE_BYTES", 0)
        wide = write(Path(folder, f"wide.{form}"), header, rows)
        long = write(
            Path(folder, f"long.{form}"), ["Date", "symbol", "close"], melted(header, rows)
        )
        signals, found = signals_of(wide, WIDE, MAKERS[engine])
        expected, of_long = signals_of(long, LONG, MAKERS[engine])
    assert signals == expected
    assert (found.tally, found.digest) == (of_long.tally, of_long.digest)
    assert found.tally.rows == len(rows) * (len(header) - 1)
    for name, cells in zip(header[1:], columns, strict=True):
        given_cells = [cell for cell in cells if cell is not None]
        decided = [s for s in oracle.signals(oracle.prices(given_cells), 3) if s is not None]
        if name in found.accounts:
            tally = found.accounts[name].tally
            assert (tally.signals, tally.ones) == (len(decided), sum(decided))


BARS: Rows = [[day, str(10 + at), str(50 - at)] for at, day in enumerate(DAYS[:5])]


@pytest.mark.parametrize("form", FORMS)
def test_columns_are_chosen_by_only_or_left_out_by_except(tmp_path: Path, form: str) -> None:
    rows: Rows = [[*row, "9000"] for row in BARS]
    path = write(tmp_path / f"bars.{form}", ["Date", "A", "B", "Volume"], rows)
    assert "'Volume' may be no symbol (set columns: {symbol: {from: header, except:" in refusal(
        path
    )
    by_name: list[tuple[str | int, ...]] = [("B", "A")]
    if form not in ("json", "ndjson"):
        by_name.append((2, 3))
    for only in by_name:
        assert set(decide([path], wide_config(only=only)).accounts) == {"A", "B"}
    found = decide([path], wide_config(leaves_out=("Volume",)))
    assert {name: each.tally.ones for name, each in found.accounts.items()} == {"A": 3, "B": 0}


@pytest.mark.parametrize("form", FORMS)
def test_times_are_found_by_their_cells_and_are_never_a_symbol(tmp_path: Path, form: str) -> None:
    for name in ("", "jour"):
        path = write(tmp_path / f"bars.{form}", [name, "A", "B"], [
            [str(20240101 + at), *row[1:]] for at, row in enumerate(BARS)
        ])  # fmt: skip
        for checks in (Checks(), Checks(order="off", duplicates="off")):
            found = decide([path], WIDE._replace(checks=checks))
            assert set(found.accounts) == {"A", "B"}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["", "index", "Unnamed: 0", "close", "Adj Close", "symbol"])
def test_a_column_that_may_be_no_symbol_is_refused(tmp_path: Path, form: str, name: str) -> None:
    rows: Rows = [[str(at), *row] for at, row in enumerate(BARS)]
    path = write(tmp_path / f"bars.{form}", [name, "Date", "A", "B"], rows)
    message = refusal(path)
    assert "may be no symbol (set columns: {symbol: {from: header, except: [" in message
    if name:
        assert f"except: [{name}]}}}} to leave it out" in message
    left_out: str | int = name or 1
    if name or form not in ("json", "ndjson"):
        assert set(decide([path], wide_config(leaves_out=(left_out,))).accounts) == {"A", "B"}


@pytest.mark.parametrize("form", TEXTS)
def test_a_symbol_that_is_there_twice_is_refused(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / f"bars.{form}", ["Date", "A", " A"], BARS)
    assert "line 1: columns 2 and 3 are both called 'A' (set columns:" in refusal(path)
    assert set(decide([path], wide_config(leaves_out=(2,))).accounts) == {"A"}


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_cell_is_a_missing_close_with_its_place(tmp_path: Path, form: str) -> None:
    rows: Rows = [list(row) for row in BARS]
    rows[2][2] = None
    path = write(tmp_path / f"bars.{form}", ["Date", "A", "B"], rows)
    where = {"csv": "line 4", "tsv": "line 4", "ndjson": "line 3"}.get(form, "row 3")
    assert f"{where}: B is '', not a number (set missing: skip" in refusal(
        path, WIDE._replace(missing="error")
    )
    found = decide([path], WIDE._replace(missing="gap"))
    assert found.tally.missing == 1


@pytest.mark.parametrize("form", FORMS)
def test_what_is_no_number_is_refused_with_its_symbol(tmp_path: Path, form: str) -> None:
    rows: Rows = [list(row) for row in BARS]
    rows[3][1] = "x"
    if form in ("parquet", "arrow"):
        frame = pl.DataFrame(rows, schema=["Date", "A", "B"], orient="row")
        path = tmp_path / f"bars.{form}"
        frame.write_parquet(path) if form == "parquet" else frame.write_ipc(path)
    else:
        path = write(tmp_path / f"bars.{form}", ["Date", "A", "B"], rows)
    where = {"csv": "line 5", "tsv": "line 5", "ndjson": "line 4"}.get(form, "row 4")
    assert f"{where}: A is 'x', not a number" in refusal(path)


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_a_key_that_the_first_object_lacks_is_refused(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"bars.{form}"
    texts = ['{"Date": "2024-01-01", "A": 1}', '{"Date": "2024-01-02", "A": 1, "B": 2}']
    path.write_text("\n".join(texts) if form == "ndjson" else f"[{', '.join(texts)}]")
    assert "2: the key 'B', where the first object has no such key (add it to the" in refusal(path)


def test_an_object_of_columns_may_be_a_wide_table(tmp_path: Path) -> None:
    path = tmp_path / "bars.json"
    path.write_text('{"Date": ["2024-01-01", "2024-01-02", "2024-01-03"], "A": [1, 2, 3]}')
    assert decide([path], WIDE).accounts["A"].tally.ones == 1
    path.write_text('{"2024-01-01": {"A": 1}, "2024-01-02": {"A": 2}, "2024-01-03": {"A": 3}}')
    assert decide([path], WIDE).accounts["A"].tally.ones == 1


def test_a_header_below_others_is_read_as_declared(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(
        "Price,Close,Close,High,High\nTicker,A,B,A,B\nDate,,,,\n"
        + "".join(f"{day},{a},{b},7,7\n" for day, a, b in BARS)
    )
    config = wide_config(only=(2, 3), timestamp=1)._replace(table=Table(header=2, first_row=4))
    found = decide([path], config)
    assert {name: each.tally.ones for name, each in found.accounts.items()} == {"A": 3, "B": 0}
    other = wide_config(timestamp=1)._replace(table=Table(header=2, first_row=4))
    assert "columns 2 and 4 are both called 'A'" in refusal(path, other)


@pytest.mark.parametrize("head", ["0,1", "1.5,2.5", "7203,6758"])
def test_a_header_of_numbers_without_times_is_refused(tmp_path: Path, head: str) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(head + "\n" + "1,2\n" * 5)
    assert "a header of nothing but numbers" in refusal(path, wide_config(timestamp=NO_TIMESTAMPS))


@pytest.mark.parametrize("timestamp", [None, 1])
def test_a_bar_is_never_the_header(tmp_path: Path, timestamp: int | None) -> None:
    path = tmp_path / "bars.csv"
    write(path, [cell or "" for cell in BARS[0]], BARS[1:])
    message = refusal(path, wide_config(timestamp=timestamp))
    assert "this is a bar, and no header" in message


@pytest.mark.parametrize("row", ["2024-01-09,1,2,3", "2024-01-09,1", "0,2024-01-09,1,"])
def test_a_row_of_another_width_is_refused(tmp_path: Path, row: str) -> None:
    for place in (0, 3):
        rows = [",".join(filter(None, each)) for each in BARS]
        rows.insert(place, row)
        path = tmp_path / "bars.csv"
        path.write_text("\n".join(["Date,A,B", *rows, ""]))
        assert f"line {place + 2}: " in refusal(path)
        assert "instead of 3 as the header has" in refusal(path)


def test_a_table_that_can_be_split_in_two_ways_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("Date;A,US;B,US\n2024-01-01;1;2\n")
    assert "the header can be split in more than one way" in refusal(path)
    config = WIDE._replace(table=Table(delimiter=";"), window=1)
    assert set(decide([path], config).accounts) == {"A,US", "B,US"}


def test_a_table_without_symbols_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("Date\n2024-01-01\n")
    assert "one column, where timestamps and symbols must be" in refusal(path)
    path.write_text("Date,x\n2024-01-01,5\n")
    assert "no columns but those of the timestamps" in refusal(path, wide_config(leaves_out=("x",)))


def test_dates_and_times_may_have_a_column_each(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    rows: Rows = [[day, "16:00", *rest] for day, *rest in BARS]
    write(path, ["Date", "Time", "A", "B"], rows)
    found = decide([path], WIDE)
    assert set(found.accounts) == {"A", "B"}
    assert found.accounts["A"].first_ns == 1704124800 * 10**9


def test_local_times_are_told_apart_in_each_series(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    clocks = ["0:30", "1:00", "1:30", "1:00", "1:30", "2:00"]
    path.write_text("Date,A,B\n" + "".join(f"2024-11-03 0{c},1,2\n" for c in clocks))
    found = decide([path], WIDE._replace(timezone="America/New_York"))
    assert found.tally.rows == 12


@pytest.mark.parametrize("form", FORMS)
def test_bars_may_be_sorted(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / f"bars.{form}", ["Date", "A", "B"], BARS[::-1])
    found = decide([path], WIDE._replace(sort=True))
    assert {name: each.tally.ones for name, each in found.accounts.items()} == {"A": 3, "B": 0}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_large_wide_table_of_plain_digits_is_read_as_arrays(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: Rows = [[f"2024-01-01 {at // 60:02}:{at % 60:02}:00", f"{at}.5", str(at % 7)]
                  for at in range(1440)]  # fmt: skip
    path = write(tmp_path / f"bars.{form}", ["Date", "A", "B"], rows)
    if form == "parquet":
        pl.read_parquet(path).with_columns(pl.col("Date").str.to_datetime()).write_parquet(path)
    monkeypatch.setattr(inputs, "LARGE_BYTES", 0)
    monkeypatch.setattr("rollsignal.readers.opening.FIRST_BYTES", 1 << 10)
    fast, careful = (decide([path], WIDE, engine=ENGINES[name]) for name in ("local", "plain"))
    assert (fast.tally, fast.accounts) == (careful.tally, careful.accounts)
    with inputs.Inputs(files([path]), WIDE).fast().opened(files([path])[0]) as reader:
        kinds = {type(batch).__name__ for batch in reader.batches()}
    assert "ArrayBatch" in kinds


def test_a_last_close_that_may_be_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("Date,A,B\n2024-01-01,1.25,2.25\n2024-01-02,1.25,2.25\n2024-01-03,1.25,2.2")
    assert "line 4: B is '2.2', with fewer decimals than all above" in refusal(path)
