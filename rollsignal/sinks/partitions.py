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


def write_partitions(table: "pl.LazyFrame", key: str, folder: str, form: str) -> None:
    """Write the rows of each symbol, or of each day in UTC, to a file of their own, in order.

    form: `.csv`, `.parquet` or `.arrow`. Raises `OSError`.
    """
    import polars as pl

    place = os.path.join(folder, f"signals{form}")
    name = f"signals{form}"
    unfinished = f"{files.begin(place)}.d"

    def path(partition: Any) -> str:
        value = partition.partition_keys.item() or NO_VALUE
        return f"{key}={quote(str(value), safe=' ')}/{name}"

    value = pl.col("symbol") if key == "symbol" else pl.col("timestamp").cast(pl.String)
    value = value if key == "symbol" else value.str.slice(0, 10)
    target = pl.PartitionBy(
        unfinished,
        file_path_provider=path,
        key={key: value},
        include_key=False,
        approximate_bytes_per_file=None,
    )
    try:
        if form == ".csv":
            table.sink_csv(target, mkdir=True)
        elif form == ".parquet":
            table.sink_parquet(target, mkdir=True)
        else:
            table.sink_ipc(target, mkdir=True)
        _move(unfinished, folder, key, name)
    finally:
        files.drop_folder(unfinished)
        files.drop(unfinished[:-2])


def _move(unfinished: str, folder: str, key: str, name: str) -> None:
    """Put every new file in its place, then remove what is left of an earlier run."""
    former = set(glob.glob(os.path.join(glob.escape(folder), f"{key}=*", name)))
    for partition in sorted(os.listdir(unfinished)):
        place = os.path.join(folder, partition, name)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        files.settle(os.path.join(unfinished, partition, name), place)
        former.discard(place)
    for place in former:
        os.unlink(place)
        os.rmdir(os.path.dirname(place))
