"""This module writes a table as a hive-partitioned folder: `KEY=VALUE/signals.parquet` and so on.

The files are written beside their places, which they then take one by one, each as a whole; those
of an earlier run that are not written again are removed, whatever it was partitioned by.
"""

import glob
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from rollsignal.files import replace as files
from rollsignal.outputs.signals.forms import folder_name, scanned, sink, trimmed

if TYPE_CHECKING:
    import polars as pl


PARTITION_KEYS = ("symbol", "date")


class Former(Protocol):
    """The partitions that an earlier run on a state has left."""

    @property
    def parts(self) -> Mapping[str, Any]:
        """Return them by the names of their folders."""

    def known(self, path: str) -> "pl.Series":
        """Return which rows of a partition the state knows; raises `DataError`."""


class Merging(NamedTuple):
    """What of the partitions that are there stays: nothing, or what is not written again.

    former: the partitions that a state knows; other rows and partitions do not stay.
    """

    is_wanted: bool = False
    former: Former | None = None

    def keeps(self, partition: str) -> bool:
        """Tell whether a partition that is not written again stays."""
        return self.is_wanted and (self.former is None or partition in self.former.parts)


NOTHING = Merging()


def write_partitions(
    table: "pl.LazyFrame", key: str, folder: str, form: str, merging: Merging = NOTHING
) -> None:
    """Write the rows of each symbol, or of each day in UTC, to a file of their own, in order.

    form: `.csv`, `.parquet` or `.arrow`. merging: what of that which is there stays. Raises
    `OSError`, or `PolarsError` for one in disguise.
    """
    import polars as pl

    if merging.is_wanted:
        table = _merged(table, key, folder, f"signals{form}", merging)
    unfinished = files.unfinished_folder(folder)
    target = pl.PartitionBy(
        unfinished,
        file_path_provider=lambda file: folder_name(key, file.partition_keys.item()),
        key={key: _value(key)},
        include_key=False,
        approximate_bytes_per_file=None,
    )
    try:
        os.mkdir(unfinished)
        sink(table, form, target)
        if key == "date":
            for partition in os.scandir(unfinished):
                _order(partition.path, form)
        _move(unfinished, folder, f"signals{form}", merging)
    finally:
        files.remove_folder_quietly(unfinished)


def _order(path: str, form: str) -> None:
    """Sort the rows of a day by time and symbol, in whatever order their files were read."""
    table = scanned(path, form)
    rows = table.collect()
    ordered = rows.sort(_time(table), "symbol", maintain_order=True)
    if not ordered.equals(rows):
        # What was read may still be there only in the file.
        sink(ordered.lazy(), form, f"{path}.ordered")
        os.replace(f"{path}.ordered", path)


def _time(table: "pl.LazyFrame") -> "pl.Expr":
    """Return what sorts rows by time: as text, 00:00:00Z comes after 00:00:00.5Z."""
    import polars as pl

    time = pl.col("timestamp")
    is_text = table.collect_schema()["timestamp"] == pl.String
    return time.str.strip_suffix("Z") if is_text else time


def _value(key: str) -> "pl.Expr":
    """Return what parts the rows: the symbol, or the day."""
    import polars as pl

    if key == "symbol":
        return pl.col("symbol")
    return pl.col("timestamp").cast(pl.String).str.extract(r"^([0-9]{4}-[0-9]{2}-[0-9]{2})")


def _merged(
    table: "pl.LazyFrame", key: str, folder: str, name: str, merging: Merging
) -> "pl.LazyFrame":
    """Add the rows that are there to those of their partitions, all in the order of time."""
    import polars as pl

    former = []
    for value in table.select(_value(key).unique()).collect().to_series():
        path = os.path.join(folder, folder_name(key, value), name)
        if os.path.exists(path):
            own = {"symbol": pl.lit(value, pl.String)} if key == "symbol" else {}
            there = scanned(path, os.path.splitext(name)[1]).with_columns(**own)
            if merging.former:
                there = there.collect().filter(merging.former.known(path)).lazy()
            former.append(there)
    if not former:
        return table
    kinds = [part.collect_schema()["close"] for part in [table, *former]]
    scales = [kind.scale for kind in kinds if isinstance(kind, pl.Decimal)]
    # A close may have more decimals before or after.
    kind = pl.Decimal(38, max(scales)) if len(scales) == len(kinds) else pl.String()
    close = trimmed(pl.col("close")) if kind == pl.String else pl.col("close").cast(kind)
    wide = table.with_columns(close)
    schema = wide.collect_schema()
    others = [pl.col(column).cast(schema[column]) for column in schema if column != "close"]
    alike = [part.select(*others, close).select(schema.names()) for part in former]
    kept = _kept(pl.concat(alike), wide)
    # What a run that did not end has put there is written again in the same order.
    if kept.is_empty():
        return table
    return pl.concat([kept.lazy(), wide]).sort(_time(wide), maintain_order=True)


def _kept(former: "pl.LazyFrame", table: "pl.LazyFrame") -> "pl.DataFrame":
    """Return the rows that are not written again, in their order."""
    place = ["timestamp", "symbol"]
    again = table.select(place)
    return former.join(again, place, "anti", nulls_equal=True, maintain_order="left").collect()


def _move(unfinished: str, folder: str, name: str, merging: Merging) -> None:
    """Put every new file in its place, then remove what is left of an earlier run."""
    places = (os.path.join(glob.escape(folder), f"{key}=*", name) for key in PARTITION_KEYS)
    former = {file for place in places for file in glob.glob(place)}
    for partition in sorted(os.listdir(unfinished)):
        place = os.path.join(folder, partition, name)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        files.commit(os.path.join(unfinished, partition), place)
        former.discard(place)
    files.sync_folder(folder)
    for file in former:
        partition = os.path.dirname(file)
        if merging.keeps(os.path.basename(partition)):
            continue
        os.unlink(file)
        # Where something else is in it, the folder stays.
        with suppress(OSError):
            os.rmdir(partition)
