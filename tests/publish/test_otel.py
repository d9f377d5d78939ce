"""Facts about the trace of a run, and that a receiver of OTLP gets it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

import pytest

from rollsignal.outputs.record.document import Failure, Record, load_record, record_json
from rollsignal.publish.interface import RunTrace
from rollsignal.publish.otel import otel_messages
from rollsignal.publish.sender import Sending, send_all
from rollsignal.publish.targets import addressed, target_of
from tests.support.receivers import gateway
from tests.support.shell import ENVIRONMENT, ROOT, TIMED, Recorded

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NO_TRACE = f"00-{'0' * 32}{PARENT[35:]}"
HAS_SDK = bool(find_spec("opentelemetry") and find_spec("opentelemetry.sdk"))


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    files = Recorded(tmp_path_factory.mktemp("run"), TIMED)
    assert files.run() == 0
    return load_record(str(files.record))


def traced(record: Record, parent: str = "") -> RunTrace:
    (trace,) = otel_messages(record, parent)
    return trace


def test_a_trace_has_a_root_with_the_numbers_of_the_run_and_a_child_for_every_stage(
    record: Record,
) -> None:
    trace = traced(record)
    assert trace.root.name == "rollsignal run"
    assert trace.error == ""
    assert dict(trace.root.attributes) == {
        "rollsignal.version": "v1",
        "rollsignal.exit_code": 0,
        "rollsignal.rows": 8,
        "rollsignal.series": 1,
        "rollsignal.signals": 7,
        "rollsignal.signal_ratio": 0.5714,
        "rollsignal.ties": 1,
        "rollsignal.newest_bar": "2024-01-08T00:00:00Z",
        "rollsignal.lagging": 0,
        "rollsignal.check.order": 0,
        "rollsignal.check.duplicates": 0,
        "rollsignal.check.values": 0,
    }
    names = [child.name for child in trace.children]
    assert names == list(record.stages_ms)
    assert {"config", "decide", "write", "hash_outputs"} <= set(names)


def test_every_stage_begins_when_it_did(record: Record) -> None:
    trace = traced(record)
    starts = [child.start_ns for child in trace.children]
    assert starts == sorted(starts)
    assert starts[0] >= trace.root.start_ns
    assert all(
        child.end_ns - child.start_ns == record.stages_ms[child.name] * 10**6
        for child in trace.children
    )


def test_a_record_that_does_not_know_when_its_stages_began_has_a_root_alone(
    record: Record,
) -> None:
    assert traced(record._replace(stages_at_ms={})).children == []


def test_the_ids_follow_from_the_record(record: Record) -> None:
    assert traced(record) == traced(record)
    other = record._replace(process=record.process._replace(id=record.process.id + 1))
    assert traced(other).id != traced(record).id
    spans = [traced(record).root, *traced(record).children]
    assert len({span.id for span in spans}) == len(spans)


def test_a_run_belongs_to_the_span_of_traceparent(record: Record) -> None:
    trace = traced(record, PARENT)
    assert (trace.id, trace.parent) == (0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331)
    assert addressed(target_of("otel"), {"TRACEPARENT": PARENT}).address == PARENT


@pytest.mark.parametrize(
    "wrong",
    ["", "x", PARENT[:-1], PARENT.upper(), f"ff{PARENT[2:]}", NO_TRACE],
)
def test_a_wrong_traceparent_is_ignored_as_its_standard_says(record: Record, wrong: str) -> None:
    assert traced(record, wrong) == traced(record)


def test_a_failure_says_why_and_a_run_that_goes_on_has_no_trace(record: Record) -> None:
    failed = record._replace(status="error", error=Failure(66, "no bars"), tally=None)
    assert traced(failed).error == "no bars"
    assert traced(failed).root.attributes["rollsignal.exit_code"] == 66
    assert otel_messages(record._replace(status="running"), "") == []


@pytest.mark.skipif(HAS_SDK, reason="the SDK of OpenTelemetry is installed here")
def test_without_the_sdk_a_trace_is_a_target_that_failed(record: Record) -> None:
    sendings = [Sending("otel", traced(record))]
    assert send_all(sendings, monotonic() + 60) == [
        ("otel", "it needs pip install 'rollsignal[otel]'")
    ]


def sent(record: Record, folder: Path, url: str) -> subprocess.CompletedProcess[str]:
    """Publish a record as a process whose environment names the receiver."""
    (folder / "record.json").write_text(record_json(record))
    command = f"-m rollsignal publish {folder / 'record.json'} otel --timeout=60"
    return subprocess.run(
        [sys.executable, *command.split()],
        cwd=ROOT,
        env=ENVIRONMENT | {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "TRACEPARENT": PARENT},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


needs_sdk = pytest.mark.skipif(
    not HAS_SDK, reason="opentelemetry-sdk is not installed here, so no trace is sent"
)


@needs_sdk
def test_a_receiver_of_otlp_gets_the_trace(record: Record, tmp_path: Path) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    with gateway() as (url, received):
        assert sent(record, tmp_path, url).returncode == 0
    ((path, body),) = received
    assert path == "/v1/traces"
    request = ExportTraceServiceRequest.FromString(body)
    (spans,) = [each.spans for group in request.resource_spans for each in group.scope_spans]
    root, *stages = spans
    assert (root.trace_id.hex(), root.parent_span_id.hex()) == tuple(PARENT.split("-")[1:3])
    assert root.start_time_unix_nano == traced(record).root.start_ns
    assert root.end_time_unix_nano == traced(record).root.end_ns
    assert [stage.name for stage in stages] == list(record.stages_ms)
    assert {stage.parent_span_id for stage in stages} == {root.span_id}


@needs_sdk
def test_a_receiver_that_refuses_the_trace_is_a_failure(record: Record, tmp_path: Path) -> None:
    with gateway(400) as (url, received):
        done = sent(record, tmp_path, url)
    assert len(received) == 1
    assert done.returncode == 74
    assert done.stderr == (
        "rollsignal: error: not published: otel (its server did not take the trace)\n"
    )
