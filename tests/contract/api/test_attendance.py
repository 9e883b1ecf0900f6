"""Attendance of people whom LiveKit reports: the webhooks come in as LiveKit sends them."""

import time
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from deploy.local.stack import Stack
from shared.ids import new_id
from tests.contract.api.accounts import Person, register
from tests.contract.api.client import Client
from tests.contract.api.contract import operations
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.test_webhook_signatures import post, signed

LIST = operations()["GET /sessions/{id}/attendance"]
STATS = operations()["GET /sessions/{id}/attendance/stats"]
VIEWERS = operations()["GET /sessions/{id}/viewers"]


@dataclass(frozen=True)
class WebhookClient:
    """Where LiveKit's webhooks go."""

    client: Client
    stack: Stack

    async def tell(
        self, event: str, session: str, person: Person, *, name: str = "Vera", role: str = "audience"
    ) -> None:
        """Report that the one connection of this person is there, or gone."""
        now = int(time.time() * 1000)
        body = orjson.dumps(
            {
                "event": event,
                "id": f"EV_{new_id()}",
                "createdAt": str(now // 1000),
                "room": {"sid": "RM_contract", "name": session},
                "participant": {
                    "sid": f"PA_{person.id}",
                    "identity": f"{person.id}:{new_id()}",
                    "name": name,
                    "state": "ACTIVE" if event == "participant_joined" else "DISCONNECTED",
                    "joinedAt": str(now // 1000),
                    "joinedAtMs": str(now),
                    "attributes": {"greenroom.role": role},
                },
            }
        )
        answer = await post(self.client, body, signed(self.stack, body))
        assert answer.status == 200, answer


@pytest.fixture
def webhooks(client: Client, stack: Stack) -> WebhookClient:
    return WebhookClient(client, stack)


async def read(fixtures: Fixtures, session: str, what: str, by: Person | None = None, **query: Any) -> Any:
    token = (by or fixtures.host).access_token
    answer = await fixtures.client.call("GET", f"/sessions/{session}/{what}", token, query=query)
    operation = {"viewers": VIEWERS, "attendance": LIST, "attendance/stats": STATS}[what]
    return answer.check_success(operation)


async def three_viewers(fixtures: Fixtures, webhooks: WebhookClient, session: str) -> list[Person]:
    """Anna, Berta and Anna Clara, once they are counted."""
    viewers = []
    for name in ("Anna", "Berta", "Anna Clara"):
        viewers.append(await register(fixtures.client, name))
        await webhooks.tell("participant_joined", session, viewers[-1], name=name)
    await fixtures.eventually(f"/sessions/{session}", lambda data: data["viewer_count"] == 3)
    return viewers


async def test_a_session_counts_its_viewers(fixtures: Fixtures, webhooks: WebhookClient) -> None:
    session = await fixtures.live_session()
    viewers = await three_viewers(fixtures, webhooks, session)
    active = await read(fixtures, session, "viewers", fixtures.viewer)
    assert active["total"] == 3
    assert {one["user_id"] for one in active["viewers"]} == {viewer.id for viewer in viewers}
    stats = await read(fixtures, session, "attendance/stats")
    assert (stats["total_attendees"], stats["currently_watching"], stats["peak_viewers"]) == (3, 3, 3)
    await webhooks.tell("participant_left", session, viewers[0])
    after = await fixtures.eventually(f"/sessions/{session}", lambda data: data["viewer_count"] == 2)
    assert after["max_viewers"] == 3


async def test_the_attendance_list_pages_and_finds(fixtures: Fixtures, webhooks: WebhookClient) -> None:
    session = await fixtures.live_session()
    viewers = await three_viewers(fixtures, webhooks, session)
    seen: list[str] = []
    for page in (1, 2):
        listed = await read(fixtures, session, "attendance", page=page, limit=2)
        assert (listed["total"], listed["currently_watching"]) == (3, 3)
        seen += [entry["user_id"] for entry in listed["attendance"]]
    assert sorted(seen) == sorted(viewer.id for viewer in viewers)
    found = await read(fixtures, session, "attendance", q="anna")
    assert found["total"] == 2
    assert {entry["username"] for entry in found["attendance"]} == {"Anna", "Anna Clara"}
    assert all(entry["is_guest"] and entry["left_at"] is None for entry in found["attendance"])


async def test_hosts_are_no_viewers(fixtures: Fixtures, webhooks: WebhookClient) -> None:
    session, viewer = await fixtures.live_session(), await register(fixtures.client)
    await webhooks.tell("participant_joined", session, fixtures.host, role="host")
    await webhooks.tell("participant_joined", session, viewer)
    await fixtures.eventually(f"/sessions/{session}", lambda data: data["viewer_count"] == 1)
    stats = await read(fixtures, session, "attendance/stats")
    assert (stats["currently_watching"], stats["peak_viewers"]) == (1, 1)


async def test_nobody_was_there(fixtures: Fixtures) -> None:
    session = await fixtures.live_session()
    assert await read(fixtures, session, "viewers") == {"viewers": [], "total": 0}
    empty = {"attendance": [], "total": 0, "currently_watching": 0}
    assert await read(fixtures, session, "attendance") == empty
    nothing = dict.fromkeys(
        ("total_attendees", "currently_watching", "peak_viewers", "average_watch_duration"), 0
    )
    assert await read(fixtures, session, "attendance/stats") == nothing


async def test_the_attendance_is_exported_through_the_gateway(
    fixtures: Fixtures, webhooks: WebhookClient
) -> None:
    session = await fixtures.live_session()
    viewers = await three_viewers(fixtures, webhooks, session)
    await webhooks.tell("participant_left", session, viewers[0], name="Anna")
    await fixtures.eventually(f"/sessions/{session}", lambda data: data["viewer_count"] == 2)
    token, path = fixtures.host.access_token, f"/sessions/{session}/attendance/export"
    table = await fixtures.client.call("GET", path, token)
    assert table.headers["Content-Type"].startswith("text/csv")
    assert f'filename="attendance-{session}.csv"' in table.headers["Content-Disposition"]
    rows = await fixtures.client.call("GET", path, token, query={"format": "json"})
    assert {row["user_id"] for row in rows.body} == {viewer.id for viewer in viewers}
    assert sum(row["left_at"] is not None for row in rows.body) == 1
    sheet = await fixtures.client.call("GET", path, token, query={"format": "xlsx"})
    assert (sheet.status, sheet.headers["Content-Type"].split(".")[-1]) == (200, "sheet")
    (await fixtures.client.call("GET", path, token, query={"format": "pdf"})).check_bad_fields("format")
