"""Administrators' calls that change something are recorded before and after, whatever comes of them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.access.identity import Scope
from shared.contracts.audit_events import AdministratorActed
from shared.contracts.session_events import SessionCallRefused
from shared.contracts.states import NOT_KEPT, AuditedCallState, AuditOutcome, UserRole
from shared.errors import Unavailable
from shared.http.app import AUDIT
from shared.http.audit import AuditTrail
from shared.ids import new_id
from shared.persistence.outbox import Outbox
from tests.fakes.fake_clock import FakeClock
from tests.fakes.memory_bus import MemoryBus
from tests.fakes.memory_mongo import memory_mongo
from tests.unit.shared.example_api import MADE, ExampleApi, open_example_api

ADMIN: dict[str, Any] = {"is_admin": True}


@pytest.fixture
async def api() -> AsyncIterator[ExampleApi]:
    async with open_example_api() as api:
        yield api


async def recorded(api: ExampleApi) -> list[AuditedCallState]:
    """What was published, in order."""
    await api.outbox.publish_once()
    events = [envelope.event for envelope in api.bus.published]
    return [event.call for event in events if isinstance(event, AdministratorActed)]


async def test_a_call_is_recorded_before_and_after(api: ExampleApi) -> None:
    headers = api.bearer("ada", **ADMIN) | {"X-Forwarded-For": "203.0.113.7", "X-Request-Id": "the-request"}
    body = {"title": "A secret title", "price": 7}
    status, answer, _ = await api.call("POST", "/things", json=body, headers=headers)
    begun, done = await recorded(api)
    assert (status, begun.outcome, begun.version) == (201, AuditOutcome.BEGUN, 1)
    assert (begun.status, begun.ended_at) == (None, None)
    assert (done.id, done.outcome, done.version, done.status) == (begun.id, AuditOutcome.DONE, 2, 201)
    assert (done.service, done.operation) == ("api", "POST /things")
    assert (done.actor, done.actor_name) == ("user:ada", "Anna")
    assert (done.client_address, done.request_id) == ("203.0.113.7", "the-request")
    assert (begun.targets, done.targets) == ([], [answer["data"]["id"]])
    assert begun.fields == done.fields == {"price": 7, "title": NOT_KEPT}
    assert "secret title" not in str(api.bus.published)


@pytest.mark.parametrize(
    ("caller", "status", "code"),
    [
        (ADMIN, 409, "unforgettable"),
        (ADMIN | {"scopes": frozenset({Scope.READ})}, 403, "scope_missing"),
        ({"is_admin": False}, 403, "admin_required"),
        ({"is_admin": False, "api_key_id": "k-1"}, 403, "admin_required"),
    ],
)
async def test_a_refused_call_is_recorded(
    api: ExampleApi, caller: dict[str, Any], status: int, code: str
) -> None:
    thing = new_id()
    answered, _, _ = await api.call("DELETE", f"/things/{thing}", headers=api.bearer("ada", **caller))
    last = (await recorded(api))[-1]
    assert (answered, last.status, last.code) == (status, status, code)
    assert (last.outcome, last.version, last.targets) == (AuditOutcome.REFUSED, 2, [thing])
    assert last.actor == ("key:k-1" if "api_key_id" in caller else "user:ada")


@pytest.mark.parametrize(("path", "status"), [("/things/refused", 409), ("/things/renamed", 200)])
async def test_what_was_not_created_is_no_target(api: ExampleApi, path: str, status: int) -> None:
    headers = api.bearer("ada", **ADMIN) | {"Idempotency-Key": "the-key"}
    answered, _, _ = await api.call("POST", path, headers=headers)
    begun, over = await recorded(api)
    assert (answered, over.status) == (status, status)
    assert begun.targets == over.targets == []


async def test_an_invalid_body_is_recorded_as_refused(api: ExampleApi) -> None:
    await api.call("POST", "/things", json={"title": 7}, headers=api.bearer(**ADMIN))
    [refused] = await recorded(api)
    assert (refused.outcome, refused.status, refused.code) == (AuditOutcome.REFUSED, 422, "validation_failed")
    assert refused.fields == {}


@pytest.mark.parametrize(
    ("method", "path", "caller"),
    [
        ("GET", "/things", ADMIN),  # shows something
        ("POST", "/search", ADMIN),  # shows something, whatever its method
        ("POST", "/things", {}),  # is no administrator's
        (
            "DELETE",
            "/things/0197a000-0000-7000-8000-000000000001",
            {"role": UserRole.VIEWER, "organization_id": None},
        ),  # a stranger's
    ],
)
async def test_other_calls_are_not(api: ExampleApi, method: str, path: str, caller: dict[str, Any]) -> None:
    await api.call(method, path, json={"title": "A thing"}, headers=api.bearer(**caller))
    assert await recorded(api) == []


async def test_a_read_that_lets_an_administrator_act_is_recorded(api: ExampleApi) -> None:
    await api.call("GET", "/pass", headers=api.bearer(**ADMIN))
    assert [one.outcome for one in await recorded(api)] == [AuditOutcome.BEGUN, AuditOutcome.DONE]


async def test_a_bug_is_recorded_as_failed(api: ExampleApi) -> None:
    del api.app._state[MADE]  # what the operation works with is not there
    status, _, _ = await api.call("POST", "/things", json={"title": "A thing"}, headers=api.bearer(**ADMIN))
    last = (await recorded(api))[-1]
    assert (status, last.outcome, last.status, last.code) == (500, AuditOutcome.FAILED, 500, "internal")


async def test_nothing_is_done_that_cannot_be_recorded(
    api: ExampleApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(state: AuditedCallState) -> None:
        raise Unavailable("The database does not answer")

    monkeypatch.setattr(api.app[AUDIT], "add", away)
    body = {"title": "A thing"}
    status, _, _ = await api.call("POST", "/things", json=body, headers=api.bearer(**ADMIN))
    assert (status, api.app[MADE]) == (503, {})
    assert (await api.call("POST", "/things", json=body, headers=api.bearer()))[0] == 201


async def test_what_a_command_did_is_recorded_at_once() -> None:
    clock = FakeClock()
    bus = MemoryBus(clock=clock)
    outbox = Outbox(bus, clock, source="/greenroom/session")
    trail = AuditTrail(memory_mongo(), outbox, clock, service="session")
    await trail.done("greenroom keys reseal", "command:root@host", "u-1")
    await outbox.publish_once()
    [event] = [envelope.event for envelope in bus.published]
    assert isinstance(event, AdministratorActed)
    assert (event.call.outcome, event.call.targets) == (AuditOutcome.DONE, ["u-1"])
    assert event.call.ended_at == event.call.at


async def test_a_session_is_told_what_its_staff_was_refused(api: ExampleApi) -> None:
    """Not what does not exist, nor what is not understood."""
    session = new_id()
    for reason in ("conflict", "unknown", ""):
        body = {"refuse_with": reason}
        await api.call("POST", f"/sessions/{session}/start", json=body, headers=api.bearer("ada"))
    await api.call("POST", f"/sessions/{session}/start", json={"refuse_with": 7}, headers=api.bearer("ada"))
    viewer = api.bearer("ben", role=UserRole.VIEWER)
    await api.call("POST", f"/sessions/{session}/start", json={"refuse_with": "conflict"}, headers=viewer)
    await api.outbox.publish_once()
    [envelope] = api.bus.published
    assert envelope.event == SessionCallRefused(session_id=session, status=409, code="room_busy")
    assert (envelope.operation, envelope.actor) == ("POST /sessions/{id}/start", "user:ada")
