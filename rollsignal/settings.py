"""This module reads single settings from YAML: what one may be, and what is wrong with it.

What YAML would turn into something else than was written is refused.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, cast, get_args

import yaml

from rollsignal.errors import did_you_mean, plural, shown


class BadSettingError(Exception):
    """A setting is not what it may be; `line` is where it stands."""

    def __init__(self, node: yaml.Node, what: str) -> None:
        super().__init__(what)
        self.line = node.start_mark.line + 1
        self.what = what


class Whole(NamedTuple):
    """A whole number between two bounds, written with plain digits."""

    help: str
    least: int
    most: int
    example: str

    def read(self, node: yaml.Node, name: str) -> int:
        """Read the number; raises `BadSettingError`."""
        text = _scalar(node, name)
        if _is_quoted(node) or not re.fullmatch(r"[+-]?(0|[1-9][0-9]*)", text):
            meant = re.fullmatch(r"0*([1-9][0-9]{0,8})(\.0*)?", text.strip().replace("_", ""))
            example = meant[1] if meant else self.example
            raise BadSettingError(
                node,
                f"{name} is {as_written(node)}, no plain whole number (write {name}: {example})",
            )
        if len(text) > 20 or not self.least <= int(text) <= self.most:
            raise BadSettingError(
                node, f"{name} is {shown(text)}, not between {self.least:,} and {self.most:,}"
            )
        return int(text)

    def schema(self) -> dict[str, object]:
        """Describe the number in JSON Schema."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class Text(NamedTuple):
    """Some text, exactly as written; `optional` text may be null."""

    help: str
    optional: bool = False
    example: str = ""

    def read(self, node: yaml.Node, name: str) -> str | None:
        """Read the text; raises `BadSettingError`."""
        text = _scalar(node, name)
        kind = node.tag.rpartition(":")[2]
        if kind == "null" and self.optional:
            return None
        if kind not in ("str", "null"):
            raise BadSettingError(
                node,
                f"{name} is {as_written(node)}, which YAML reads as a {kind};"
                f' write {name}: "{as_written(node)}"',
            )
        if not text.strip() or kind == "null":
            raise BadSettingError(node, f"{name} is empty; write a name, in quotes")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise BadSettingError(
                node, f"{name} is {shown(text)}, not text that can be written as UTF-8"
            )
        return text

    def schema(self) -> dict[str, object]:
        """Describe the text in JSON Schema."""
        return {"type": ["string", "null"] if self.optional else "string", "pattern": r"\S"}


class OneOf(NamedTuple):
    """One of a few words."""

    help: str
    words: tuple[str, ...]

    def read(self, node: yaml.Node, name: str) -> str:
        """Read the word; raises `BadSettingError`."""
        text = _scalar(node, name)
        if text not in self.words:
            raise BadSettingError(
                node, f"{name} is {shown(text)}, not one of {', '.join(self.words)}"
            )
        return text

    def schema(self) -> dict[str, object]:
        """Describe the word in JSON Schema."""
        return {"enum": list(self.words)}


class Written(NamedTuple):
    """How timestamps are written: a word, a pattern, or null."""

    help: str
    words: tuple[str, ...]

    def read(self, node: yaml.Node, name: str) -> str | None:
        """Read the word or pattern; raises `BadSettingError`."""
        text = Text("", optional=True).read(node, name)
        if text is None or text in self.words:
            return text
        if "%" not in text:
            raise BadSettingError(
                node,
                f"{name} is {shown(text)}, neither one of {', '.join(self.words)}"
                ' nor a pattern such as "%d/%m/%Y %H:%M"',
            )
        from rollsignal.timestamp_pattern import PatternError, expression

        try:
            expression(text)
        except PatternError as problem:
            raise BadSettingError(node, f"{name} is {shown(text)}, which {problem}") from None
        return text

    def schema(self) -> dict[str, object]:
        """Describe the word or pattern in JSON Schema."""
        return {"anyOf": [{"enum": [*self.words, None]}, {"type": "string", "pattern": "%"}]}


class DateAndTime(NamedTuple):
    """The columns of a date and of a time of day, which make a timestamp together."""

    date: str
    time: str

    def __str__(self) -> str:
        return f"[{self.date}, {self.time}]"

    def plain(self) -> object:
        """Write it as JSON holds it."""
        return [self.date, self.time]


class Timestamp(NamedTuple):
    """The name of the timestamp column, those of a date's and a time's as a list, or null."""

    help: str

    def read(self, node: yaml.Node, name: str) -> str | DateAndTime | None:
        """Read the name or names; raises `BadSettingError`."""
        if not isinstance(node, yaml.SequenceNode):
            return Text("", optional=True).read(node, name)
        names = [cast(str, Text("").read(item, name)) for item in node.value]
        if len(names) != 2:
            raise BadSettingError(
                node, f"{name} is a list of {plural(len(names), 'name')}, not of two: [date, time]"
            )
        return DateAndTime(*names)

    def schema(self) -> dict[str, object]:
        """Describe the name or names in JSON Schema."""
        pair = {"type": "array", "items": Text("").schema(), "minItems": 2, "maxItems": 2}
        return {"anyOf": [Text("", optional=True).schema(), pair]}


class Switch(NamedTuple):
    """True or false."""

    help: str

    def read(self, node: yaml.Node, name: str) -> bool:
        """Read the switch; raises `BadSettingError`."""
        text = _scalar(node, name)
        if text not in ("true", "false") or _is_quoted(node):
            raise BadSettingError(node, f"{name} is {as_written(node)}, neither true nor false")
        return text == "true"

    def schema(self) -> dict[str, object]:
        """Describe the switch in JSON Schema."""
        return {"type": "boolean"}


