"""This module is the story of a check: what is wrong with the bars, without any signal."""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from rollsignal.config import Checks, JobConfig, load_config
from rollsignal.engines.doubts import Doubts, Tell
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.local import inspect
from rollsignal.errors import DataError
from rollsignal.progress import Draw, Progress
from rollsignal.request import Request
from rollsignal.sinks.findings import report

ASSUMED: dict[str, Any] = {"seed": 0, "window": 1, "version": "check"}


class Checked(NamedTuple):
    """The report of a check as it is printed, and the exit code."""

    document: dict[str, object]
    exit_code: int


def check(
    inputs: Sequence[str], config_path: str | None, tell: Tell, draw: Draw | None = None
) -> Checked:
    """Read all bars with every check on; raises `JobError` where there is nothing to check.

    config_path: the config, which may lack what only signals need; None for the defaults. A
    folder stands for the files that a run would read. tell: hears of the first findings. draw:
    shows a line of progress on a terminal.
    """
    config = JobConfig(**ASSUMED) if config_path is None else load_config(config_path, ASSUMED)
    paths = Request(tuple(inputs), config_path or Request().config).input_files()
    doubts = Doubts(_levels(config), tell, to_the_end=True)
    checks: dict[str, Any] = {name: doubts.levels[name] for name in Checks._fields}
    config = config._replace(window=1, missing="gap", checks=Checks(**checks))
    read = Inputs(paths, config)
    progress = Progress(read.total_bytes, draw, _no_log)
    try:
        found = inspect(read, doubts, progress)
    finally:
        progress.close()
    document = report(found, doubts)
    return Checked(document, DataError.exit_code if document["status"] == "errors" else 0)


def _levels(config: JobConfig) -> dict[str, str]:
    """Give each check its level in the config, error if that is off."""
    levels = {
        name: "error" if level == "off" else level
        for name, level in config.checks._asdict().items()
    }
    missing = "error" if config.missing == "error" else "warn"
    return {"unreadable": "error", "missing": missing, **levels}


def _no_log(*_: object, **fields: object) -> None:
    """Keep no log: a check writes nothing to disk."""


def usual_config(path: str | None) -> str | None:
    """Return the config that is named, or the usual one if there is one."""
    usual = Request().config
    return path or (usual if os.path.exists(usual) else None)
