"""A round of the reconciler finds a false track whose webhook was lost, in a real room."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from livekit import rtc

from deploy.local.stack import Stack
from services.egress.drift.domain import Kind
from services.egress.reconciler.build import ReconcilerParts
from shared.access.permissions import join_grant, permissions_in_session
from shared.clock import SystemClock
from shared.contracts.session_events import SessionStarted
from shared.contracts.states import Role, SessionState
from shared.livekit import LiveKit, TokenMint
from shared.persistence.outbox import Outbox
from tests.fakes.fake_session_owner import FakeSessionOwner
from tests.fakes.memory_bus import MemoryBus
from tests.fakes.memory_mongo import memory_mongo
from tests.unit.egress.reconciler.builders import SEAT, VIEWER, state
from tests.waiting import eventually

LIFETIME = timedelta(minutes=5)
CAMERA = rtc.TrackSource.SOURCE_CAMERA


def reconciler(livekit: LiveKit, owner: FakeSessionOwner) -> ReconcilerParts:
    clock = SystemClock()
    outbox = Outbox(MemoryBus(clock=clock), clock, source="/greenroom/egress")
    return ReconcilerParts(livekit, memory_mongo(), outbox, owner, clock, timedelta(seconds=10))


@pytest.fixture
async def session(real_livekit: LiveKit) -> AsyncIterator[SessionState]:
    """Of a guest who may not speak. The stack does not know it: its webhooks are as good as lost."""
    session = state(stage={VIEWER: SEAT.model_copy(update={"can_publish_audio": False})})
    await real_livekit.create_room(session.id, empty_timeout=60, departure_timeout=60)
    yield session
    await real_livekit.delete_room(session.id)


@pytest.fixture
async def guest(stack: Stack, session: SessionState) -> AsyncIterator[rtc.Room]:
    grant = join_grant(
        room=session.id,
        identity=f"{VIEWER}:phone",
        name="Vera",
        role=Role.STAGE,
        permissions=permissions_in_session(session, session.preset, VIEWER),
    )
    mint = TokenMint(stack.livekit_api_key, stack.livekit_api_secret, SystemClock())
    room = rtc.Room()
    await room.connect(stack.livekit_url, mint.join_token(grant, lifetime=LIFETIME))
    yield room
    await room.disconnect()


async def test_a_false_track_is_found_without_its_webhook(
    real_livekit: LiveKit, session: SessionState, guest: rtc.Room
) -> None:
    source = rtc.AudioSource(48_000, 1)
    track = rtc.LocalAudioTrack.create_audio_track("a voice", source)
    await guest.local_participant.publish_track(track, rtc.TrackPublishOptions(source=CAMERA))

    async def tracks() -> list[tuple[str, str]]:
        found = await real_livekit.list_participants(session.id)
        return [(one.type, one.source) for person in found for one in person.tracks]

    await eventually(tracks, lambda found: found == [("audio", "camera")])
    owner = FakeSessionOwner()
    owner.sessions[session.id] = session
    parts = reconciler(real_livekit, owner)
    for store in parts.stores:
        await store.ensure_indexes()
    await parts.sessions.follow(SessionStarted(session=session))
    await parts.lease.run_once()

    async def round_of_checks() -> list[str]:
        parts.reconciler.suspect(session.id)
        await parts.reconciler.run_once()
        return [entry.kind for entry in (await parts.ledger.list_newest(kind=Kind.TRACK))[0]]

    assert Kind.TRACK in await eventually(round_of_checks, bool)
    await eventually(tracks, lambda found: not found)
    await source.aclose()
