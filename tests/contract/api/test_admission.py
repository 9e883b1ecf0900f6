"""Who may not take part in a session is refused every operation on it.

Guests where registered people alone are admitted, and banned people; for every documented operation.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from shared.ids import new_id
from tests.contract.api.accounts import Person
from tests.contract.api.client import Answer
from tests.contract.api.contract import Operation, extensions, operations
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.sample_bodies import BODIES_NEEDED, QUERIES_NEEDED, sample
from tests.waiting import eventually

DOCUMENT = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_bytes())
ABOUT_SESSIONS = re.compile(r"(/libraries/\{library_id\})?/(sessions|polls)/\{id\}|.*/reminders(/my)?$")
# Everybody finds a session by its id, to see what it is and when: without its stream and its counts.
PUBLIC = "GET /sessions/{id}"
# As the stream that it shows: for whoever has the session's link to it.
PREVIEW = "/sessions/{id}/preview.jpg"
# A subscription ends whoever asks, and somebody banned from one session may hear of the next.
OF_THE_ROOM = {"POST /rooms/{id}/reminders", "GET /rooms/{id}/reminders/my"}
BAN_STATUS = "GET /sessions/{id}/ban_status"
FILE = {"headers": {"Content-Type": "text/plain"}, "query": {"name": "notes.txt"}}


@dataclass(frozen=True)
class SessionOperation:
    method: str
    path: str
    access: str

    @property
    def key(self) -> str:
        """Without the library."""
        return f"{self.method} {self.path.removeprefix('/libraries/{library_id}')}"

    def body(self) -> dict[str, Any] | None:
        """A valid one, with what the operation requires."""
        known: Operation | None = operations().get(self.key) or extensions().get(self.key)
        if known is None:
            return BODIES_NEEDED.get(self.key)
        filled = sample(known)
        return {name: filled[name] for name in known.required} or None


def session_operations() -> Iterator[SessionOperation]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            if ABOUT_SESSIONS.match(path) and path != PREVIEW:
                yield SessionOperation(method.upper(), path, operation["x-access"])


OPERATIONS = list(session_operations())


@dataclass(frozen=True)
class ClosedSession:
    """A live session in a library for registered people, somebody who is none, and somebody who is banned."""

    fixtures: Fixtures
    library: str
    room: str
    session: str
    poll: str
    guest: Person
    banned: Person

    async def call(self, operation: SessionOperation, by: Person) -> Answer:
        path = operation.path.replace("{library_id}", self.library)
        noun = operation.key.split("/")[1]
        named = {"rooms": self.room, "sessions": self.session, "polls": self.poll}[noun]
        path = re.sub(r"\{\w+\}", new_id(), path.replace("{id}", named))
        client = self.fixtures.client
        if operation.key.endswith("/chat/files"):
            return await client.raw(operation.method, path, by.access_token, b"notes", **FILE)
        return await client.call(
            operation.method, path, by.access_token, operation.body(), query=QUERIES_NEEDED.get(operation.key)
        )


@pytest.fixture(scope="module")
async def closed(fixtures: Fixtures) -> ClosedSession:
    library = await fixtures.admin.library(fixtures.organization, registered_only=True)
    room = await fixtures.room(library)
    session = await fixtures.live_session(library, room=room)
    banned = await fixtures.admin.host(await fixtures.admin.organization(), "Boris")
    body = {"user_id": banned.id}
    answer = await fixtures.client.call("POST", f"/sessions/{session}/ban", fixtures.host.access_token, body)
    assert answer.status == 201, answer
    poll, guest = await fixtures.poll(session), await fixtures.viewer_of_its_own()
    return ClosedSession(fixtures, library, room, session, poll, guest, banned)


def test_no_operation_is_left_out() -> None:
    assert len(OPERATIONS) > 80


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
async def test_guests_are_refused_where_registered_people_alone_come_in(
    closed: ClosedSession, operation: SessionOperation
) -> None:
    answer = await closed.call(operation, closed.guest)
    if operation.key == PUBLIC:
        assert (answer.data["hls_url"], answer.data["viewer_count"]) == (None, 0)
    elif operation.key == "DELETE /rooms/{id}/reminders":
        assert answer.status == 200
    else:
        answer.check_refusal(403, "registration_required")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
async def test_banned_people_are_refused(closed: ClosedSession, operation: SessionOperation) -> None:
    answer = await closed.call(operation, closed.banned)
    if operation.key == PUBLIC:
        assert answer.data["hls_url"] is None
    elif operation.key == BAN_STATUS:
        assert answer.data["banned"] is True
    elif "/reminders" not in operation.key:
        answer.check_refusal(403, "banned")


@pytest.mark.parametrize("path", ["participants", "stage", "viewers", "chat", "polls"])
async def test_a_library_that_closes_closes_to_those_who_are_in(fixtures: Fixtures, path: str) -> None:
    library = await fixtures.admin.library(fixtures.organization)
    session, guest = await fixtures.live_session(library), await fixtures.viewer_of_its_own()
    await fixtures.do("join", session, guest)
    token = guest.access_token
    assert (await fixtures.client.call("GET", f"/sessions/{session}/{path}", token)).status == 200
    await fixtures.admin.change("libraries", library, registered_only=True)

    async def read() -> Answer:
        return await fixtures.client.call("GET", f"/sessions/{session}/{path}", token)

    (await eventually(read, lambda answer: answer.status != 200)).check_refusal(403, "registration_required")


async def test_a_library_that_closes_ends_the_links_to_files_in_the_chat(fixtures: Fixtures) -> None:
    library = await fixtures.admin.library(fixtures.organization)
    session, host = await fixtures.live_session(library), fixtures.host.access_token
    path = f"/sessions/{session}/chat"
    sent = await fixtures.client.raw("POST", f"{path}/files", host, b"notes", **FILE)

    async def get(url: str) -> Answer:
        return await fixtures.client.call("GET", URL(url).path)

    before = sent.data["file"]["url"]
    assert (await get(before)).content == b"notes"
    await fixtures.admin.change("libraries", library, registered_only=True)
    (await eventually(lambda: get(before), lambda answer: answer.status != 200)).check_refusal(
        403, "link_invalid"
    )
    [shown] = (await fixtures.client.call("GET", path, host)).data["messages"]
    assert (await get(shown["file"]["url"])).content == b"notes"
