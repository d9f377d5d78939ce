"""This module writes the rows of a table as text, NDJSON, Parquet or Arrow, for tests.

It never imports rollsignal, so that the product is never its own oracle.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

import polars as pl

from tests.support.workbooks import DATED, Given, number, workbook

if TYPE_CHECKING:
    from tests.support.made_layouts import Layout

Cell = str | datetime | None
DELIMITERS = {"csv": ",", "tsv": "\t", "semicolon": ";", "pipe": "|"}
ENDINGS = {"csv": "csv", "tsv": "tsv", "semicolon": "csv", "pipe": "txt", "ndjson": "ndjson"}
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
_DELIMITED = re.compile(r'[,;|\t"]')


def ending(kind: str) -> str:
    return ENDINGS.get(kind, kind)


def text_table(
    columns: Sequence[str], rows: Sequence[Sequence[Cell]], kind: str, quotes: bool
) -> str:
    """Write rows with a header; a cell that holds a delimiter is in quotes, or every cell is."""
    delimiter = DELIMITERS[kind]
    lines = [delimiter.join(_quoted(cell, quotes) for cell in row) for row in [columns, *rows]]
    return "\n".join(lines) + "\n"


def _quoted(cell: Cell, quotes: bool) -> str:
    text = "" if cell is None else str(cell)
    return f'"{text}"' if quotes or _DELIMITED.search(text) else text


def objects(columns: Sequence[str], rows: Sequence[Sequence[Cell]], rng: Random) -> str:
    """Write rows as NDJSON, with numbers as numbers or all as text."""
    as_text = rng.random() < 0.3
    shuffles = rng.random() < 0.2
    lines: list[str] = []
    for row in rows:
        pairs = list(zip(columns, row, strict=True))
        if shuffles and lines:
            rng.shuffle(pairs)
        fields = (f"{json.dumps(name)}: {_json(cell, as_text)}" for name, cell in pairs)
        lines.append("{" + ", ".join(fields) + "}\n")
    return "".join(lines)


def document(lines: str, rng: Random) -> str:
    """Write objects of one line each as one JSON document."""
    rows = "[" + rng.choice([",", ", ", "\n,"]).join(lines.splitlines()) + "]"
    around = ["{}", "\n{}\n", '{"bars": {}}', '{"n": 1, "data": {"bars": {}, "next": null}}']
    return rng.choice(around).replace("{}", rows, 1)


def _json(cell: Cell, as_text: bool) -> str:
    if cell is None:
        return "null"
    text = str(cell)
    return text if _NUMBER.fullmatch(text) and not as_text else json.dumps(text)


def frame(
    columns: Sequence[str], rows: Sequence[Sequence[Cell]], layout: Layout, rng: Random
) -> pl.DataFrame:
    """Write rows as a table of columns, each in one of the types that hold it."""
    series = []
    for index, name in enumerate(columns):
        cells = [row[index] for row in rows]
        if name == layout.close:
            series.append(_closes(name, cells, rng))
        elif name == layout.time and layout.stored:
            series.append(_times(name, cells, layout.stored, rng))
        elif name != layout.symbol and all(re.fullmatch("-?[0-9]{1,18}", str(c)) for c in cells):
            series.append(pl.Series(name, [int(str(cell)) for cell in cells], pl.Int64))
        elif name == layout.symbol and rng.random() < 0.3:
            series.append(pl.Series(name, cells, pl.Categorical))
        else:
            series.append(pl.Series(name, [cell and str(cell) for cell in cells], pl.String))
    return pl.DataFrame(series)


def _times(name: str, cells: Sequence[Cell], stored: str, rng: Random) -> pl.Series:
    moments = [cell.replace(tzinfo=None) for cell in cells if isinstance(cell, datetime)]
    if stored == "date":
        return pl.Series(name, [moment.date() for moment in moments], pl.Date)
    times = pl.Series(name, moments, pl.Datetime(rng.choice(["ms", "us", "ns"])))
    if stored == "datetime":
        return times
    zone = rng.choice(["UTC", "Asia/Kolkata", "America/New_York"])
    return times.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)


def _closes(name: str, cells: Sequence[Cell], rng: Random) -> pl.Series:
    texts = [None if cell in (None, "") else str(cell) for cell in cells]
    numbers = [text for text in texts if text is not None and _NUMBER.fullmatch(text)]
    if len(numbers) < len([text for text in texts if text is not None]):
        return pl.Series(name, texts, pl.String)
    kind = rng.choice(["float", "float", "decimal", "text"])
    if kind == "decimal":
        decimals = [None if text is None else Decimal(text) for text in texts]
        return pl.Series(name, decimals, pl.Decimal(38, 9))
    if kind == "float" and all(len(text.strip("-0.")) < 15 for text in numbers):
        return pl.Series(name, [None if text is None else float(text) for text in texts])
    return pl.Series(name, texts, pl.String)


def sheet(
    columns: Sequence[str], rows: Sequence[Sequence[Cell]], layout: Layout, rng: Random
) -> bytes:
    """Write rows as a workbook, with times as dates, and numbers as numbers or as texts."""
    as_text = rng.random() < 0.2
    cells: list[Sequence[Given]] = [columns]
    for row in rows:
        pairs = zip(columns, row, strict=True)
        cells.append([_sheet_cell(cell, as_text, name == layout.time) for name, cell in pairs])
    above = rng.choice([0, 0, 0, 3])
    return workbook({number: row for number, row in enumerate(cells, start=1 + above)})


def _sheet_cell(cell: Cell, as_text: bool, is_time: bool) -> Given:
    if isinstance(cell, datetime):
        at = cell.replace(tzinfo=None)
        days = (at - datetime(1899, 12, 30)) / timedelta(days=1)
        # A double of so many days has microseconds, of which Excel shows milliseconds.
        is_exact = at.year > 1900 and not at.microsecond % 1000
        return number(repr(days), DATED) if is_exact else at.isoformat(" ")
    text = cell or ""
    is_number = re.fullmatch("[1-9][0-9]*", text) if is_time else _NUMBER.fullmatch(text)
    return number(text) if is_number and len(text) < 15 and not as_text else text


def packed(table: pl.DataFrame, kind: str) -> bytes:
    file = io.BytesIO()
    if kind == "parquet":
        table.write_parquet(file)
    else:
        table.write_ipc(file, compat_level=pl.CompatLevel.oldest())
    return file.getvalue()
