"""Takes spans by OTLP over HTTP, as Tempo or a collector does, and keeps them for tests to look at."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

Value = str | int | float | bool | list[str]


@dataclass(frozen=True)
class ReceivedSpan:
    """`service` is without its prefix `greenroom-`; ids in hexadecimal, `parent_id` empty for the first of a
    trace; times in ns since 1970."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    linked_traces: list[str]
    attributes: dict[str, Value]
    failed: bool
    started: int
    ended: int


@dataclass
class OtlpReceiver:
    """`url` is what OTEL_EXPORTER_OTLP_ENDPOINT is to be."""

    url: str
    spans: list[ReceivedSpan] = field(default_factory=list)

    def trace(self, trace_id: str) -> list[ReceivedSpan]:
        """Its spans so far, in the order of their start."""
        return sorted((one for one in self.spans if one.trace_id == trace_id), key=lambda one: one.started)

    def traces_of_request(self, request_id: str) -> set[str]:
        return {
            one.trace_id for one in self.spans if one.attributes.get("greenroom.request_id") == request_id
        }

    def drawn(self, trace_id: str) -> str:
        """The trace as a tree, for people."""
        spans = self.trace(trace_id)
        known = {one.span_id for one in spans}
        roots = [one for one in spans if one.parent_id not in known]
        return "\n".join(line for root in roots for line in _lines(root, spans, 0))


def _lines(span: ReceivedSpan, spans: list[ReceivedSpan], depth: int) -> Iterator[str]:
    took = (span.ended - span.started) / 1e6
    yield f"{took:8.1f} ms  {'  ' * depth}{span.service}: {span.name} ({span.kind})"
    for child in spans:
        if child.parent_id == span.span_id:
            yield from _lines(child, spans, depth + 1)


@contextmanager
def otlp_receiver() -> Iterator[OtlpReceiver]:
    """Listens on a free port of 127.0.0.1 while this lasts."""
    receiver = OtlpReceiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            receiver.spans.extend(_spans(ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _spans(request: ExportTraceServiceRequest) -> Iterator[ReceivedSpan]:
    for of_resource in request.resource_spans:
        service = str(_attributes(of_resource.resource.attributes)["service.name"]).removeprefix("greenroom-")
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                yield _span(service, span)


def _span(service: str, span: ProtoSpan) -> ReceivedSpan:
    return ReceivedSpan(
        service=service,
        name=span.name,
        kind=ProtoSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        linked_traces=[link.trace_id.hex() for link in span.links],
        attributes=_attributes(span.attributes),
        failed=span.status.code == Status.StatusCode.STATUS_CODE_ERROR,
        started=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Value]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Value:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [one.string_value for one in value.array_value.values]
    return getattr(value, kind) if kind else ""
