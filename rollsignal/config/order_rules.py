"""This module holds what settings say together about the order of bars, and about repeated rows."""

from typing import TYPE_CHECKING, cast

from rollsignal.config.rules import NO_TIMESTAMPS
from rollsignal.config.yaml_nodes import BadSettingError

if TYPE_CHECKING:
    import yaml

    from rollsignal.config.settings import JobConfig


def check_order(config: "JobConfig", root: "yaml.Node") -> None:
    """Raise `BadSettingError` for settings with which newest-first bars are not checked."""
    if not config.is_newest_first:
        return
    problem = ""
    if config.sort:
        problem = "sort is true, which puts bars in order however they stand (leave out order)"
    elif config.columns.timestamp == NO_TIMESTAMPS:
        problem = "columns.timestamp is none, and only times show the order (leave out order)"
    elif config.checks.order != "error":
        problem = f"checks.order is {config.checks.order} (set checks: {{order: error}})"
    if problem:
        raise BadSettingError(_given_at(root, "order"), f"order is newest_first, but {problem}")


def check_repeats(config: "JobConfig", root: "yaml.Node") -> None:
    """Raise `BadSettingError` for settings with which rows cannot be compared."""
    problem = ""
    if config.duplicates != "keep" and config.columns.timestamp == NO_TIMESTAMPS:
        problem = "columns.timestamp is none, so no row repeats the time of another"
    elif config.sort and config.compares_rows:
        problem = "sort keeps only symbol, time and close (set checks: {ohlc: off})"
    if problem:
        what = f"duplicates is {config.duplicates}, but {problem}"
        raise BadSettingError(_given_at(root, "duplicates"), what)


def _given_at(root: "yaml.Node", name: str) -> "yaml.Node":
    """Return where a setting stands that is given."""
    nodes = {key.value: key for key, _ in cast("yaml.MappingNode", root).value}
    return cast("yaml.Node", nodes[name])
