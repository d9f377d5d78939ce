"""This module holds the rules of the settings of text tables, which few configs have."""

import re
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from rollsignal.config.json_paths import PathError, path_of
from rollsignal.config.rules import AUTO, NO_HEADER, Column, Text, Whole
from rollsignal.config.yaml_nodes import BadSettingError, as_written, is_sequence, scalar
from rollsignal.messages import shown

if TYPE_CHECKING:
    import yaml

MOST_LINES = 100_000
# A blank stands for the blanks that are no place to break a line, too.
THOUSANDS = (",", ".", " ", "'", "\u2019", "_", "\u00a0", "\u202f")
NO_DELIMITERS = "\"\r\n\0.+-'"
# One of these after a number means more than the number.
MULTIPLIERS = ("k", "m", "b", "t", "g", "bn", "mn", "mio", "mrd", "e", "x")
# Codecs that are no way to store a text.
NO_ENCODINGS = ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "utf-7")


class TableRule(Protocol):
    """A rule of one setting."""

    def read(self, node: "yaml.Node", name: str) -> object:
        """Read the setting; raises `BadSettingError`."""

    def schema(self) -> dict[str, object]:
        """Describe the setting in JSON Schema."""


class Line(NamedTuple):
    """The number of a line, counted from 1, or one of a few words, of which `null` is None."""

    words: tuple[str, ...]

    def read(self, node: "yaml.Node", name: str) -> int | str | None:
        """Read the number or the word; raises `BadSettingError`."""
        text = scalar(node, name)
        if text in self.words:
            return None if text == "null" else text
        if node.tag.rpartition(":")[2] != "int":
            words = " nor ".join(self.words)
            what = f"{name} is {as_written(node)}, neither {words} nor the number of a line"
            raise BadSettingError(node, what)
        return self._whole.read(node, name)

    @property
    def _whole(self) -> Whole:
        return Whole("", 1, MOST_LINES, "2")

    def schema(self) -> dict[str, object]:
        """Describe the number or the word in JSON Schema."""
        words = [None if word == "null" else word for word in self.words]
        return {"anyOf": [{"enum": words}, self._whole.schema()]}


class Sign(NamedTuple):
    """One sign of a few, written in quotes where YAML needs them; perhaps null."""

    signs: tuple[str | None, ...]

    def read(self, node: "yaml.Node", name: str) -> str | None:
        """Read the sign; raises `BadSettingError`."""
        text = scalar(node, name)
        if None in self.signs and node.tag.endswith(":null"):
            return None
        if text not in self.signs:
            listed = ", ".join(f'"{sign}"' for sign in self.signs if sign and sign.isascii())
            raise BadSettingError(node, f"{name} is {shown(text)}, not one of {listed}")
        return text

    def schema(self) -> dict[str, object]:
        """Describe the signs in JSON Schema."""
        return {"enum": list(self.signs)}


class Delimiter(NamedTuple):
    """One sign, or one of a few words."""

    words: tuple[str, ...] = (AUTO, "tab", "blanks")

    def read(self, node: "yaml.Node", name: str) -> str:
        """Read the sign or the word; raises `BadSettingError`."""
        text = scalar(node, name)
        if text in self.words:
            return text
        is_sign = len(text) == 1 and text.isascii() and not text.isalnum()
        if not is_sign or text in NO_DELIMITERS:
            listed = ", ".join(self.words)
            what = f"{name} is {shown(text)}, neither a sign that can part fields nor {listed}"
            raise BadSettingError(node, what)
        return "tab" if text == "\t" else text

    def schema(self) -> dict[str, object]:
        """Describe the sign or the word in JSON Schema."""
        return {"anyOf": [{"enum": list(self.words)}, {"type": "string", "maxLength": 1}]}


class Stripped(NamedTuple):
    """A text around numbers, without digits or signs of numbers; or null."""

    def read(self, node: "yaml.Node", name: str) -> str | None:
        """Read the text; raises `BadSettingError`."""
        text = Text("", optional=True).read(node, name)
        if text is None:
            return None
        if re.search(r"[0-9.,+\-]", text) or text.strip().lower() in MULTIPLIERS:
            what = f"{name} is {shown(text)}, which is a part of a number"
            raise BadSettingError(node, f'{what} (strip a sign such as "$")')
        return text.strip()

    def schema(self) -> dict[str, object]:
        """Describe the text in JSON Schema."""
        return Text("", optional=True).schema()


class Comment(NamedTuple):
    """A text at the beginning of a line, which no bar begins with; or null."""

    def read(self, node: "yaml.Node", name: str) -> str | None:
        """Read the text; raises `BadSettingError`."""
        text = Text("", optional=True).read(node, name)
        if text and (text[0].isalnum() or text[0] in '"+-. \t' or "\n" in text):
            what = f"{name} is {shown(text)}, with which a bar may begin as well"
            raise BadSettingError(node, what)
        return text

    def schema(self) -> dict[str, object]:
        """Describe the text in JSON Schema."""
        return Text("", optional=True).schema()


