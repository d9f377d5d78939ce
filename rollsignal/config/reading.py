"""This module reads config.yaml into a `JobConfig`; its errors name the line."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from rollsignal.config.rules import Text
from rollsignal.config.sections import lines_of, read_mapping
from rollsignal.config.settings import JobConfig
from rollsignal.config.yaml_nodes import BadSettingError, as_written, composed, is_mapping
from rollsignal.errors import ConfigError
from rollsignal.files.open import open_regular
from rollsignal.messages import shown_path

if TYPE_CHECKING:
    import yaml

MAX_BYTES = 65_536


class ReadConfig(NamedTuple):
    """The settings of a config file, and the lines of those written there, by dotted name."""

    config: JobConfig
    lines: dict[str, int]


def load_config(path: str, assumed: Mapping[str, object] | None = None) -> JobConfig:
    """Read the settings of a config file, as `read_config` does."""
    return read_config(path, assumed).config


def config_of(settings: Mapping[str, object]) -> JobConfig:
    """Build a config from the values that `plain_by_name` lists; raises `ConfigError`."""
    import yaml

    groups: dict[str, object] = {}
    for name, value in settings.items():
        group, _, key = name.rpartition(".")
        section = cast(dict[str, object], groups.setdefault(group, {})) if group else groups
        section[key] = value
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
        except OSError as error:
            raise ConfigError(f"{name}: reading failed: {error.strerror}") from error
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
    if not is_mapping(root):
        # The parser puts an empty value at the end of the file.
        line = root.start_mark.line + 1 if root.value else 1
        raise ConfigError(
            f"{name} line {line}: {as_written(root)} instead of settings such as window: 5"
        )
    try:
        config = cast(JobConfig, read_mapping(root, JobConfig, "", assumed))
        return ReadConfig(config, lines_of(root, JobConfig))
    except BadSettingError as problem:
        error = ConfigError(f"{name} line {problem.line}: {problem.what}")
        error.version = _version_of_root(root)
        raise error from None


def _version_of_root(root: "yaml.MappingNode") -> str | None:
    """Return the version of a config that has an error elsewhere, None if it has no valid one."""
    for key, value in root.value:
        if key.value == "version":
            try:
                return Text("").read(value, "version")
            except BadSettingError:
                return None
    return None
