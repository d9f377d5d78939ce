"""This module reads config.yaml into a frozen `JobConfig`.

Each setting is declared once: its name, type, check, default and help.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, cast, get_args

import yaml

from rollsignal.errors import ConfigError, shown_path
from rollsignal.regular_files import open_regular
from rollsignal.sections import Section, lines_of, mapping_schema, read_mapping
from rollsignal.settings import (
    DateAndTime,
    OneOf,
    Switch,
    Symbol,
    SymbolFrom,
    Text,
    Timestamp,
    Whole,
    Written,
)
from rollsignal.yaml_nodes import BadSettingError, as_written, composed

MAX_BYTES = 65_536
WRITTEN = ("iso", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns")

Level = Literal["error", "warn", "off"]
Warmup = Literal["exclude", "zero"]
Missing = Literal["error", "skip", "gap"]
OnRestatement = Literal["error", "recompute"]


class Columns(NamedTuple):
    """The names of the columns that are read."""

    close: Annotated[str, Text("the column of closes")] = "close"
    timestamp: Annotated[
        str | DateAndTime | None,
        Timestamp(
            "the column of timestamps, or those of their [date, time]; null: found by usual names"
        ),
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
    ohlc: Annotated[
        Level, OneOf("high below another price, low above one, volume below 0", get_args(Level))
    ] = "off"
    gaps: Annotated[
        Level, OneOf("a step in time beyond the series' most common one", get_args(Level))
    ] = "off"


class JobConfig(NamedTuple):
    """All settings of a job."""

    seed: Annotated[
        int, Whole("seeds every random draw; the job itself draws nothing", 0, 2**32 - 1, "42")
    ]
    window: Annotated[
        int, Whole("bars in the rolling mean, the current one included", 1, 10**9, "5")
    ]
    version: Annotated[
        str,
        Text("your name for this pipeline's version, copied to the metrics", example='"v1"'),
    ]
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
    on_restatement: Annotated[
        OnRestatement,
        OneOf(
            "bars of a state that were changed since: error; recompute: decide everything anew",
            get_args(OnRestatement),
        ),
    ] = "error"
    sort: Annotated[bool, Switch("sort the bars by time first, on disk if need be")] = False
    columns: Annotated[Columns, Section("names of the columns", Columns)] = Columns()
    timestamp_format: Annotated[
        str | None,
        Written(
            f"how timestamps are written: {', '.join(WRITTEN)},"
            ' or a pattern such as "%d/%m/%Y %H:%M"; null: found out',
            WRITTEN,
        ),
    ] = None
    checks: Annotated[
        Checks, Section("what to do about bars in doubt: error, warn or off", Checks)
    ] = Checks()

    @property
    def needs_timestamps(self) -> bool:
        """Tell whether any check looks at timestamps."""
        checks = self.checks
        return self.sort or (checks.order, checks.duplicates, checks.gaps) != ("off", "off", "off")

    def plain_by_name(self) -> dict[str, object]:
        """List every setting by its dotted name, as JSON holds it."""
        return {
            name: value.plain() if isinstance(value, SymbolFrom | DateAndTime) else value
            for name, value in self.by_name().items()
        }

    def by_name(self) -> dict[str, object]:
        """List every setting by its dotted name."""
        settings: dict[str, object] = {}
        for name, value in self._asdict().items():
            if hasattr(value, "_asdict"):
                settings |= {f"{name}.{below}": item for below, item in value._asdict().items()}
            else:
                settings[name] = value
        return settings


class ReadConfig(NamedTuple):
    """A config file's settings, and the lines of those that are written there, by dotted name."""

    config: JobConfig
    lines: dict[str, int]


def load_config(path: str, assumed: Mapping[str, object] | None = None) -> JobConfig:
    """Read a config file's settings, as `read_config` does."""
    return read_config(path, assumed).config


def config_of(settings: Mapping[str, object]) -> JobConfig:
    """Make a config of the values that `plain_by_name` lists; raises `ConfigError`."""
    groups: dict[str, object] = {}
    for name, value in settings.items():
        group, _, key = name.rpartition(".")
        within = cast(dict[str, object], groups.setdefault(group, {})) if group else groups
        within[key] = value
    text = yaml.safe_dump(groups, allow_unicode=True, sort_keys=False)
    return _read(text.encode(), "the settings of the record", {}).config


def read_config(path: str, assumed: Mapping[str, object] | None = None) -> ReadConfig:
    """Read a config file; raises `ConfigError` with the file, the line and what to write.

    assumed: values of required settings that may be left out.
    """
    name = shown_path(path)
    with open_regular(path, "Config file", ConfigError) as file:
        try:
            data = file.read(MAX_BYTES + 1)
        except OSError as problem:
            raise ConfigError(f"{name}: reading failed: {problem.strerror}") from problem
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{name}: more than {MAX_BYTES:,} bytes, too large for a config")
    return _read(data, name, assumed or {})


def _read(data: bytes, name: str, assumed: Mapping[str, object]) -> ReadConfig:
    root = composed(data, name)
    if root is None:
        if assumed:
            values: dict[str, Any] = dict(assumed)
            return ReadConfig(JobConfig(**values), {})
        raise ConfigError(f"{name}: the config is empty; it needs seed, window and version")
    if not isinstance(root, yaml.MappingNode):
        # Nothing at all is put at the end by the parser.
        line = root.start_mark.line + 1 if root.value else 1
        raise ConfigError(
            f"{name} line {line}: {as_written(root)} instead of settings such as window: 5"
        )
    try:
        config = cast(JobConfig, read_mapping(root, JobConfig, "", assumed))
        return ReadConfig(config, lines_of(root, JobConfig))
    except BadSettingError as bad:
        error = ConfigError(f"{name} line {bad.line}: {bad.what}")
        error.version = _version(root)
        raise error from None


def config_schema() -> dict[str, object]:
    """Build the JSON Schema of a config."""
    return mapping_schema(JobConfig)


def _version(root: yaml.MappingNode) -> str | None:
    """Find the version in a config that has something else wrong."""
    for key, value in root.value:
        if key.value == "version":
            try:
                return Text("").read(value, "version")
            except BadSettingError:
                return None
    return None
