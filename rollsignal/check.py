"""This module is the story of a check: what is wrong with the bars, without any signal."""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from rollsignal.bars.source import find_inputs
from rollsignal.config import Checks, JobConfig, load_config
from rollsignal.engines.doubts import Doubts, Tell
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.local import inspect
from rollsignal.errors import DataError
from rollsignal.sinks.findings import report

ASSUMED: dict[str, Any] = {"seed": 0, "window": 1, "version": "check"}


class Checked(NamedTuple):
    """The report of a check as it is printed, and the exit code."""

    document: dict[str, object]
    exit_code: int


def check(inputs: Sequence[str], config_path: str | None, tell: Tell) -> Checked:
    """Read all bars with every check on; raises `JobError` where there is nothing to check.

    config_path: the config, which may lack what only signals need; None for the defaults.
    """
    config = JobConfig(**ASSUMED) if config_path is None else load_config(config_path, ASSUMED)
    paths = find_inputs(inputs)
    levels = config.checks._asdict().items()
    checks: dict[str, Any] = {name: "error" if level == "off" else level for name, level in levels}
    missing = "error" if config.missing == "error" else "warn"
    doubts = Doubts({"unreadable": "error", "missing": missing, **checks}, tell, to_the_end=True)
    config = config._replace(window=1, missing="gap", checks=Checks(**checks))
    found = inspect(Inputs(paths, config), doubts)
    document = report(found, doubts)
    return Checked(document, DataError.exit_code if document["status"] == "errors" else 0)


def usual_config(path: str | None) -> str | None:
    """Return the config that is named, or config.yaml if there is one."""
    return path or ("config.yaml" if os.path.exists("config.yaml") else None)
