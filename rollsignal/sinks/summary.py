"""This module builds the summary of a run, a row for every symbol, as CSV, JSON or Parquet."""

import csv
import io
import json
import os
from collections.abc import Mapping
from typing import NamedTuple

from rollsignal.config import JobConfig
from rollsignal.engines.series import Series
from rollsignal.errors import UsageError, escaped, shown_path
from rollsignal.prices import decimal_text
from rollsignal.sinks.metrics import signal_rate
from rollsignal.timestamps import iso

FORMS = (".csv", ".json", ".parquet")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class SummaryRow(NamedTuple):
    """What a run found about one symbol; None where it has no answer."""

    symbol: str
    rows: int
    signals: int
    ones: int
    signal_rate: float | None
    ties: int
    first_timestamp: str | None
    last_timestamp: str | None
    last_close: str | None
    last_rolling_mean: float | None
    last_signal: int | None


def form_of(path: str) -> str:
    """Tell a summary's form by the suffix of its path; raises `UsageError` for any other."""
    return known_form("--summary", path, FORMS)


def known_form(flag: str, path: str, forms: tuple[str, ...]) -> str:
    """Tell which of some suffixes the path of a flag has; raises `UsageError` for any other."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in forms:
        raise UsageError(f"{flag} {shown_path(path)} ends in none of {', '.join(forms)}")
    return suffix


def summary_rows(series: Mapping[str, Series], config: JobConfig) -> list[SummaryRow]:
    """Build the rows, sorted by symbol."""
    return [_row(symbol, series[symbol], config) for symbol in sorted(series)]


def _row(symbol: str, series: Series, config: JobConfig) -> SummaryRow:
    tally, last = series.tally, series.last
    has_rate = tally.signals > 0 or (config.warmup == "zero" and tally.rows > 0)
    return SummaryRow(
        symbol,
        tally.rows,
        tally.signals,
        tally.ones,
        signal_rate(config, tally) if has_rate else None,
        tally.ties,
        None if series.first_ns is None else iso(series.first_ns),
        None if series.last_ns is None else iso(series.last_ns),
        None if last is None or last.close is None else decimal_text(last.close, last.scale),
        None if last is None else last.mean,
        None if last is None else last.signal,
    )


def rendered(rows: list[SummaryRow], form: str) -> bytes:
    """Write the rows in one of `FORMS`."""
    return {".csv": _csv, ".json": _json, ".parquet": _parquet}[form](rows)


def _csv(rows: list[SummaryRow]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(SummaryRow._fields)
    for row in rows:
        writer.writerow(row._replace(symbol=harmless(row.symbol)))
    return text.getvalue().encode()


def harmless(text: str) -> str:
    """Keep a spreadsheet from running a text as a formula.

    >>> harmless("=1+1")
    "'=1+1"
    """
    # A lone CR would end the row: the csv module does not quote it.
    safe = escaped(text) if "\r" in text else text
    return "'" + safe if text.startswith(FORMULA_STARTS) else safe


def _json(rows: list[SummaryRow]) -> bytes:
    found = [row._asdict() for row in rows]
    return (json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _parquet(rows: list[SummaryRow]) -> bytes:
    import polars as pl

    texts = dict.fromkeys(("symbol", "first_timestamp", "last_timestamp", "last_close"), pl.String)
    rates = dict.fromkeys(("signal_rate", "last_rolling_mean"), pl.Float64)
    counts = {name: pl.Int64 for name in SummaryRow._fields if name not in texts | rates}
    kinds = texts | rates | counts
    schema = {name: kinds[name] for name in SummaryRow._fields}
    file = io.BytesIO()
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(file)
    return file.getvalue()
