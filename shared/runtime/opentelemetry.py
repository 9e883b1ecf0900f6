"""Spans recorded with OpenTelemetry's SDK and sent by OTLP over HTTP. Imported only if tracing is on.

Spans are sent by a thread, in batches, from a queue of at most OTEL_BSP_MAX_QUEUE_SIZE (2,048): while nobody
takes them the newest are dropped, and no request waits. The SDK reads the standard environment by itself.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Final

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.ids import new_id
from shared.runtime.log import without_credentials
from shared.runtime.tracing import HEADER, Attributes, Span, SpanKind, TraceIds

log = structlog.get_logger(__name__)

_KINDS: Final = {kind: trace.SpanKind[kind.name] for kind in SpanKind}
_W3C: Final = TraceContextTextMapPropagator()
_NOWHERE: Final = Context()


class OpenTelemetryTracer:
    """The `Tracer` of a process; its service is `greenroom-<service>`, unless the environment names it."""

    def __init__(self, service: str, exporter: SpanExporter | None = None):
        """`exporter` stands in for the one that the environment configures."""
        # It repeats headers that it cannot read, and they are secrets.
        logging.getLogger("opentelemetry.util.re").setLevel(logging.CRITICAL)
        self._provider = TracerProvider(resource=_resource(service), shutdown_on_exit=False)
        reporting = _ReportingExporter(exporter or OTLPSpanExporter())
        self._provider.add_span_processor(BatchSpanProcessor(reporting))
        self._tracer = self._provider.get_tracer("greenroom", version("greenroom"))
        # It logs each try and each dropped span; what matters of that is logged by the exporter below.
        for noisy in ("opentelemetry.sdk", "opentelemetry.context"):
            logging.getLogger(noisy).setLevel(logging.CRITICAL)

    @contextmanager
    def span(
        self, name: str, kind: SpanKind, attributes: Attributes, parent: str | None, links: Sequence[str]
    ) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name,
            _context(parent) if parent else None,
            _KINDS[kind],
            attributes,
            _links(links),
            record_exception=False,  # its text may say who it was, and what they wrote
            set_status_on_exception=False,
        ) as started:
            step = _RecordedSpan(started)
            try:
                yield step
            except BaseException as error:
                step.fail(type(error).__name__)
                raise

    def add_ended(
        self,
        name: str,
        kind: SpanKind,
        attributes: Attributes,
        parent: str,
        links: Sequence[str],
        started: int,
    ) -> None:
        self._tracer.start_span(
            name, _context(parent), _KINDS[kind], attributes, _links(links), start_time=started
        ).end()

    def current(self) -> Span | None:
        here = trace.get_current_span()
        return _RecordedSpan(here) if here.get_span_context().is_valid else None

    def ids(self) -> TraceIds | None:
        here = trace.get_current_span().get_span_context()
        if not here.is_valid:
            return None
        return TraceIds(trace.format_trace_id(here.trace_id), trace.format_span_id(here.span_id))

    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier.get(HEADER)

    def shutdown(self, seconds: float) -> None:
        """In a thread of its own, which is left behind when the time is over."""
        closing = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        closing.start()
        closing.join(seconds)


class _RecordedSpan(Span):
    def __init__(self, span: trace.Span):
        self._span = span

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def fail(self, kind: str) -> None:
        self._span.set_attribute("error.type", kind)
        self._span.set_status(trace.StatusCode.ERROR)


class _ReportingExporter(SpanExporter):
    """Logs when spans are not taken any longer, and when they are again; not each time."""

    def __init__(self, exporter: SpanExporter):
        self._exporter = exporter
        self._fails = False
        self._reason = _FirstMessage()
        logging.getLogger(type(exporter).__module__).addFilter(self._reason)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._reason.text = ""
        result = self._exporter.export(spans)
        fails = result is not SpanExportResult.SUCCESS
        if fails != self._fails:
            self._fails = fails
            if fails:
                log.warning("tracing.not_sent", reason=self._reason.text)
            else:
                log.info("tracing.sent_again")
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class _FirstMessage(logging.Filter):
    """Keeps what is logged from the log; `text` is the first of it, at most 300 characters."""

    text = ""

    def filter(self, record: logging.LogRecord) -> bool:
        self.text = self.text or without_credentials(record.getMessage())
        return False


def _resource(service: str) -> Resource:
    ours = {
        "service.name": f"greenroom-{service}",
        "service.namespace": "greenroom",
        "service.version": version("greenroom"),
        "service.instance.id": new_id(),
    }
    # OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME, which `create` would put beneath ours.
    return Resource.create(ours).merge(OTELResourceDetector().detect())


def _context(traceparent: str) -> Context:
    """Nobody's if it cannot be read."""
    return _W3C.extract({HEADER: traceparent}, _NOWHERE)


def _links(traceparents: Sequence[str]) -> list[trace.Link]:
    spans = (trace.get_current_span(_context(one)).get_span_context() for one in traceparents)
    return [trace.Link(span) for span in spans if span.is_valid]
