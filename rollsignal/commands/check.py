"""This module is the story of a check: what is wrong with the bars. It decides no signal."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from itertools import islice
from time import perf_counter
from typing import Any, NamedTuple

from rollsignal.commands.plan import requested_inputs
from rollsignal.config.reading import load_config
from rollsignal.config.request import Request
from rollsignal.config.settings import Checks, JobConfig
from rollsignal.core.findings import SHOWN_FINDINGS, UNTIMED, Found, LocatedFinding
from rollsignal.engines import ENGINES
from rollsignal.engines.inputs import no_order
from rollsignal.engines.interface import Task
from rollsignal.engines.progress import Draw, Progress, total_bytes
from rollsignal.errors import DataError
from rollsignal.files.find import Input
from rollsignal.files.open import exists
from rollsignal.messages import Tell, shown_path
from rollsignal.readers.opening import symbol_of

CHECK_SETTINGS: dict[str, Any] = {"seed": 0, "window": 1, "version": "check"}


class Checked(NamedTuple):
    """The report of a check as it is printed, and the exit code."""

    document: dict[str, object]
    exit_code: int


def check(
    inputs: Sequence[str],
    config_path: str | None,
    tell: Tell,
    draw: Draw | None = None,
    given: Sequence[str] = (),
) -> Checked:
    """Read all bars with every check on; raises `JobError` where there is nothing to check.

    config_path: the config, which need not have the settings that only signals need; None for the
    defaults. A folder stands for the files that a run would read. tell: receives the first
    findings. draw: shows a line of progress on a terminal. given: settings as `KEY=VALUE`.
    """
    config = JobConfig(**CHECK_SETTINGS)
    if config_path or given:
        config = load_config(config_path or Request().config, CHECK_SETTINGS, given)
    files = requested_inputs(Request(tuple(inputs), config_path or Request().config))
    levels = _levels(config)
    checks: dict[str, Any] = {name: levels[name] for name in Checks._fields}
    # A check decides nothing, so no bar has to wait.
    config = config._replace(window=1, missing="gap", open_bars=0, checks=Checks(**checks))
    task = Task(files, config, levels=levels, collect_errors=True, doubts=True)
    start = perf_counter()
    with closing(Progress(total_bytes(files), draw, _no_log)) as progress:
        found = ENGINES["local"]().decide(task, [], tell, progress)
    if found.untimed and config.needs_timestamps:
        _report_untimed(found, files, config, levels)
    if unreadable := found.findings.first.get("unreadable"):
        from rollsignal.commands.advice import with_advice

        took_ms = round((perf_counter() - start) * 1000)
        error = DataError(unreadable[0].message)
        if advice := with_advice(error, files, inputs, config, took_ms).detail:
            tell("WARNING", advice)
    document = _report(found)
    return Checked(document, DataError.exit_code if document["status"] == "errors" else 0)


def _report_untimed(
    found: Found, files: Sequence[Input], config: JobConfig, levels: dict[str, str]
) -> None:
    """Report that series have no timestamps: an error where the order of files is unknown."""
    with_rows = [file for file in files if file.path in found.files and found.files[file.path].rows]
    message = UNTIMED
    if any(count > 1 for count in Counter(symbol_of(file, config) for file in with_rows).values()):
        levels["timestamps"] = "error"
        message = str(no_order(with_rows))
    file, symbol = found.accounts[found.untimed[0]].last_file, found.untimed[0]
    finding = LocatedFinding("timestamps", file, None, symbol, None, message)
    found.findings.report(finding, len(found.untimed))


def _levels(config: JobConfig) -> dict[str, str]:
    """Return the level of each check: that of the config; where it is off, error, or its default.

    `values` only warns by default: a close of zero may be right.
    """
    usual = {name: "error" for name in Checks._fields} | {"values": Checks().values}
    levels = {
        name: usual[name] if level == "off" else level
        for name, level in config.checks._asdict().items()
    }
    missing = "error" if config.missing == "error" else "warn"
    return {"unreadable": "error", "timestamps": "warn", "missing": missing, **levels}


def _no_log(*_: object, **fields: object) -> None:
    """Keep no log: a check writes nothing to disk."""


def usual_config(path: str | None) -> str | None:
    """Return the path of the given config, or of the default one if that exists."""
    default = Request().config
    return path or (default if exists(default) else None)


def _report(found: Found) -> dict[str, object]:
    """Build the report: how often each check found something, and where the first few are."""
    findings = found.findings
    wrong = {findings.levels[name] for name in findings.counts}
    return {
        "status": "errors" if "error" in wrong else "warnings" if wrong else "ok",
        "rows": found.tally.rows,
        "series": len(found.accounts),
        "files": {
            "count": len(found.files),
            "first": [
                {"file": shown_path(path), "form": file.description}
                for path, file in islice(found.files.items(), SHOWN_FINDINGS)
            ],
        },
        "checks": {
            name: {
                "level": level,
                "count": findings.counts[name],
                "first": [_finding_json(finding) for finding in findings.first.get(name, [])],
            }
            for name, level in findings.levels.items()
        },
    }


def _finding_json(finding: LocatedFinding) -> dict[str, object]:
    fields = finding._asdict()
    del fields["check"]
    return fields
