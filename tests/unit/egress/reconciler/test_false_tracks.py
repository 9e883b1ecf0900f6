"""Tracks that are not what they declare: ended when published, or in a round if no webhook came."""

import asyncio

import pytest

from services.egress.drift.domain import Kind
from services.egress.reconciler.track_enforcer import TOLERATED
from shared.access.permissions import encoder_grant, join_grant, permissions_in_session
from shared.contracts.reconciler_events import REMOVED_FROM_ROOM
from shared.contracts.states import Role, SessionState
from shared.ids import new_id
from shared.livekit import LiveKitParticipant, LiveKitTrack, Permissions, WebhookEvent
from tests.unit.egress.reconciler.builders import HOST, SEAT, VIEWER, state
from tests.unit.egress.reconciler.fixture import Replica

MUTED = SEAT.model_copy(update={"can_publish_audio": False})
PICTURE = LiveKitTrack("TR_1", "video", "camera", muted=False, mime_types=("video/VP8",))
VOICE = LiveKitTrack("TR_2", "audio", "camera", muted=False, mime_types=("audio/opus",))
# Declared as what it should be: only the media tell.
DISGUISED = LiveKitTrack("TR_3", "video", "camera", muted=False, mime_types=("audio/opus",))


@pytest.fixture
def replica() -> Replica:
    return Replica()


@pytest.fixture
async def session(replica: Replica) -> SessionState:
    session = state(stage={VIEWER: MUTED})
    await replica.go_live(session)
    return session


def guest(replica: Replica, session: SessionState) -> LiveKitParticipant:
    """Connects with the rights that the session gives."""
    return replica.livekit.connect(
        join_grant(
            room=session.id,
            identity=f"{VIEWER}:phone",
            name="Vera",
            role=Role.STAGE,
            permissions=permissions_in_session(session, session.preset, VIEWER),
        )
    )


def published(session: SessionState, one: LiveKitParticipant, track: LiveKitTrack) -> WebhookEvent:
    """As LiveKit reports it: of the participant there are the ids alone."""
    mime_type, *codecs = track.mime_types
    fields = {
        "id": f"EV_{new_id()}",
        "event": "track_published",
        "room": {"name": session.id},
        "participant": {"sid": one.sid, "identity": one.identity},
        "track": {
            "sid": track.sid,
            "type": track.type.upper(),
            "source": track.source.upper(),
            "mimeType": mime_type,
            "codecs": [{"mimeType": one} for one in codecs],
        },
    }
    return WebhookEvent.model_validate(fields)


async def report(
    replica: Replica, session: SessionState, one: LiveKitParticipant, track: LiveKitTrack
) -> None:
    webhook = published(session, one, track)
    assert webhook.participant is not None
    assert webhook.track is not None
    await replica.parts.participant_checks.check_track(session.id, webhook.participant, webhook.track.track)


def there(replica: Replica, session: SessionState, one: LiveKitParticipant) -> LiveKitParticipant | None:
    return replica.livekit.participants[session.id].get(one.identity)


@pytest.mark.parametrize("false", [VOICE, DISGUISED])
async def test_a_false_track_ends_and_its_publisher_keeps_their_rights(
    replica: Replica, session: SessionState, false: LiveKitTrack
) -> None:
    vera = guest(replica, session)
    replica.livekit.publish(session.id, vera.identity, false)
    await report(replica, session, vera, false)
    now = there(replica, session, vera)
    assert now is not None
    assert (now.tracks, now.permissions) == ((), vera.permissions)
    (entry,) = await replica.ledger()
    assert (entry.kind, entry.action) == (Kind.TRACK, "tracks ended")
    assert entry.believed == "publishes camera"
    assert entry.participant is not None
    assert entry.participant.user_id == VIEWER
    (event,) = await replica.repaired()
    assert (event.kind, event.user_id) == ("track", VIEWER)


async def test_honest_tracks_cost_no_call(replica: Replica, session: SessionState) -> None:
    vera, hanna = guest(replica, session), replica.host(session)
    encoder = replica.livekit.connect(encoder_grant(room=session.id, identity=f"{HOST}:whip", name="Hanna"))
    asked, called = list(replica.owner.asked), list(replica.livekit.calls)
    for one in (vera, hanna, encoder):
        await report(replica, session, one, PICTURE)
    assert (replica.owner.asked, replica.livekit.calls) == (asked, called)
    assert await replica.ledger() == []


async def test_webhooks_of_publishing_are_checked_as_they_come(
    replica: Replica, session: SessionState
) -> None:
    vera = guest(replica, session)
    replica.livekit.publish(session.id, vera.identity, PICTURE, VOICE)
    work = asyncio.create_task(replica.parts.participant_checks.run())
    try:
        replica.parts.webhook_observer.on_webhook(published(session, vera, VOICE))
        async with asyncio.timeout(5):
            while not await replica.ledger():
                await asyncio.sleep(0.01)
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


@pytest.mark.parametrize("false", [VOICE, DISGUISED])
async def test_a_round_finds_what_no_webhook_reported(
    replica: Replica, session: SessionState, false: LiveKitTrack
) -> None:
    vera, hanna = guest(replica, session), replica.host(session)
    replica.livekit.publish(session.id, vera.identity, false)
    replica.livekit.publish(session.id, hanna.identity, PICTURE)
    await replica.work(4)
    now = [there(replica, session, one) for one in (vera, hanna)]
    assert [one.tracks if one else None for one in now] == [(), (PICTURE,)]
    assert (await replica.kinds()).count(Kind.TRACK) == 1


