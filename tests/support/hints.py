"""This module collects the hints of the program from its source, and holds how they are followed.

A hint is a text that says what to do: one with an imperative in it, or one that the source itself
calls a hint. Docstrings and the help of flags and settings are not hints.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from tests.support.shell import ROOT

IMPERATIVE = re.compile(
    r"(?<![\w`-])(?:set|name|write|keep|use|pip install|leave out|put|remove|run again|see|try|give"
    r"|convert|save|export|unpack|sort|correct|start again|end its|select|download|did you mean"
    r"|add|get|decrypt|git lfs pull|is the file|do they|are two|credentials come)\b"
)
HELP = {"help", "description", "epilog", "example", "metavar"}

# Paths of files and what is in them; None removes a file, CUT cuts off its end.
CUT = b"the file without its last bytes"
Files = Mapping[str, str | bytes | None]
NO_FILES: Files = MappingProxyType({})


class Way(NamedTuple):
    """One way to follow a hint to the letter: what to change, and what then is right.

    right: the closes of each series; None if the run is refused again. files: changes of the files.
    config, flags and inputs take the place of those before.
    """

    right: Sequence[Sequence[str | None]] | None
    files: Files = NO_FILES
    config: str | None = None
    flags: Sequence[str] | None = None
    inputs: Sequence[str] | None = None


class Night(NamedTuple):
    """An earlier run: changes of the files, and its config if that is another one."""

    files: Files = NO_FILES
    config: str | None = None


class Row(NamedTuple):
    """A hint, or a part of one, an input that provokes it, and all ways to follow it.

    config: settings besides the three required ones, or a whole config if it has a seed. nights:
    earlier runs, before the files are there. inputs: what is read, all `files` if not given.
    """

    hint: str
    files: Files
    ways: Sequence[Way]
    config: str = ""
    flags: Sequence[str] = ()
    nights: Sequence[Night] = ()
    inputs: Sequence[str] = ()


@cache
def hints() -> dict[str, str]:
    """Return every hint of the program with `…` for what it fills in, and where it stands."""
    found: dict[str, str] = {}
    for path in sorted(ROOT.glob("rollsignal/**/*.py")):
        for text, line in hints_in(ast.parse(path.read_text())):
            found.setdefault(text, f"{path.relative_to(ROOT)}:{line}")
    return found


def texts_of(key: str) -> list[str]:
    """Return the hints that a key stands for: the one that it is, else all that it is part of."""
    return [key] if key in hints() else [text for text in hints() if key in text]


def hints_in(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the hints in some code, with their lines."""
    skipped = set(_prose(tree))
    called_hints = set(_called_hints(tree))
    for node in ast.walk(tree):
        text = _text(node)
        if text is None or id(node) in skipped or " " not in text:
            continue
        if id(node) in called_hints or IMPERATIVE.search(text):
            yield text, getattr(node, "lineno", 0)


def _text(node: ast.AST) -> str | None:
    """Return the text of a literal, None for other code."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        return "".join(map(str, parts))
    return None


def _prose(tree: ast.Module) -> Iterator[int]:
    """Yield the literals that are docstrings, help, annotations or a piece of another literal."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            yield id(node.value)
        elif isinstance(node, ast.JoinedStr):
            yield from map(id, node.values)
        elif isinstance(node, ast.AnnAssign):
            yield from map(id, ast.walk(node.annotation))
        elif isinstance(node, ast.keyword) and node.arg in HELP:
            yield from map(id, ast.walk(node.value))


def _called_hints(tree: ast.Module) -> Iterator[int]:
    """Yield the literals that are assigned to or passed as a hint, or are an error's detail."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and "hint" in ast.unparse(node.targets[0]).lower():
            yield from map(id, ast.walk(node.value))
        elif isinstance(node, ast.Call):
            yield from (id(word.value) for word in node.keywords if word.arg == "hint")
            if ast.unparse(node.func).endswith("Error"):
                yield from map(id, node.args[1:])
