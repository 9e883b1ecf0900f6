"""The encoder's place in a room, when LiveKit does not answer, and when there is no track."""

import asyncio
from typing import Any, cast

import pytest
from livekit import rtc

from services.relay.media import room
from services.relay.media.picture import EncodedPicture
from services.relay.media.room import RoomPublication

PICTURE = EncodedPicture(b"picture", 64, 64, key=True, captured_at=1.0)


class SilentRoom:
    """Each call to it waits for ever."""

    @property
    def local_participant(self) -> Any:
        return self

    async def publish_track(self, *_: object) -> None:
        await asyncio.Event().wait()

    async def disconnect(self) -> None:
        await asyncio.Event().wait()


@pytest.fixture
async def publication() -> RoomPublication:
    publication = RoomPublication(3000)
    publication._room = cast(rtc.Room, SilentRoom())
    return publication


async def test_a_room_that_does_not_answer_is_left(
    publication: RoomPublication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what had gone wrong before is heard of."""
    monkeypatch.setattr(room, "_LEAVE_SECONDS", 0.01)
    await publication.leave()


async def test_the_event_loop_does_not_wait_for_itself(
    publication: RoomPublication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_CALL_SECONDS", 0.01)
    assert publication.show(PICTURE, publish=False) is False
    with pytest.raises(TimeoutError):
        await asyncio.to_thread(publication.show, PICTURE, publish=True)
