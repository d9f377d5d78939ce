"""This module reads settings that take symbols from several columns, headers or paths of files.

The last are `{from: filename}`, `{from: folder}`, and `{from: path, pattern: "([A-Z0-9]+)-1m-"}`.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rollsignal.config.yaml_nodes import BadSettingError, as_written, is_sequence, scalar
from rollsignal.messages import plural, shown

if TYPE_CHECKING:
    import yaml
_SOURCES = ("filename", "folder", "key", "path")


def _mapping_of(**properties: object) -> dict[str, object]:
    required = {"required": list(properties), "additionalProperties": False}
    return {"type": "object", "properties": properties, **required}


_NAMES = {"type": "array", "items": {"type": ["string", "integer"]}, "minItems": 1}
PATH_SCHEMAS = (
    *(
        _mapping_of(**{"from": {"const": "header"}}, **{key: _NAMES for key in keys})
        for keys in ((), ("only",), ("except",))
    ),
    *(_mapping_of(**{"from": {"const": source}}) for source in _SOURCES[:3]),
    _mapping_of(**{"from": {"const": "path"}, "pattern": {"type": "string", "pattern": r"\("}}),
)


def checked_parts(
    node: "yaml.SequenceNode", columns: "Sequence[str | int]", name: str
) -> "Sequence[str | int]":
    """Return the columns that make the symbols together; raises `BadSettingError`."""
    if len(columns) < 2:
        count = plural(len(columns), "column")
        raise BadSettingError(node, f"{name} is a list of {count}, not of two or more")
    for at, column in enumerate(columns):
        if column in columns[:at]:
            raise BadSettingError(node.value[at], f"{name} has {column} twice; keep one")
    return columns


def is_in_header(node: "yaml.MappingNode") -> bool:
    """Return whether the symbols are in the header."""
    return any(
        (as_written(key), as_written(value)) == ("from", "header") for key, value in node.value
    )


def lists_in(node: "yaml.MappingNode", name: str) -> "dict[str, yaml.SequenceNode]":
    """Return the one list of columns that is beside `from: header`, by its key, or none.

    Raises `BadSettingError`.
    """
    others = [(as_written(key), value) for key, value in node.value if as_written(key) != "from"]
    fits = len(others) == len(node.value) - 1 <= 1
    lists: dict[str, yaml.SequenceNode] = {}
    for key, value in others:
        if key in ("only", "except") and is_sequence(value) and value.value:
            lists[key] = value
    if not fits or len(lists) < len(others):
        raise BadSettingError(
            node,
            f"{name} is a mapping, but not {{from: header}}, with only: [NAME, NAME] or except:"
            " [NAME] for the columns that are symbols, or that are not",
        )
    return lists


def check_wide(config: Any, root: "yaml.Node") -> None:
    """Raise `BadSettingError` for a column of closes where each symbol has a column of its own."""
    if config.columns.close != "close":
        raise BadSettingError(
            root,
            f"columns.close is {config.columns.close}, but columns.symbol says that each symbol has"
            " a column (leave out columns.close, and list the columns under columns.symbol.only)",
        )


def source_in(node: "yaml.MappingNode", name: str) -> "tuple[str, yaml.Node | None]":
    """Return where the symbols are in the paths, and the pattern of `path`.

    Raises `BadSettingError`.
    """
    parts = {as_written(key): value for key, value in node.value}
    source = as_written(parts["from"]) if "from" in parts else ""
    is_one = source in _SOURCES and len(parts) == len(node.value)
    if not is_one or not set(parts) <= {"from", "pattern"}:
        raise BadSettingError(
            node,
            f"{name} is a mapping, but not {{from: filename}}, {{from: folder}}, {{from: header}},"
            ' {from: key} or {from: path, pattern: "([A-Z0-9]+)-1m-"}',
        )
    pattern = parts.get("pattern")
    if pattern is not None and source != "path":
        raise BadSettingError(pattern, f"{name} has a pattern, which only paths have (from: path)")
    if pattern is None and source == "path":
        raise BadSettingError(
            node, f'{name} is from: path without a pattern (pattern: "([A-Z0-9]+)-1m-")'
        )
    return source, pattern


def day_in_path(node: "yaml.MappingNode", name: str) -> str:
    """Return the pattern of the day in the path; raises `BadSettingError`."""
    parts = {as_written(key): value for key, value in node.value}
    source = as_written(parts["from"]) if "from" in parts else ""
    if source != "path" or set(parts) != {"from", "pattern"} or len(node.value) != 2:
        raise BadSettingError(
            node,
            f'{name} has a mapping that is not {{from: path, pattern: "([0-9]{{8}})_"}}, for the'
            " date in the path",
        )
    return checked_pattern(parts["pattern"], scalar(parts["pattern"], name), f"{name}.pattern")


def checked_pattern(node: "yaml.Node", text: str | None, name: str) -> str:
    """Return a pattern if it is a regular expression with one group; raises `BadSettingError`."""
    text = text or ""
    try:
        groups = re.compile(text).groups
    except (re.error, OverflowError, RecursionError) as problem:
        raise BadSettingError(
            node, f"{name} is {shown(text)}, not a regular expression: {problem}"
        ) from None
    if groups != 1:
        raise BadSettingError(
            node,
            f"{name} is {shown(text)}, with {plural(groups, 'group')}, not one: the symbol in"
            ' parentheses (pattern: "([A-Z0-9]+)-1m-")',
        )
    return text
