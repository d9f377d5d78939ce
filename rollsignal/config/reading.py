"""This module reads config.yaml into a `JobConfig`; its errors name the line."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from rollsignal.config.request import Request
from rollsignal.config.rules import Text
from rollsignal.config.sections import lines_of, read_mapping
from rollsignal.config.settings import AS_FOUND, JobConfig
from rollsignal.config.yaml_nodes import BadSettingError, as_written, composed, is_mapping
from rollsignal.errors import ConfigError
from rollsignal.files.open import lexists, open_regular, reading
from rollsignal.messages import shown_path

if TYPE_CHECKING:
    import yaml

MAX_BYTES = 65_536


class ReadConfig(NamedTuple):
    """The settings, and the lines of those written in the config, by dotted name.

    given: the names of those that the command line gives.
    """

    config: JobConfig
    lines: dict[str, int]
    given: Collection[str] = ()


def load_config(
    path: str, assumed: Mapping[str, object] | None = None, given: Sequence[str] = ()
) -> JobConfig:
    """Read the settings of a config file, as `read_config` does."""
    return read_config(path, assumed, given).config


def config_of(settings: Mapping[str, object]) -> JobConfig:
    """Build a config from the values that `plain_by_name` lists; raises `ConfigError`."""
    return _from_values(settings, ())


def with_values(config: JobConfig, given: Sequence[str]) -> JobConfig:
    """Return a config with settings given as `KEY=VALUE`; raises `ConfigError`, `UsageError`."""
    return _from_values(config.plain_by_name(), given)


def _from_values(settings: Mapping[str, object], given: Sequence[str]) -> JobConfig:
    import yaml

    groups: dict[str, object] = {}
    for name, value in settings.items():
        group, _, key = name.rpartition(".")
        section = cast(dict[str, object], groups.setdefault(group, {})) if group else groups
        section[key] = value
    text = yaml.safe_dump(groups, allow_unicode=True, sort_keys=False)
    return _read(text.encode(), "the settings of the record", {}, given).config


def config_in(text: str) -> JobConfig:
    """Read the settings of a config that is not written yet; raises `ConfigError`."""
    return _read(text.encode(), "the config", {}, ()).config


def read_config(
    path: str, assumed: Mapping[str, object] | None = None, given: Sequence[str] = ()
) -> ReadConfig:
    """Read a config file; raises `ConfigError` with the file, the line and what to write.

    assumed: values of required settings that may be left out. given: settings as `KEY=VALUE`, which
    go before those of the file; then the usual file need not be there. Raises `UsageError` for one
    that is none, `DiskError` if reading fails.
    """
    name = shown_path(path)
    if path == Request().config and not lexists(path):
        if given:
            return _read(b"", name, assumed or {}, given)
        command = "rollsignal init --input TABLE writes one for your bars"
        where = f"path: {name}, looked for in the working directory; {command}"
        raise ConfigError("Config file not found", where)
    with open_regular(path, "Config file", ConfigError) as file, reading(name):
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{name}: more than {MAX_BYTES:,} bytes, too large for a config")
    return _read(data, name, assumed or {}, given)


def _read(
    data: bytes, name: str, assumed: Mapping[str, object], given: Sequence[str]
) -> ReadConfig:
    root = composed(data, name)
    given_values: dict[str, str] = {}
    if given:
        from rollsignal.config.given import values_of, with_given

        given_values = values_of(given)
        root = with_given(root, given_values)
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
        _check_together(config, root)
        return ReadConfig(config, lines_of(root, JobConfig), given_values)
    except BadSettingError as problem:
        error = ConfigError(f"{problem.where(name)}: {problem.what}")
        error.version = _version_of_root(root)
        raise error from None


def _check_together(config: JobConfig, root: "yaml.MappingNode") -> None:
    """Raise `BadSettingError` for settings that do not go together."""
    if config.table != AS_FOUND:
        from rollsignal.config.table_rules import check_table

        check_table(config, root)
    if config.columns.is_wide:
        from rollsignal.config.path_symbols import check_wide

        check_wide(config, root)
    if config.is_newest_first or config.duplicates != "keep":
        from rollsignal.config.order_rules import check_order, check_repeats

        check_order(config, root)
        check_repeats(config, root)


def _version_of_root(root: "yaml.MappingNode") -> str | None:
    """Return the version of a config that has an error elsewhere, None if it has no valid one."""
    for key, value in root.value:
        if key.value == "version":
            try:
                return Text("").read(value, "version")
            except BadSettingError:
                return None
    return None
