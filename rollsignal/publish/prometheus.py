"""This module writes the metrics of a run for Prometheus: a textfile, or a post to a Pushgateway.

They are gauges without timestamps. A run that failed says only when and how it ended: what tells of
successes stays as it was.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from rollsignal.core.timestamps.reader import asked_ns
from rollsignal.errors import UsageError
from rollsignal.messages import is_url
from rollsignal.outputs.metrics import signal_rate
from rollsignal.outputs.record.document import Record
from rollsignal.publish.interface import Post, Textfile

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NOT_KNOWN = "NaN"


class Gauge(NamedTuple):
    """What a metric tells; of_success: whether a run that failed leaves it as it was."""

    help: str
    of_success: bool = True


GAUGES: Mapping[str, Gauge] = {
    "rollsignal_last_run_timestamp_seconds": Gauge("When the last run ended.", False),
    "rollsignal_last_exit_code": Gauge("The exit code of the last run, 0 for success.", False),
    "rollsignal_last_duration_seconds": Gauge("How long the last run took.", False),
    "rollsignal_build_info": Gauge("The version of rollsignal that ran last; always 1.", False),
    "rollsignal_last_success_timestamp_seconds": Gauge("When the last success ended."),
    "rollsignal_newest_bar_timestamp_seconds": Gauge("The time of the newest bar."),
    "rollsignal_rows": Gauge("The rows that were read."),
    "rollsignal_series": Gauge("The series that were read."),
    "rollsignal_signals": Gauge("The bars that have a signal."),
    "rollsignal_signal_ratio": Gauge("The share of signals that are 1, to 4 places."),
    "rollsignal_ties": Gauge("The closes that are equal to their rolling mean."),
    "rollsignal_check_findings": Gauge("The bars that a check found; of checks that are on."),
    "rollsignal_stage_duration_seconds": Gauge("How long a stage of the run took."),
}
_KEPT = frozenset(name for name, gauge in GAUGES.items() if gauge.of_success)
_SAMPLE = re.compile(r'(\w+)(\{(?:\w+="(?:[^"\\]|\\.)*",?)*\})? (\S+)')

Samples = dict[str, dict[str, str]]
"""The values of each metric, by their labels as they are written."""


def prometheus_messages(record: Record, address: str) -> list[Post | Textfile]:
    """Return the metrics of a run that has ended, for a path or for the URL of a Pushgateway.

    The grouping key of the URL has the label `pipeline`; in a file it is the stem of its name.
    """
    if record.status == "running":
        return []
    if is_url(address):
        text = metrics_text(samples_of(record, {}))
        return [Post(address, text.encode(), CONTENT_TYPE)]
    stem = address.rpartition("/")[2].removesuffix(".prom")
    text = metrics_text(samples_of(record, {"pipeline": stem}))
    return [Textfile(address, text, frozenset() if record.status == "success" else _KEPT)]


def samples_of(record: Record, labels: Mapping[str, str]) -> Samples:
    """Return what the metrics say of a run."""
    ended_ms = _ms(record.process.ended or record.process.started)
    ended = _seconds_of(ended_ms, 3)
    values: dict[str, dict[str, str]] = {
        "rollsignal_last_run_timestamp_seconds": {"": ended},
        "rollsignal_last_exit_code": {"": str(record.error.exit_code if record.error else 0)},
        "rollsignal_last_duration_seconds": {
            "": _seconds_of(ended_ms - _ms(record.process.started), 3)
        },
        "rollsignal_build_info": {_escaped_label("version", record.program.rollsignal): "1"},
    }
    if record.status == "success":
        values |= {"rollsignal_last_success_timestamp_seconds": {"": ended}, **_of_success(record)}
    common = [_escaped_label(name, value) for name, value in labels.items()]
    return {
        name: {",".join(filter(None, [*common, label])): value for label, value in each.items()}
        for name, each in values.items()
    }


def _of_success(record: Record) -> Samples:
    tally = record.tally
    assert tally, "a run that succeeded has a tally"
    return {
        "rollsignal_newest_bar_timestamp_seconds": {"": _newest(record.newest_bar)},
        "rollsignal_rows": {"": str(tally.rows)},
        "rollsignal_series": {"": str(record.series)},
        "rollsignal_signals": {"": str(tally.signals)},
        "rollsignal_signal_ratio": {"": str(signal_rate(record.job_config(), tally))},
        "rollsignal_ties": {"": str(tally.ties)},
        # A check that is off found nothing because it did not look.
        "rollsignal_check_findings": {
            _escaped_label("check", name): str(check.found)
            for name, check in record.checks.items()
            if check.level != "off"
        },
        "rollsignal_stage_duration_seconds": {
            _escaped_label("stage", name): _seconds_of(ms, 3)
            for name, ms in record.stages_ms.items()
        },
    }


def metrics_text(samples: Samples) -> str:
    """Write metrics in Prometheus' text format, in the order of `GAUGES`."""
    lines: list[str] = []
    for name, gauge in GAUGES.items():
        if each := samples.get(name):
            lines += [f"# HELP {name} {gauge.help}", f"# TYPE {name} gauge"]
            lines += [f"{name}{'{' * bool(at)}{at}{'}' * bool(at)} {n}" for at, n in each.items()]
    return "\n".join([*lines, ""])


def with_kept(text: str, former: str, kept: Iterable[str]) -> str:
    """Return a text with metrics of the former text that it does not have itself."""
    samples = _samples_in(former)
    return metrics_text(
        {name: samples[name] for name in kept if name in samples} | _samples_in(text)
    )


def _samples_in(text: str) -> Samples:
    """Read metrics again; lines that are not of this module are left out."""
    samples: Samples = {}
    for line in text.split("\n"):
        match = _SAMPLE.fullmatch(line)
        if match and match[1] in GAUGES and _is_written_value(match[3]):
            samples.setdefault(match[1], {})[(match[2] or "")[1:-1]] = match[3]
    return samples


def _is_written_value(text: str) -> bool:
    return text == NOT_KNOWN or re.fullmatch(r"-?\d+(\.\d+)?", text, re.ASCII) is not None


def _escaped_label(name: str, value: str) -> str:
    escaped_value = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{name}="{escaped_value}"'


def _ms(time: str) -> int:
    """Return a time of a record in milliseconds since 1970."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)


def _newest(time: str | None) -> str:
    """Return the time of the newest bar in seconds since 1970, NaN if it has none."""
    try:
        return NOT_KNOWN if time is None else _seconds_of(asked_ns("newest_bar", time, ""), 9)
    except UsageError:
        # A time that no calendar has is written as a count.
        return NOT_KNOWN


def _seconds_of(count: int, places: int) -> str:
    """Write a count of 10^-places seconds as a decimal.

    >>> _seconds_of(1500, 3), _seconds_of(-1, 9), _seconds_of(0, 3)
    ('1.5', '-0.000000001', '0')
    """
    seconds, fraction = divmod(abs(count), 10**places)
    text = f"{'-' * (count < 0)}{seconds}.{fraction:0{places}d}"
    return text.rstrip("0").rstrip(".")