class SymbolFrom(NamedTuple):
    """Where symbols come from: a column, or the names of the files."""

    column: str | None = None
    filename: bool = False

    def plain(self) -> object:
        """Write it as JSON holds it."""
        return {"from": "filename"} if self.filename else self.column

    def __str__(self) -> str:
        return "from: filename" if self.filename else str(self.column)


class Symbol(NamedTuple):
    """The name of the symbol column, `{from: filename}`, or null."""

    help: str

    def read(self, node: yaml.Node, name: str) -> SymbolFrom | None:
        """Read the source of symbols; raises `BadSettingError`."""
        if isinstance(node, yaml.MappingNode):
            written = [(as_written(key), as_written(value)) for key, value in node.value]
            if written != [("from", "filename")]:
                raise BadSettingError(node, f"{name} is a mapping other than {{from: filename}}")
            return SymbolFrom(filename=True)
        column = Text("", optional=True).read(node, name)
        return None if column is None else SymbolFrom(column)

    def schema(self) -> dict[str, object]:
        """Describe the source of symbols in JSON Schema."""
        from_names = {
            "type": "object",
            "properties": {"from": {"const": "filename"}},
            "required": ["from"],
            "additionalProperties": False,
        }
        return {"anyOf": [Text("", optional=True).schema(), from_names]}


class Section(NamedTuple):
    """A mapping of settings below one key."""

    help: str
    kind: type

    def read(self, node: yaml.Node, name: str) -> object:
        """Read every setting of the section; raises `BadSettingError`."""
        return read_mapping(node, self.kind, name + ".")

    def schema(self) -> dict[str, object]:
        """Describe the section in JSON Schema."""
        return mapping_schema(self.kind)


def rules_of(kind: Any) -> dict[str, Any]:
    """List the rules that the annotations of `kind` declare, by name."""
    return {key: get_args(declared)[1] for key, declared in kind.__annotations__.items()}


def mapping_schema(kind: Any) -> dict[str, object]:
    """Describe the settings that the annotations of `kind` declare in JSON Schema."""
    properties = {}
    for key, rule in rules_of(kind).items():
        properties[key] = rule.schema() | {"description": rule.help}
        if key in kind._field_defaults and not isinstance(rule, Section):
            properties[key]["default"] = kind._field_defaults[key]
    return {
        "type": "object",
        "properties": properties,
        "required": [key for key in properties if key not in kind._field_defaults],
        "additionalProperties": False,
    }


def flat_schemas(kind: Any, prefix: str = "") -> dict[str, dict[str, Any]]:
    """Describe every setting in JSON Schema, by its dotted name."""
    found: dict[str, dict[str, Any]] = {}
    for key, rule in rules_of(kind).items():
        if isinstance(rule, Section):
            found |= flat_schemas(rule.kind, f"{prefix}{key}.")
        else:
            found[prefix + key] = rule.schema()
    return found


def lines_of(node: yaml.Node, kind: Any, prefix: str = "") -> dict[str, int]:
    """Tell on which line each setting stands, by dotted name, in a mapping that has been read."""
    rules = rules_of(kind)
    lines: dict[str, int] = {}
    for key, value in cast(yaml.MappingNode, node).value:
        rule = rules[key.value]
        if isinstance(rule, Section):
            lines |= lines_of(value, rule.kind, f"{prefix}{key.value}.")
        else:
            lines[prefix + key.value] = key.start_mark.line + 1
    return lines


def read_mapping(
    node: yaml.Node, kind: Any, prefix: str, assumed: Mapping[str, object] = MappingProxyType({})
) -> object:
    """Read the settings that the annotations of `kind` declare.

    assumed: values of required settings that may be left out.
    """
    if not isinstance(node, yaml.MappingNode):
        raise BadSettingError(node, f"{prefix[:-1]} is {as_written(node)}, not a group of settings")
    rules = rules_of(kind)
    values: dict[str, object] = {}
    for key_node, value_node in node.value:
        key = _known_key(key_node, rules, prefix)
        if key in values:
            raise BadSettingError(key_node, f"{prefix}{key} is given twice; keep one")
        values[key] = rules[key].read(value_node, prefix + key)
    values = {**assumed, **values}
    missing = [key for key in rules if key not in values and key not in kind._field_defaults]
    if missing:
        raise BadSettingError(
            node,
            f"missing {' and '.join(missing)}"
            f" (write for example {missing[0]}: {rules[missing[0]].example})",
        )
    return kind(**values)


def _known_key(node: yaml.Node, rules: dict[str, Any], prefix: str) -> str:
    key = node.value if isinstance(node, yaml.ScalarNode) else ""
    if key not in rules:
        hint = did_you_mean(key, list(rules))
        raise BadSettingError(node, f"unknown setting {as_written(node)} ({hint})")
    return cast(str, key)


def _scalar(node: yaml.Node, name: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise BadSettingError(node, f"{name} is {as_written(node)}, not a single value")
    return cast(str, node.value)


def _is_quoted(node: yaml.Node) -> bool:
    return bool(getattr(node, "style", None))


def as_written(node: yaml.Node) -> str:
    """Show what stands in the YAML, for a message."""
    if not isinstance(node, yaml.ScalarNode):
        return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
    if not node.value and not _is_quoted(node):
        return "empty"
    text = str(node.value)
    return text[:40] if text.isprintable() and not _is_quoted(node) else shown(text)
