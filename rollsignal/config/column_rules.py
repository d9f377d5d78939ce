"""This module holds the rules of the columns that are more than one name or place."""

from typing import TYPE_CHECKING, NamedTuple, cast

from rollsignal.config.path_symbols import (
    PATH_SCHEMAS,
    checked_parts,
    checked_pattern,
    day_in_path,
    is_in_header,
    lists_in,
    source_in,
)
from rollsignal.config.rules import Column, DateAndTime, DayInPath, InHeader, SymbolFrom, Text
from rollsignal.config.yaml_nodes import BadSettingError, is_mapping, is_sequence
from rollsignal.messages import plural

if TYPE_CHECKING:
    import yaml

_COLUMN = Column("")
_COLUMN_OR_NULL = Column("", optional=True)


class TimestampSetting(NamedTuple):
    """The column of timestamps, a list of the columns of date and time, none, or null."""

    def read(self, node: "yaml.Node", name: str) -> str | int | DateAndTime | None:
        """Read the name or names; raises `BadSettingError`."""
        if not is_sequence(node):
            return _COLUMN_OR_NULL.read(node, name)
        items = node.value
        in_path = None
        if items and is_mapping(items[0]):
            in_path, items = DayInPath(day_in_path(items[0], name)), items[1:]
        names: list[str | int | DayInPath] = [in_path] if in_path else []
        names += [cast(str | int, _COLUMN.read(item, name)) for item in items]
        if len(names) != 2:
            raise BadSettingError(
                node, f"{name} is a list of {plural(len(names), 'name')}, not of two: [date, time]"
            )
        return DateAndTime(names[0], cast(str | int, names[1]))

    def schema(self) -> dict[str, object]:
        """Describe the name or names in JSON Schema."""
        column = _COLUMN.schema()
        date = {"anyOf": [column, PATH_SCHEMAS[-1]]}
        pair = {"type": "array", "prefixItems": [date, column], "minItems": 2, "maxItems": 2}
        return {"anyOf": [_COLUMN_OR_NULL.schema(), pair]}


class SymbolSetting(NamedTuple):
    """The column of symbols, a list of those that make them, the path, none, or null."""

    def read(self, node: "yaml.Node", name: str) -> SymbolFrom | None:
        """Read the source of symbols; raises `BadSettingError`."""
        if is_mapping(node):
            if is_in_header(node):
                lists = lists_in(node, name)
                only, leaves_out = (self._names(lists.get(key), name) for key in ("only", "except"))
                return SymbolFrom(header=InHeader(only, leaves_out))
            source, pattern = source_in(node, name)
            if pattern is None:
                return SymbolFrom(
                    filename=source == "filename", folder=source == "folder", key=source == "key"
                )
            text = Text("").read(pattern, f"{name}.pattern")
            return SymbolFrom(pattern=checked_pattern(pattern, text, f"{name}.pattern"))
        if is_sequence(node):
            first, *others = checked_parts(node, self._names(node, name), name)
            return SymbolFrom(first, rest=tuple(others))
        column = _COLUMN_OR_NULL.read(node, name)
        return None if column is None else SymbolFrom(column)

    def _names(self, node: "yaml.SequenceNode | None", name: str) -> tuple[str | int, ...]:
        return (
            tuple(cast(str | int, _COLUMN.read(item, name)) for item in node.value) if node else ()
        )

    def schema(self) -> dict[str, object]:
        """Describe the source of symbols in JSON Schema."""
        parts = {"type": "array", "items": _COLUMN.schema(), "minItems": 2, "uniqueItems": True}
        return {"anyOf": [_COLUMN_OR_NULL.schema(), parts, *PATH_SCHEMAS]}


COLUMN_RULES: dict[str, TimestampSetting | SymbolSetting] = {
    "timestamp": TimestampSetting(),
    "symbol": SymbolSetting(),
}
