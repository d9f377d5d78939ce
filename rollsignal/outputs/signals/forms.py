"""This module names the formats of signals, and scans and writes tables in them."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rollsignal.errors import InputError, OutputError, UsageError, scarcity
from rollsignal.files.find import TABLE_PREFIX, path_of_characters
from rollsignal.messages import escaped, shown, shown_path

if TYPE_CHECKING:
    import polars as pl


# The size of row groups and record batches.
GROUP_ROWS = 1 << 17
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
MAX_NAME_BYTES = 255
# Arrow IPC files that only this run reads: they need not be the same whatever wrote them.
UNFINISHED_SUFFIX = ".unfinished"


def sink(table: "pl.LazyFrame", suffix: str, target: "str | pl.PartitionBy") -> None:
    """Write a table of signals in the format of a suffix."""
    import polars as pl

    if isinstance(target, str):
        target = path_of_characters(target, OutputError)
    if suffix == ".csv":
        table.sink_csv(target)
    elif suffix == ".parquet":
        table.sink_parquet(target, row_group_size=GROUP_ROWS)
    elif suffix == ".arrow":
        # The newest layout of text has many forms for the same values, and few programs read it.
        oldest = pl.CompatLevel.oldest()
        table.sink_ipc(target, record_batch_size=GROUP_ROWS, compat_level=oldest)
    else:
        table.sink_ipc(target, record_batch_size=GROUP_ROWS)


def write_frame(rows: "pl.DataFrame", suffix: str, path: str) -> None:
    """Write rows in the format of a suffix; equal rows give equal bytes."""
    import polars as pl

    groups = canonical_groups([rows]) if suffix == ".arrow" else [rows]
    sink(pl.concat(groups, rechunk=False).lazy(), suffix, path)


def canonical_groups(frames: "Iterable[pl.DataFrame]") -> "Iterator[pl.DataFrame]":
    """Yield rows in groups of `GROUP_ROWS`, each as equal rows always are in memory."""
    import polars as pl

    waiting: list[pl.DataFrame] = []
    rows = 0
    for frame in frames:
        waiting.append(frame)
        rows += frame.height
        if rows >= GROUP_ROWS:
            joined = pl.concat(waiting, rechunk=True)
            rows %= GROUP_ROWS
            whole = joined.height - rows
            waiting = [joined.slice(whole)]
            yield from map(_canonical, joined.head(whole).iter_slices(GROUP_ROWS))
    if rows:
        yield _canonical(pl.concat(waiting))


def _canonical(rows: "pl.DataFrame") -> "pl.DataFrame":
    """Return rows of one chunk with nothing but zeros in memory where a value is missing.

    Arrow IPC files are copies of memory, so equal rows would else differ there.
    """
    import polars as pl

    columns = [
        pl.when(pl.col(name).is_not_null()).then(pl.col(name).fill_null(_zero(kind))).alias(name)
        for name, kind in rows.schema.items()
    ]
    # The bits after the last row, up to a whole byte, are those of missing values.
    padding = pl.DataFrame(schema=rows.schema).clear(8)
    return pl.concat([rows.select(columns), padding], rechunk=True).head(rows.height)


def _zero(kind: "pl.DataType") -> "pl.Expr":
    import polars as pl

    return pl.lit("") if kind == pl.String else pl.lit(0, pl.Int64).cast(kind)


@contextmanager
def library_errors() -> Iterator[None]:
    """Turn errors of polars into `OSError`: it reports a full disk as it reports a bad file."""
    from polars.exceptions import PolarsError

    try:
        yield
    except PolarsError as error:
        raise scarcity(error) or OSError(str(error)) from error


def trimmed(close: "pl.Expr") -> "pl.Expr":
    """Return closes as text, without zeros at the end of decimals."""
    import polars as pl

    text = close.cast(pl.String)
    short = text.str.strip_chars_end("0").str.strip_chars_end(".")
    return pl.when(text.str.contains(".", literal=True)).then(short).otherwise(text).alias("close")


def iso_stamps(stamp: "pl.Expr") -> "pl.Expr":
    """Return timestamps as ISO 8601 text, with only the decimals that each needs."""
    whole = stamp.dt.strftime("%Y-%m-%dT%H:%M:%S.%9f").str.strip_chars_end("0")
    return whole.str.strip_chars_end(".") + "Z"


def scanned(path: str, suffix: str) -> "pl.LazyFrame":
    """Scan a file of signals in the format of a suffix, without columns from its folder."""
    import polars as pl

    path = path_of_characters(path, InputError)
    if suffix == ".csv":
        return pl.scan_csv(path, infer_schema=False, glob=False)
    scan = pl.scan_parquet if suffix == ".parquet" else pl.scan_ipc
    return scan(path, glob=False, hive_partitioning=False)


def folder_name(key: str, value: str | None) -> str:
    """Return the name of the folder of a partition; raises `OutputError` if it is too long."""
    from urllib.parse import quote

    name = f"{key}={quote(value, safe=' ') if value else NO_VALUE}"
    if len(name) > MAX_NAME_BYTES:
        problem = f"the {key} {shown(str(value))} is too long for the name of a folder"
        hint = "leave out --partition-by to write one file"
        raise OutputError(f"Output cannot be created: {problem}", hint)
    return name


SIGNAL_SUFFIXES = (".csv", ".parquet", ".arrow")


def signals_suffix(path: str, partition_by: str | None = None) -> str:
    """Return the suffix of a path of signals; raises `UsageError` for an unknown one.

    A folder of partitions may have a name without a suffix: its files are Parquet.
    """
    if path.startswith(TABLE_PREFIX):
        hint = "write one Parquet file, of which Spark makes a table; a file of this name is ./"
        raise UsageError(f"--signals {shown_path(path)} is a table, not a file", hint + path)
    suffix = os.path.splitext(path)[1].lower()
    if partition_by and suffix not in SIGNAL_SUFFIXES:
        return ".parquet"
    return known_suffix("--signals", path, SIGNAL_SUFFIXES)


HEADER = ("timestamp", "symbol", "close", "rolling_mean", "signal")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def known_suffix(flag: str, path: str, suffixes: tuple[str, ...]) -> str:
    """Return which of the suffixes the path of a flag has; raises `UsageError` for any other."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in suffixes:
        raise UsageError(f"{flag} {shown_path(path)} must end in one of {', '.join(suffixes)}")
    return suffix


def escape_formula(text: str) -> str:
    """Return a text that a spreadsheet does not run as a formula.

    >>> escape_formula("=1+1")
    "'=1+1"
    """
    # A lone CR would end the row: the csv module does not quote it.
    safe = escaped(text) if "\r" in text else text
    return "'" + safe if text.startswith(FORMULA_STARTS) else safe
