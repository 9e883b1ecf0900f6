"""What another organization has is answered like what does not exist: status, code, words and headers.

For every documented operation that only staff may call, and every id in paths, bodies and queries; where
anybody may read (rooms and sessions by their id, public libraries), there is nothing to hide.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.ids import new_id
from tests.contract.api.accounts import Person
from tests.contract.api.client import Answer
from tests.contract.api.contract import LIBRARY_PREFIX, extensions, operations
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.sample_bodies import BODIES_NEEDED, QUERIES_NEEDED, sample

DOCUMENT = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_bytes())
STAFF = frozenset({"host", "moderator"})
CALLERS = ("host", "key", "viewer")
# Of the answer, or counted.
CHANGING = frozenset({"date", "x-request-id", "ratelimit-remaining", "ratelimit-reset", "server-timing"})


@dataclass(frozen=True)
class StaffOperation:
    """One that hosts or moderators may call, in its own form or under a library."""

    method: str
    path: str

    @property
    def plain(self) -> str:
        return self.path.removeprefix(LIBRARY_PREFIX)

    @property
    def noun(self) -> str:
        return self.plain.split("/")[1]

    @property
    def key(self) -> str:
        return f"{self.method} {self.plain}"

    def at(self, id: str, library: str = "", rest: str = "") -> str:
        """The path to what has the id, the first that its own form names; `rest` are the other ids."""
        of_library = self.path.replace("{library_id}", library)
        return re.sub(r"\{\w+\}", rest, re.sub(r"\{\w+\}", id, of_library, count=1))

    def body(self) -> dict[str, Any] | None:
        known = operations().get(self.key) or extensions().get(self.key)
        needed = BODIES_NEEDED.get(self.key)
        return (sample(known) or None) if known and self.method != "GET" else needed

    def query(self) -> dict[str, str] | None:
        return QUERIES_NEEDED.get(self.key)


def staff_operations() -> Iterator[StaffOperation]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            if operation["x-access"] in STAFF and "{" in path:
                yield StaffOperation(method.upper(), path)


OPERATIONS = list(staff_operations())


@dataclass(frozen=True)
class TwoOrganizations:
    """`theirs` has what another organization has, by noun; `own` what the callers' has."""

    fixtures: Fixtures
    theirs: dict[str, str]
    own: dict[str, str]
    key: str

    async def call(
        self, by: str, method: str, path: str, body: Any = None, query: dict[str, Any] | None = None
    ) -> Answer:
        headers = self.credentials(by)
        return await self.fixtures.client.call(method, path, None, body, headers=headers, query=query)

    def credentials(self, by: str) -> dict[str, str]:
        """The header that says who `by` is."""
        person: Person | None = {"host": self.fixtures.outsider, "viewer": self.fixtures.viewer}.get(by)
        return {"Authorization": f"Bearer {person.access_token}"} if person else {"X-API-Key": self.key}


@pytest.fixture(scope="module")
async def two(fixtures: Fixtures) -> TwoOrganizations:
    library, outsider = fixtures.unlisted_library, fixtures.outsider
    room, preset = await fixtures.room(library), await fixtures.preset(library)
    session = await fixtures.live_session(library, room=room, preset=preset)
    own = await fixtures.session(by=outsider)
    await fixtures.do("start", own, outsider)
    hand = (await fixtures.do("raise_hand", session, await fixtures.viewer_of_its_own())).data["id"]
    asked = (await fixtures.do("join_requests", session, await fixtures.viewer_of_its_own())).data["id"]
    said = await fixtures.client.call(
        "POST", f"/sessions/{session}/chat", fixtures.host.access_token, {"message": "Hello"}
    )
    codes = await fixtures.client.call("POST", f"/rooms/{room}/codes", fixtures.host.access_token, {})
    theirs = {
        "rooms": room,
        "room_codes": codes.data["codes"][0]["code"],
        "presets": preset,
        "sessions": session,
        "streams": session,
        "polls": await fixtures.poll(session),
        "recordings": await fixtures.recording(),
        "library": library,
        "user_id": fixtures.host.id,
        "participant_identity": fixtures.host.id,
        "hand_raise_id": hand,
        "request_id": asked,
        "message_id": said.data["id"],
        "connection_id": new_id(),
    }
    mine = {"sessions": own, "rooms": await fixtures.room(by=outsider)}
    return TwoOrganizations(fixtures, theirs, mine, await fixtures.admin.api_key(outsider))


def told(answer: Answer) -> tuple[Any, ...]:
    """All of an answer but what changes with each."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    fixed = sorted((name, value) for name, value in headers.items() if name not in CHANGING)
    body = {name: value for name, value in (answer.body or {}).items() if name != "timestamp"}
    return answer.status, body, fixed


def test_no_operation_is_left_out() -> None:
    assert len(OPERATIONS) > 60


def test_the_paths_have_the_ids_that_are_asked_for() -> None:
    """Else what is another's and what is not there would be the same call."""
    having = [one.path for one in OPERATIONS if "{" in one.plain]
    assert [one.path for one in OPERATIONS if "thing" in one.at("thing").split("/")] == having


