"""This module writes a table as a hive-partitioned folder: `KEY=VALUE/signals.parquet` and so on.

The files are written beside their places, which they then take one by one, each as a whole; those
of an earlier run that are not written again are removed, whatever it was partitioned by.
"""

import glob
import os
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from rollsignal import files
from rollsignal.errors import OutputError, shown

if TYPE_CHECKING:
    import polars as pl

KEYS = ("symbol", "date")
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
MAX_NAME_BYTES = 255


def write_partitions(table: "pl.LazyFrame", key: str, folder: str, form: str) -> None:
    """Write the rows of each symbol, or of each day in UTC, to a file of their own, in order.

    form: `.csv`, `.parquet` or `.arrow`. Raises `OSError`, or `PolarsError` for one in disguise.
    """
    import polars as pl

    day = pl.col("timestamp").cast(pl.String).str.extract(r"^([0-9]{4}-[0-9]{2}-[0-9]{2})")
    unfinished = files.unfinished_folder(folder)
    target = pl.PartitionBy(
        unfinished,
        file_path_provider=lambda file: folder_name(key, file.partition_keys.item()),
        key={key: pl.col("symbol") if key == "symbol" else day},
        include_key=False,
        approximate_bytes_per_file=None,
    )
    try:
        # As of any unfinished file: what a killed run left is ours.
        files.drop_folder(unfinished)
        os.mkdir(unfinished)
        if form == ".csv":
            table.sink_csv(target)
        elif form == ".parquet":
            table.sink_parquet(target)
        else:
            table.sink_ipc(target)
        _move(unfinished, folder, f"signals{form}")
    finally:
        files.drop_folder(unfinished)


def folder_name(key: str, value: str | None) -> str:
    """Name the folder of a partition; raises `OutputError` where no folder can have the name."""
    name = f"{key}={quote(value, safe=' ') if value else NO_VALUE}"
    if len(name) > MAX_NAME_BYTES:
        what = f"the {key} {shown(str(value))} is too long for the name of a folder"
        raise OutputError(f"Output cannot be created: {what}", "write one file: no --partition-by")
    return name


def _move(unfinished: str, folder: str, name: str) -> None:
    """Put every new file in its place, then remove what is left of an earlier run."""
    places = (os.path.join(glob.escape(folder), f"{key}=*", name) for key in KEYS)
    former = {file for place in places for file in glob.glob(place)}
    for partition in sorted(os.listdir(unfinished)):
        place = os.path.join(folder, partition, name)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        files.settle(os.path.join(unfinished, partition), place)
        former.discard(place)
    for file in former:
        os.unlink(file)
        # Where something else is in it, the folder stays.
        with suppress(OSError):
            os.rmdir(os.path.dirname(file))
