"""This module writes a table as a hive-partitioned folder: `KEY=VALUE/signals.parquet` and so on.

The files are written beside their places, which they then take one by one, each as a whole; those
of an earlier run that are not written again are removed.
"""

import glob
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rollsignal import files

if TYPE_CHECKING:
    import polars as pl

KEYS = ("symbol", "date")
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def write_partitions(
    table: "pl.LazyFrame", key: str, folder: str, form: str, *, merge: bool = False
) -> None:
    """Write the rows of each symbol, or of each day in UTC, to a file of their own, in order.

    form: `.csv`, `.parquet` or `.arrow`. merge: what is there stays, but for rows of the symbols
    and times that are written. Raises `OSError`.
    """
    name = f"signals{form}"
    begun = files.begin(os.path.join(folder, name))
    unfinished = f"{begun}.d"
    try:
        _sink(_merged(table, key, folder, name) if merge else table, key, unfinished, name)
        _move(unfinished, folder, key, name, keep=merge)
    finally:
        files.drop_folder(unfinished)
        files.drop(begun)


def _sink(table: "pl.LazyFrame", key: str, folder: str, name: str) -> None:
    import polars as pl

    def path(partition: Any) -> str:
        return f"{_partition(key, partition.partition_keys.item())}/{name}"

    target = pl.PartitionBy(
        folder,
        file_path_provider=path,
        key={key: _value(key)},
        include_key=False,
        approximate_bytes_per_file=None,
    )
    if name.endswith(".csv"):
        table.sink_csv(target, mkdir=True)
    elif name.endswith(".parquet"):
        table.sink_parquet(target, mkdir=True)
    else:
        table.sink_ipc(target, mkdir=True)


def _value(key: str) -> "pl.Expr":
    """Return what parts the rows: the symbol, or the day."""
    import polars as pl

    return pl.col("symbol") if key == "symbol" else pl.col("timestamp").cast(pl.String).str.head(10)


def _partition(key: str, value: str | None) -> str:
    return f"{key}={quote(value or NO_VALUE, safe=' ')}"


def _merged(table: "pl.LazyFrame", key: str, folder: str, name: str) -> "pl.LazyFrame":
    """Add the rows that are there to those of their partitions, all in the order of time."""
    import polars as pl

    former = []
    for value in table.select(_value(key).unique()).collect().to_series():
        path = os.path.join(folder, _partition(key, value), name)
        if os.path.exists(path):
            own = {"symbol": pl.lit(value, pl.String)} if key == "symbol" else {}
            former.append(_scan(path).with_columns(**own))
    if not former:
        return table
    kinds = [part.collect_schema()["close"] for part in [table, *former]]
    scales = [kind.scale for kind in kinds if isinstance(kind, pl.Decimal)]
    # A close may have more decimals before or after.
    kind = pl.Decimal(38, max(scales)) if len(scales) == len(kinds) else pl.String()
    table = table.with_columns(pl.col("close").cast(kind))
    schema = table.collect_schema()
    place = ["timestamp", "symbol"]
    casts = [pl.col(column).cast(schema[column]) for column in schema]
    rows = pl.concat([part.select(casts) for part in former])
    rows = rows.join(table.select(place), on=place, how="anti", nulls_equal=True)
    return pl.concat([rows, table]).sort("timestamp", maintain_order=True)


def _scan(path: str) -> "pl.LazyFrame":
    import polars as pl

    if path.endswith(".csv"):
        return pl.scan_csv(path, infer_schema=False, glob=False)
    scan = pl.scan_parquet if path.endswith(".parquet") else pl.scan_ipc
    return scan(path, glob=False, hive_partitioning=False)


def _move(unfinished: str, folder: str, key: str, name: str, *, keep: bool) -> None:
    """Put every new file in its place, then remove what is left of an earlier run."""
    former = set(glob.glob(os.path.join(glob.escape(folder), f"{key}=*", name)))
    for partition in sorted(os.listdir(unfinished)) if os.path.isdir(unfinished) else ():
        place = os.path.join(folder, partition, name)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        files.settle(os.path.join(unfinished, partition, name), place)
        former.discard(place)
    for place in () if keep else former:
        os.unlink(place)
        os.rmdir(os.path.dirname(place))
