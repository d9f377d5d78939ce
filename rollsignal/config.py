"""This module reads config.yaml into a frozen `JobConfig`.

Each setting is declared once, in the classes in the middle: its name, type, check, default and
help. What YAML would turn into something else than was written is refused.
"""

import codecs
import re
from typing import Annotated, Any, Literal, NamedTuple, cast, get_args

import yaml

from rollsignal.errors import ConfigError, did_you_mean, shown, shown_path
from rollsignal.files import open_regular

MAX_BYTES = 65_536
MAX_DEPTH = 8


class Whole(NamedTuple):
    """A whole number between two bounds, written with plain digits."""

    help: str
    least: int
    most: int

    def read(self, node: yaml.Node, name: str) -> int:
        """Read the number; raises `_BadSettingError`."""
        text = _scalar(node, name)
        if _is_quoted(node) or not re.fullmatch(r"[+-]?(0|[1-9][0-9]*)", text):
            meant = re.fullmatch(r"0*([1-9][0-9]{0,8})(\.0*)?", text.strip().replace("_", ""))
            example = meant[1] if meant else "5"
            raise _BadSettingError(
                node,
                f"{name} is {_as_written(node)}, no plain whole number (write {name}: {example})",
            )
        if len(text) > 20 or not self.least <= int(text) <= self.most:
            raise _BadSettingError(
                node, f"{name} is {shown(text)}, not between {self.least:,} and {self.most:,}"
            )
        return int(text)


class Text(NamedTuple):
    """Some text, exactly as written; `optional` text may be null."""

    help: str
    optional: bool = False

    def read(self, node: yaml.Node, name: str) -> str | None:
        """Read the text; raises `_BadSettingError`."""
        text = _scalar(node, name)
        kind = node.tag.rpartition(":")[2]
        if kind == "null" and self.optional:
            return None
        if kind not in ("str", "null"):
            raise _BadSettingError(
                node,
                f"{name} is {_as_written(node)}, which YAML reads as a {kind};"
                f' write {name}: "{_as_written(node)}"',
            )
        if not text.strip() or kind == "null":
            raise _BadSettingError(node, f"{name} is empty; write a name, in quotes")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise _BadSettingError(
                node, f"{name} is {shown(text)}, not text that can be written as UTF-8"
            )
        return text


class OneOf(NamedTuple):
    """One of a few words."""

    help: str
    words: tuple[str, ...]

    def read(self, node: yaml.Node, name: str) -> str:
        """Read the word; raises `_BadSettingError`."""
        text = _scalar(node, name)
        if text not in self.words:
            raise _BadSettingError(
                node, f"{name} is {shown(text)}, not one of {', '.join(self.words)}"
            )
        return text


class SymbolFrom(NamedTuple):
    """Where symbols come from: a column, or the names of the files."""

    column: str | None = None
    filename: bool = False

    def __str__(self) -> str:
        return "from: filename" if self.filename else str(self.column)


class Symbol(NamedTuple):
    """The name of the symbol column, `{from: filename}`, or null."""

    help: str

    def read(self, node: yaml.Node, name: str) -> SymbolFrom | None:
        """Read the source of symbols; raises `_BadSettingError`."""
        if isinstance(node, yaml.MappingNode):
            written = [(_as_written(key), _as_written(value)) for key, value in node.value]
            if written != [("from", "filename")]:
                raise _BadSettingError(node, f"{name} is a mapping other than {{from: filename}}")
            return SymbolFrom(filename=True)
        column = Text("", optional=True).read(node, name)
        return None if column is None else SymbolFrom(column)


class Section(NamedTuple):
    """A mapping of settings below one key."""

    help: str
    kind: type

    def read(self, node: yaml.Node, name: str) -> object:
        """Read every setting of the section; raises `_BadSettingError`."""
        return _read_mapping(node, self.kind, name + ".")


Level = Literal["error", "warn", "off"]
Warmup = Literal["exclude", "zero"]
Missing = Literal["error", "skip", "gap"]


class Columns(NamedTuple):
    """The names of the columns that are read."""

    close: Annotated[str, Text("the column of closes")] = "close"
    timestamp: Annotated[
        str | None, Text("the column of timestamps; null: found by its usual names", optional=True)
    ] = None
    symbol: Annotated[
        SymbolFrom | None,
        Symbol("the column of symbols, or {from: filename}; null: one series"),
    ] = None


class Checks(NamedTuple):
    """What is to be done about bars in doubt."""

    order: Annotated[Level, OneOf("a timestamp before the one above it", get_args(Level))] = "error"
    duplicates: Annotated[
        Level, OneOf("a timestamp equal to the one above it", get_args(Level))
    ] = "error"


