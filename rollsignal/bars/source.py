"""This module finds what a run reads: files, folders, patterns, URLs, pipes; and their formats."""

import errno
import glob
import os
import re
import sys
from collections.abc import Sequence
from typing import BinaryIO, NoReturn

from rollsignal.bars.header import BLANKS, find_column, places_of
from rollsignal.config import JobConfig
from rollsignal.errors import DataError, InputError, UsageError, is_url, shown_path
from rollsignal.formats import Format
from rollsignal.regular_files import checked, identity, open_regular

STDIN = "-"
PIPE_SECONDS = 10
_SUFFIXES = ".csv .tsv .txt .tab .ndjson .jsonl .parquet .pq .arrow .feather .ipc"
SUFFIXES = frozenset(f"{_SUFFIXES} .gz .bz2 .xz .zst .zip".split())

COLUMNAR: dict[Format, bytes] = {"parquet": b"PAR1", "arrow": b"ARROW1"}
# No header begins like an object, or like an array of objects, which is none but says so.
_JSON = re.compile(r'[ \t\n]*(?:\{[ \t\n]*(?:["}]|$)|\[[ \t\n]*(?:[{\[]|$))')
_NDJSON_NAME = re.compile(r"\.(?:ndjson|jsonl)(?:\.(?:gz|bz2|xz|zst|zip))?$", re.IGNORECASE)

RECURSIVE = "**"
NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"


def find_inputs(
    given: Sequence[str], left_out: Sequence[str] = (), *, ask_stores: bool = True
) -> list[str]:
    """Turn paths, folders and patterns into the paths of files, each in the order of its name.

    A folder stands for all files in it and below, but hidden ones, those whose names begin with
    "_", and those `left_out` (the run's own outputs and config) unless they are named like
    tables, which may be data. Raises `InputError` where there is nothing, `UsageError` for a file
    named twice. Without `ask_stores`, folders and patterns in object stores stay as they are.
    """
    ours = {identity(path) for path in left_out}
    found = []
    for path in given:
        if not is_url(path):
            found += _found(path, ours)
        elif ask_stores:
            from rollsignal.bars.remote import found_at

            found += found_at(path)
        else:
            found.append(path)
    seen: set[object] = set()
    for path in found:
        file = identity(path)
        if file in seen:
            raise UsageError(f"{shown_path(path)} is read twice; name it once")
        seen.add(file)
    if STDIN in found and len(found) > 1:
        raise UsageError("standard input (-) is read alone, without other inputs")
    return found


def _found(path: str, ours: set[object]) -> list[str]:
    if path != STDIN and os.path.isdir(path):
        files, problem = (
            _in_folder(path, ours),
            InputError("Input folder has no files", f"path: {shown_path(path)}"),
        )
    elif not os.path.lexists(path) and glob.has_magic(path):
        files = _matching(path)
        problem = InputError("Input data file not found", f"pattern: {shown_path(path)}")
    else:
        return [path]
    files = [file for file in files if _is_table(file) or identity(file) not in ours]
    if not files:
        raise problem
    return files


def _matching(pattern: str) -> list[str]:
    """List the files that match a pattern, by name."""
    try:
        _check_folders(pattern)
        matching = glob.glob(pattern, recursive=True)
    except ValueError:
        # No folder can have such a name.
        return []
    # A pattern with several "**" matches a file more than once.
    return sorted({match for match in matching if os.path.isfile(match)})


def _check_folders(pattern: str) -> None:
    """Refuse to go on without the files of a folder, which `glob` would pass over."""
    folder, name = os.path.split(pattern)
    inner = glob.has_magic(folder)
    if inner:
        _check_folders(folder)
    is_listed = glob.has_magic(name) or os.path.basename(folder) == RECURSIVE
    for found in glob.glob(folder, recursive=True) if inner else [folder or os.curdir]:
        _check_folder(found, is_listed)
    for found in glob.glob(pattern, recursive=True) if name == RECURSIVE else []:
        _check_folder(found, True)


