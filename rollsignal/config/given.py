"""This module puts settings that are given on the command line in place of those of the config."""

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from rollsignal.config.sections import flat_schemas
from rollsignal.config.settings import JobConfig
from rollsignal.config.yaml_nodes import FLAG, as_written, composed, is_mapping
from rollsignal.errors import ConfigError, UsageError
from rollsignal.messages import did_you_mean, shown

if TYPE_CHECKING:
    import yaml


def values_of(given: Sequence[str]) -> dict[str, str]:
    """Return the value of each setting in `KEY=VALUE`, by its dotted name.

    The value of a section is a mapping, whose settings count as given one by one. Raises
    `UsageError` for what is no setting, or is given twice.
    """
    values: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{FLAG} {shown(text)} lacks a value", "write KEY=VALUE, as window=20")
        for setting, inner in _given_by_one(name, value):
            if setting in values:
                raise UsageError(f"{FLAG} {setting} is given twice; keep one")
            values[setting] = inner
    return values


def _given_by_one(name: str, value: str) -> list[tuple[str, str]]:
    """Return the settings that one flag gives: the one that it names, or those of a section."""
    known = flat_schemas(JobConfig)
    if name in known:
        return [(name, value)]
    if any(each.startswith(f"{name}.") for each in known):
        node = _value_of(name, value)
        if node is None or not is_mapping(node):
            found = "empty" if node is None else as_written(node)
            what = f"{name} is {found}, not a group of settings such as {{KEY: VALUE}}"
            raise ConfigError(f"{FLAG} {name}: {what}")
        pairs = [
            (f"{name}.{as_written(key)}", value[inner.start_mark.index : inner.end_mark.index])
            for key, inner in node.value
        ]
    else:
        pairs = [(name, value)]
    for setting, _ in pairs:
        if setting not in known:
            hint = did_you_mean(setting, list(known))
            raise UsageError(f"{FLAG} has no setting {shown(setting)}", hint)
    return pairs


def _value_of(name: str, value: str) -> "yaml.Node | None":
    """Return the value of a setting, None for an empty one; raises `ConfigError`.

    What YAML takes as a comment would be lost without a word.
    """
    where = f"{FLAG} {name}"
    try:
        node = composed(value.encode(errors="surrogateescape"), where)
    except ConfigError as problem:
        raise ConfigError(problem.message, _in_quotes(name, value)) from problem
    if (value if node is None else value[node.end_mark.index :]).strip():
        what = f"{where} is {shown(value)}, of which YAML takes a part as a comment"
        raise ConfigError(what, _in_quotes(name, value))
    return node


def _in_quotes(name: str, value: str) -> str:
    """Return how to give a value as text, which YAML would read as something else."""
    if not value.isprintable():
        return ""
    quoted = f'"{value}"' if not set(value) & set('"\\') else "'" + value.replace("'", "''") + "'"
    return f"if it is a text, write {FLAG} {shlex.quote(f'{name}={quoted}')}"


def with_given(root: "yaml.Node | None", values: Mapping[str, str]) -> "yaml.Node | None":
    """Return the settings of a config with those that `values_of` returns in their place.

    Raises `ConfigError` for a value that is no YAML.
    """
    import yaml

    for name, value in values.items():
        where = f"{FLAG} {name}"
        node = _value_of(name, value)
        mark = yaml.Mark(where, 0, 0, 0, None, 0)
        if node is None:
            node = yaml.ScalarNode("tag:yaml.org,2002:null", "", mark, mark)
        _mark(node, where)
        if root is None:
            root = yaml.MappingNode("tag:yaml.org,2002:map", [], mark, mark)
        if is_mapping(root):
            _put(root, name, node)
    return root


def _put(root: "yaml.MappingNode", name: str, node: "yaml.Node") -> None:
    """Set a setting in the mapping that it belongs to, which is made if need be."""
    import yaml

    section, _, key = name.rpartition(".")
    if section:
        inner = next((value for each, value in root.value if each.value == section), None)
        if inner is None:
            inner = yaml.MappingNode("tag:yaml.org,2002:map", [], node.start_mark, node.end_mark)
            root.value.append((_key_node(section, node), inner))
        # A section that is no mapping is refused when it is read.
        if is_mapping(inner):
            _put(inner, key, node)
        return
    root.value[:] = [pair for pair in root.value if pair[0].value != key]
    root.value.append((_key_node(key, node), node))


def _key_node(name: str, node: "yaml.Node") -> "yaml.ScalarNode":
    import yaml

    mark = node.start_mark
    return yaml.ScalarNode("tag:yaml.org,2002:str", name, mark, mark)


def _mark(node: "yaml.Node", where: str) -> None:
    """Have every part of a value say that it is from the command line."""
    node.start_mark.name = where
    parts = node.value if isinstance(node.value, list) else []
    for part in parts:
        for each in cast("Sequence[yaml.Node]", part if isinstance(part, tuple) else (part,)):
            _mark(each, where)