@pytest.mark.parametrize("by", CALLERS)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
async def test_an_id_in_the_path(two: TwoOrganizations, operation: StaffOperation, by: str) -> None:
    unknown, body = new_id(), operation.body()
    theirs = two.theirs[operation.noun] if "{" in operation.plain else unknown
    libraries = [two.theirs["library"], unknown] if operation.path != operation.plain else [unknown]
    query = operation.query()
    nothing = told(await two.call(by, operation.method, operation.at(unknown, unknown, unknown), body, query))
    assert nothing[0] in {403, 404}, nothing
    for library in libraries:
        for id in dict.fromkeys((theirs, unknown)):
            path = operation.at(id, library, unknown)
            answer = await two.call(by, operation.method, path, body, query)
            assert told(answer) == nothing


@pytest.mark.parametrize("by", ["host", "key"])
@pytest.mark.parametrize(
    "operation",
    [one for one in OPERATIONS if re.search(r"\{id\}.*\{\w+\}", one.plain) and one.path == one.plain],
    ids=lambda one: f"{one.method} {one.path}",
)
async def test_an_id_within_the_callers_own_session(
    two: TwoOrganizations, operation: StaffOperation, by: str
) -> None:
    [name] = re.findall(r"\{(\w+)\}", operation.path.replace("{id}", ""))
    path = operation.path.replace("{id}", two.own["sessions"])
    answers = [
        await two.call(by, operation.method, path.replace(f"{{{name}}}", id), operation.body())
        for id in (two.theirs[name], new_id())
    ]
    assert answers[0].status == 404, answers[0]
    assert told(answers[0]) == told(answers[1])


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
async def test_other_methods(two: TwoOrganizations, method: str) -> None:
    plain = [one for one in OPERATIONS if one.method == "GET" and one.path == one.plain]
    for operation in plain:
        answers = [
            await two.call("host", method, operation.at(id, rest=id))
            for id in (two.theirs[operation.noun], new_id())
        ]
        assert answers[0].status == (404 if method == "HEAD" else 204), answers[0]
        assert told(answers[0]) == told(answers[1])


BODIES = {
    "the preset of a session": ("/rooms/{rooms}/sessions", "presets", {"title": "A show", "preset_id": ""}),
    "the session of a code": ("/auth/generate-code", "sessions", {"session_id": ""}),
    "a co-host": ("/sessions/{sessions}/co_hosts", "user_id", {"user_id": ""}),
    "a moderator": ("/sessions/{sessions}/moderators", "user_id", {"user_id": ""}),
    "a guest": ("/sessions/{sessions}/stage/add", "user_id", {"participant_identity": ""}),
    "a guest who goes": ("/sessions/{sessions}/stage/remove", "user_id", {"participant_identity": ""}),
    "a recipient": ("/sessions/{sessions}/chat", "user_id", {"message": "Hello", "recipient_id": ""}),
}


@pytest.mark.parametrize("by", CALLERS)
@pytest.mark.parametrize("case", BODIES.values(), ids=BODIES)
async def test_an_id_in_a_body(two: TwoOrganizations, case: tuple[str, str, dict[str, str]], by: str) -> None:
    path, what, body = case
    answers = [
        await two.call(
            by,
            "POST",
            path.format(**two.own),
            {name: value or id for name, value in body.items()},
        )
        for id in (two.theirs[what], new_id())
    ]
    assert told(answers[0]) == told(answers[1])


@pytest.mark.parametrize("by", CALLERS)
@pytest.mark.parametrize(
    "path", ["/rooms", "/sessions", "/sessions/live", "/rooms/my", "/sessions/stats", "/presets"]
)
async def test_an_unlisted_library(two: TwoOrganizations, path: str, by: str) -> None:
    answers = [
        await two.call(by, "GET", f"/libraries/{id}{path}") for id in (two.theirs["library"], new_id())
    ]
    assert answers[0].status in {403, 404}, answers[0]
    assert told(answers[0]) == told(answers[1])


@pytest.mark.parametrize("path", ["/rooms", "/sessions", "/sessions/live"])
async def test_an_unlisted_library_for_those_who_are_not_signed_in(two: TwoOrganizations, path: str) -> None:
    """Also by what the gateway keeps of such answers: each is asked for twice."""
    answers = [
        told(await two.fixtures.client.call("GET", f"/libraries/{id}{path}"))
        for id in (two.theirs["library"], new_id(), two.theirs["library"])
    ]
    assert answers[0][0] == 404
    assert answers.count(answers[0]) == 3


@pytest.mark.parametrize("by", ["host", "key"])
async def test_whom_a_file_is_for(two: TwoOrganizations, by: str) -> None:
    path, sent = f"/sessions/{two.own['sessions']}/chat/files", {"Content-Type": "text/plain"}
    sent |= two.credentials(by)
    answers = [
        await two.fixtures.client.raw(
            "POST", path, None, b"notes", headers=sent, query={"name": "notes.txt", "recipient_id": id}
        )
        for id in (two.theirs["user_id"], new_id())
    ]
    assert answers[0].status == 404, answers[0]
    assert told(answers[0]) == told(answers[1])


@pytest.mark.parametrize("by", ["host", "key"])
async def test_a_message_to_delete(two: TwoOrganizations, by: str) -> None:
    path = f"/sessions/{two.own['sessions']}/chat"
    answers = [await two.call(by, "DELETE", f"{path}/{id}") for id in (two.theirs["message_id"], new_id())]
    assert answers[0].status == 404, answers[0]
    assert told(answers[0]) == told(answers[1])


async def test_a_message_before_which_to_read(two: TwoOrganizations) -> None:
    path = f"/sessions/{two.own['sessions']}/chat"
    answers = [
        await two.call("host", "GET", path, query={"before": id})
        for id in (two.theirs["message_id"], new_id())
    ]
    assert told(answers[0]) == told(answers[1])
