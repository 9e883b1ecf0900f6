"""One case for each operation that exists: what its id is of, who calls it, and with which body."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.contract.api.accounts import Person
from tests.contract.api.contract import LIBRARY_PREFIX, Operation, operations
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.sample_bodies import sample

Maker = Callable[[Fixtures, str | None], Awaitable[str]]
Filler = Callable[["PreparedCall"], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class PreparedCall:
    """A call that is ready to be made. `id` is of what the path names; `library` where it is.

    `within` are the other ids of the path, by their names there.
    """

    fixtures: Fixtures
    operation: Operation
    caller: Person | None
    id: str = ""
    library: str | None = None
    body: dict[str, Any] = field(default_factory=dict)
    within: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return self.at(self.id)

    def at(self, id: str) -> str:
        """The path with this id in the place of its own."""
        path = self.operation.path.replace("{id}", id)
        for name, value in self.within.items():
            path = path.replace(f"{{{name}}}", value)
        return path

    @property
    def mirrored_path(self) -> str:
        library = self.library or self.fixtures.library
        return LIBRARY_PREFIX.replace("{library_id}", library) + self.path

    @property
    def token(self) -> str | None:
        return self.caller.access_token if self.caller else None


@dataclass(frozen=True)
class Case:
    """`given` makes what `{id}` names, `within` what the other ids of the path name.

    `fill` makes the fields of the body that need something that exists.
    """

    key: str
    given: Maker | None = None
    fill: Filler | None = None
    by_viewer: bool = False
    within: Filler | None = None

    @property
    def operation(self) -> Operation:
        return operations()[self.key]

    async def prepare(self, fixtures: Fixtures, library: str | None = None) -> PreparedCall:
        """Everything made anew, the caller being one for whom the call succeeds."""
        caller = await self._caller(fixtures)
        id = await self.given(fixtures, library) if self.given else ""
        prepared = PreparedCall(fixtures, self.operation, caller, id, library)
        if self.within is not None:
            prepared = replace(prepared, within=await self.within(prepared))
        fields = await self.fill(prepared) if self.fill else {}
        return replace(prepared, body=sample(self.operation, **fields))

    async def _caller(self, fixtures: Fixtures) -> Person | None:
        if self.operation.access == "public":
            return None
        if self.operation.access == "admin":
            return Person("", fixtures.admin.access_token, "")
        return await fixtures.viewer_of_its_own() if self.by_viewer else fixtures.host


async def _room(fixtures: Fixtures, library: str | None) -> str:
    return await fixtures.room(library)


async def _preset(fixtures: Fixtures, library: str | None) -> str:
    return await fixtures.preset(library)


async def _scheduled(fixtures: Fixtures, library: str | None) -> str:
    return await fixtures.session(library)


async def _live(fixtures: Fixtures, library: str | None) -> str:
    return await fixtures.live_session(library)


async def _recorded(fixtures: Fixtures, library: str | None) -> str:
    return await fixtures.recorded_session(library)


async def _recording(fixtures: Fixtures, library: str | None) -> str:
    return await fixtures.recording()


async def _completed(fixtures: Fixtures, library: str | None) -> str:
    return await fixtures.completed_recording()


async def _password(prepared: PreparedCall) -> dict[str, Any]:
    return {"email": prepared.fixtures.host.email, "password": prepared.fixtures.host.password}


async def _refresh_token(prepared: PreparedCall) -> dict[str, Any]:
    person = prepared.caller or await prepared.fixtures.viewer_of_its_own()
    return {"refresh_token": person.refresh_token}


async def _device_token(prepared: PreparedCall) -> dict[str, Any]:
    return {"device_token": (await prepared.fixtures.viewer_of_its_own()).device_token}


async def _session_of_host(prepared: PreparedCall) -> dict[str, Any]:
    return {"session_id": await prepared.fixtures.session(prepared.library)}


async def _auth_code(prepared: PreparedCall) -> dict[str, Any]:
    fixtures = prepared.fixtures
    body = {"session_id": await fixtures.session()}
    made = await fixtures.client.call("POST", "/auth/generate-code", fixtures.host.access_token, body)
    return {"code": made.data["code"]}


async def _preset_of_host(prepared: PreparedCall) -> dict[str, Any]:
    return {"preset_id": await prepared.fixtures.preset(prepared.library), "mode": "webcam"}


async def _viewer(prepared: PreparedCall) -> dict[str, Any]:
    return {"user_id": (await prepared.fixtures.viewer_of_its_own()).id}


async def _co_host(prepared: PreparedCall) -> dict[str, Any]:
    return {"user_id": await prepared.fixtures.appointed("co_hosts", prepared.id)}


async def _moderator(prepared: PreparedCall) -> dict[str, Any]:
    return {"user_id": await prepared.fixtures.appointed("moderators", prepared.id)}


async def _banned(prepared: PreparedCall) -> dict[str, Any]:
    return {"user_id": await prepared.fixtures.appointed("ban", prepared.id)}


async def _own_hand(prepared: PreparedCall) -> dict[str, Any]:
    return {"participant_identity": prepared.caller.id if prepared.caller else ""}


async def _hand(prepared: PreparedCall) -> dict[str, Any]:
    return {"hand_raise_id": await _asked(prepared, "raise_hand")}


async def _join_request(prepared: PreparedCall) -> dict[str, Any]:
    return {"request_id": await _asked(prepared, "join_requests")}


async def _asked(prepared: PreparedCall, how: str) -> str:
    """The id of a viewer's hand or join request; of the caller's where they are one."""
    caller = prepared.caller if prepared.operation.access == "bearer" else None
    viewer = caller or await prepared.fixtures.viewer_of_its_own()
    return str((await prepared.fixtures.do(how, prepared.id, viewer)).data["id"])


async def _on_stage(prepared: PreparedCall) -> dict[str, Any]:
    """The caller is on stage, or a viewer where those manage it who call."""
    caller = prepared.caller if prepared.operation.access == "bearer" else None
    viewer = caller or await prepared.fixtures.viewer_of_its_own()
    hand = (await prepared.fixtures.do("raise_hand", prepared.id, viewer)).data["id"]
    await prepared.fixtures.do(f"hand_raises/{hand}/approve", prepared.id)
    return {"participant_identity": viewer.id}


async def _colleague(prepared: PreparedCall) -> dict[str, Any]:
    return {"participant_identity": prepared.fixtures.colleague.id}


async def _message(prepared: PreparedCall) -> dict[str, Any]:
    body = {"message": "To be deleted"}
    path = f"/sessions/{prepared.id}/chat"
    return {
        "message_id": (await prepared.fixtures.client.call("POST", path, prepared.token, body)).data["id"]
    }


async def _recipient(prepared: PreparedCall) -> dict[str, Any]:
    return {"recipient_id": prepared.fixtures.host.id}


async def _code(prepared: PreparedCall) -> dict[str, Any]:
    fixtures, path = prepared.fixtures, f"/rooms/{prepared.id}/codes"
    answer = await fixtures.client.call("POST", path, fixtures.host.access_token, {})
    return {"code": answer.data["codes"][0]["code"]}


async def _poll(fixtures: Fixtures, library: str | None) -> str:
    return await fixtures.poll(await fixtures.live_session(library))


async def _option(prepared: PreparedCall) -> dict[str, Any]:
    poll = await prepared.fixtures.get(f"/polls/{prepared.id}/results", prepared.fixtures.host)
    return {"option_id": poll["options"][0]["id"]}


CASES = {
    case.key: case
    for case in (
        Case("POST /auth/login", fill=_password),
        Case("POST /auth/refresh", fill=_refresh_token),
        Case("POST /auth/viewer/register"),
        Case("POST /auth/viewer/device-login", fill=_device_token),
        Case("POST /auth/exchange-code", fill=_auth_code),
        Case("GET /auth/me"),
        Case("POST /auth/logout", fill=_refresh_token, by_viewer=True),
        Case("POST /auth/generate-code", fill=_session_of_host),
        Case("GET /rooms"),
        Case("POST /rooms"),
        Case("GET /rooms/my"),
        Case("GET /rooms/{id}", _room),
        Case("PATCH /rooms/{id}", _room),
        Case("DELETE /rooms/{id}", _room),
        Case("POST /presets"),
        Case("GET /presets"),
        Case("GET /presets/{id}", _preset),
        Case("PATCH /presets/{id}", _preset),
        Case("DELETE /presets/{id}", _preset),
        Case("POST /presets/{id}/set_default", _preset),
        Case("POST /rooms/{id}/reminders", _room),
        Case("DELETE /rooms/{id}/reminders", _room),
        Case("GET /rooms/{id}/reminders/my", _room),
        Case("GET /rooms/{id}/sessions", _room),
        Case("POST /rooms/{id}/sessions", _room, _preset_of_host),
        Case("GET /sessions"),
        Case("GET /sessions/live"),
        Case("GET /sessions/stats"),
        Case("GET /sessions/{id}", _scheduled),
        Case("DELETE /sessions/{id}", _scheduled),
        Case("POST /sessions/{id}/join", _live, by_viewer=True),
        Case("POST /sessions/{id}/go_live", _scheduled),
        Case("POST /sessions/{id}/start", _scheduled),
        Case("POST /sessions/{id}/start_webcam_hls", _live),
        Case("POST /sessions/{id}/ensure_hls_egress", _live),
        Case("GET /sessions/{id}/stream_health", _live),
        Case("POST /sessions/{id}/end", _live),
        Case("PATCH /sessions/{id}/reschedule", _scheduled),
        Case("PATCH /sessions/{id}/settings", _scheduled),
        Case("POST /sessions/{id}/host_video_state", _live),
        Case("POST /sessions/{id}/host_audio_state", _live),
        Case("POST /sessions/{id}/studio_url", _scheduled),
        Case("GET /sessions/{id}/share_urls", _scheduled, by_viewer=True),
        Case("GET /sessions/{id}/monitor", _live),
        Case("POST /sessions/{id}/leave", _live, by_viewer=True),
        Case("GET /sessions/{id}/viewers", _live, by_viewer=True),
        Case("GET /sessions/{id}/attendance", _live),
        Case("GET /sessions/{id}/attendance/stats", _live),
        Case("GET /sessions/{id}/attendance/export", _live),
        Case("GET /sessions/{id}/participants", _scheduled, by_viewer=True),
        Case("POST /sessions/{id}/co_hosts", _scheduled, _viewer),
        Case("DELETE /sessions/{id}/co_hosts/{user_id}", _scheduled, within=_co_host),
        Case("POST /sessions/{id}/moderators", _live, _viewer),
        Case("DELETE /sessions/{id}/moderators/{user_id}", _live, within=_moderator),
        Case("POST /sessions/{id}/ban", _live, _viewer),
        Case("DELETE /sessions/{id}/ban/{user_id}", _scheduled, within=_banned),
        Case("GET /sessions/{id}/banned", _live),
        Case("GET /sessions/{id}/ban_status", _live, by_viewer=True),
        Case("POST /sessions/{id}/raise_hand", _live, _own_hand, by_viewer=True),
        Case("POST /sessions/{id}/lower_hand", _live, by_viewer=True, within=_hand),
        Case("GET /sessions/{id}/hand_raise_status", _live, by_viewer=True, within=_hand),
        Case("GET /sessions/{id}/stage", _live, by_viewer=True, within=_on_stage),
        Case("POST /sessions/{id}/stage/leave", _live, by_viewer=True, within=_on_stage),
        Case("GET /sessions/{id}/stage/token", _live, by_viewer=True, within=_on_stage),
        Case("POST /sessions/{id}/join_requests", _live, by_viewer=True),
        Case("GET /sessions/{id}/join_requests/my", _live, by_viewer=True, within=_join_request),
        Case("POST /sessions/{id}/stage/add", _live, _colleague),
        Case("POST /sessions/{id}/stage/remove", _live, _on_stage),
        Case("PATCH /sessions/{id}/stage/{participant_identity}/permissions", _live, within=_on_stage),
        Case("GET /sessions/{id}/join_requests", _live, within=_join_request),
        Case("POST /sessions/{id}/join_requests/{request_id}/approve", _live, within=_join_request),
        Case("POST /sessions/{id}/join_requests/{request_id}/reject", _live, within=_join_request),
        Case("GET /sessions/{id}/hand_raises", _live, within=_hand),
        Case("POST /sessions/{id}/hand_raises/{hand_raise_id}/approve", _live, within=_hand),
        Case("POST /sessions/{id}/hand_raises/{hand_raise_id}/reject", _live, within=_hand),
        Case("GET /sessions/{id}/chat", _live, by_viewer=True),
        Case("POST /sessions/{id}/chat", _live, _recipient, by_viewer=True),
        Case("DELETE /sessions/{id}/chat/{message_id}", _live, by_viewer=True, within=_message),
        Case("GET /sessions/{id}/polls", _live, by_viewer=True),
        Case("POST /sessions/{id}/polls", _live, by_viewer=True),
        Case("POST /polls/{id}/vote", _poll, _option, by_viewer=True),
        Case("GET /polls/{id}/results", _poll, by_viewer=True),
        Case("POST /polls/{id}/close", _poll),
        Case("GET /recordings/my"),
        Case("GET /recordings/{id}", _recording),
        Case("GET /recordings/{id}/download", _completed),
        Case("PATCH /recordings/{id}", _recording),
        Case("DELETE /recordings/{id}", _recording),
        Case("GET /sessions/{id}/recordings", _recorded),
        Case("GET /sessions/{id}/recordings/active", _recorded),
        Case("POST /sessions/{id}/recordings/start", _live),
        Case("POST /sessions/{id}/recordings/stop", _recorded),
        Case("GET /admin/storage/status"),
        Case("POST /admin/storage/cleanup"),
        Case("POST /admin/recordings/{id}/retry", _recording),
    )
}

# Cases that make what paths beyond the published operations name, where no published one names its like.
BEYOND = {
    "/room_codes/{code}": Case("GET /rooms/{id}", _room, within=_code),
    "/sessions/{id}/room/participants/{connection_id}": CASES["GET /sessions/{id}/viewers"],
    "/streams/{session_id}": CASES["GET /sessions/{id}/viewers"],
}

# Nobody signs in for these: LiveKit and Centrifugo prove who they are in their own ways, a link is its own
# credential, and everybody may ask for the health. `test_webhook_door`, `test_centrifugo`,
# `test_recordings` and `test_health` are about them.
NOT_SIGNED_IN = {
    "POST /webhooks/livekit",
    "POST /centrifugo/connect",
    "POST /centrifugo/subscribe",
    "GET /recordings/{id}/file",
    "GET /health",
}


def cases(wanted: Callable[[Operation], bool] | None = None) -> list[Case]:
    """The cases of the wanted operations, or all of them."""
    return [case for case in CASES.values() if wanted is None or wanted(case.operation)]


class PreparedCalls:
    """One prepared call a case, kept for the calls that change nothing because they are refused."""

    def __init__(self, fixtures: Fixtures):
        self.fixtures = fixtures
        self._made: dict[Case, PreparedCall] = {}

    async def of(self, case: Case) -> PreparedCall:
        if case not in self._made:
            self._made[case] = await case.prepare(self.fixtures)
        return self._made[case]


def name(case: object) -> str | None:
    """How a case is called in the test report."""
    return case.key if isinstance(case, Case) else None