class Encoding(NamedTuple):
    """The name of an encoding of text that Python knows."""

    def read(self, node: "yaml.Node", name: str) -> str:
        """Read the name; raises `BadSettingError`."""
        import codecs

        text = scalar(node, name)
        if text == AUTO:
            return text
        try:
            codec: Any = codecs.lookup(text)
        except (LookupError, ValueError):
            codec = None
        if codec is None or not codec._is_text_encoding or codec.name in NO_ENCODINGS:
            what = f"{name} is {shown(text)}, no encoding that is known"
            raise BadSettingError(node, f"{what} (write a name such as cp1252, gbk or utf-16)")
        return cast(str, codec.name)

    def schema(self) -> dict[str, object]:
        """Describe the name in JSON Schema."""
        return {"type": "string"}


class MissingValues(NamedTuple):
    """A list of words and numbers, or null."""

    def read(self, node: "yaml.Node", name: str) -> tuple[str, ...] | None:
        """Read the words and numbers as they are written; raises `BadSettingError`."""
        if is_sequence(node):
            return tuple(scalar(item, name) for item in node.value) or None
        if node.tag.endswith(":null"):
            return None
        raise BadSettingError(
            node, f"{name} is {as_written(node)}, not a list (write {name}: [{as_written(node)}])"
        )

    def schema(self) -> dict[str, object]:
        """Describe the list in JSON Schema."""
        return {"type": ["array", "null"], "items": {"type": ["string", "number"]}}


class BarsPath(NamedTuple):
    """The keys above the bars of a JSON document, or null."""

    def read(self, node: "yaml.Node", name: str) -> str | None:
        """Read the path; raises `BadSettingError`."""
        text = Text("", optional=True).read(node, name)
        if text is not None:
            try:
                path_of(text)
            except PathError:
                what = f"{name} is {shown(text)}, with a quote that is not around a whole key"
                hint = "write a key with a point in it as 'bars.\"BRK.B\"'"
                problem = f"{what} ({hint})"
                raise BadSettingError(node, problem) from None
        return text

    def schema(self) -> dict[str, object]:
        """Describe the path in JSON Schema."""
        return Text("", optional=True).schema()


class Sheet(NamedTuple):
    """A sheet of a workbook: its name, or its place as a whole number, counted from 1; or null."""

    def read(self, node: "yaml.Node", name: str) -> str | int | None:
        """Read the name or the place; raises `BadSettingError`."""
        if not node.tag.endswith(":int"):
            return Text("", optional=True).read(node, name)
        place = scalar(node, name)
        if not re.fullmatch("[1-9][0-9]{0,3}", place):
            raise BadSettingError(
                node,
                f"{name} is {as_written(node)}, not a place, which is counted from 1"
                f' (for a sheet of this name write {name}: "{as_written(node)}")',
            )
        return int(place)

    def schema(self) -> dict[str, object]:
        """Describe the name or the place in JSON Schema."""
        return Column("", optional=True).schema()


RULES: dict[str, TableRule] = {
    "line": Line((AUTO, NO_HEADER)),
    "first_row": Line(("null",)),
    "comment": Comment(),
    "delimiter": Delimiter(),
    "decimal": Sign((".", ",")),
    "thousands": Sign((*THOUSANDS, None)),
    "strip": Stripped(),
    "encoding": Encoding(),
    "missing": MissingValues(),
    "records": BarsPath(),
    "sheet": Sheet(),
}


def check_table(config: Any, root: "yaml.Node") -> None:
    """Raise `BadSettingError` for settings that contradict each other."""
    table, columns = config.table, config.columns
    if table.thousands == table.decimal:
        what = f"table.thousands and table.decimal are both {shown(table.decimal)}"
        raise BadSettingError(_setting(root, "table", "thousands"), what)
    if table.header != NO_HEADER:
        return
    for name in ("close", "timestamp"):
        if columns.is_named(name):
            column = f"columns.{name} cannot be {shown(str(getattr(columns, name)))}"
            hint = "write the place of the column, counted from 1"
            what = f"there is no header by table.header, so {column} ({hint})"
            raise BadSettingError(_setting(root, "table", "header"), what)


def _setting(root: "yaml.Node", section: str, key: str) -> "yaml.Node":
    """Return where a setting is in a config, the section if it is not given."""
    for name, group in cast("yaml.MappingNode", root).value:
        if name.value == section:
            inside = {inner.value: inner for inner, _ in group.value}
            return cast("yaml.Node", inside.get(key, name))
    return root
