"""This module lists the files that match a pattern, as `glob` of the standard library does.

`glob` passes over a folder that cannot be listed, and a name that cannot be looked up, without a
word. Here each of them is an error: a file that is left out may be a symbol that is missing.
"""

import os
import re
from collections.abc import Iterator
from fnmatch import translate
from glob import has_magic

from rollsignal.files.open import ABSENT, is_folder, lexists

RECURSIVE = "**"


def matching(pattern: str) -> list[str]:
    """List the paths that match a pattern; `**` stands for any folders, hidden ones excepted.

    Raises `OSError` if a folder cannot be listed, or something there cannot be looked up.
    """
    return list(filter(None, _expanded(pattern)))


def _expanded(pattern: str) -> Iterator[str]:
    folder, name = os.path.split(pattern)
    if not has_magic(pattern):
        found = is_folder(folder) if not name else lexists(pattern)
        yield from [pattern] if found else []
        return
    # Of an absolute path, the part before the first name is a folder by itself.
    is_plain = not folder or folder == pattern or not has_magic(folder)
    for inner in [folder] if is_plain else _expanded(folder):
        if name == RECURSIVE:
            yield from (os.path.join(inner, path) for path in _all_inside(inner, ""))
        elif has_magic(name):
            yield from (os.path.join(inner, each) for each in _named(inner, name))
        elif not name or lexists(os.path.join(inner, name)):
            yield from [os.path.join(inner, name)] if name or is_folder(inner) else []


def _named(folder: str, pattern: str) -> list[str]:
    """List the names in a folder that match; hidden ones only where the pattern is hidden."""
    matches = re.compile(translate(os.path.normcase(pattern))).match
    is_hidden = pattern.startswith(".")
    return [
        each for each in _names_in_folder(folder) if matches(each) and (is_hidden or each[0] != ".")
    ]


def _all_inside(folder: str, inside: str) -> Iterator[str]:
    """Yield "" for a folder itself, then all that is in it and below, by relative paths."""
    if not inside:
        if not is_folder(folder or os.curdir):
            return
        yield ""
    with os.scandir(os.path.join(folder, inside) or os.curdir) as entries:
        found = [(entry.name, _leads_to_folder(entry)) for entry in entries if entry.name[0] != "."]
    for name, is_inner in found:
        yield (path := os.path.join(inside, name))
        if is_inner:
            yield from _all_inside(folder, path)


def _leads_to_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError as problem:
        if problem.errno in ABSENT:
            return False
        raise


def _names_in_folder(folder: str) -> list[str]:
    """List the names in a folder, none if it is not there or no folder."""
    try:
        return os.listdir(folder or os.curdir)
    except OSError as problem:
        if problem.errno in ABSENT:
            return []
        raise
