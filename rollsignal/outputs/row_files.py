"""This module writes rows as a table: a CSV, JSON or Parquet file."""

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args, get_type_hints

from rollsignal.files.replace import replace
from rollsignal.outputs.signals.forms import escape_formula

ROW_SUFFIXES = (".csv", ".json", ".parquet")

NamedCells = Mapping[str, Any]


def columns_of(row_type: type[NamedTuple]) -> dict[str, type]:
    """Return the columns of named tuples with their types, without the None that they may hold."""
    hints = get_type_hints(row_type)
    return {name: (get_args(hint) or (hint,))[0] for name, hint in hints.items()}


def row_file(columns: Mapping[str, type], rows: Sequence[NamedCells], suffix: str) -> bytes:
    """Return rows as a file with one of `ROW_SUFFIXES`.

    columns: the type of each: str, int, float or bool; a value may also be None. In CSV, a symbol
    that a spreadsheet would run as a formula is escaped.
    """
    return {".csv": _csv, ".json": _json_rows, ".parquet": _parquet}[suffix](columns, rows)


def replace_rows(path: str, row_type: type[NamedTuple], rows: Sequence[Any]) -> None:
    """Write named tuples to a path that ends in one of `ROW_SUFFIXES`.

    Raises `OutputError` or `DiskError`.
    """
    suffix = os.path.splitext(path)[1].lower()
    replace(path, row_file(columns_of(row_type), [row._asdict() for row in rows], suffix))


def _csv(columns: Mapping[str, type], rows: Sequence[NamedCells]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_csv_cell(name, row[name]) for name in columns])
    return text.getvalue().encode()


def _csv_cell(name: str, value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return escape_formula(str(value)) if name == "symbol" else value


def _json_rows(columns: Mapping[str, type], rows: Sequence[NamedCells]) -> bytes:
    documents = [{name: row[name] for name in columns} for row in rows]
    return (json.dumps(documents, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _parquet(columns: Mapping[str, type], rows: Sequence[NamedCells]) -> bytes:
    import polars as pl

    types = {str: pl.String, int: pl.Int64, float: pl.Float64, bool: pl.Boolean}
    schema = {name: types[kind] for name, kind in columns.items()}
    file = io.BytesIO()
    pl.DataFrame(rows, schema=schema).write_parquet(file)
    return file.getvalue()