class JobConfig(NamedTuple):
    """All settings of a job."""

    seed: Annotated[
        int, Whole("seeds every random draw; the job itself draws nothing", 0, 2**32 - 1)
    ]
    window: Annotated[int, Whole("bars in the rolling mean, the current one included", 1, 10**9)]
    version: Annotated[str, Text("your name for this pipeline's version, copied to the metrics")]
    warmup: Annotated[
        Warmup,
        OneOf(
            "exclude: value = ones / bars that have a signal; zero: ones / all bars",
            get_args(Warmup),
        ),
    ] = "exclude"
    missing: Annotated[
        Missing,
        OneOf(
            "a bar without a close: error; skip: left out; gap: windows with it have no signal",
            get_args(Missing),
        ),
    ] = "error"
    columns: Annotated[Columns, Section("names of the columns", Columns)] = Columns()
    checks: Annotated[Checks, Section("order and duplicates: error, warn or off", Checks)] = (
        Checks()
    )

    @property
    def needs_timestamps(self) -> bool:
        """Tell whether any check looks at timestamps."""
        return self.checks != ("off", "off")


_EXAMPLES = {"seed": "seed: 42", "window": "window: 5", "version": 'version: "v1"'}


class _BadSettingError(Exception):
    def __init__(self, node: yaml.Node, what: str) -> None:
        super().__init__(what)
        self.line = node.start_mark.line + 1
        self.what = what


def load_config(path: str) -> JobConfig:
    """Read a config file; raises `ConfigError` with the file, the line and what to write."""
    name = shown_path(path)
    with open_regular(path, "Config file", ConfigError) as file:
        try:
            data = file.read(MAX_BYTES + 1)
        except OSError as problem:
            raise ConfigError(f"{name}: reading failed: {problem.strerror}") from problem
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{name}: more than {MAX_BYTES:,} bytes, too large for a config")
    root = _compose(data, name)
    try:
        return cast(JobConfig, _read_mapping(root, JobConfig, ""))
    except _BadSettingError as bad:
        error = ConfigError(f"{name} line {bad.line}: {bad.what}")
        error.version = _version(root)
        raise error from None


class _Loader(yaml.SafeLoader):
    """Compose nodes without aliases, tags and deep nesting, which no config needs."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = cast(Any, self).peek_event()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None):
            kind = "aliases" if isinstance(event, yaml.AliasEvent) else "tags"
            raise yaml.MarkedYAMLError(
                problem=f"{kind} are not used here", problem_mark=event.start_mark
            )
        if self.depth >= MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _compose(data: bytes, name: str) -> yaml.Node:
    try:
        if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            data.decode()
        root = yaml.compose(data, Loader=_Loader)
    except UnicodeDecodeError as error:
        at = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{name} line {at}: not valid YAML text: a byte that is not UTF-8"
        ) from error
    except yaml.MarkedYAMLError as error:
        # Where the text ends too early, the context tells where the unfinished thing began.
        unfinished = "end of stream" in str(error.problem) and error.context_mark
        mark = unfinished or error.problem_mark
        line = f" line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{name}{line}: not valid YAML: {error.problem}") from error
    except (yaml.YAMLError, UnicodeError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"{name}: not valid YAML text: {reason}") from error
    if root is None:
        raise ConfigError(f"{name}: the config is empty; it needs seed, window and version")
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(
            f"{name} line 1: {_as_written(root)} instead of settings such as window: 5"
        )
    return root


def _read_mapping(node: yaml.Node, kind: Any, prefix: str) -> object:
    """Read the settings that the annotations of `kind` declare."""
    if not isinstance(node, yaml.MappingNode):
        raise _BadSettingError(
            node, f"{prefix[:-1]} is {_as_written(node)}, not a group of settings"
        )
    rules = {key: get_args(declared)[1] for key, declared in kind.__annotations__.items()}
    values: dict[str, object] = {}
    for key_node, value_node in node.value:
        key = _known_key(key_node, rules, prefix)
        if key in values:
            raise _BadSettingError(key_node, f"{prefix}{key} is given twice; keep one")
        values[key] = rules[key].read(value_node, prefix + key)
    missing = [key for key in rules if key not in values and key not in kind._field_defaults]
    if missing:
        raise _BadSettingError(
            node, f"missing {' and '.join(missing)} (write for example {_EXAMPLES[missing[0]]})"
        )
    return kind(**values)


def _known_key(node: yaml.Node, rules: dict[str, Any], prefix: str) -> str:
    key = node.value if isinstance(node, yaml.ScalarNode) else ""
    if key not in rules:
        hint = did_you_mean(key, list(rules))
        raise _BadSettingError(node, f"unknown setting {_as_written(node)} ({hint})")
    return cast(str, key)


def _version(root: yaml.Node) -> str | None:
    """Find the version in a config that has something else wrong."""
    for key, value in root.value:
        if key.value == "version":
            try:
                return Text("").read(value, "version")
            except _BadSettingError:
                return None
    return None


def _scalar(node: yaml.Node, name: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _BadSettingError(node, f"{name} is {_as_written(node)}, not a single value")
    return cast(str, node.value)


def _is_quoted(node: yaml.Node) -> bool:
    return bool(getattr(node, "style", None))


def _as_written(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
    if not node.value and not _is_quoted(node):
        return "empty"
    text = str(node.value)
    return text[:40] if text.isprintable() and not _is_quoted(node) else shown(text)
