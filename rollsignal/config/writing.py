"""This module writes a config as people do: each setting on a line, with comments above it."""

import json
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from rollsignal.messages import escaped

WIDTH = 100
_UNQUOTED = re.compile(r"[A-Za-z][A-Za-z0-9_/]*(?: [A-Za-z0-9_/]+)*")
_OF_YAML = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")


class ConfigLine(NamedTuple):
    """A setting as it is written: its dotted name, its value in YAML, and the comments above it.

    With `value` None the line is only a comment, which says what is not set.
    """

    name: str
    value: str | None
    comments: Sequence[str] = ()


def as_yaml(value: object) -> str:
    """Write the value of a setting on one line of YAML.

    >>> as_yaml({"from": "path", "pattern": "([A-Z]+)-1m"})
    '{from: path, pattern: "([A-Z]+)-1m"}'
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {as_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(as_yaml, value)) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    if _UNQUOTED.fullmatch(value) and value.lower() not in _OF_YAML:
        return value
    return json.dumps(value, ensure_ascii=not value.isprintable())


def config_text(heading: Iterable[str], lines: Sequence[ConfigLine]) -> str:
    """Return the text of a config: its heading as comments, then the settings by sections."""
    parts = ["".join(_comment(text) for text in heading)]
    # Sections come after the settings at the top level, each in one piece.
    ordered = sorted(lines, key=lambda line: _section(line.name))
    for section, inside in groupby(ordered, key=lambda line: _section(line.name)):
        parts += [_written_section(section, list(inside))]
    return "\n".join(parts)


def _section(name: str) -> str:
    return name.rpartition(".")[0]


def _written_section(section: str, lines: Sequence[ConfigLine]) -> str:
    indent = "  " if section else ""
    is_set = any(line.value is not None for line in lines)
    head = f"{section}:\n" if section and is_set else ""
    text = ""
    for line in lines:
        text += "\n" if line.comments and text and not section else ""
        text += "".join(_comment(comment, indent if is_set else "") for comment in line.comments)
        if line.value is not None:
            text += f"{indent}{line.name.rpartition('.')[2]}: {line.value}".rstrip() + "\n"
    return head + text


def _comment(text: str, indent: str = "") -> str:
    """Return a text as lines of comments, none of them too long if it has blanks."""
    start = text[: len(text) - len(text.lstrip(" "))]
    lines, line = list[str](), ""
    for word in escaped(text).lstrip(" ").split(" "):
        if line and len(indent) + len(line) + len(word) + 3 > WIDTH:
            lines.append(line)
            line = f"{start}    {word}"
        else:
            line = f"{line} {word}" if line else start + word
    return "".join(f"{indent}# {each}".rstrip() + "\n" for each in [*lines, line])
