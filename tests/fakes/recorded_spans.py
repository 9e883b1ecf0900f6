"""Spans that are kept in memory instead of being sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import format_trace_id

from shared.runtime import tracing
from shared.runtime.opentelemetry import OpenTelemetryTracer

FLUSH_SECONDS = 10.0


class RecordedSpans:
    """What was recorded; ended spans alone, the first to end first."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self._tracer = OpenTelemetryTracer("tests", self.exporter)

    @property
    def all(self) -> list[ReadableSpan]:
        """Ends the recording."""
        tracing.use(None)
        self._tracer.shutdown(FLUSH_SECONDS)
        return list(self.exporter.get_finished_spans())

    def use(self) -> None:
        tracing.use(self._tracer)


@contextmanager
def recorded_spans() -> Iterator[RecordedSpans]:
    """Tracing is on while this lasts."""
    spans = RecordedSpans()
    spans.use()
    try:
        yield spans
    finally:
        tracing.use(None)


def trace_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return format_trace_id(span.context.trace_id)


def parent_of(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def id_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.span_id)


def links_of(span: ReadableSpan) -> list[str]:
    """The traces that it is linked to."""
    return [format_trace_id(link.context.trace_id) for link in span.links]


def traceparent(digit: str, *, sampled: bool = True) -> str:
    """A step of the trace whose id is this hexadecimal digit 32 times."""
    return f"00-{digit * 32}-{digit * 16}-0{int(sampled)}"
