"""This module writes a table as a hive-partitioned folder: `KEY=VALUE/signals.parquet` and so on.

All files are first written to a temporary folder; they are put in their places later. After that,
files of an earlier run that are not written again are removed, whatever the key of its partitions
was.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from glob import escape
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from rollsignal.errors import OutputError
from rollsignal.files.find import path_of_characters
from rollsignal.files.open import exists, lexists
from rollsignal.files.patterns import matching
from rollsignal.files.staged import FileContent
from rollsignal.outputs.signals.column_types import PartitionTypes
from rollsignal.outputs.signals.forms import folder_name, scanned, sink, write_frame

if TYPE_CHECKING:
    import polars as pl


PARTITION_KEYS = ("symbol", "date")


class Former(Protocol):
    """The partitions that earlier runs on a state have written."""

    @property
    def parts(self) -> Mapping[str, Any]:
        """Return the partitions by the names of their folders."""

    @property
    def files(self) -> Mapping[str, FileContent]:
        """Return what their files hold, by their paths in the folder."""

    def check(self, path: str) -> None:
        """Raise `DataError` for a file that holds something else."""

    def known_rows(self, path: str) -> "pl.Series":
        """Return a mask of the rows that are in the state; raises `DataError`."""


class Merging(NamedTuple):
    """What is kept of existing partitions: nothing, or rows that are not written again.

    former: the partitions in a state; other rows and partitions are not kept.
    """

    is_wanted: bool = False
    former: Former | None = None

    def keeps(self, partition: str) -> bool:
        """Return whether a partition that is not written again is kept."""
        return self.is_wanted and (self.former is None or partition in self.former.parts)

    def check(self, path: str) -> None:
        """Raise `DataError` for a file that is not as the state knows it."""
        if self.former:
            self.former.check(path)


NOTHING = Merging()


class PartitionedFolder(NamedTuple):
    """An output folder: the key of its partitions, and `.csv`, `.parquet` or `.arrow`."""

    path: str
    key: str
    suffix: str


def write_partitions(
    table: "pl.LazyFrame", output: PartitionedFolder, ready: str, merging: Merging = NOTHING
) -> list[str]:
    """Write the rows of each symbol, or of each day in UTC, to a file of their own, in order.

    ready: the folder of the files, which have the names of their partitions. merging: what is kept
    of the existing partitions of the output. Returns the paths in the output where the files
    belong. Raises `OSError`, or `PolarsError`, in which polars may wrap it.
    """
    import polars as pl

    folder, key, suffix = output
    name = f"signals{suffix}"
    types = PartitionTypes(table, _kept_paths(key, folder, name, merging), suffix)
    table = types.fitted(table)
    if merging.is_wanted:
        table = _merged(table, key, folder, merging, types)
    target = pl.PartitionBy(
        path_of_characters(ready, OutputError),
        file_path_provider=lambda file: folder_name(key, file.partition_keys.item()),
        key={key: _partition_value(key)},
        include_key=False,
        approximate_bytes_per_file=None,
    )
    sink(table, suffix, target)
    types.convert(ready, os.listdir(ready), merging.check)
    partitions = sorted(os.listdir(ready))
    for partition in partitions:
        _put_in_order(os.path.join(ready, partition), suffix, by_time=key == "date")
    return [f"{partition}/{name}" for partition in partitions]


def _kept_paths(key: str, folder: str, name: str, merging: Merging) -> dict[str, str]:
    """Return the paths of the partitions that are kept, by the names of their folders."""
    paths = matching(os.path.join(escape(folder), f"{key}=*", name))
    parts = {os.path.basename(os.path.dirname(path)): path for path in sorted(paths)}
    return {part: path for part, path in parts.items() if merging.keeps(part)}


def _put_in_order(path: str, suffix: str, *, by_time: bool) -> None:
    """Sort the rows of a day by time and symbol, and give Arrow IPC files their canonical form."""
    if not by_time and suffix != ".arrow":
        return
    table = scanned(path, suffix)
    rows = ordered = table.collect()
    if by_time:
        ordered = rows.sort(_time(table), "symbol", maintain_order=True)
    if suffix == ".arrow" or not ordered.equals(rows):
        # The rows in memory may be views of the file, so it is not overwritten.
        target = os.path.join(os.path.dirname(path), "ordered")
        write_frame(ordered, suffix, target)
        os.replace(target, path)


def _time(table: "pl.LazyFrame") -> "pl.Expr":
    """Return the sort key for time: as plain text, 00:00:00Z would come after 00:00:00.5Z."""
    import polars as pl

    time = pl.col("timestamp")
    is_text = table.collect_schema()["timestamp"] == pl.String
    return time.str.strip_suffix("Z") if is_text else time


def _partition_value(key: str) -> "pl.Expr":
    """Return the value that chooses the partition of a row: its symbol or its day."""
    import polars as pl

    if key == "symbol":
        return pl.col("symbol")
    return pl.col("timestamp").cast(pl.String).str.extract(r"^([0-9]{4}-[0-9]{2}-[0-9]{2})")


def _merged(
    table: "pl.LazyFrame", key: str, folder: str, merging: Merging, types: PartitionTypes
) -> "pl.LazyFrame":
    """Add the kept rows of existing partitions to those to be written, sorted by time."""
    import polars as pl

    former, columns = [], table.collect_schema().names()
    for value in table.select(_partition_value(key).unique()).collect().to_series():
        path = os.path.join(folder, folder_name(key, value), f"signals{types.suffix}")
        if exists(path):
            merging.check(path)
            symbol = {"symbol": pl.lit(value, pl.String)} if key == "symbol" else {}
            rows = scanned(path, types.suffix).with_columns(**symbol)
            if merging.former:
                rows = rows.collect().filter(merging.former.known_rows(path)).lazy()
            former.append(types.fitted(rows).select(columns))
    if not former:
        return table
    kept = _kept(pl.concat(former), table)
    # If all existing rows are written again, they keep the order of this run.
    if kept.is_empty():
        return table
    return pl.concat([kept.lazy(), table]).sort(_time(table), maintain_order=True)


def _kept(former: "pl.LazyFrame", table: "pl.LazyFrame") -> "pl.DataFrame":
    """Return the former rows that are not written again, in their order."""
    keys = ["timestamp", "symbol"]
    rows = table.select(keys)
    return former.join(rows, keys, "anti", nulls_equal=True, maintain_order="left").collect()


def stale_files(folder: str, name: str, keeps: Callable[[str], bool]) -> list[str]:
    """List the files of a name in partitions that are not to be kept, whatever their key is."""
    paths = (os.path.join(partition, name) for partition in _partitions(folder, keeps))
    return list(filter(lexists, paths))


def remove_stale(folder: str, name: str, keeps: Callable[[str], bool]) -> None:
    """Remove those files, and the partitions that are empty then; raises `OSError`."""
    for partition in _partitions(folder, keeps):
        if os.path.islink(partition):
            # What it leads to was never written here.
            os.unlink(partition)
            continue
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(partition, name))
        # A folder with other files stays.
        with suppress(OSError):
            os.rmdir(partition)


def _partitions(folder: str, keeps: Callable[[str], bool]) -> list[str]:
    """List the folders of partitions that are not to be kept."""
    patterns = (os.path.join(escape(folder), f"{key}=*") for key in PARTITION_KEYS)
    paths = sorted(path for pattern in patterns for path in matching(pattern))
    return [path for path in paths if not keeps(os.path.basename(path))]


def remove_stale_objects(folder: str, name: str, keeps: Callable[[str], bool]) -> None:
    """Remove the objects of a name in partitions that are not to be kept, whatever their key is.

    Raises `OutputError` or `DiskError`.
    """
    from rollsignal.files.uploads import objects_below, remove_objects

    remove_objects(
        url
        for url in objects_below(folder)
        if (partition := partition_of_object(url, folder, name)) and not keeps(partition)
    )


def partition_of_object(url: str, folder: str, name: str) -> str:
    """Return the partition of an object of this name in a folder, "" for another object."""
    partition, _, file = url.removeprefix(f"{folder.rstrip('/')}/").partition("/")
    is_partition = partition.partition("=")[0] in PARTITION_KEYS and "=" in partition
    return partition if is_partition and file == name else ""
