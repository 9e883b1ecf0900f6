"""Traces: what a request or an event causes, step by step and through all services, as OpenTelemetry's spans.

They are recorded if the environment names where to send them (OTEL_EXPORTER_OTLP_ENDPOINT or
OTEL_EXPORTER_OTLP_TRACES_ENDPOINT); otherwise nothing of OpenTelemetry is imported, and a step costs a call.
Attributes never hold what people wrote, who they are, nor credentials. A position in a trace travels as a
`traceparent` of W3C Trace Context.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

import structlog

log = structlog.get_logger(__name__)

HEADER: Final = "traceparent"

Attributes = Mapping[str, str | int | float | bool | Sequence[str]]

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


class SpanKind(StrEnum):
    """OpenTelemetry's kinds of spans."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class TraceIds(NamedTuple):
    """In lower-case hexadecimal: 32 and 16 characters."""

    trace_id: str
    span_id: str


class Span:
    """A step of a trace. This one is none: what is said of it goes nowhere."""

    def rename(self, name: str) -> None: ...

    def set(self, attributes: Attributes) -> None: ...

    def fail(self, kind: str) -> None:
        """It failed; `kind` is an error's class or a status, never its text."""


class Tracer(Protocol):
    """What records; the functions of this module say what each does."""

    def span(
        self, name: str, kind: SpanKind, attributes: Attributes, parent: str | None, links: Sequence[str]
    ) -> AbstractContextManager[Span]: ...

    def add_ended(
        self,
        name: str,
        kind: SpanKind,
        attributes: Attributes,
        parent: str,
        links: Sequence[str],
        started: int,
    ) -> None:
        """A step that began at `started` (Unix time in ns) and ends now; it is never current."""
        ...

    def current(self) -> Span | None: ...

    def ids(self) -> TraceIds | None: ...

    def traceparent(self) -> str | None: ...

    def shutdown(self, seconds: float) -> None: ...


# Of a `traceparent`: `00-<trace id>-<span id>-<flags>`.
_TRACE_ID: Final = slice(3, 35)
_SAMPLED: Final = frozenset("13579bdf")

_NO_SPAN: Final = Span()
# The step that is none.
NOTHING: Final = nullcontext(_NO_SPAN)

_tracer: Tracer | None = None


def configure(service: str, environ: Mapping[str, str] = os.environ) -> None:
    """Begin to record if the environment asks for it. Called once, before the service is built."""
    global _tracer
    if not _is_wanted(environ):
        return
    protocols = {environ[name] for name in _PROTOCOLS if environ.get(name)}
    if protocols - {"http/protobuf"}:
        log.warning("tracing.protocol", configured=sorted(protocols), used="http/protobuf")
    from shared.runtime.opentelemetry import OpenTelemetryTracer

    _tracer = OpenTelemetryTracer(service)
    log.info("tracing.on", service_name=service)


def _is_wanted(environ: Mapping[str, str]) -> bool:
    disabled = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    unwanted = environ.get("OTEL_TRACES_EXPORTER", "").lower() == "none"
    return not disabled and not unwanted and any(environ.get(name) for name in _ENDPOINTS)


def use(tracer: Tracer | None) -> None:
    """Record with this tracer from now on; for tests."""
    global _tracer
    _tracer = tracer


def is_on() -> bool:
    return _tracer is not None


def shutdown(seconds: float) -> None:
    """Send what is recorded, for at most so long; nothing is recorded afterwards."""
    global _tracer
    tracer, _tracer = _tracer, None
    if tracer is not None:
        tracer.shutdown(seconds)


def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Attributes | None = None,
    *,
    parent: str | None = None,
    links: Sequence[str] = (),
) -> AbstractContextManager[Span]:
    """A step that is current in the block: of `parent`'s trace, else of the current one, else of a new one.

    `parent` and `links`, to steps of other traces, are `traceparent`s; unreadable ones are ignored. What the
    block raises makes it a failed step, named after the error's class.
    """
    if _tracer is None:
        return NOTHING
    return _tracer.span(name, kind, attributes or {}, parent, links)


def continued(name: str, parent: str | None) -> AbstractContextManager[Span]:
    """What a worker does later of a step that was recorded; none without it."""
    return (
        NOTHING
        if _tracer is None or parent is None
        else _tracer.span(name, SpanKind.INTERNAL, {}, parent, ())
    )


def child(
    name: str, kind: SpanKind = SpanKind.CLIENT, attributes: Attributes | None = None
) -> AbstractContextManager[Span]:
    """A step of the current trace; none outside of one, so that what is done by the clock makes no traces."""
    if _tracer is None or _tracer.current() is None:
        return NOTHING
    return _tracer.span(name, kind, attributes or {}, None, ())


def of_several(
    name: str, kind: SpanKind, attributes: Attributes, parents: Sequence[str]
) -> AbstractContextManager[Span]:
    """A step that several traces have in common, such as the handling of a batch of events.

    What the block does is part of the first of them that is recorded; every other one gets a step of the same
    name and time, with a link to where it was done.
    """
    if _tracer is None:
        return NOTHING
    traces = {parent[_TRACE_ID]: parent for parent in reversed(parents)}
    recorded = (parent for parent in parents if parent[-1:] in _SAMPLED)
    first = next(recorded, parents[0] if parents else None)
    others = [parent for trace_id, parent in traces.items() if not first or trace_id != first[_TRACE_ID]]
    step = _tracer.span(name, kind, attributes, first, others)
    return _shared(_tracer, step, name, kind, attributes, others) if others else step


@contextmanager
def _shared(
    tracer: Tracer,
    step: AbstractContextManager[Span],
    name: str,
    kind: SpanKind,
    attributes: Attributes,
    others: Sequence[str],
) -> Iterator[Span]:
    started = time.time_ns()
    with step as span_of_all:
        here = tracer.traceparent()
        try:
            yield span_of_all
        finally:
            for other in others:
                tracer.add_ended(name, kind, attributes, other, [here] if here else [], started)


def current() -> Span:
    """The step that is current."""
    return _NO_SPAN if _tracer is None else _tracer.current() or _NO_SPAN


def ids() -> TraceIds | None:
    """Of the current step, if it is recorded or continued from elsewhere."""
    return None if _tracer is None else _tracer.ids()


def traceparent() -> str | None:
    """The current step as a `traceparent`, for whoever continues it."""
    return None if _tracer is None else _tracer.traceparent()


def sampled() -> str | None:
    """The same, only if the trace is recorded."""
    value = traceparent()
    return value if value and value[-1] in _SAMPLED else None


def headers() -> dict[str, str]:
    """What a request to another service carries."""
    value = traceparent()
    return {HEADER: value} if value else {}
