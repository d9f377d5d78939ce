"""This module reads sections, which are mappings of settings with a rule for each."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast, get_args

from rollsignal.config.yaml_nodes import (
    BadSettingError,
    as_written,
    given_by,
    is_mapping,
    is_scalar,
)
from rollsignal.messages import did_you_mean

if TYPE_CHECKING:
    import yaml


class Section(NamedTuple):
    """A mapping of settings below one key."""

    help: str
    settings_type: type

    def read(self, node: "yaml.Node", name: str) -> object:
        """Read every setting of the section; raises `BadSettingError`."""
        return read_mapping(node, self.settings_type, name + ".", {})

    def schema(self) -> dict[str, object]:
        """Describe the section in JSON Schema."""
        return mapping_schema(self.settings_type)


def rules_of(settings_type: Any) -> dict[str, Any]:
    """Return the rules that the annotations of `settings_type` declare, by name."""
    return {key: get_args(declared)[1] for key, declared in settings_type.__annotations__.items()}


def mapping_schema(settings_type: Any) -> dict[str, object]:
    """Describe the settings that `settings_type` declares in JSON Schema."""
    properties = {}
    for key, rule in rules_of(settings_type).items():
        properties[key] = rule.schema() | {"description": rule.help}
        if key in settings_type._field_defaults and not isinstance(rule, Section):
            properties[key]["default"] = settings_type._field_defaults[key]
    return {
        "type": "object",
        "properties": properties,
        "required": [key for key in properties if key not in settings_type._field_defaults],
        "additionalProperties": False,
    }


def flat_schemas(settings_type: Any, prefix: str = "") -> dict[str, dict[str, Any]]:
    """Describe every setting in JSON Schema, by its dotted name."""
    schemas: dict[str, dict[str, Any]] = {}
    for key, rule in rules_of(settings_type).items():
        if isinstance(rule, Section):
            schemas |= flat_schemas(rule.settings_type, f"{prefix}{key}.")
        else:
            schemas[prefix + key] = rule.schema()
    return schemas


def lines_of(node: "yaml.Node", settings_type: Any, prefix: str = "") -> dict[str, int]:
    """Return the line of each setting that a config has, by dotted name; there are no errors."""
    rules = rules_of(settings_type)
    lines: dict[str, int] = {}
    for key, value in cast("yaml.MappingNode", node).value:
        rule = rules[key.value]
        if isinstance(rule, Section):
            lines |= lines_of(value, rule.settings_type, f"{prefix}{key.value}.")
        elif not given_by(key.start_mark):
            lines[prefix + key.value] = key.start_mark.line + 1
    return lines


def read_mapping(
    node: "yaml.Node", settings_type: Any, prefix: str, assumed: Mapping[str, object]
) -> object:
    """Read the settings that the annotations of `settings_type` declare.

    assumed: values of required settings that may be left out.
    """
    if not is_mapping(node):
        raise BadSettingError(node, f"{prefix[:-1]} is {as_written(node)}, not a group of settings")
    rules = rules_of(settings_type)
    values: dict[str, object] = {}
    for key_node, value_node in node.value:
        key = _known_key(key_node, rules, prefix)
        if key in values:
            raise BadSettingError(key_node, f"{prefix}{key} is given twice; keep one")
        values[key] = rules[key].read(value_node, prefix + key)
    values = {**assumed, **values}
    missing = [
        key for key in rules if key not in values and key not in settings_type._field_defaults
    ]
    if missing:
        raise BadSettingError(
            node,
            f"missing {' and '.join(missing)}"
            f" (write for example {missing[0]}: {rules[missing[0]].example})",
        )
    return settings_type(**values)


def _known_key(node: "yaml.Node", rules: dict[str, Any], prefix: str) -> str:
    key = node.value if is_scalar(node) else ""
    if key not in rules:
        hint = did_you_mean(key, list(rules))
        raise BadSettingError(node, f"unknown setting {as_written(node)} ({hint})")
    return cast(str, key)
