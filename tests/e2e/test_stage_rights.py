"""Being added to the stage, muted and removed, as LiveKit's clients see it: nobody rejoins."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import orjson
import pytest
from livekit import rtc
from livekit.rtc.participant import PublishTrackError

from deploy.local.stack import Stack
from tests.contract.api.accounts import Person
from tests.contract.api.fixtures import Fixtures
from tests.publishers.publisher import Publisher

pytestmark = pytest.mark.timeout(240)

DEADLINE = 60.0


class Watcher:
    """The host, who sees what everybody publishes, and hears the notices (`told`, by their types)."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.told: list[str] = []
        self.room.on("data_received", lambda packet: self.told.append(orjson.loads(packet.data)["type"]))

    def published(self, user_id: str) -> set[int]:
        return {
            publication.source
            for person in self.room.remote_participants.values()
            if person.identity.partition(":")[0] == user_id
            for publication in person.track_publications.values()
        }

    @property
    def present(self) -> set[str]:
        return {person.identity.partition(":")[0] for person in self.room.remote_participants.values()}

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Raises TimeoutError."""
        async with asyncio.timeout(DEADLINE):
            while not wanted():
                await asyncio.sleep(0.01)


CAMERA, MICROPHONE = rtc.TrackSource.SOURCE_CAMERA, rtc.TrackSource.SOURCE_MICROPHONE


@asynccontextmanager
async def watching(stack: Stack, fixtures: Fixtures, session: str) -> AsyncIterator[Watcher]:
    watcher = Watcher()
    token = (await fixtures.do("join", session)).data["livekit_token"]
    await watcher.room.connect(stack.livekit_url, token)
    try:
        yield watcher
    finally:
        await watcher.room.disconnect()


@asynccontextmanager
async def joined(stack: Stack, fixtures: Fixtures, session: str, guest: Person) -> AsyncIterator[Publisher]:
    publisher = Publisher("Vera", guest.id)
    token = (await fixtures.do("join", session, guest)).data["livekit_token"]
    await publisher.join(stack.livekit_url, token)
    try:
        yield publisher
    finally:
        await publisher.close()


async def live(fixtures: Fixtures) -> str:
    return await fixtures.live_session(preset=await fixtures.preset(max_join_limit=5))


async def let_on(fixtures: Fixtures, session: str, guest: Person) -> None:
    hand = (await fixtures.do("raise_hand", session, guest)).data["id"]
    await fixtures.do(f"hand_raises/{hand}/approve", session)


async def manage(fixtures: Fixtures, method: str, session: str, what: str, **body: object) -> None:
    path = f"/sessions/{session}/{what}"
    answer = await fixtures.client.call(method, path, fixtures.host.access_token, body)
    assert answer.status == 200, answer


@asynccontextmanager
async def in_vain(guest: Publisher) -> AsyncIterator[None]:
    """Speaking without being allowed to: LiveKit does not answer, for which its library waits ten seconds."""
    source = rtc.AudioSource(48_000, 1)
    track = rtc.LocalAudioTrack.create_audio_track("in vain", source)
    options = rtc.TrackPublishOptions(source=MICROPHONE)
    trying = asyncio.create_task(guest.room.local_participant.publish_track(track, options))
    try:
        yield
    finally:
        trying.cancel()
        (ended,) = await asyncio.gather(trying, return_exceptions=True)
        await source.aclose()
        assert isinstance(ended, asyncio.CancelledError | PublishTrackError), ended


async def may_publish(guest: Publisher, *, on: bool = True) -> None:
    """Wait until LiveKit has told the guest's own client."""
    async with asyncio.timeout(DEADLINE):
        while guest.room.local_participant.permissions.can_publish is not on:
            await asyncio.sleep(0.01)


async def test_an_approved_guest_publishes_without_joining_again(fixtures: Fixtures, stack: Stack) -> None:
    session = await live(fixtures)
    guest, viewer = [await fixtures.viewer_of_its_own() for _ in range(2)]
    async with (
        watching(stack, fixtures, session) as host,
        joined(stack, fixtures, session, guest) as vera,
        joined(stack, fixtures, session, viewer) as other,
        in_vain(other),
    ):
        await let_on(fixtures, session, guest)
        await may_publish(vera)
        await vera.show()
        await vera.speak()
        await host.until(lambda: host.published(guest.id) == {CAMERA, MICROPHONE})
        await host.until(lambda: {"hand.raised.v1", "hand.answered.v1"} <= set(host.told))
        await manage(fixtures, "PATCH", session, f"stage/{guest.id}/permissions", can_publish_audio=False)
        await host.until(lambda: host.published(guest.id) == {CAMERA})
        await manage(fixtures, "POST", session, "stage/remove", participant_identity=guest.id)
        await host.until(lambda: not host.published(guest.id))
        await may_publish(vera, on=False)
        assert guest.id in host.present
        assert not host.published(viewer.id)
    await fixtures.do("end", session)
