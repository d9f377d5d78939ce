"""This module finds files of tables that have a log of their own: Delta, Hudi and Iceberg.

Only the log says which files belong to the newest version. Others were deleted or replaced; read
one by one, they would give bars twice, or bars that are no longer there. So they are refused, but
all files of the newest version of a Delta table.
"""

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rollsignal.errors import DataError, InputError
from rollsignal.files.delta import snapshot_of
from rollsignal.files.formats import COLUMNAR_SUFFIXES, DELTA_LOG, numbered
from rollsignal.messages import is_url, shown_path


class _Kind(NamedTuple):
    """A kind of table: the folder of its log, how names in it end, and how to export the table."""

    name: str
    folder: str
    ending: str
    export: str


class InTable(NamedTuple):
    """Of which version of which Delta table a file is: the table's folder, and its partition."""

    root: str
    version: int
    partition: tuple[tuple[str, object], ...]


_DELTA = _Kind("Delta", DELTA_LOG, "", "polars.scan_delta")
_LOGGED = (
    _DELTA,
    _Kind("Hudi", ".hoodie", "", "Spark"),
    _Kind("Iceberg", "metadata", ".metadata.json", "polars.scan_iceberg"),
)


def tables_of(paths: Iterable[str]) -> dict[str, InTable]:
    """Return the Delta table of each local Parquet file that is one of its newest version.

    Raises `DataError` if only some files of that version are given, or others, and for the files of
    all other tables with a log.
    """
    roots: dict[str, str | None] = {}
    files: dict[str, dict[str, str]] = {}
    for path in paths:
        if is_url(path) or not path.lower().endswith(COLUMNAR_SUFFIXES):
            continue
        absolute = os.path.abspath(path)
        if root := _delta_root(os.path.dirname(absolute), roots):
            files.setdefault(root, {})[absolute] = path
    found: dict[str, InTable] = {}
    for root, given in files.items():
        snapshot = snapshot_of(root)
        if snapshot is None:
            raise without_deltalake(root)
        if snapshot.files.keys() != given.keys():
            raise _refusal(root, _DELTA, "name the folder of the table, to read its newest version")
        for absolute, path in given.items():
            found[path] = InTable(root, snapshot.version, (*snapshot.files[absolute].items(),))
    return found


def files_of_table(folder: str, versions: Mapping[str, str | None]) -> list[str]:
    """List the files of a Delta table by name, without others in its folder.

    versions: which version each file is of, by path; those below the folder say which version is
    meant, otherwise it is the newest. Raises `DataError`.
    """
    inside = os.path.join(folder, "")
    version = next((versions[path] for path in versions if path.startswith(inside)), None)
    snapshot = snapshot_of(folder, None if version is None else int(version))
    if snapshot is None:
        raise without_deltalake(os.path.abspath(folder))
    return sorted(snapshot.files, key=numbered)


def _delta_root(folder: str, roots: dict[str, str | None]) -> str | None:
    """Return the folder of the Delta table that a folder belongs to, None if there is none.

    roots: what is known already, by folder. Raises `DataError` for another table with a log.
    """
    if folder in roots:
        return roots[folder]
    for kind in _LOGGED:
        if any(name.endswith(kind.ending) for name in _names_in_log(folder, kind.folder)):
            if kind is not _DELTA:
                raise _refusal(folder, kind)
            roots[folder] = folder
            return folder
    above = os.path.dirname(folder)
    roots[folder] = None if above == folder else _delta_root(above, roots)
    return roots[folder]


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
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        # Folders above may well have one of this name that is closed to us, and no log.
        return []
    except OSError as problem:
        where = f"path: {shown_path(os.path.join(folder, name))}"
        raise InputError(f"Input folder cannot be read: {problem.strerror}", where) from problem


def without_deltalake(root: str) -> DataError:
    """Return the refusal of a local Delta table where the library that reads its log is missing."""
    return _refusal(root, _DELTA, "pip install deltalake, to read the newest version of its folder")


def _refusal(root: str, kind: _Kind, instead: str = "") -> DataError:
    hint = f"write its bars to one file with {kind.export}, and read that"
    return DataError(
        f"{shown_path(root)}: a table of {kind.name}, of which only the log says which files count"
        f" ({instead + '; or ' if instead else ''}{hint})"
    )
