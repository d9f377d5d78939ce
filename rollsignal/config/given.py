"""This module puts settings that are given on the command line in place of those of the config."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from rollsignal.config.sections import flat_schemas
from rollsignal.config.settings import JobConfig
from rollsignal.config.yaml_nodes import FLAG, composed, is_mapping
from rollsignal.errors import UsageError
from rollsignal.messages import did_you_mean, shown

if TYPE_CHECKING:
    import yaml


def values_of(given: Sequence[str]) -> dict[str, str]:
    """Return the value of each setting in `KEY=VALUE`, by its dotted name.

    Raises `UsageError` for what is no setting, or is given twice.
    """
    values: dict[str, str] = {}
    known = flat_schemas(JobConfig)
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{FLAG} {shown(text)} lacks a value", "write KEY=VALUE, as window=20")
        if name not in known:
            raise UsageError(
                f"{FLAG} has no setting {shown(name)}", did_you_mean(name, list(known))
            )
        if name in values:
            raise UsageError(f"{FLAG} {name} is given twice; keep one")
        values[name] = value
    return values


def with_given(root: "yaml.Node | None", values: Mapping[str, str]) -> "yaml.Node | None":
    """Return the settings of a config with those that `values_of` returns in their place.

    Raises `ConfigError` for a value that is no YAML.
    """
    import yaml

    for name, value in values.items():
        where = f"{FLAG} {name}"
        node = composed(value.encode(errors="surrogateescape"), where)
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
