"""This module names the formats of signals, and scans and writes tables in them."""

import os
from typing import TYPE_CHECKING

from rollsignal.errors import OutputError
from rollsignal.messages import shown

if TYPE_CHECKING:
    import polars as pl


from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


from rollsignal.errors import UsageError
from rollsignal.messages import escaped, shown_path

# Of row groups and record batches.
GROUP_ROWS = 1 << 17
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
MAX_NAME_BYTES = 255


def sink(table: "pl.LazyFrame", form: str, target: "str | pl.PartitionBy") -> None:
    """Write a table of signals, the same bytes for the same rows wherever they come from."""
    if form == ".csv":
        table.sink_csv(target)
    elif form == ".parquet":
        table.sink_parquet(target, row_group_size=GROUP_ROWS)
    else:
        table.sink_ipc(target, record_batch_size=GROUP_ROWS)


def trimmed(close: "pl.Expr") -> "pl.Expr":
    """Write closes as text, without zeros at the end of decimals."""
    import polars as pl

    text = close.cast(pl.String)
    short = text.str.strip_chars_end("0").str.strip_chars_end(".")
    return pl.when(text.str.contains(".", literal=True)).then(short).otherwise(text).alias("close")


def scanned(path: str, form: str) -> "pl.LazyFrame":
    """Scan a file of signals in a form, its columns alone."""
    import polars as pl

    if form == ".csv":
        return pl.scan_csv(path, infer_schema=False, glob=False)
    scan = pl.scan_parquet if form == ".parquet" else pl.scan_ipc
    return scan(path, glob=False, hive_partitioning=False)


def folder_name(key: str, value: str | None) -> str:
    """Name the folder of a partition; raises `OutputError` where no folder can have the name."""
    from urllib.parse import quote

    name = f"{key}={quote(value, safe=' ') if value else NO_VALUE}"
    if len(name) > MAX_NAME_BYTES:
        what = f"the {key} {shown(str(value))} is too long for the name of a folder"
        raise OutputError(f"Output cannot be created: {what}", "write one file: no --partition-by")
    return name


SIGNAL_SUFFIXES = (".csv", ".parquet", ".arrow")


def signals_suffix(path: str, partition_by: str | None = None) -> str:
    """Tell the form by the suffix of a path; raises `UsageError` for any other.

    A folder of partitions may be named without a suffix, and is Parquet then.
    """
    suffix = os.path.splitext(path)[1].lower()
    if partition_by and suffix not in SIGNAL_SUFFIXES:
        return ".parquet"
    return known_suffix("--signals", path, SIGNAL_SUFFIXES)


HEADER = ("timestamp", "symbol", "close", "rolling_mean", "signal")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def known_suffix(flag: str, path: str, forms: tuple[str, ...]) -> str:
    """Tell which of some suffixes the path of a flag has; raises `UsageError` for any other."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in forms:
        raise UsageError(f"{flag} {shown_path(path)} ends in none of {', '.join(forms)}")
    return suffix


def escape_formula(text: str) -> str:
    """Keep a spreadsheet from running a text as a formula.

    >>> escape_formula("=1+1")
    "'=1+1"
    """
    # A lone CR would end the row: the csv module does not quote it.
    safe = escaped(text) if "\r" in text else text
    return "'" + safe if text.startswith(FORMULA_STARTS) else safe
