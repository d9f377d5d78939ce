"""This module sends a trace with the SDK of OpenTelemetry, which reads the variables `OTEL_*`."""

import logging

from rollsignal.errors import DiskError, InputError
from rollsignal.publish.interface import RunSpan, RunTrace


def export(trace: RunTrace, seconds: float) -> None:
    """Send a trace by OTLP; raises `InputError` without the SDK, `DiskError` if it is refused."""
    # What these libraries log has URLs in it.
    logging.disable(logging.CRITICAL)
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import SpanExportResult
    except ImportError as problem:
        # The reason is the message alone, so the hint is a part of it.
        raise InputError("it needs pip install 'rollsignal[otel]'") from problem
    exporter = OTLPSpanExporter(timeout=max(0.001, seconds))
    if exporter.export(_spans(trace)) is not SpanExportResult.SUCCESS:
        raise DiskError("its server did not take the trace")


def _spans(trace: RunTrace) -> list[object]:
    """Return the spans of a trace as the SDK has them."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, TraceFlags
    from opentelemetry.trace.status import Status, StatusCode

    sampled = TraceFlags(TraceFlags.SAMPLED)
    named = {"service.name": "rollsignal", "service.version": trace.version}
    resource = Resource(named).merge(OTELResourceDetector().detect())
    scope = InstrumentationScope("rollsignal", trace.version)
    failed = Status(StatusCode.ERROR, trace.error) if trace.error else Status(StatusCode.OK)

    def made(span: RunSpan, parent: int | None, status: object) -> object:
        return ReadableSpan(
            span.name,
            SpanContext(trace.id, span.id, False, sampled),
            None if parent is None else SpanContext(trace.id, parent, True, sampled),
            resource,
            span.attributes,
            status=status,
            start_time=span.start_ns,
            end_time=span.end_ns,
            instrumentation_scope=scope,
        )

    children = [made(child, trace.root.id, Status(StatusCode.UNSET)) for child in trace.children]
    return [made(trace.root, trace.parent, failed), *children]
