"""False tracks in a real room, of which no webhook comes: a round finds them, and no recorder takes them."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import cast

import pytest
from livekit import rtc

from deploy.local.stack import Stack
from services.egress.drift.domain import Kind
from services.egress.reconciler.build import ReconcilerParts
from services.recorder.media.audio import AudioFeed, Mixer
from services.recorder.media.layout import Picture
from services.recorder.media.pipeline import RenderPipeline
from services.recorder.room.room_connection import RoomConnection
from shared.access.permissions import join_grant, permissions_in_session
from shared.clock import SystemClock
from shared.contracts.session_events import SessionStarted
from shared.contracts.states import Role, SessionState
from shared.livekit import JoinGrant, LiveKit, TokenMint
from shared.persistence.outbox import Outbox
from tests.fakes.fake_session_owner import FakeSessionOwner
from tests.fakes.memory_bus import MemoryBus
from tests.fakes.memory_mongo import memory_mongo
from tests.unit.egress.reconciler.builders import SEAT, VIEWER, state
from tests.waiting import eventually

LIFETIME = timedelta(minutes=5)
CAMERA, MICROPHONE = rtc.TrackSource.SOURCE_CAMERA, rtc.TrackSource.SOURCE_MICROPHONE


def reconciler(livekit: LiveKit, owner: FakeSessionOwner) -> ReconcilerParts:
    clock = SystemClock()
    outbox = Outbox(MemoryBus(clock=clock), clock, source="/greenroom/egress")
    return ReconcilerParts(livekit, memory_mongo(), outbox, owner, clock, timedelta(seconds=10))


@pytest.fixture
async def session(real_livekit: LiveKit) -> AsyncIterator[SessionState]:
    """With a guest on stage. The stack does not know it: its webhooks are as good as lost."""
    session = state(stage={VIEWER: SEAT})
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
    room = rtc.Room()
    await room.connect(stack.livekit_url, token(stack, grant))
    yield room
    await room.disconnect()


def token(stack: Stack, grant: JoinGrant) -> str:
    mint = TokenMint(stack.livekit_api_key, stack.livekit_api_secret, SystemClock())
    return mint.join_token(grant, lifetime=LIFETIME)


async def publish_sound(guest: rtc.Room, source: rtc.TrackSource.ValueType) -> str:
    """The track's sid."""
    track = rtc.LocalAudioTrack.create_audio_track("a voice", rtc.AudioSource(48_000, 1))
    options = rtc.TrackPublishOptions(source=source)
    return (await guest.local_participant.publish_track(track, options)).sid


async def test_a_false_track_is_found_without_its_webhook(
    real_livekit: LiveKit, session: SessionState, guest: rtc.Room
) -> None:
    await publish_sound(guest, CAMERA)

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


class Pipeline:
    """What a recorder's connection feeds."""

    picture = Picture(1280, 720)
    tiles: Sequence[object] = ()

    def audio_feed(self) -> AudioFeed:
        return AudioFeed(Mixer(), time.monotonic())


async def taken() -> set[str]:
    """The tracks that a recorder reads, by their sids."""
    names = [task.get_name() for task in asyncio.all_tasks()]
    return {name.removeprefix("reader ") for name in names if name.startswith("reader ")}


async def test_a_recorder_takes_honest_tracks_alone(
    stack: Stack, session: SessionState, guest: rtc.Room
) -> None:
    recorder = RoomConnection(cast(RenderPipeline, Pipeline()))
    grant = JoinGrant(
        room=session.id, identity="recorder", name="", role=Role.AUDIENCE, hidden=True, recorder=True
    )
    await publish_sound(guest, CAMERA)
    await recorder.join(stack.livekit_url, token(stack, grant))
    try:
        await publish_sound(guest, CAMERA)
        # Whoever takes the others, which were published before, has them when the last of these comes.
        honest = {await publish_sound(guest, MICROPHONE) for _ in range(2)}
        assert await eventually(taken, honest.issubset) == honest
    finally:
        await recorder.leave()
