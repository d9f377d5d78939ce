"""This module finds what a run reads: files, folders, patterns, URLs and pipes."""

import errno
import glob
import os
from collections.abc import Sequence
from typing import Literal, NamedTuple, NoReturn

from rollsignal.errors import InputError, UsageError
from rollsignal.files.fingerprints import stat_of
from rollsignal.files.formats import SUFFIXES
from rollsignal.files.open import STDIN, identity
from rollsignal.messages import is_url, shown_path

RECURSIVE = "**"
NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"


class Input(NamedTuple):
    """A file to be read, looked at once, where it is found.

    path: as it was given or found; a URL, or `-` for standard input. name: what messages call it.
    size: its bytes, None for what is no regular file on this machine. partitions: the columns that
    its folders stand for, with their values.
    """

    path: str
    name: str
    kind: Literal["file", "stdin", "url", "other"]
    size: int | None
    partitions: tuple[tuple[str, str], ...]


def input_of(path: str) -> Input:
    """Look at a path; whether the file is there and can be read shows when it is opened."""
    size: int | None = None
    kind: Literal["file", "stdin", "url", "other"] = "other"
    if path == STDIN:
        kind = "stdin"
    elif is_url(path):
        kind = "url"
    elif facts := stat_of(path):
        kind, size = "file", facts[0]
    return Input(path, shown_path(path), kind, size, tuple(partitions_of(path)))


def find_inputs(given: Sequence[str], left_out: Sequence[str] = ()) -> list[Input]:
    """Find the files to read, as `find_paths` does, and look at each."""
    return [input_of(path) for path in find_paths(given, left_out)]


def find_paths(
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
            from rollsignal.files.remote import found_at

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
        raise UsageError("standard input (-) cannot be read together with other inputs")
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
    return utf8_text(text)


def utf8_text(text: str) -> str:
    """Spell bytes of a path that are not UTF-8 out."""
    return text.encode("utf-8", "backslashreplace").decode()
