"""This module finds what a run reads: files, folders, patterns, URLs, pipes, standard input."""

import glob
import os
import sys
from collections.abc import Sequence
from typing import BinaryIO

from rollsignal.config import JobConfig
from rollsignal.errors import InputError, UsageError, is_url, shown_path
from rollsignal.files import checked, identity, open_regular

STDIN = "-"
PIPE_SECONDS = 10
COLUMNAR = {b"PAR1": "parquet", b"ARROW1": "arrow"}
_SUFFIXES = ".csv .tsv .txt .tab .parquet .pq .arrow .feather .ipc .gz .bz2 .xz .zst .zip"
SUFFIXES = frozenset(_SUFFIXES.split())


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
            _in_folder(path),
            InputError("Input folder has no files", f"path: {shown_path(path)}"),
        )
    elif not os.path.lexists(path) and glob.has_magic(path):
        matching = glob.glob(path, recursive=True)
        # A pattern with several "**" matches a file more than once.
        files = sorted({match for match in matching if os.path.isfile(match)})
        problem = InputError("Input data file not found", f"pattern: {shown_path(path)}")
    else:
        return [path]
    files = [file for file in files if _is_table(file) or identity(file) not in ours]
    if not files:
        raise problem
    return files


def _is_table(path: str) -> bool:
    return os.path.splitext(path)[1].lower() in SUFFIXES


def _in_folder(folder: str) -> list[str]:
    paths = []
    seen: set[object] = set()
    for at, folders, names in os.walk(folder, followlinks=True):
        place = identity(at)
        if place in seen:
            folders.clear()
            continue
        seen.add(place)
        folders[:] = sorted(name for name in folders if name[0] not in "._")
        paths += [os.path.join(at, name) for name in sorted(names) if name[0] not in "._"]
    return paths


def open_input(path: str) -> BinaryIO:
    """Open an input's bytes; `-` is standard input. Raises `InputError`."""
    if is_url(path):
        from rollsignal.bars.objects import open_object

        return open_object(path)
    if path != STDIN:
        return open_regular(path, "Input data file", InputError, pipe_seconds=PIPE_SECONDS)
    if sys.stdin is None:
        raise InputError("Standard input is closed")
    return checked(open(sys.stdin.fileno(), "rb", closefd=False), "Standard input")


def columnar_format(path: str) -> str | None:
    """Tell a Parquet or Arrow IPC file by its first bytes; None for anything else."""
    if not is_url(path) and not os.path.isfile(path):
        return None
    with open_input(path) as file:
        head = file.read(8)
    return next((name for magic, name in COLUMNAR.items() if head.startswith(magic)), None)


def symbol_of(path: str, config: JobConfig) -> str | None:
    """Take the symbol from a file's name, without its usual suffixes, if it is to come from it."""
    source = config.columns.symbol
    if source is None or not source.filename:
        return None
    name = os.path.basename(path)
    if is_url(path):
        from rollsignal.bars.remote import name_of

        name = name_of(path)
    while (parts := os.path.splitext(name))[1].lower() in SUFFIXES:
        name = parts[0]
    return name.encode("utf-8", "backslashreplace").decode()