def _check_folder(path: str, is_listed: bool) -> None:
    if not os.path.isdir(path):
        return
    try:
        if is_listed:
            os.scandir(path).close()
        if not os.access(path, os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    except OSError as problem:
        _unlisted(problem)


def _is_table(path: str) -> bool:
    return os.path.splitext(path)[1].lower() in SUFFIXES


def _in_folder(folder: str, ours: set[object]) -> list[str]:
    paths = []
    seen = set(ours)
    for at, folders, names in os.walk(folder, followlinks=True, onerror=_unlisted):
        place = identity(at)
        if place in seen:
            folders.clear()
            continue
        seen.add(place)
        folders[:] = sorted(name for name in folders if name[0] not in "._")
        paths += [os.path.join(at, name) for name in sorted(names) if name[0] not in "._"]
    return paths


def _unlisted(problem: OSError) -> NoReturn:
    """Refuse to go on without the files of a folder."""
    where = f"path: {shown_path(str(problem.filename))}"
    raise InputError(f"Input folder cannot be read: {problem.strerror}", where) from problem


def open_input(path: str) -> BinaryIO:
    """Open an input's bytes; `-` is standard input. Raises `InputError`."""
    if is_url(path):
        from rollsignal.bars.stores import open_object

        return open_object(path)
    if path != STDIN:
        return open_regular(path, "Input data file", InputError, pipe_seconds=PIPE_SECONDS)
    if sys.stdin is None:
        raise InputError("Standard input is closed")
    return checked(open(sys.stdin.fileno(), "rb", closefd=False), "Standard input")


def columnar_format(head: bytes) -> Format | None:
    """Tell Parquet or Arrow IPC by a file's first bytes; None for anything else."""
    return next((form for form, magic in COLUMNAR.items() if head.startswith(magic)), None)


def text_format(beginning: str, path: str, wanted: Format | None) -> Format:
    """Name a text's format: told by how it begins, by what is wanted, by its name, else CSV."""
    if _JSON.match(beginning):
        return "ndjson"
    if wanted and wanted not in COLUMNAR:
        return wanted
    return "ndjson" if _NDJSON_NAME.search(path) else "csv"


def symbol_of(path: str, config: JobConfig) -> str | None:
    """Take the symbol of a whole file from its path, if it is to come from there.

    That is its name without the usual suffixes, or a folder such as `symbol=BTC`. Raises
    `DataError` where the folder says that there is none.
    """
    source = config.columns.symbol
    if source is None:
        return None
    if source.column is not None:
        return _partition(path, source.column)
    name = os.path.basename(path)
    if is_url(path):
        from rollsignal.bars.remote import name_of

        name = name_of(path)
    while (parts := os.path.splitext(name))[1].lower() in SUFFIXES:
        name = parts[0]
    return _utf8(name)


def _partition(path: str, wanted: str) -> str | None:
    partitions = partitions_of(path)
    names = [name for name, _ in partitions]
    if not places_of(names, wanted):
        return None
    name, value = partitions[find_column(names, wanted, f"the path {shown_path(path)}")]
    if value.strip(BLANKS) in ("", NO_PARTITION):
        raise DataError(f"{shown_path(path)}: the symbol is missing in the path: {name}={value}")
    return value.strip(BLANKS)


def partitions_of(path: str) -> list[tuple[str, str]]:
    """List the columns that a file's folders stand for, with their values.

    >>> partitions_of("bars/symbol=BRK%2FB/date=2024-01-31/part-0.parquet")
    [('symbol', 'BRK/B'), ('date', '2024-01-31')]
    """
    folders = [folder.partition("=") for folder in path.split("/")[:-1]]
    return [(_unquoted(name), _unquoted(value)) for name, equals, value in folders if equals]


def _unquoted(text: str) -> str:
    if "%" in text:
        # Rare, and not worth its import to all other runs.
        from urllib.parse import unquote

        text = unquote(text, errors="backslashreplace")
    return _utf8(text)


def _utf8(text: str) -> str:
    """Spell bytes of a path that are not UTF-8 out."""
    return text.encode("utf-8", "backslashreplace").decode()
