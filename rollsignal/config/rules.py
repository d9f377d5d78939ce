"""This module holds the rules of single settings: which values are allowed, and what errors say.

A value that YAML would change, such as 010 or no, is an error.
"""

import re
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.config.yaml_nodes import (
    BadSettingError,
    as_written,
    is_quoted,
    scalar,
)
from rollsignal.messages import shown

if TYPE_CHECKING:
    import yaml


class Whole(NamedTuple):
    """A whole number between two bounds, written with plain digits."""

    help: str
    least: int
    most: int
    example: str

    def read(self, node: "yaml.Node", name: str) -> int:
        """Read the number; raises `BadSettingError`."""
        text = scalar(node, name)
        if is_quoted(node) or not re.fullmatch(r"[+-]?(0|[1-9][0-9]*)", text):
            raise BadSettingError(node, f"{name} is {as_written(node)}: {self._advice(text, name)}")
        if len(text) > 20 or not self.least <= int(text) <= self.most:
            raise BadSettingError(
                node, f"{name} is {shown(text)}, not between {self.least:,} and {self.most:,}"
            )
        return int(text)

    def _advice(self, text: str, name: str) -> str:
        meant = re.fullmatch(r"(0*)([1-9][0-9]{0,8})(\.0?)?", text.strip().replace("_", ""))
        if not meant:
            return f"write a plain whole number (for example {name}: {self.example})"
        how = "without leading zeros" if meant[1] else "as a plain whole number"
        return f"write it {how} ({name}: {meant[2]})"

    def schema(self) -> dict[str, object]:
        """Describe the number in JSON Schema."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


AUTO = "auto"
NO_HEADER = "none"


class WholeOrAuto(NamedTuple):
    """A whole number between two bounds, or the word `auto`."""

    help: str
    least: int
    most: int
    example: str

    def read(self, node: "yaml.Node", name: str) -> int | str:
        """Read the number or the word; raises `BadSettingError`."""
        if scalar(node, name) == AUTO:
            return AUTO
        return Whole(*self).read(node, name)

    def schema(self) -> dict[str, object]:
        """Describe the number or the word in JSON Schema."""
        return {"anyOf": [{"const": AUTO}, Whole(*self).schema()]}


class UsualName(str):
    """The name of a column that no config declares: all spellings of it count alike."""

    __slots__ = ()


class Text(NamedTuple):
    """Text, kept exactly as written; `optional` text may be null."""

    help: str
    optional: bool = False
    example: str = ""

    def read(self, node: "yaml.Node", name: str) -> str | None:
        """Read the text; raises `BadSettingError`."""
        text = scalar(node, name)
        yaml_type = node.tag.rpartition(":")[2]
        if yaml_type == "null" and self.optional:
            return None
        if yaml_type not in ("str", "null"):
            raise BadSettingError(
                node,
                f"{name} is {as_written(node)}, which YAML reads as type {yaml_type};"
                f' write {name}: "{as_written(node)}"',
            )
        if not text.strip() or yaml_type == "null":
            raise BadSettingError(node, f"{name} is empty; write a name, in quotes")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise BadSettingError(
                node, f"{name} is {shown(text)}, not text that can be written as UTF-8"
            )
        return text

    def schema(self) -> dict[str, object]:
        """Describe the text in JSON Schema."""
        return {"type": ["string", "null"] if self.optional else "string", "pattern": r"\S"}


_NAME_OR_NULL = Text("", optional=True)


class Column(NamedTuple):
    """A column: its name, or its place as a whole number, counted from 1; `optional`: or null."""

    help: str
    optional: bool = False

    def read(self, node: "yaml.Node", name: str) -> str | int | None:
        """Read the name or the place; raises `BadSettingError`."""
        if node.tag.endswith(":int"):
            text = scalar(node, name)
            if not re.fullmatch("[1-9][0-9]{0,5}", text):
                raise BadSettingError(
                    node,
                    f"{name} is {as_written(node)}, not a place, which is counted from 1"
                    f' (for a column of this name write {name}: "{as_written(node)}")',
                )
            return int(text)
        return Text(self.help, self.optional).read(node, name)

    def schema(self) -> dict[str, object]:
        """Describe the name or the place in JSON Schema."""
        return {"anyOf": [Text("", self.optional).schema(), {"type": "integer", "minimum": 1}]}


class OneOf(NamedTuple):
    """One of a few words."""

    help: str
    words: tuple[str, ...]

    def read(self, node: "yaml.Node", name: str) -> str:
        """Read the word; raises `BadSettingError`."""
        text = scalar(node, name)
        if text not in self.words:
            raise BadSettingError(
                node, f"{name} is {shown(text)}, not one of {', '.join(self.words)}"
            )
        return text

    def schema(self) -> dict[str, object]:
        """Describe the word in JSON Schema."""
        return {"enum": list(self.words)}


class TimestampFormat(NamedTuple):
    """How timestamps are written: a word, a pattern, or null."""

    help: str
    words: tuple[str, ...]

    def read(self, node: "yaml.Node", name: str) -> str | None:
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
        from rollsignal.core.timestamps.pattern import PatternError, expression

        try:
            expression(text)
        except PatternError as problem:
            raise BadSettingError(node, f"{name} is {shown(text)}, which {problem}") from None
        return text

    def schema(self) -> dict[str, object]:
        """Describe the word or pattern in JSON Schema."""
        return {"anyOf": [{"enum": [*self.words, None]}, {"type": "string", "pattern": "%"}]}


class DayInPath(NamedTuple):
    """The day of all rows of a file, which a pattern finds in its path; day: once it is found."""

    pattern: str
    day: str = ""

    def __str__(self) -> str:
        return f"{{from: path, pattern: {self.pattern}}}"

    def plain(self) -> object:
        """Return the source as a JSON value."""
        return {"from": "path", "pattern": self.pattern}


class DateAndTime(NamedTuple):
    """The two columns, date and time of day, that together make a timestamp."""

    date: str | int | DayInPath
    time: str | int

    @property
    def columns(self) -> tuple[str | int, ...]:
        """Return the columns of the rows."""
        return (self.time,) if isinstance(self.date, DayInPath) else (self.date, self.time)

    def __str__(self) -> str:
        return f"[{self.date}, {self.time}]"

    def plain(self) -> object:
        """Return the two columns as a JSON value."""
        date = self.date.plain() if isinstance(self.date, DayInPath) else self.date
        return [date, self.time]


NO_TIMESTAMPS = "none"
"""The setting for a table without timestamps. A column of this name is written `NONE`."""


class Switch(NamedTuple):
    """True or false."""

    help: str

    def read(self, node: "yaml.Node", name: str) -> bool:
        """Read the switch; raises `BadSettingError`."""
        text = scalar(node, name)
        if text not in ("true", "false") or is_quoted(node):
            raise BadSettingError(node, f"{name} is {as_written(node)}, neither true nor false")
        return text == "true"

    def schema(self) -> dict[str, object]:
        """Describe the switch in JSON Schema."""
        return {"type": "boolean"}


class InHeader(NamedTuple):
    """Which columns are called as symbols: only these, or all but those of timestamps and these."""

    only: tuple[str | int, ...] = ()
    leaves_out: tuple[str | int, ...] = ()

    def plain(self) -> dict[str, object]:
        """Return the columns as JSON values."""
        lists = {"only": [*self.only], "except": [*self.leaves_out]}
        return {"from": "header", **{key: names for key, names in lists.items() if names}}


class SymbolFrom(NamedTuple):
    """Where symbols come from: columns, names of files or folders, a pattern, the header, keys.

    rest: the columns whose cells follow that of `column` in a symbol of several parts.
    """

    column: str | int | None = None
    filename: bool = False
    folder: bool = False
    pattern: str | None = None
    rest: tuple[str | int, ...] = ()
    header: InHeader | None = None
    key: bool = False

    @property
    def columns(self) -> tuple[str | int, ...]:
        """Return the columns that make the symbol."""
        return () if self.column is None else (self.column, *self.rest)

    def plain(self) -> object:
        """Return the source as a JSON value."""
        if self.pattern is not None:
            return {"from": "path", "pattern": self.pattern}
        if self.header is not None:
            return self.header.plain()
        if self.filename or self.folder or self.key:
            return {"from": str(self)[6:]}
        return [*self.columns] if self.rest else self.column

    def __str__(self) -> str:
        if self.pattern is not None:
            return f"from: path, pattern: {self.pattern}"
        if self.header is not None:
            return ", ".join(f"{key}: {value}" for key, value in self.header.plain().items())
        if self.rest:
            return f"[{', '.join(map(str, self.columns))}]"
        words = "from: filename" * self.filename, "from: folder" * self.folder
        return "".join(words) + "from: key" * self.key or str(self.column)


NO_SYMBOLS = SymbolFrom("none")
"""The setting for bars of one series. A column of this name is written `NONE`."""
