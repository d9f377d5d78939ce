"""This module finds what a run reads: files, folders, patterns, URLs and pipes."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn

from rollsignal.errors import InputError, JobError, UsageError
from rollsignal.files.fingerprints import INPUT, stat_of
from rollsignal.files.formats import (
    CHECKSUM_SUFFIXES,
    COLUMNAR_SUFFIXES,
    DELTA_LOG,
    OPEN_IN_EXCEL,
    SUFFIXES,
    numbered,
)
from rollsignal.files.open import STDIN, identity, is_file, is_folder, lexists
from rollsignal.messages import is_url, shown_path

if TYPE_CHECKING:
    from rollsignal.files.table_logs import InTable

NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"
TABLE_PREFIX = "table:"
_LEFT_OUT = (".", "_", OPEN_IN_EXCEL)

InputKind = Literal["file", "stdin", "url", "table", "other"]
"""What an input is; a table is one of a catalog, which only a cluster can read."""


class Input(NamedTuple):
    """A file to be read, with the facts that were looked up when it was found.

    path: as it was given or found; a URL, `-` for standard input, or `table:NAME`. name: what
    messages call it. size: in bytes, None unless it is a regular file on this machine.
    partitions: the columns that its folders stand for, with their values. table: the version of a
    Delta table that it is of.
    """

    path: str
    name: str
    kind: InputKind
    size: int | None
    partitions: tuple[tuple[str, str], ...]
    table: "InTable | None" = None


def input_of(path: str) -> Input:
    """Look up the facts of a path; a missing or unreadable file is noticed when it is opened."""
    size: int | None = None
    kind: InputKind = "other"
    if path == STDIN:
        kind = "stdin"
    elif path.startswith(TABLE_PREFIX):
        return Input(path, shown_path(path.removeprefix(TABLE_PREFIX)), "table", None, ())
    elif is_url(path):
        kind = "url"
    elif facts := stat_of(path):
        kind, size = "file", facts[0]
    return Input(path, shown_path(path), kind, size, tuple(partitions_of(path)))


def find_inputs(given: Sequence[str], left_out: Sequence[str] = ()) -> list[Input]:
    """Find the files to read, as `find_paths` does, with the facts of each."""
    return inputs_of(find_paths(given, left_out))


def inputs_of(paths: Sequence[str]) -> list[Input]:
    """Look up the facts of all paths.

    Raises `DataError` for files of a table with a log, unless they are the newest version of a
    Delta table.
    """
    files = [input_of(path) for path in paths]
    if any(path.lower().endswith(COLUMNAR_SUFFIXES) for path in paths):
        from rollsignal.files.table_logs import tables_of

        tables = tables_of(paths)
        files = [_in_table(file, tables.get(file.path)) for file in files]
    return files


def _in_table(file: Input, table: "InTable | None") -> Input:
    """Note of which table a file is; raises `DataError` if its folders do not tell its partition.

    Only the log says the partition, but it is the folders that are read.
    """
    if table is None:
        return file
    written = {
        name: NO_PARTITION if value is None else str(value) for name, value in table.partition
    }
    if dict(partitions_of(os.path.relpath(file.path, table.root))) != written:
        from rollsignal.files.delta import cannot_read

        raise cannot_read(table.root, f"a file whose folders are not its partition: {file.name}")
    return file._replace(table=table)


def versions_of(files: Sequence[Input]) -> dict[str, str]:
    """Return the version of its table for each file of one, by path."""
    return {file.path: str(file.table.version) for file in files if file.table}


def find_paths(
    given: Sequence[str],
    left_out: Sequence[str] = (),
    *,
    ask_stores: bool = True,
    versions: Mapping[str, str | None] | None = None,
) -> list[str]:
    """Turn paths, folders and patterns into the paths of files, sorted by name within each.

    Numbers in names are compared as numbers.

    A folder stands for all files in it and below, without hidden files, files whose names begin
    with "_" or "~$", and the files in `left_out` (the run's own outputs and config), unless these
    are named like tables, which may be data. Raises `InputError` if there are no files,
    `UsageError` for a file named twice. Checksums of files that are found are left out. Without
    `ask_stores`, folders and patterns in object stores stay as they are. The folder of a Delta
    table stands for the files of its newest version, or of that which the files in `versions` are
    of.
    """
    ours = {identity(path) for path in left_out}
    paths: list[str] = []
    for path in given:
        if not is_url(path):
            paths += _local_paths(path, ours, versions or {})
        elif ask_stores:
            from rollsignal.files.remote import find_remote

            paths += find_remote(path, left_out)
        else:
            paths.append(path)
    paths = _without_checksums(paths)
    seen: set[object] = set()
    for path in paths:
        file = _surely(path)
        if file in seen:
            raise UsageError(f"{shown_path(path)} is read twice; name it once")
        seen.add(file)
    if STDIN in paths and len(paths) > 1:
        raise UsageError("standard input (-) cannot be read together with other inputs")
    return paths


def _surely(path: str) -> object:
    """Return what is equal for two paths to the same file.

    Raises `InputError` if the system does not say what is there.
    """
    try:
        return identity(path, sure=True)
    except OSError as problem:
        where = f"path: {shown_path(path)}"
        raise InputError(f"{INPUT} cannot be opened: {problem.strerror}", where) from problem


def _local_paths(path: str, ours: set[object], versions: Mapping[str, str | None]) -> list[str]:
    try:
        return _paths_at(path, ours, versions)
    except OSError as problem:
        if _has_magic(path) or problem.filename != path:
            _cannot_list(problem)
        where = f"path: {shown_path(path)}"
        raise InputError(f"{INPUT} cannot be opened: {problem.strerror}", where) from problem


def _paths_at(path: str, ours: set[object], versions: Mapping[str, str | None]) -> list[str]:
    problem = InputError("Input folder has no files", f"path: {shown_path(path)}")
    if path != STDIN and is_folder(path):
        files = _of_folder(path, ours, versions)
    elif _is_pattern(path):
        files = _matching(path)
        problem = InputError("Input data file not found", f"pattern: {shown_path(path)}")
    else:
        return [path]
    files = [file for file in files if is_table(file) or identity(file, sure=True) not in ours]
    if not files:
        raise problem
    return files


def _of_folder(folder: str, ours: set[object], versions: Mapping[str, str | None]) -> list[str]:
    """List the files of a folder, or of the table that it is."""
    if not is_folder(os.path.join(folder, DELTA_LOG)):
        return _in_folder(folder, ours)
    from rollsignal.files.table_logs import files_of_table

    return files_of_table(folder, versions)


def _without_checksums(paths: list[str]) -> list[str]:
    """Leave out the checksum of each file that is itself there: `bars.zip.CHECKSUM`."""
    present = set(paths)
    return [
        path
        for path in paths
        if not (path.lower().endswith(CHECKSUM_SUFFIXES) and path.rpartition(".")[0] in present)
    ]


def _is_pattern(path: str) -> bool:
    """Return whether a path is a pattern, and not the name of something that is there."""
    return _has_magic(path) and not lexists(path)


def _has_magic(path: str) -> bool:
    return any(sign in path for sign in "*?[")


def _matching(pattern: str) -> list[str]:
    """List the files that match a pattern, by name."""
    from rollsignal.files.patterns import matching

    try:
        found = set(matching(pattern))
    except ValueError:
        # No folder can have such a name.
        return []
    # A pattern with several "**" matches a file more than once.
    paths = {path for path in found if is_file(path)}
    beside = {path for path in paths if os.path.basename(path).startswith(OPEN_IN_EXCEL)}
    return sorted(paths - beside, key=numbered)


def is_table(path: str) -> bool:
    """Return whether a file is named like a table, which may be data."""
    return os.path.splitext(path)[1].lower() in SUFFIXES


def _in_folder(folder: str, ours: set[object]) -> list[str]:
    paths = []
    seen = set(ours)
    for inner, folders, names in os.walk(folder, followlinks=True, onerror=_cannot_list):
        this_folder = identity(inner, sure=True)
        if this_folder in seen:
            folders.clear()
            continue
        seen.add(this_folder)
        folders[:] = sorted((name for name in folders if name[0] not in "._"), key=numbered)
        names.sort(key=numbered)
        paths += [os.path.join(inner, name) for name in names if not name.startswith(_LEFT_OUT)]
    return paths


def _cannot_list(problem: OSError) -> NoReturn:
    """Raise `InputError` for a folder that cannot be listed."""
    where = f"path: {shown_path(str(problem.filename))}"
    raise InputError(f"Input folder cannot be read: {problem.strerror}", where) from problem


def partitions_of(path: str) -> list[tuple[str, str]]:
    """List the columns that a file's folders stand for, with their values.

    >>> partitions_of("bars/symbol=BRK%2FB/date=2024-01-31/part-0.parquet")
    [('symbol', 'BRK/B'), ('date', '2024-01-31')]
    """
    folders = [folder.partition("=") for folder in path.split("/")[:-1]]
    return [(_unquoted(name), _unquoted(value)) for name, equals, value in folders if equals]


def _unquoted(text: str) -> str:
    if "%" in text:
        # Imported here because it is rarely needed, and costs every run time.
        from urllib.parse import unquote

        text = unquote(text, errors="backslashreplace")
    return utf8_text(text)


def utf8_text(text: str) -> str:
    """Write bytes of a path that are not UTF-8 as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def path_of_characters(path: str, kind: type[JobError]) -> str:
    """Return a path that polars can open; raises this error for one that holds other bytes."""
    if utf8_text(path) == path:
        return path
    what = f"{shown_path(path)}: polars opens no path with bytes that are not UTF-8"
    hint = "rename the file or its folder; in a locale without UTF-8, set LC_ALL=C.UTF-8"
    raise kind(what, hint)
