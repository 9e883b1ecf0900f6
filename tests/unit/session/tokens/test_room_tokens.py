"""POST /rooms/{id}/tokens below HTTP: whom a room's token lets in, when, and as what."""

import asyncio
from typing import Any

import pytest

from services.session.catalog.rooms.roles import TokenRole
from services.session.sessions.domain.session import Session
from services.session.tokens.room_tokens import Publish
from shared.contracts.states import RoomOptions, SessionStatus
from shared.errors import Conflict, Forbidden, InvalidRequest
from shared.ids import new_id
from shared.livekit.join_terms import JoinTerms, JoinWindow
from tests.unit.session.actors import Host, ban, refused
from tests.unit.session.backend import Backend
from tests.unit.session.builders import T0, caller
from tests.unit.session.rooms_with_tokens import TokenRoom, claims_of, seconds, token_room

CAMERA, MICROPHONE = "camera", "microphone"
SCREEN, SCREEN_AUDIO = "screen_share", "screen_share_audio"


async def test_the_first_token_makes_a_pending_session_with_its_room_open(
    backend: Backend, host: Host
) -> None:
    room = await token_room(backend, host, title="Stand-up", name="stand-up", max_members=3)
    issued = await room.issue(external_user_id="c-1", name="Carla")
    session = await room.session(issued)
    assert (session.status, session.pending_room_id) == (SessionStatus.SCHEDULED, room.room.id)
    assert (session.title, session.room_name, session.preset.settings.name) == (
        "Stand-up",
        "stand-up",
        "Meeting",
    )
    assert list(backend.livekit.rooms) == [session.id]
    opened = backend.livekit.room_settings[session.id]
    assert (opened.departure_timeout, opened.max_participants) == (5, 3)
    assert claims_of(issued)["video"]["room"] == session.id


