"""One case for each operation that exists: what its id is of, who calls it, and with which body."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.contract.api.accounts import Person
from tests.contract.api.contract import LIBRARY_PREFIX, Operation, operations
from tests.contract.api.fixtures import World
from tests.contract.api.sample_bodies import sample

Maker = Callable[[World, str | None], Awaitable[str]]
Filler = Callable[["Scene"], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Scene:
    """A call that is ready to be made. `id` is of what the path names; `library` where it is.

    `within` are the other ids of the path, by their names there.
    """

    world: World
    operation: Operation
    caller: Person | None
    id: str = ""
    library: str | None = None
    body: dict[str, Any] = field(default_factory=dict)
    within: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return self.at(self.id)

    def at(self, id: str) -> str:  # noqa: A002
        """The path with this id in the place of its own."""
        path = self.operation.path.replace("{id}", id)
        for name, value in self.within.items():
            path = path.replace(f"{{{name}}}", value)
        return path

    @property
    def mirrored_path(self) -> str:
        library = self.library or self.world.library
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

    async def scene(self, world: World, library: str | None = None) -> Scene:
        """Everything made anew, the caller being one for whom the call succeeds."""
        caller = await self._caller(world)
        id = await self.given(world, library) if self.given else ""  # noqa: A001
        scene = Scene(world, self.operation, caller, id, library)
        if self.within is not None:
            scene = replace(scene, within=await self.within(scene))
        fields = await self.fill(scene) if self.fill else {}
        return replace(scene, body=sample(self.operation, **fields))

    async def _caller(self, world: World) -> Person | None:
        if self.operation.access == "public":
            return None
        if self.operation.access == "admin":
            return Person("", world.admin.access_token, "")
        return await world.viewer_of_its_own() if self.by_viewer else world.host


async def _room(world: World, library: str | None) -> str:
    return await world.room(library)


async def _preset(world: World, library: str | None) -> str:
    return await world.preset(library)


async def _scheduled(world: World, library: str | None) -> str:
    return await world.session(library)


async def _live(world: World, library: str | None) -> str:
    return await world.live_session(library)


async def _recorded(world: World, library: str | None) -> str:
    return await world.recorded_session(library)


async def _recording(world: World, library: str | None) -> str:
    return await world.recording()


async def _completed(world: World, library: str | None) -> str:
    return await world.completed_recording()


async def _password(scene: Scene) -> dict[str, Any]:
    return {"email": scene.world.host.email, "password": scene.world.host.password}


async def _refresh_token(scene: Scene) -> dict[str, Any]:
    person = scene.caller or await scene.world.viewer_of_its_own()
    return {"refresh_token": person.refresh_token}


async def _device_token(scene: Scene) -> dict[str, Any]:
    return {"device_token": (await scene.world.viewer_of_its_own()).device_token}


async def _session_of_host(scene: Scene) -> dict[str, Any]:
    return {"session_id": await scene.world.session(scene.library)}


async def _auth_code(scene: Scene) -> dict[str, Any]:
    world = scene.world
    body = {"session_id": await world.session()}
    made = await world.client.call("POST", "/auth/generate-code", world.host.access_token, body)
    return {"code": made.data["code"]}


async def _preset_of_host(scene: Scene) -> dict[str, Any]:
    return {"preset_id": await scene.world.preset(scene.library), "mode": "webcam"}


async def _viewer(scene: Scene) -> dict[str, Any]:
    return {"user_id": (await scene.world.viewer_of_its_own()).id}


async def _co_host(scene: Scene) -> dict[str, Any]:
    return {"user_id": await scene.world.appointed("co_hosts", scene.id)}


async def _moderator(scene: Scene) -> dict[str, Any]:
    return {"user_id": await scene.world.appointed("moderators", scene.id)}


async def _banned(scene: Scene) -> dict[str, Any]:
    return {"user_id": await scene.world.appointed("ban", scene.id)}


async def _own_hand(scene: Scene) -> dict[str, Any]:
    return {"participant_identity": scene.caller.id if scene.caller else ""}


async def _hand(scene: Scene) -> dict[str, Any]:
    return {"hand_raise_id": await _asked(scene, "raise_hand")}


async def _join_request(scene: Scene) -> dict[str, Any]:
    return {"request_id": await _asked(scene, "join_requests")}


async def _asked(scene: Scene, how: str) -> str:
    """The id of a viewer's hand or join request; of the caller's where they are one."""
    caller = scene.caller if scene.operation.access == "bearer" else None
    viewer = caller or await scene.world.viewer_of_its_own()
    return str((await scene.world.do(how, scene.id, viewer)).data["id"])


async def _on_stage(scene: Scene) -> dict[str, Any]:
    """The caller is on stage, or a viewer where those manage it who call."""
    caller = scene.caller if scene.operation.access == "bearer" else None
    viewer = caller or await scene.world.viewer_of_its_own()
    hand = (await scene.world.do("raise_hand", scene.id, viewer)).data["id"]
    await scene.world.do(f"hand_raises/{hand}/approve", scene.id)
    return {"participant_identity": viewer.id}


async def _colleague(scene: Scene) -> dict[str, Any]:
    return {"participant_identity": scene.world.colleague.id}


async def _message(scene: Scene) -> dict[str, Any]:
    body = {"message": "To be deleted"}
    path = f"/sessions/{scene.id}/chat"
    return {"message_id": (await scene.world.client.call("POST", path, scene.token, body)).data["id"]}


async def _recipient(scene: Scene) -> dict[str, Any]:
    return {"recipient_id": scene.world.host.id}


async def _poll(world: World, library: str | None) -> str:
    return await world.poll(await world.live_session(library))


async def _option(scene: Scene) -> dict[str, Any]:
    poll = await scene.world.get(f"/polls/{scene.id}/results", scene.world.host)
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


class Scenes:
    """One scene a case, kept for the calls that change nothing because they are refused."""

    def __init__(self, world: World):
        self.world = world
        self._made: dict[str, Scene] = {}

    async def of(self, case: Case) -> Scene:
        if case.key not in self._made:
            self._made[case.key] = await case.scene(self.world)
        return self._made[case.key]


def name(case: object) -> str | None:
    """How a case is called in the test report."""
    return case.key if isinstance(case, Case) else None
