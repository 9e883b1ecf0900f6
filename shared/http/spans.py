"""The steps of traces that requests make, named by OpenTelemetry's conventions for HTTP."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from shared.runtime import tracing
from shared.runtime.tracing import Attributes, Span, SpanKind


def answering(
    method: str, *, parent: str | None = None, links: Sequence[str] = ()
) -> AbstractContextManager[Span]:
    """A request as its server sees it, of the trace of `parent`; `answered` says which operation it was."""
    return tracing.span(method, SpanKind.SERVER, {"http.request.method": method}, parent=parent, links=links)


def answered(operation: str, status: int, request_id: str) -> None:
    """Of the current request: `operation` is method and route, or another word if it has no route."""
    span = tracing.current()
    _, _, route = operation.partition(" ")
    span.rename(operation)
    span.set({"http.response.status_code": status, "greenroom.request_id": request_id})
    if route:
        span.set({"http.route": route})
    if status >= 500:
        span.fail(str(status))


def asking(service: str, method: str) -> AbstractContextManager[Span]:
    """A call of another service of ours, which continues the trace from its `tracing.headers`."""
    if not tracing.is_on():
        return tracing.NOTHING
    attributes: Attributes = {"http.request.method": method, "server.address": service}
    return tracing.child(f"{method} {service}", SpanKind.CLIENT, attributes)


def answered_with(span: Span, status: int) -> None:
    """What was asked answered."""
    span.set({"http.response.status_code": status})
    if status >= 500:
        span.fail(str(status))
