"""What everybody in a room is told at once."""

from typing import Any

import orjson
import pytest

from services.session.media_state.service import HostMediaService
from services.session.notices.domain import CONFIDENTIAL, TABLE
from services.session.notices.service import TOPIC, NoticeRecipients, NoticeService, notice_group
from services.session.sessions.schemas import UpdateSessionSettingsRequest
from shared.contracts.event import Envelope, Event
from shared.contracts.session_events import HostMedia, HostMediaChanged
from shared.errors import Conflict, Forbidden, Unavailable
from shared.ids import new_id
from tests.unit.session.actors import Host, viewer
from tests.unit.session.backend import Backend
from tests.unit.session.stage.fixtures import stage


def service_of(backend: Backend) -> NoticeService:
    return NoticeService(backend.livekit, NoticeRecipients(backend.sessions, backend.livekit), backend.clock)


@pytest.fixture
async def telling(backend: Backend) -> Backend:
    await backend.bus.subscribe(notice_group(service_of(backend)))
    return backend


@pytest.fixture
def media(backend: Backend) -> HostMediaService:
    return HostMediaService(backend.sessions, backend.access, backend.clock)


def notices(backend: Backend, room: str) -> list[dict[str, Any]]:
    """What was sent to the whole room."""
    assert all(sent.topic == TOPIC for sent in backend.livekit.sent)
    return [
        orjson.loads(sent.payload)
        for sent in backend.livekit.sent
        if (sent.room, sent.identities) == (room, ())
    ]


async def test_the_hosts_camera_is_told_to_the_room(
    telling: Backend, host: Host, media: HostMediaService
) -> None:
    session = await host.live_session()
    await media.switch(session.id, host.caller, None, HostMedia.VIDEO, enabled=False)
    await telling.settle()
    (notice,) = notices(telling, session.id)
    assert notice["type"] == "session.host_media_changed.v1"
    assert (notice["session_id"], notice["user_id"]) == (session.id, host.user.id)
    assert (notice["media"], notice["enabled"]) == ("video", False)


async def test_only_who_hosts_tells_of_a_live_session(
    telling: Backend, host: Host, media: HostMediaService
) -> None:
    live, scheduled = await host.live_session(), await host.session()
    with pytest.raises(Forbidden):
        await media.switch(live.id, viewer(), None, HostMedia.AUDIO, enabled=True)
    with pytest.raises(Conflict):
        await media.switch(scheduled.id, host.caller, None, HostMedia.AUDIO, enabled=True)
    await telling.settle()
    assert telling.livekit.sent == []


async def test_settings_are_told_once_the_session_is_live(telling: Backend, host: Host) -> None:
    session = await host.session()
    off = UpdateSessionSettingsRequest(chat_enabled=False)
    await telling.session_service.configure(session.id, host.caller, off)
    await telling.settle()
    assert telling.livekit.sent == []
    await host.start(session)
    await telling.session_service.configure(
        session.id, host.caller, UpdateSessionSettingsRequest(max_join_limit=3)
    )
    await telling.settle()
    told = notices(telling, session.id)[-1]
    assert (told["effective_chat_enabled"], told["effective_max_join_limit"]) == (False, 3)


def told_of(backend: Backend, session_id: str) -> Envelope:
    event = HostMediaChanged(
        session_id=session_id,
        user_id=new_id(),
        media=HostMedia.AUDIO,
        enabled=True,
        changed_at=backend.clock.now(),
    )
    return Envelope(id=new_id(), source="/greenroom/tests", time=backend.clock.now(), event=event)


async def test_what_could_not_be_told_is_tried_again_and_is_no_news_later(
    backend: Backend, host: Host
) -> None:
    session = await host.live_session()
    service, envelope = service_of(backend), told_of(backend, session.id)
    backend.livekit.down()
    with pytest.raises(Unavailable):
        await service.publish(envelope)
    backend.livekit.up()
    await service.publish(envelope)
    assert len(notices(backend, session.id)) == 1
    backend.clock.advance(seconds=31)
    await service.publish(envelope)
    assert len(notices(backend, session.id)) == 1


async def test_a_room_that_is_closed_hears_nothing(backend: Backend) -> None:
    await service_of(backend).publish(told_of(backend, new_id()))
    assert backend.livekit.sent == []


@pytest.mark.parametrize("event", [*TABLE, *CONFIDENTIAL])
def test_a_row_is_an_event_of_one_session(event: type[Event]) -> None:
    assert {"session", "session_id", "request"} & event.model_fields.keys()


async def test_who_is_on_stage_is_told_to_the_room(telling: Backend, host: Host) -> None:
    at = await stage(host)
    guest = await at.seated()
    await telling.settle()
    told = notices(telling, at.id)[-1]
    assert told["stage"] == [{"user_id": guest.user_id, "can_publish_audio": True, "can_publish_video": True}]


async def test_a_hand_is_told_to_who_raised_it_and_to_who_may_answer(telling: Backend, host: Host) -> None:
    at = await stage(host)
    guest, viewer, moderator = await at.guest(), await at.guest(), await at.moderator()
    for person in (host.caller, guest, viewer, moderator):
        await at.connect(person)
    await telling.settle()
    before = len(telling.livekit.sent)
    hand = await at.raise_hand(guest, message="A question")
    await at.reject(hand)
    await telling.settle()
    raised, answered = telling.livekit.sent[before:]
    assert set(raised.identities) == {host.caller.identity, guest.identity, moderator.identity}
    assert raised.identities == answered.identities
    assert orjson.loads(raised.payload)["type"] == "hand.raised.v1"
    request = orjson.loads(answered.payload)["request"]
    assert (request["id"], request["status"]) == (hand.id, "rejected")


async def test_of_a_hand_nobody_hears_who_is_not_concerned(telling: Backend, host: Host) -> None:
    at = await stage(host, moderator_manage_stage=False)
    moderator = await at.moderator()
    await at.connect(moderator)
    await telling.settle()
    before = len(telling.livekit.sent)
    await at.raise_hand(await at.guest())
    await telling.settle()
    assert telling.livekit.sent[before:] == []
