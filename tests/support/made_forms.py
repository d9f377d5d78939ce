"""This module makes tables in the newer forms: wide, with keys, with days of Excel, and others.

What the bars are is drawn first, so the right answer is known without reading the table. It never
imports rollsignal, so that the product is never its own oracle.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple

from tests.support.made_answers import Bar
from tests.support.workbooks import Given, Sheet, number, workbook

SYMBOLS = ["AAPL", "C", "BRK.B", "F", "0005", "msft", "T"]
DAY = datetime(2024, 1, 2, tzinfo=UTC)
EXCEL = datetime(1899, 12, 30, tzinfo=UTC)


class Form(NamedTuple):
    """Files, the bars in them, and the answers by the keys of settings that are right for them."""

    kind: str
    files: dict[str, bytes]
    bars: Sequence[Bar]
    answers: dict[str, str]


def form(case_number: int) -> Form:
    """Make the table of this number, always the same."""
    rng = Random(case_number)
    return rng.choice(MAKERS)(rng)


def _drawn(rng: Random, symbols: Sequence[str], step: timedelta) -> list[Bar]:
    """Draw bars of these symbols, all at the same times."""
    start = DAY + timedelta(hours=rng.randint(9, 12)) if step.days == 0 else DAY
    times = [start + place * step for place in range(rng.randint(3, 8))]
    return [Bar(symbol, at, _close(rng)) for at in times for symbol in symbols]


def _close(rng: Random) -> str:
    return rng.choice([f"{rng.randint(90, 110)}", f"{rng.randint(900, 999)}.{rng.randint(0, 99)}"])


def _text(header: str, rows: Sequence[Sequence[str]], sign: str = ",") -> bytes:
    lines = [header.replace(",", sign), *(sign.join(row) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def _step(rng: Random) -> timedelta:
    return rng.choice([timedelta(days=1), timedelta(minutes=1), timedelta(hours=1)])


def _at(bar: Bar) -> str:
    return bar.at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _wide(rng: Random) -> Form:
    symbols = rng.sample(SYMBOLS, rng.randint(2, 4))
    bars = _drawn(rng, symbols, _step(rng))
    count = len(symbols)
    rows = [bars[at : at + count] for at in range(0, len(bars), count)]
    cells = [[_at(row[0]), *(bar.close or "" for bar in row)] for row in rows]
    header = f"{rng.choice(['Date', 'time', 'day'])},{','.join(symbols)}"
    files = {"bars.csv": _text(header, cells, rng.choice(",;\t"))}
    return Form("wide", files, bars, {"symbol": "{from: header}"})


def _keyed(rng: Random) -> Form:
    symbols = rng.sample(SYMBOLS, rng.randint(2, 3))
    bars = _drawn(rng, symbols, _step(rng))
    close = rng.choice(["c", "close"])
    inside = {
        symbol: [
            {"t": _at(bar), close: float(bar.close or 0)} for bar in bars if bar.symbol == symbol
        ]
        for symbol in symbols
    }
    answers = {"symbol": "{from: key}", "close": close}
    is_within = rng.random() < 0.5
    document = {"bars": inside, "next": None} if is_within else inside
    if is_within:
        answers["records"] = "bars"
    return Form("keyed", {"bars.json": json.dumps(document).encode()}, bars, answers)


def _pairs(rng: Random) -> Form:
    pairs = [f"{place}:{symbol}" for symbol in ("X", "Y") for place in ("nyse", "lse")]
    bars = _drawn(rng, rng.sample(pairs, 3), _step(rng))
    rows = [[_at(bar), *bar.symbol.split(":"), bar.close or ""] for bar in bars]
    files = {"bars.csv": _text("time,exchange,symbol,close", rows)}
    return Form("pairs", files, bars, {"symbol": "[exchange, symbol]"})


def _in_excel(rng: Random) -> Form:
    bars = _drawn(rng, [""], timedelta(days=1))
    rows = [[str((bar.at - EXCEL).days), bar.close or ""] for bar in bars]
    return Form(
        "excel", {"bars.csv": _text("Date,close", rows)}, bars, {"timestamp_format": "excel"}
    )


def _of_day(rng: Random) -> Form:
    bars = _drawn(rng, [""], timedelta(minutes=1))
    is_count = rng.random() < 0.5
    ms = timedelta(milliseconds=1)
    rows = [
        [str((bar.at - DAY) // ms) if is_count else bar.at.strftime("%H:%M:%S"), bar.close or ""]
        for bar in bars
    ]
    answers = {"timestamp": '[{from: path, pattern: "([0-9]{8})_"}, time]'}
    if is_count:
        answers["timestamp_format"] = "ms_of_day"
    return Form("of day", {"20240102_minute.csv": _text("time,close", rows)}, bars, answers)


def _on_a_sheet(rng: Random) -> Form:
    bars = _drawn(rng, [""], timedelta(days=1))
    rows: list[list[Given]] = [["date", "close"]]
    rows += [[bar.at.strftime("%Y-%m-%d"), number(bar.close or "")] for bar in bars]
    sheets = [
        Sheet("Info", [["Prices in euro"], ["by somebody"]]),
        Sheet("Bars", rows),
    ]
    return Form("sheet", {"bars.xlsx": workbook(sheets)}, bars, {"sheet": "Bars"})


def _newest_first(rng: Random) -> Form:
    bars = _drawn(rng, [""], _step(rng))
    cut = rng.randint(1, len(bars) - 1) if rng.random() < 0.5 else 0
    parts = [part for part in (bars[:cut], bars[cut:]) if part]
    files = {
        f"part{place}.csv": _text("time,close", [[_at(b), b.close or ""] for b in reversed(part)])
        for place, part in enumerate(parts)
    }
    return Form("newest first", files, bars, {"order": "newest_first"})


def _repeated(rng: Random) -> Form:
    bars = _drawn(rng, [""], _step(rng))
    rows = [[_at(bar), bar.close or ""] for bar in bars]
    place = rng.randrange(len(rows))
    is_same = rng.random() < 0.5
    rows.insert(place, [rows[place][0], rows[place][1] if is_same else "7.77"])
    answers = {"duplicates": "same" if is_same else "last"}
    return Form("repeated", {"bars.csv": _text("time,close", rows)}, bars, answers)


MAKERS: Sequence[Callable[[Random], Form]] = (
    *(_wide, _keyed, _pairs, _in_excel, _of_day, _on_a_sheet, _newest_first, _repeated),
)