async def test_a_track_that_its_webhook_ends_is_one_correction(
    replica: Replica, session: SessionState
) -> None:
    """Also if a round has seen it before."""
    vera = guest(replica, session)
    replica.livekit.publish(session.id, vera.identity, VOICE)
    await replica.work(1)
    await report(replica, session, vera, VOICE)
    await replica.work(12)
    assert (await replica.kinds()).count(Kind.TRACK) == 1


async def test_whoever_goes_on_is_removed_also_when_they_return(
    replica: Replica, session: SessionState
) -> None:
    for time in range(TOLERATED + 2):
        vera = guest(replica, session)
        replica.livekit.publish(session.id, vera.identity, VOICE)
        await report(replica, session, vera, VOICE)
        assert (there(replica, session, vera) is None) is (time >= TOLERATED)
    actions = [entry.action for entry in await replica.ledger()]
    assert actions == [REMOVED_FROM_ROOM] * 2 + ["tracks ended"] * TOLERATED


async def test_another_s_offences_count_for_nobody_else(replica: Replica, session: SessionState) -> None:
    hanna = replica.host(session)
    for _ in range(TOLERATED):
        await report(replica, session, guest(replica, session), VOICE)
    replica.livekit.publish(session.id, hanna.identity, VOICE)
    await report(replica, session, hanna, VOICE)
    assert there(replica, session, hanna) is not None


async def test_an_encoder_that_lies_is_removed(replica: Replica, session: SessionState) -> None:
    """Its permissions are its own: there are none of the session's to give back."""
    encoder = replica.livekit.connect(encoder_grant(room=session.id, identity=f"{HOST}:whip", name="Hanna"))
    await report(replica, session, encoder, VOICE)
    assert there(replica, session, encoder) is None


@pytest.mark.parametrize("kind", ["whip", "ingress", "whip:a key"])
async def test_an_encoder_s_lies_are_not_its_person_s(
    replica: Replica, session: SessionState, kind: str
) -> None:
    for _ in range(TOLERATED + 1):
        grant = encoder_grant(room=session.id, identity=f"{HOST}:{kind}", name="Hanna")
        await report(replica, session, replica.livekit.connect(grant), VOICE)
    hanna = replica.host(session)
    for time in range(TOLERATED + 1):
        replica.livekit.publish(session.id, hanna.identity, VOICE)
        await report(replica, session, hanna, VOICE)
        assert (there(replica, session, hanna) is None) is (time >= TOLERATED)


async def test_rights_that_change_meanwhile_are_those_given_back(
    replica: Replica, session: SessionState, monkeypatch: pytest.MonkeyPatch
) -> None:
    vera = guest(replica, session)
    replica.livekit.publish(session.id, vera.identity, VOICE)
    later = session.model_copy(update={"version": 3, "stage": {}})
    answers = iter([session, later])

    async def ask(_id: str) -> SessionState | None:
        return next(answers)

    monkeypatch.setattr(replica.owner, "ask", ask)
    await report(replica, session, vera, VOICE)
    now = there(replica, session, vera)
    assert now is not None
    assert not now.permissions.publishes


async def test_a_track_that_old_rights_let_be_published_ends_with_them(
    replica: Replica, session: SessionState
) -> None:
    """The webhook of joining was lost, too."""
    vera = replica.viewer(session, role=Role.CO_HOST)
    microphone = LiveKitTrack("TR_4", "audio", "microphone", muted=False, mime_types=("audio/opus",))
    replica.livekit.publish(session.id, vera.identity, microphone)
    await report(replica, session, vera, microphone)
    now = there(replica, session, vera)
    assert now is not None
    assert (now.tracks, await replica.kinds()) == ((), [Kind.PERMISSION])


async def test_agents_publish_what_they_like_as_long_as_it_is_what_they_say(
    replica: Replica, session: SessionState
) -> None:
    agent = LiveKitParticipant(
        sid="PA_9",
        identity="an agent",
        name="",
        kind="agent",
        state="active",
        joined_at=replica.clock.now(),
        permissions=Permissions(can_publish=True),
    )
    replica.livekit.participants[session.id][agent.identity] = agent
    voice = LiveKitTrack("TR_5", "audio", "unknown", muted=False, mime_types=("audio/opus",))
    await report(replica, session, agent, voice)
    assert there(replica, session, agent) == agent


async def test_leaving_before_the_check_does_not_help(replica: Replica, session: SessionState) -> None:
    """Who joins, says something and leaves, time and again: it counts as often."""
    for _ in range(TOLERATED + 1):
        gone = guest(replica, session)
        replica.livekit.publish(session.id, gone.identity, VOICE)
        replica.livekit.disconnect(session.id, gone.identity)
        await report(replica, session, gone, VOICE)
    back = guest(replica, session)
    await report(replica, session, gone, VOICE)
    assert there(replica, session, back) is None
    actions = [entry.action for entry in await replica.ledger()]
    assert actions == [REMOVED_FROM_ROOM] * 2 + ["tracks ended"] * TOLERATED


async def test_an_honest_track_of_who_is_gone_is_no_correction(
    replica: Replica, session: SessionState
) -> None:
    gone = replica.viewer(session, new_id(), Role.CO_HOST)
    replica.livekit.disconnect(session.id, gone.identity)
    await report(replica, session, gone, PICTURE)
    assert await replica.ledger() == []
