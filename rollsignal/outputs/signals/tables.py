"""This module reads files of signals in any of their formats.

All formats give the same table of text and numbers, with rows in the order of the bars: `row` (from
0), `symbol` ("" for a single series), `stamp` (ISO 8601, "" without a timestamp), `close` (None if
missing), `mean` and `signal`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from typing import TYPE_CHECKING

from rollsignal.errors import DataError, DiskError, InputError, answer_to_reading, scarcity
from rollsignal.files.find import NO_PARTITION, partitions_of
from rollsignal.files.formats import columnar_format
from rollsignal.files.open import is_folder, open_regular
from rollsignal.files.patterns import matching
from rollsignal.messages import escaped, shown_path
from rollsignal.outputs.signals.forms import (
    FORMULA_STARTS,
    HEADER,
    SIGNAL_SUFFIXES,
    iso_stamps,
    scanned,
    trimmed,
)

if TYPE_CHECKING:
    import polars as pl


def signal_files(path: str) -> list[str]:
    """List the files of a table of signals, which may be a folder of partitions.

    Raises `InputError` for a folder without signals.
    """
    if not is_folder(path):
        return [path]
    pattern = os.path.join(escape(path), "*=*", "signals.*")
    files = sorted(
        file for file in matching(pattern) if os.path.splitext(file)[1] in SIGNAL_SUFFIXES
    )
    if not files:
        raise InputError("Folder has no signals", f"path: {shown_path(path)}")
    return files


def signal_table(path: str) -> "pl.LazyFrame":
    """Scan a table of signals; raises `InputError`, or `DataError` for another kind of file."""
    import polars as pl

    with guarded(path):
        tables = [
            stored.select(columns) for stored, columns in map(stored_signals, signal_files(path))
        ]
        return pl.concat(tables).with_row_index("row")


@contextmanager
def guarded(path: str) -> Iterator[None]:
    """Turn errors of polars into `DataError`, or `DiskError` where the system refused a call."""
    from polars.exceptions import PanicException, PolarsError

    try:
        yield
    except (PolarsError, PanicException, OSError) as error:
        if lacking := scarcity(error):
            raise lacking from error
        if answer := answer_to_reading(error):
            raise DiskError(f"{shown_path(path)}: reading failed: {answer}") from error
        reason = escaped(str(error).partition("\n")[0])
        raise DataError(f"{shown_path(path)}: not a table of signals: {reason}") from error


def stored_signals(path: str) -> "tuple[pl.LazyFrame, list[pl.Expr]]":
    """Scan a file of signals as it is; also return what makes the text and numbers of its rows.

    Raises `InputError`, or `DataError` for another kind of file.
    """
    import polars as pl

    with open_regular(path, "Table of signals", InputError) as file:
        file_format = columnar_format(file.read(8))
    table = scanned(path, f".{file_format or 'csv'}")
    names = table.collect_schema().names()
    for name, value in partitions_of(path):
        if name == "symbol" and name not in names:
            symbol = "" if value == NO_PARTITION else value
            table = table.with_columns(pl.lit(symbol).alias("symbol"))
            names.append("symbol")
    missing = [name for name in HEADER if name not in names]
    if missing:
        problem = f"not a table of signals: no column {' or '.join(missing)}"
        raise DataError(f"{shown_path(path)}: {problem}")
    table = table.select(HEADER)
    return table, _columns(table.collect_schema(), is_escaped=file_format is None)


def _columns(schema: "pl.Schema", *, is_escaped: bool) -> "list[pl.Expr]":
    """Return the columns in one format; escaped symbols may begin with an added apostrophe."""
    import polars as pl

    stamp, symbol = pl.col("timestamp"), pl.col("symbol").cast(pl.String).fill_null("")
    if isinstance(schema["timestamp"], pl.Datetime):
        stamp = iso_stamps(stamp)
    if is_escaped:
        added = pl.any_horizontal(symbol.str.starts_with("'" + sign) for sign in FORMULA_STARTS)
        symbol = pl.when(added).then(symbol.str.slice(1)).otherwise(symbol)
    return [
        symbol.alias("symbol"),
        stamp.cast(pl.String).fill_null("").alias("stamp"),
        trimmed(pl.col("close")),
        pl.col("rolling_mean").cast(pl.Float64).alias("mean"),
        pl.col("signal").cast(pl.Int8).alias("signal"),
    ]
