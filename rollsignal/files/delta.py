"""This module reads the log of a Delta table: which files one of its versions has."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.errors import DataError, JobError
from rollsignal.messages import escaped, shown_path

if TYPE_CHECKING:
    from deltalake import DeltaTable

# With these, the files of a version hold its rows as they are, unless some are marked as deleted.
_PLAIN_FEATURES = {"deletionVectors", "timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"}
_MAPPING = "delta.columnMapping.mode"


class Snapshot(NamedTuple):
    """A version of a table: its number, and its files by path, each with its partition."""

    version: int
    files: dict[str, dict[str, object]]


def snapshot_of(folder: str, version: int | None = None) -> Snapshot | None:
    """Look up a version of a table, the newest if None; return None where deltalake is missing.

    Raises `DataError` for a table whose files do not hold its rows as they are.
    """
    from pathlib import Path

    try:
        from deltalake import DeltaTable
    except ImportError:
        return None
    if "%" in os.path.abspath(folder):
        # The library would look for the log of a%20b in the folder "a b".
        raise DataError(f"{shown_path(folder)}: a Delta table below a name with %; rename it")
    try:
        # A path with ? or # would be cut there.
        table = DeltaTable(Path(os.path.abspath(folder)).as_uri(), version=version)
        _check_features(table, folder)
        files = {_path_of(folder, path): partition for path, partition in _actions(table)}
        return Snapshot(table.version(), files)
    except JobError:
        raise
    except Exception as problem:
        # The library has no common class for what may be wrong with a log.
        reason = escaped(str(problem).partition("\n")[0])
        raise DataError(
            f"{shown_path(folder)}: its Delta log cannot be read: {reason}"
        ) from problem


def _check_features(table: "DeltaTable", folder: str) -> None:
    if table.metadata().configuration.get(_MAPPING, "none") != "none":
        raise cannot_read(folder, "column mapping: columns have other names in its files")
    features = set(table.protocol().reader_features or [])
    if other := features - _PLAIN_FEATURES - {"columnMapping"}:
        raise cannot_read(folder, f"the feature {', '.join(sorted(other))}")
    if "deletionVectors" in features and _has_deleted_rows(table):
        raise cannot_read(folder, "deletion vectors: rows in its files that no longer count")


def _has_deleted_rows(table: "DeltaTable") -> bool:
    import polars as pl

    try:
        return pl.DataFrame(table.deletion_vectors()).height > 0
    except Exception:  # a vector that cannot be read is one, too
        return True


def _actions(table: "DeltaTable") -> Iterable[tuple[str, dict[str, object]]]:
    """Yield the path and the partition of each file."""
    import polars as pl

    for action in pl.DataFrame(table.get_add_actions()).iter_rows(named=True):
        yield action["path"], action.get("partition") or {}


def _path_of(folder: str, path: str) -> str:
    """Return the path of a file, which is in the table's folder; raises `DataError` if not."""
    from urllib.parse import unquote

    path = unquote(path)
    if os.path.isabs(path) or "://" in path or ".." in path.split("/"):
        raise cannot_read(folder, f"a file elsewhere: {shown_path(path)}")
    return os.path.join(folder, path)


def cannot_read(folder: str, what: str) -> DataError:
    """Return the refusal of a table whose files do not hold its rows as they are."""
    hint = "write its bars to one file with polars.scan_delta, and read that"
    return DataError(f"{shown_path(folder)}: a Delta table with {what} ({hint})")
