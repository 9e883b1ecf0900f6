"""What a platform team sees of one join: a single trace through all services, and log lines that name it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
from livekit import rtc

from deploy.local.data_dir import DataDir
from tests.contract.api.accounts import Administrator, sign_in
from tests.contract.api.client import Answer, Client, connect
from tests.contract.api.fixtures import Fixtures, make_fixtures
from tests.otlp_receiver import OtlpReceiver, ReceivedSpan, otlp_receiver
from tests.running_stack import RunningStack, private_stack
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)

SERVICES = ("gateway", "session", "egress", "attendance")


@pytest.fixture(scope="module")
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def traced_stack(receiver: OtlpReceiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack of its own, since tracing is a matter of the environment that services start in."""
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "GREENROOM_LOG_FORMAT": "json",
    }
    data = DataDir.at(tmp_path_factory.mktemp("traced"))
    with patch.dict("os.environ", environment), private_stack(data) as running:
        yield running


@pytest.fixture(scope="module")
async def fixtures(traced_stack: RunningStack) -> AsyncIterator[Fixtures]:
    stack = traced_stack.info
    async with connect(stack.base_url) as http:
        client = Client(http)
        admin = await sign_in(client, stack.admin.email, stack.admin.password)
        yield await make_fixtures(client, Administrator(client, admin.access_token))


@dataclass(frozen=True)
class Join:
    """A viewer who has joined a live session, until attendance knows of them."""

    session_id: str
    organization_id: str
    answer: Answer
    secrets: list[str]

    @property
    def request_id(self) -> str:
        return self.answer.headers["X-Request-Id"]


@pytest.fixture(scope="module")
async def join(traced_stack: RunningStack, fixtures: Fixtures) -> AsyncIterator[Join]:
    session_id = await fixtures.live_session()
    viewer = await fixtures.viewer_of_its_own()
    answer = await fixtures.client.call("POST", f"/sessions/{session_id}/join", viewer.access_token)
    token = answer.data["livekit_token"]
    room = rtc.Room()
    await room.connect(traced_stack.info.livekit_url, token)
    await fixtures.eventually(f"/sessions/{session_id}", lambda found: found["viewer_count"] == 1)
    yield Join(
        session_id,
        fixtures.organization.id,
        answer,
        [token, viewer.access_token, viewer.refresh_token, str(fixtures.host.password)],
    )
    await room.disconnect()


async def test_one_trace_shows_a_join_from_the_gateway_to_the_attendance_write(
    join: Join, receiver: OtlpReceiver
) -> None:
    trace = await whole_trace(join, receiver)
    # From the request for a token to the answer, from LiveKit's webhook to its event, and to what follows.
    path = [
        ("gateway", "POST /sessions/{id}/join", "server"),
        ("session", "POST /sessions/{id}/join", "server"),
        ("egress", "receive participant_joined", "consumer"),
        ("egress", "send participant.joined.v1", "producer"),
        ("attendance", "process participant.joined.v1 by attendance", "consumer"),
        ("attendance", "recompute attendance", "internal"),
        ("attendance", "bulk attendances", "client"),
    ]
    assert ancestors(trace, path[-1]) == path, receiver.drawn(trace[0].trace_id)
    calls = {(one.service, one.name) for one in trace if one.kind == "client"}
    assert calls >= {
        ("gateway", "POST session"),
        ("session", "find sessions"),
        ("egress", "insert webhooks"),
        ("attendance", "bulk presences"),
    }
    assert not [one for one in trace if one.failed]
    of_session = [one for one in trace if one.kind in {"server", "producer", "consumer"}]
    assert {one.attributes["greenroom.session_id"] for one in of_session} == {join.session_id}


async def test_the_webhook_and_the_trace_of_the_join_have_links_to_each_other(
    join: Join, receiver: OtlpReceiver
) -> None:
    trace = await whole_trace(join, receiver)
    [received] = [one for one in trace if one.name == "receive participant_joined"]
    [of_webhook] = received.linked_traces
    assert {one.name for one in receiver.trace(of_webhook)} >= {"POST /webhooks/livekit"}


async def test_each_service_logs_json_with_the_ids_of_the_request_and_nothing_personal(
    traced_stack: RunningStack, join: Join, receiver: OtlpReceiver
) -> None:
    [trace] = {one.trace_id for one in await whole_trace(join, receiver)}
    logged = {name: traced_stack.data.log_of(name).read_text() for name in SERVICES}
    lines = {service: list(map(json.loads, text.splitlines())) for service, text in logged.items()}
    for service, own in lines.items():
        assert all({"event", "level", "timestamp"} <= line.keys() for line in own)
        assert {line["service"] for line in own} == {service}
    [asked], [answered] = (
        [one for one in lines[service] if is_answer(one, join)] for service in ("gateway", "session")
    )
    assert (asked["trace_id"], asked["session_id"]) == (trace, join.session_id)
    assert (answered["trace_id"], answered["session_id"]) == (trace, join.session_id)
    assert answered["organization_id"] == join.organization_id
    everything = "\n".join(logged.values()) + repr(receiver.spans)
    assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", everything)
    assert not [secret for secret in (*join.secrets, "Hanna") if secret in everything]


def is_answer(line: dict[str, Any], join: Join) -> bool:
    return (line["event"], line.get("request_id")) == ("http.request", join.request_id)


async def whole_trace(join: Join, receiver: OtlpReceiver) -> list[ReceivedSpan]:
    """The trace of the request for the token, once the attendance is written."""

    async def trace() -> list[ReceivedSpan]:
        ids = receiver.traces_of_request(join.request_id)
        assert len(ids) <= 1, ids
        return [span for trace_id in ids for span in receiver.trace(trace_id)]

    return await eventually(
        trace, lambda found: any(one.name == "recompute attendance" for one in found), within=30
    )


def ancestors(trace: list[ReceivedSpan], last: tuple[str, str, str]) -> list[tuple[str, str, str]]:
    """The steps that lead to this one, without the client's side of a call that its server's side follows."""
    by_id = {one.span_id: one for one in trace}
    [span] = [one for one in trace if (one.service, one.name, one.kind) == last][:1]
    path = [last]
    while (parent := by_id.get(span.parent_id)) is not None:
        if parent.kind != "client":
            path.insert(0, (parent.service, parent.name, parent.kind))
        span = parent
    return path
