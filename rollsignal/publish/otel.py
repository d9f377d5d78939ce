"""This module tells of a run as a trace: a root span, and a child for every stage."""

import re
from datetime import datetime
from uuid import uuid5

from rollsignal.outputs.record.document import Record
from rollsignal.publish.heartbeat import run_id
from rollsignal.publish.interface import RunSpan, RunTrace

ROOT_SPAN = "rollsignal run"
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_NS = 10**6


def otel_messages(record: Record, address: str) -> list[RunTrace]:
    """Return the trace of a run that has ended; its ids follow from the record.

    address: what the variable TRACEPARENT says of the span that the run belongs to; what is not as
    W3C Trace Context says is ignored, as that says too.
    """
    if record.status == "running":
        return []
    trace_id, parent = _parent_of(address) or (run_id(record).int, None)
    started_ns = _span_ns(record.process.started)
    ended_ns = _span_ns(record.process.ended or record.process.started)
    root = RunSpan(_span_id(record, ""), ROOT_SPAN, started_ns, ended_ns, _attributes_of(record))
    children = []
    for name, at_ms in record.stages_at_ms.items():
        start_ns = started_ns + at_ms * _NS
        end_ns = start_ns + record.stages_ms.get(name, 0) * _NS
        children.append(RunSpan(_span_id(record, name), name, start_ns, end_ns, {}))
    error = record.error.message if record.error else ""
    return [RunTrace(trace_id, parent, root, children, error, record.program.rollsignal)]


def _parent_of(traceparent: str) -> tuple[int, int] | None:
    """Return the ids of a trace and a span of it, None if it is not both."""
    match = _TRACEPARENT.fullmatch(traceparent.strip())
    ids = (int(match[1], 16), int(match[2], 16)) if match else (0, 0)
    return ids if all(ids) else None


def _span_id(record: Record, stage: str) -> int:
    return (uuid5(run_id(record), stage).int & (2**64 - 1)) or 1


def _attributes_of(record: Record) -> dict[str, str | int | float]:
    """Return what is known of a run, by the names of its attributes."""
    tally, metrics = record.tally, record.metrics or {}
    known = {
        "version": metrics.get("version"),
        "exit_code": record.error.exit_code if record.error else 0,
        "rows": tally and tally.rows,
        "series": record.series,
        "signals": tally and tally.signals,
        "signal_ratio": metrics.get("value"),
        "ties": tally and tally.ties,
        "newest_bar": record.newest_bar,
        "lagging": record.lagging,
        **{
            f"check.{name}": each.found
            for name, each in record.checks.items()
            if each.level != "off"
        },
    }
    return {
        f"rollsignal.{name}": value
        for name, value in known.items()
        if isinstance(value, str | int | float)
    }


def _span_ns(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000) * _NS
