"""The same bars in any form of a text table give the same signals, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.config.rules import DateAndTime
from rollsignal.config.settings import Columns, JobConfig, Table
from rollsignal.engines import inputs
from rollsignal.engines.interface import Engine, Task
from rollsignal.outputs.signals.writer import Signals
from tests.support import oracle
from tests.support.deciding import REPORT, begun, files, ignore
from tests.support.sweeps import examples, sweep
from tests.support.tables import CONFIG
from tests.support.workbooks import DATED, Cell, number, workbook

MakeEngine = Callable[[], Engine]


class Form(NamedTuple):
    """A form of a table: its text, of times and closes, and the settings that read it."""

    text: Callable[[list[tuple[str, str]]], str | bytes]
    columns: Columns = Columns()
    table: Table = Table()
    encoding: str = "utf-8"


def rows(row: Callable[[str, str], str]) -> Callable[[list[tuple[str, str]]], str]:
    return lambda bars: "".join(row(time, close) + "\n" for time, close in bars)


def below(head: str, row: Callable[[str, str], str], end: str = "") -> Callable[..., str]:
    return lambda bars: head + "\n" + rows(row)(bars) + end


def sheet(bars: list[tuple[str, str]]) -> bytes:
    """Write the bars to a workbook, with days and closes as the doubles that Excel has."""
    first = datetime(2024, 1, 1)
    days = [45292 + (datetime.fromisoformat(t) - first) / timedelta(days=1) for t, _ in bars]
    closes = (close for _, close in bars)
    cells: list[tuple[Cell | None, ...]] = [
        (None, number(str(day), DATED), number(close))
        for day, close in zip(days, closes, strict=True)
    ]
    return workbook([("Prices",), (), (None, "time", "close"), *cells])


def european(close: str) -> str:
    whole, _, decimals = close.partition(".")
    return f"{int(whole):,}".replace(",", ".") + "," + decimals


PLAIN = below("time,close", lambda t, c: f"{t},{c}")
FORMS = {
    "no header": Form(rows(lambda t, c: f"7,{t},{c},x8"[:-2] + "8"), Columns(3, 2)),
    "no header, by table": Form(
        below("A title\n", lambda t, c: f"{c};{t}"), Columns(1, 2), Table("none", 3)
    ),
    "two columns of times": Form(
        rows(lambda t, c: f"{t[:10].replace('-', '.')}\t{t[11:]}\t{c}"),
        Columns(3, DateAndTime(1, 2)),
    ),
    "a header below a title": Form(below("A title\n\ntime,close", lambda t, c: f"{t},{c}")),
    "a first row": Form(
        below("time,close\nTicker,AAPL\nDate,", lambda t, c: f"{t},{c}"),
        table=Table(first_row=4),
    ),
    "two columns of one name": Form(
        below("time,close,close", lambda t, c: f"{t},1,{c}"), Columns(3)
    ),
    "signs": Form(
        below("time;close", lambda t, c: f"{t};€ {european(c)}"),
        table=Table(decimal=",", thousands=".", strip="€"),
    ),
    "blanks": Form(
        below("n  time   close", lambda t, c: f" 1  {t.replace(' ', 'T')} {c}"),
        table=Table(delimiter="blanks"),
    ),
    "a sign": Form(below("time#close", lambda t, c: f"{t}#{c}"), table=Table(delimiter="#")),
    "comments": Form(
        below("% x\ntime,close", lambda t, c: f"{t},{c}\n%{t},7"), table=Table(comment="%")
    ),
    "a footer": Form(
        below("time,close", lambda t, c: f"{t},{c}", "\nTotal,5\n"), table=Table(footer="skip")
    ),
    "an encoding": Form(
        below("n,time,close", lambda t, c: f"é,{t},{c}"), table=Table(encoding="cp1252"),
        encoding="cp1252",
    ),
    "a sheet": Form(sheet),
    "a sheet of texts": Form(
        lambda bars: workbook([("Sum", "7"), ("close", "time"), *((c, t) for t, c in bars)])
    ),
    "bytes that nobody reads": Form(
        below("é,time,close", lambda t, c: f"é,{t},{c}"), encoding="latin-1"
    ),
}  # fmt: skip


def signals_of(engine: MakeEngine, data: bytes, config: JobConfig) -> tuple[bytes, object]:
    with TemporaryDirectory() as name:
        path, written = Path(name, "bars.csv"), Path(name, "signals.csv")
        path.write_bytes(data)
        with begun(Signals(str(written), config.window)) as signals:
            found = engine().decide(Task(files([path]), config, digest=True), [signals], ignore)
            signals.finish(REPORT)
        return written.read_bytes(), (found.tally, found.digest)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@given(st.lists(st.integers(1, 99_999_999), min_size=3, max_size=40), st.booleans())
@sweep
@settings(max_examples=examples(8), deadline=None)
def test_any_form_of_a_table_gives_the_signals_of_the_usual_one(
    engine: MakeEngine, form: Form, ticks: list[int], is_fast: bool
) -> None:
    closes = [f"{tick // 100}.{tick % 100:02}" for tick in ticks]
    bars = [(f"2024-01-01 00:{row:02}:00", close) for row, close in enumerate(closes)]
    config = CONFIG._replace(columns=form.columns, table=form.table)
    text = form.text(bars)
    data = text if isinstance(text, bytes) else text.encode(form.encoding)
    with pytest.MonkeyPatch.context() as patch:
        if is_fast:
            patch.setattr(inputs, "LARGE_BYTES", 0)
        signals, found = signals_of(engine, data, config)
        assert (signals, found) == signals_of(engine, PLAIN(bars).encode(), CONFIG)
    column = [line.rpartition(",")[2] for line in signals.decode().splitlines()[1:]]
    decided = oracle.signals(oracle.prices(closes), 3)
    assert column == ["" if signal is None else str(signal) for signal in decided]
