"""This module holds what settings say together about the order of bars in files."""

from typing import TYPE_CHECKING, cast

from rollsignal.config.rules import NO_TIMESTAMPS
from rollsignal.config.yaml_nodes import BadSettingError

if TYPE_CHECKING:
    import yaml

    from rollsignal.config.settings import JobConfig


def check_order(config: "JobConfig", root: "yaml.Node") -> None:
    """Raise `BadSettingError` for settings with which newest-first bars are not checked."""
    problem = ""
    if config.sort:
        problem = "sort is true, which puts bars in order however they stand (leave out order)"
    elif config.columns.timestamp == NO_TIMESTAMPS:
        problem = "columns.timestamp is none, and only times show the order (leave out order)"
    elif config.checks.order != "error":
        problem = f"checks.order is {config.checks.order} (set checks: {{order: error}})"
    if problem:
        nodes = {key.value: key for key, _ in cast("yaml.MappingNode", root).value}
        raise BadSettingError(nodes["order"], f"order is newest_first, but {problem}")
