"""This module reads YAML into nodes, and shows them in messages."""

import codecs
from functools import cache
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from rollsignal.errors import ConfigError
from rollsignal.messages import shown

if TYPE_CHECKING:
    import yaml

MAX_DEPTH = 8
FLAG = "--set"


class BadSettingError(Exception):
    """A setting that is not allowed; its mark says where it stands."""

    def __init__(self, node: "yaml.Node", what: str) -> None:
        super().__init__(what)
        self.mark = node.start_mark
        self.what = what

    def where(self, name: str) -> str:
        """Return the line of the config `name`, or the flag that gives the setting."""
        return given_by(self.mark) or f"{name} line {self.mark.line + 1}"


def given_by(mark: "yaml.Mark") -> str:
    """Return the flag that gives what stands at a mark, "" for the config."""
    return str(mark.name) if str(mark.name).startswith(FLAG) else ""


@cache
def _loader() -> "type[yaml.SafeLoader]":
    """Make the loader that refuses aliases, tags and deep nesting, which no config needs."""
    # Imported here, so that a run without the library still leaves its error metrics.
    import yaml

    class Loader(yaml.SafeLoader):
        depth = 0

        def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
            event = cast(Any, self).peek_event()
            if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None):
                refused = "aliases" if isinstance(event, yaml.AliasEvent) else "tags"
                raise yaml.MarkedYAMLError(
                    problem=f"{refused} are not allowed here", problem_mark=event.start_mark
                )
            if self.depth >= MAX_DEPTH:
                mark = event.start_mark
                raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=mark)
            self.depth += 1
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

    return Loader


def composed(data: bytes, name: str) -> "yaml.Node | None":
    """Return the topmost node of a YAML text, None for an empty one; raises `ConfigError`.

    name: the name of the text in messages.
    """
    import yaml

    try:
        if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            data.decode()
        return yaml.compose(data, Loader=_loader())
    except UnicodeDecodeError as error:
        line_number = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{name} line {line_number}: not valid YAML text: a byte that is not UTF-8"
        ) from error
    except yaml.MarkedYAMLError as error:
        problem = str(error.problem)
        # If the text ends too early or a colon is missing, the context mark is where that begins.
        begins = ("end of stream" in problem or "expected ':'" in problem) and error.context_mark
        mark = begins or error.problem_mark
        line = f" line {mark.line + 1}" if mark else ""
        hint = ""
        if "cannot start any token" in problem:
            hint = "; write blanks for tabs" if r"'\t'" in problem else "; put it in quotes"
        raise ConfigError(f"{name}{line}: not valid YAML: {problem}{hint}") from error
    except (yaml.YAMLError, UnicodeError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"{name}: not valid YAML text: {reason}") from error


def scalar(node: "yaml.Node", name: str) -> str:
    """Return the text of a single value; raises `BadSettingError` for a list or a mapping."""
    if not is_scalar(node):
        raise BadSettingError(node, f"{name} is {as_written(node)}, not a single value")
    return cast(str, node.value)


def _kind(node: "yaml.Node") -> str:
    return cast(str, cast(Any, node).id)


def is_scalar(node: "yaml.Node") -> "TypeGuard[yaml.ScalarNode]":
    """Return whether a node is a single value."""
    return _kind(node) == "scalar"


def is_sequence(node: "yaml.Node") -> "TypeGuard[yaml.SequenceNode]":
    """Return whether a node is a list."""
    return _kind(node) == "sequence"


def is_mapping(node: "yaml.Node") -> "TypeGuard[yaml.MappingNode]":
    """Return whether a node is a mapping."""
    return _kind(node) == "mapping"


def is_quoted(node: "yaml.Node") -> bool:
    """Return whether a value is in quotes or in a block of text, so that it is text."""
    return bool(getattr(node, "style", None))


def as_written(node: "yaml.Node") -> str:
    """Return what is written in the YAML, for a message."""
    if not is_scalar(node):
        return "a list" if is_sequence(node) else "a mapping"
    if not node.value and not is_quoted(node):
        return "empty"
    text = str(node.value)
    return text[:40] if text.isprintable() and not is_quoted(node) else shown(text)
