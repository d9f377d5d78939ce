"""This module refuses the files of tables that have a log of their own: Delta, Hudi and Iceberg.

Only the log says which files belong to the newest version. Others were deleted or replaced; read
one by one, they would give bars twice, or bars that are no longer there.
"""

import os
from collections.abc import Iterable
from typing import NamedTuple

from rollsignal.errors import DataError
from rollsignal.files.formats import COLUMNAR_SUFFIXES
from rollsignal.messages import is_url, shown_path


class _Kind(NamedTuple):
    """A kind of table: the folder of its log, how names in it end, and how to export the table."""

    name: str
    folder: str
    ending: str
    export: str


_LOGGED = (
    _Kind("Delta", "_delta_log", "", "polars.scan_delta"),
    _Kind("Hudi", ".hoodie", "", "Spark"),
    _Kind("Iceberg", "metadata", ".metadata.json", "polars.scan_iceberg"),
)


def refuse_logged_tables(paths: Iterable[str]) -> None:
    """Raise `DataError` if a local Parquet file is one of a table with a log."""
    seen: set[str] = set()
    for path in paths:
        if is_url(path) or not path.lower().endswith(COLUMNAR_SUFFIXES):
            continue
        folder = os.path.dirname(os.path.abspath(path))
        while folder not in seen:
            seen.add(folder)
            for kind in _LOGGED:
                if any(name.endswith(kind.ending) for name in _names_in_log(folder, kind.folder)):
                    raise _refusal(folder, kind)
            folder = os.path.dirname(folder)


def refuse_logged_keys(store: str, chosen: Iterable[str], keys: Iterable[str]) -> None:
    """Raise `DataError` if a chosen key is that of a Parquet file of a table with a log.

    keys: all that are known of the object store, among them those of the log.
    """
    kinds = dict(filter(None, map(_log_of, keys)))
    for key in chosen if kinds else ():
        folders = key.split("/")[:-1]
        for depth in range(len(folders) + 1):
            kind = kinds.get("/".join(folders[:depth]))
            if kind and key.lower().endswith(COLUMNAR_SUFFIXES):
                raise _refusal("/".join([store, *folders[:depth]]), kind)


def _log_of(key: str) -> tuple[str, _Kind] | None:
    """Return the folder of the table whose log a key belongs to, and its kind."""
    *folders, name = key.split("/")
    for kind in _LOGGED:
        if kind.folder in folders and name.endswith(kind.ending):
            return "/".join(folders[: folders.index(kind.folder)]), kind
    return None


def _names_in_log(folder: str, name: str) -> list[str]:
    try:
        return os.listdir(os.path.join(folder, name))
    except OSError:
        # There is no such folder, or it cannot be read.
        return []


def _refusal(root: str, kind: _Kind) -> DataError:
    return DataError(
        f"{shown_path(root)}: a table of {kind.name}, of which only the log says which files count"
        f" (write its bars to one file with {kind.export}, and read that)"
    )
