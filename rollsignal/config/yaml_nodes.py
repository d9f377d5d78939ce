"""This module reads YAML into nodes, and shows them in messages."""

import codecs
from typing import Any, cast

import yaml

from rollsignal.errors import ConfigError
from rollsignal.messages import shown

MAX_DEPTH = 8


class BadSettingError(Exception):
    """A setting that is not allowed, on the line `line`."""

    def __init__(self, node: yaml.Node, what: str) -> None:
        super().__init__(what)
        self.line = node.start_mark.line + 1
        self.what = what


class _Loader(yaml.SafeLoader):
    """A loader that refuses aliases, tags and deep nesting, which no config needs."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = cast(Any, self).peek_event()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None):
            refused = "aliases" if isinstance(event, yaml.AliasEvent) else "tags"
            raise yaml.MarkedYAMLError(
                problem=f"{refused} are not allowed here", problem_mark=event.start_mark
            )
        if self.depth >= MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def composed(data: bytes, name: str) -> yaml.Node | None:
    """Return the topmost node of a YAML text, None for an empty one; raises `ConfigError`.

    name: the name of the text in messages.
    """
    try:
        if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            data.decode()
        return yaml.compose(data, Loader=_Loader)
    except UnicodeDecodeError as error:
        line_number = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{name} line {line_number}: not valid YAML text: a byte that is not UTF-8"
        ) from error
    except yaml.MarkedYAMLError as error:
        # If the text ends too early, the context mark is where the unfinished part begins.
        unfinished = "end of stream" in str(error.problem) and error.context_mark
        mark = unfinished or error.problem_mark
        line = f" line {mark.line + 1}" if mark else ""
        quotes = "; put it in quotes" if "cannot start any token" in str(error.problem) else ""
        raise ConfigError(f"{name}{line}: not valid YAML: {error.problem}{quotes}") from error
    except (yaml.YAMLError, UnicodeError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"{name}: not valid YAML text: {reason}") from error


def scalar(node: yaml.Node, name: str) -> str:
    """Return the text of a single value; raises `BadSettingError` for a list or a mapping."""
    if not isinstance(node, yaml.ScalarNode):
        raise BadSettingError(node, f"{name} is {as_written(node)}, not a single value")
    return cast(str, node.value)


def is_quoted(node: yaml.Node) -> bool:
    """Return whether a value is in quotes or in a block of text, so that it is text."""
    return bool(getattr(node, "style", None))


def as_written(node: yaml.Node) -> str:
    """Return what is written in the YAML, for a message."""
    if not isinstance(node, yaml.ScalarNode):
        return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
    if not node.value and not is_quoted(node):
        return "empty"
    text = str(node.value)
    return text[:40] if text.isprintable() and not is_quoted(node) else shown(text)
