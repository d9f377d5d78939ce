"""This module writes bars to the bytes of a file, with all that may be wrong with it, for tests.

It never imports rollsignal, so that the product is never its own oracle.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from random import Random

from tests.support.made_answers import Bar
from tests.support.made_files import Cell, document, frame, objects, packed, sheet, text_table
from tests.support.made_layouts import Layout, Notes
from tests.support.made_times import INDEX, KNOWN, count

FOOTERS = ["Average", "Total", "mean", "Source: somebody", "# end"]


def written(bars: Sequence[Bar], layout: Layout, rng: Random, notes: Notes) -> bytes:
    """Write the bars of one file, in this order."""
    columns, rows = _cells(bars, layout, rng, notes)
    if layout.kind in ("parquet", "arrow"):
        return packed(frame(columns, rows, layout, rng), layout.kind)
    if layout.kind == "ndjson" and rng.random() < 0.4:
        return document(objects(columns, rows, rng), rng).encode()
    if layout.kind == "ndjson":
        return _ended(objects(columns, rows, rng), rng, notes).encode()
    if layout.shape == "index and empty end" and len(columns) > 2:
        columns = [*columns, "remarks"]
        rows = [[str(place), *row, ""] for place, row in enumerate(rows)]
    elif layout.shape:
        rows = [[*row, ""] for row in rows]
    if rows and rng.random() < 0.08:
        _add_footer(columns, rows, layout, rng, notes)
    if layout.kind == "xlsx":
        return sheet(columns, rows, layout, rng)
    text = text_table(columns, rows, layout.kind, layout.dress == "quoted")
    return dressed(_ended(text, rng, notes), layout.dress)


def dressed(text: str, dress: str) -> bytes:
    if dress == "CRLF":
        text = text.replace("\n", "\r\n")
    if dress == "blank lines" and any(sign in text for sign in ",;\t|"):
        text = text.replace("\n", "\n\n", 3)
    if dress == "BOM":
        return text.encode("utf-8-sig")
    if dress == "UTF-16":
        return text.encode("utf-16")
    return gzip.compress(text.encode()) if dress == "gzip" else text.encode()


def _cells(
    bars: Sequence[Bar], layout: Layout, rng: Random, notes: Notes
) -> tuple[list[str], list[list[Cell]]]:
    """Return the header and the cells, in an order of columns that all files of a layout share."""
    own = {"close": layout.close, "time": layout.time, "symbol": layout.symbol}
    keys = [key for key, name in own.items() if name is not None]
    if layout.time and layout.has_clock:
        keys.append("clock")
    keys += layout.more
    Random(layout.key).shuffle(keys)
    if layout.time in ("", INDEX, "Unnamed: 0"):
        keys.sort(key=lambda key: key != "time")
    clock = "<TIME>" if layout.time == "<DATE>" else "time"
    names = [clock if key == "clock" else own.get(key, key) or "" for key in keys]
    shift = _hours_off(layout, rng, notes)
    rows = [
        [_cell(key, bar, place, layout, shift, rng) for key in keys]
        for place, bar in enumerate(bars)
    ]
    return names, rows


def _hours_off(layout: Layout, rng: Random, notes: Notes) -> int | None:
    """Draw by how many hours the times of this file are local, without saying so; None if not."""
    if not layout.time or layout.stored or not layout.spelling.zoned or rng.random() > 0.03:
        return None
    notes.doubts.append("zone or not")
    # A table without zones is read as UTC.
    notes.stamps_are_certain = False
    return 9


def _cell(key: str, bar: Bar, place: int, layout: Layout, off: int | None, rng: Random) -> Cell:
    if key == "symbol":
        return bar.symbol or "X"
    if key == "time":
        if layout.stored:
            return bar.at
        if off is not None:
            return KNOWN[1].write(bar.at + timedelta(hours=off), rng)
        return layout.spelling.write(bar.at, rng)
    if key == "clock":
        return bar.at.strftime("%H:%M:%S")
    if key == "close":
        if bar.close is None and layout.kind in ("ndjson", "parquet", "arrow"):
            return rng.choice([None, layout.word])
        return layout.word if bar.close is None else bar.close
    return _other(key, bar, place, rng)


def _other(key: str, bar: Bar, place: int, rng: Random) -> Cell:
    """Draw a cell of another column."""
    if key in ("open", "high", "low"):
        return str(Decimal(bar.close or 1) + {"open": 0, "high": 1, "low": -1}[key])
    if key == "ingested at":
        return f"2025-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}"
    if key == "close_time":
        return count(bar.at, 1000)
    if key == "index":
        return str(place)
    if key == "note":
        return rng.choice(["x", "y", "ok"])
    return str(rng.randint(1, 9 if key == "Close" else 10**6))


def _add_footer(
    columns: list[str], rows: list[list[Cell]], layout: Layout, rng: Random, notes: Notes
) -> None:
    """Add a row that is no bar. In a table without times one with a number could be one."""
    width = len(rows[0])
    shift = width - len(columns)
    row: list[Cell] = [""] * width
    close = columns.index(layout.close) + (shift if layout.shape == "index and empty end" else 0)
    if layout.time is not None and rng.random() < 0.6:
        row[0] = rng.choice(FOOTERS)
        row[close] = "12.5" if close else row[0]
    elif layout.time is not None and rng.random() < 0.5:
        row[close] = "7"
    else:
        row = [*columns, *[""] * shift]
    notes.doubts.append("a row that is no bar")
    rows.insert(len(rows) if rng.random() < 0.7 else rng.randint(1, len(rows)), row)


def _ended(text: str, rng: Random, notes: Notes) -> str:
    """End a text as it should, without a line end, or too early."""
    if rng.random() < 0.75:
        return text
    body = text.rstrip("\n")
    last = len(body) - body.rfind("\n") - 1
    notes.facts.append("no line end")
    notes.excuses.append("line end")
    if rng.random() < 0.6 or last < 2 or body.count("\n") < 3:
        return body
    notes.doubts.append("cut off")
    return body[: len(body) - rng.randint(1, last - 1)]
