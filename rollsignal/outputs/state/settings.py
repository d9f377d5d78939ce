"""This module tells with which settings a state can be continued."""

import json
from typing import NamedTuple

from rollsignal.config.rules import NO_SYMBOLS
from rollsignal.config.settings import JobConfig
from rollsignal.core.ledger import ONE_SERIES
from rollsignal.errors import ConfigError
from rollsignal.messages import shown_path
from rollsignal.outputs.state.document import State

# These settings do not affect stored numbers: a check refuses a bar, or lets it pass unchanged.
MAY_CHANGE = frozenset(
    {
        *("seed", "version", "warmup", "on_restatement"),
        *("checks.order", "checks.duplicates", "checks.values"),
    }
)


class Change(NamedTuple):
    """A setting that has changed since a state was written, as JSON values."""

    name: str
    before: object
    now: object


def kept_settings(config: JobConfig) -> dict[str, object]:
    """Return the settings that all runs on one state must share, as JSON values."""
    values = config.deciding_by_name()
    return {name: value for name, value in values.items() if name not in MAY_CHANGE}


def changed_settings(state: State, config: JobConfig) -> list[Change]:
    """List the settings that differ from those of a state.

    A setting that is not in the state is newer than the state, which was made with its default.
    Where no symbols were found, it makes no difference to say that there are none.
    """
    now = kept_settings(config)
    before = kept_settings(JobConfig(seed=0, window=0, version="")) | state.settings
    if config.columns.symbol == NO_SYMBOLS and set(state.accounts) <= {ONE_SERIES}:
        before["columns.symbol"] = before["columns.symbol"] or now["columns.symbol"]
    changes = [Change(name, before[name], now.get(name)) for name in sorted(before)]
    return [change for change in changes if change.before != change.now]


def check_settings(path: str, state: State, config: JobConfig) -> None:
    """Raise `ConfigError` if a config cannot continue a state."""
    changes = changed_settings(state, config)
    if changes:
        shown = [
            f"{name} is {json.dumps(now)}, was {json.dumps(was)}" for name, was, now in changes
        ]
        raise ConfigError(
            f"Settings differ from those of the state: {'; '.join(shown)}",
            f"state: {shown_path(path)}; set them back, or start again with another state file",
        )