async def test_all_tokens_are_for_one_session_however_many_come_first(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await asyncio.gather(*(room.issue(external_user_id=f"c-{number}") for number in range(5)))
    assert len({one.session.id for one in issued}) == 1
    assert len(backend.livekit.rooms) == 1


async def test_replicas_make_one_session(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    other = TokenRoom(Backend(backend.mongo), host, room.room)
    issued = await asyncio.gather(*(one.issue() for one in (room, other, room, other)))
    assert len({one.session.id for one in issued}) == 1


async def test_a_session_that_begins_while_it_is_looked_for_is_found(
    backend: Backend, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await token_room(backend, host)
    first = await room.issue()
    look = backend.sessions.find_pending

    async def too_late(room_id: str) -> Session | None:
        await room.joins(first)
        return await look(room_id)

    monkeypatch.setattr(backend.sessions, "find_pending", too_late)
    assert (await room.issue()).session.id == first.session.id


async def test_a_session_that_begins_before_another_is_added_is_the_only_one(
    backend: Backend, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await token_room(backend, host)
    add, made = backend.sessions.add, list[str]()

    async def overtaken(session: Session, events: Any) -> None:
        if not made:
            made.append(session.id)
            await room.joins(await room.issue())
        await add(session, events)

    monkeypatch.setattr(backend.sessions, "add", overtaken)
    issued = await room.issue()
    assert issued.session.is_live
    assert await backend.sessions.find_pending(room.room.id) is None


async def test_a_live_session_takes_whoever_comes(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host, auto_session=False)
    await refused("session_not_live", Conflict, room.issue())
    session = await host.session(room.room.id)
    await host.start(session)
    assert (await room.issue()).session.id == session.id


async def test_the_preset_is_the_rooms_or_the_hosts_default(backend: Backend, host: Host) -> None:
    default = await host.preset(name="The default", is_default=True)
    own = await host.preset(name="The room's")
    rooms = [await token_room(backend, host, preset_id=preset) for preset in (None, own.id, new_id())]
    sessions = [await room.session(await room.issue()) for room in rooms]
    assert [session.preset.id for session in sessions] == [default.id, own.id, default.id]


@pytest.mark.parametrize(
    ("role", "publish", "said", "sources"),
    [
        (TokenRole.HOST, Publish.ALL, "co_host", {CAMERA, MICROPHONE, SCREEN, SCREEN_AUDIO}),
        (TokenRole.HOST, Publish.AUDIO, "co_host", {MICROPHONE}),
        (TokenRole.HOST, Publish.NONE, "co_host", set()),
        (TokenRole.GUEST, Publish.ALL, "stage", {CAMERA, MICROPHONE, SCREEN, SCREEN_AUDIO}),
        (TokenRole.GUEST, Publish.VIDEO, "stage", {CAMERA, SCREEN}),
        (TokenRole.GUEST, Publish.NONE, "stage", set()),
        (TokenRole.MODERATOR, Publish.ALL, "moderator", set()),
        (TokenRole.AUDIENCE, Publish.ALL, "audience", set()),
    ],
)
async def test_who_may_publish_what(
    backend: Backend, host: Host, role: TokenRole, publish: Publish, said: str, sources: set[str]
) -> None:
    claims = claims_of(await (await token_room(backend, host)).issue(role=role, publish=publish))
    assert claims["attributes"]["greenroom.role"] == said
    assert set(claims["video"].get("canPublishSources", ())) == sources
    assert claims["video"]["canPublish"] is bool(sources)


async def test_another_token_of_the_same_person_gives_another_role(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    guest = await room.issue(external_user_id="c-1", role=TokenRole.GUEST)
    assert guest.user.id in (await room.session(guest)).stage
    again = await room.issue(external_user_id="c-1", role=TokenRole.GUEST, publish=Publish.AUDIO)
    seat = (await room.session(again)).stage[guest.user.id]
    assert (again.user.id, seat.can_publish_audio, seat.can_publish_video) == (guest.user.id, True, False)
    viewer = await room.issue(external_user_id="c-1")
    session = await room.session(viewer)
    assert (guest.user.id in session.stage, guest.user.id in session.roles) == (False, False)


async def test_without_an_id_each_is_somebody_new(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    first, second = await room.issue(), await room.issue(name="Vera")
    assert first.user.id != second.user.id
    assert (first.user.username, second.user.username, first.user.is_guest) == ("Guest", "Vera", True)


async def test_more_guests_are_on_stage_than_could_be_by_asking(backend: Backend, host: Host) -> None:
    await host.preset(is_default=True, max_join_limit=1)
    room = await token_room(backend, host)
    issued = [await room.issue(role=TokenRole.GUEST) for _ in range(3)]
    assert len((await room.session(issued[0])).stage) == 3


async def test_terms_are_in_the_token_the_strictest(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host, remove_after_seconds_elapsed=300, remove_at=T0 + seconds(900))
    terms = JoinTerms(
        external_user_id="c-1",
        metadata="a table",
        remove_at=T0 + seconds(1800),
        remove_after=60,
        ends_session=True,
    )
    claims = claims_of(await room.issue(external_user_id="c-1", terms=terms))
    assert claims["metadata"] == "a table"
    assert JoinTerms.of(claims["attributes"]) == JoinTerms(
        external_user_id="c-1", remove_at=T0 + seconds(900), remove_after=60, ends_session=True
    )


def window(opens: float | None = None, closes: float | None = None) -> JoinWindow:
    return JoinWindow(
        opens_at=None if opens is None else T0 + seconds(opens),
        closes_at=None if closes is None else T0 + seconds(closes),
    )


async def test_the_window_is_exact_whatever_livekits_leeway(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host, join_from=T0 + seconds(100))
    issued = await room.issue(window=window(50, 1000), lifetime=seconds(3600))
    claims, start = claims_of(issued), T0.timestamp()
    assert (claims["nbf"] - start, claims["exp"] - start) == (100 + 60, 1000 - 60)
    assert issued.expires_at == T0 + seconds(1000)


async def test_a_live_session_s_tokens_keep_to_the_room_as_it_is_now(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    await room.joins(await room.issue())
    room.room = await backend.rooms.change(
        room.room.id,
        lambda found: found.edit(
            T0,
            public=True,
            options=RoomOptions(
                auto_session=True, join_until=T0 + seconds(600), remove_after_seconds_elapsed=60
            ),
        ),
    )
    claims = claims_of(await room.issue())
    assert claims["exp"] == (T0 + seconds(540)).timestamp()
    assert JoinTerms.of(claims["attributes"]).remove_after == 60


async def test_a_lifetime_begins_when_the_window_opens(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host, join_from=T0 + seconds(7200))
    issued = await room.issue(lifetime=seconds(600))
    assert issued.expires_at == T0 + seconds(7800)
    assert claims_of(issued)["exp"] == (T0 + seconds(7800)).timestamp()


async def test_nobody_gets_a_token_that_would_let_nobody_in(backend: Backend, host: Host) -> None:
    closed = await token_room(backend, host, join_until=T0)
    await refused("join_closed", Forbidden, closed.issue())
    removed = await token_room(backend, host, remove_at=T0)
    await refused("join_closed", Forbidden, removed.issue())
    with pytest.raises(InvalidRequest) as refusal:
        await (await token_room(backend, host, join_from=T0 + seconds(60))).issue(window=window(closes=30))
    assert refusal.value.errors[0].field == "join_until"
    assert backend.livekit.rooms == {}


async def test_a_pending_session_waits_for_its_last_token(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    first = await room.issue(lifetime=seconds(600))
    await room.issue(lifetime=seconds(60))
    # LiveKit accepts a token for a minute longer, and its webhook takes a while.
    backend.clock.advance(seconds=600 + 60)
    await backend.live.apply_due_timeouts()
    assert (await room.session(first)).status is SessionStatus.SCHEDULED
    backend.clock.advance(seconds=31)
    await backend.live.apply_due_timeouts()
    await backend.settle()
    assert (await room.session(first)).status is SessionStatus.EXPIRED
    assert backend.livekit.rooms == {}
    again = await room.issue()
    assert again.session.id != first.session.id


@pytest.mark.parametrize("change", [{"disabled_at": T0}, {"registered_only": True}])
async def test_a_room_that_lets_nobody_in(backend: Backend, host: Host, change: dict[str, Any]) -> None:
    room = await token_room(backend, host, **change)
    with pytest.raises(Forbidden) as refusal:
        await room.issue()
    assert refusal.value.code in {"room_disabled", "registration_required"}
    assert backend.livekit.rooms == {}


async def test_only_a_key_of_the_organization_issues_tokens(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    room.key = host.caller
    await refused("api_key_required", Forbidden, room.issue())
    room.key = caller(new_id(), new_id(), api_key_id=new_id())
    with pytest.raises(Exception, match="no such room"):
        await room.issue()


async def test_a_banned_person_gets_no_token(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue(external_user_id="c-1")
    await ban(backend, host, await room.session(issued), caller(issued.user.id))
    await refused("banned", Forbidden, room.issue(external_user_id="c-1"))
    await room.issue(external_user_id="c-2")
