"""This module builds the metrics of a run, as the JSON of the metrics file and of stdout."""

import json
from collections.abc import Mapping
from typing import TypedDict

from rollsignal.config.settings import JobConfig
from rollsignal.core.kernel import Tally
from rollsignal.files.fingerprints import Fingerprint
from rollsignal.files.replace import replace
from rollsignal.outputs.interface import RunReport

UNIT = 10**4


class SuccessMetrics(TypedDict):
    """The metrics of a run that succeeded: `value` is the signal rate."""

    version: str
    rows_processed: int
    metric: str
    value: float
    latency_ms: int
    seed: int
    status: str


class ErrorMetrics(TypedDict):
    """The metrics of a run that failed."""

    version: str
    status: str
    error_message: str


Metrics = SuccessMetrics | ErrorMetrics


class MetricsFile:
    """The metrics file of a run, the last of its outputs."""

    flag = "--output"
    stale = ()

    def __init__(self, path: str) -> None:
        self.path = path

    def begin(self) -> None:
        """Do nothing: the old file is removed before the config is read."""

    def listener(self) -> None:
        """Return None: the tally is enough."""

    def finish(self, report: RunReport) -> Mapping[str, Fingerprint]:
        """Write the metrics; raises `OutputError` or `DiskError`."""
        there = replace(self.path, to_json(metrics_of(report)))
        return {self.path: there} if there else {}

    def tidy(self) -> None:
        """Do nothing: a single file is replaced."""

    def abandon(self) -> None:
        """Do nothing: there is no unfinished file."""


def metrics_of(report: RunReport) -> Metrics:
    """Build the metrics of a run that has ended."""
    if report.error:
        return failure(report.version, report.error.message)
    assert report.config, "a run that succeeded has read its config"
    assert report.found, "a run that succeeded has results"
    return success(report.config.config, report.found.tally, report.elapsed_ms)


def success(config: JobConfig, tally: Tally, latency_ms: int) -> SuccessMetrics:
    """Build the metrics of a run that succeeded, with keys in the published order."""
    return {
        "version": config.version,
        "rows_processed": tally.rows,
        "metric": "signal_rate",
        "value": signal_rate(config, tally),
        "latency_ms": latency_ms,
        "seed": config.seed,
        "status": "success",
    }


def failure(version: str | None, message: str) -> ErrorMetrics:
    """Build the metrics of a run that failed."""
    return {"version": version or "unknown", "status": "error", "error_message": message}


def signal_rate(config: JobConfig, tally: Tally) -> float:
    """Compute ones / bars, rounded half-even to 4 places from the exact whole numbers.

    `bars` are those with a signal (`warmup: exclude`), or all bars (`warmup: zero`).
    """
    bars = tally.signals
    if config.warmup == "zero":
        bars = tally.rows - (tally.missing if config.missing == "skip" else 0)
    quotient, rest = divmod(tally.ones * UNIT, bars)
    round_up = 2 * rest > bars or (2 * rest == bars and quotient % 2 == 1)
    return (quotient + round_up) / UNIT


def to_json(metrics: Mapping[str, object]) -> str:
    """Format metrics as strict JSON, indented by 2, with one newline at the end."""
    return json.dumps(metrics, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
