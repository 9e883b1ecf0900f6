"""The webhook of somebody's joining goes on with the trace of their request for the token."""

import json
from datetime import timedelta

import pytest

from services.egress.webhooks.service import join_step
from shared.clock import from_unix_ms
from shared.livekit import parse
from shared.livekit.join_terms import unix_ms
from shared.livekit.tokens import ISSUED_ATTRIBUTE, TRACE_ATTRIBUTE
from shared.livekit.webhook import WebhookEvent
from shared.runtime import tracing
from shared.runtime.tracing import SpanKind
from tests.fakes.recorded_spans import links_of, recorded_spans, trace_of, traceparent
from tests.unit.egress.webhooks.test_webhooks import JOINED

A = "a" * 32
ISSUED = from_unix_ms(1_795_256_370_000)
SOON, LATER = timedelta(seconds=2), timedelta(hours=2)


def webhook(event: str = "participant_joined", **attributes: str) -> WebhookEvent:
    body = json.loads(JOINED)
    body["event"] = event
    body["participant"]["attributes"] |= attributes
    return parse(json.dumps(body).encode())


def joined(event: str = "participant_joined") -> WebhookEvent:
    attributes = {ISSUED_ATTRIBUTE: str(unix_ms(ISSUED)), TRACE_ATTRIBUTE: traceparent("a")}
    return webhook(event, **attributes)


@pytest.mark.parametrize(
    ("received", "after", "goes_on"),
    [
        (joined(), SOON, True),
        (joined(), LATER, False),
        (joined("participant_left"), SOON, False),
        (webhook(**{TRACE_ATTRIBUTE: traceparent("a")}), SOON, False),
    ],
    ids=["joined", "joined long after", "left", "issued nobody knows when"],
)
def test_a_join_continues_the_trace_of_its_token_and_all_else_has_a_link(
    received: WebhookEvent, after: timedelta, goes_on: bool
) -> None:
    with recorded_spans() as recorded:
        with (
            tracing.span("POST /webhooks/livekit", SpanKind.SERVER),
            join_step(received, ISSUED + after),
        ):
            pass
        step, request = recorded.all
    own, other = (A, trace_of(request)) if goes_on else (trace_of(request), A)
    assert (trace_of(step), links_of(step)) == (own, [other])
    assert step.attributes == {"greenroom.session_id": received.room_name}


@pytest.mark.parametrize("received", [webhook(), webhook("room_finished")])
def test_without_a_trace_of_the_token_it_is_the_webhooks_own(received: WebhookEvent) -> None:
    with recorded_spans(), tracing.span("POST /webhooks/livekit"):
        assert join_step(received, ISSUED) is tracing.NOTHING


def test_untraced_there_is_no_step() -> None:
    assert join_step(joined(), ISSUED) is tracing.NOTHING
