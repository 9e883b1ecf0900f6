"""What a webhook sets off at once: permissions are checked, odd rooms are looked at."""

import asyncio

import pytest

from services.egress.drift.domain import Kind
from shared.contracts.states import Role, SessionState
from shared.ids import new_id
from shared.livekit import LiveKitParticipant, Permissions, WebhookEvent
from shared.livekit.webhook import WebhookParticipant
from tests.unit.egress.reconciler.builders import SEAT, T0, VIEWER, permissions, state
from tests.unit.egress.reconciler.fixture import Replica


@pytest.fixture
def replica() -> Replica:
    return Replica()


def told(one: LiveKitParticipant) -> WebhookParticipant:
    """The participant as LiveKit's webhook words it."""
    may = one.permissions
    permission = {
        "canPublish": may.publishes,
        "canPublishSources": [source.name for source in may.can_publish_sources or ()],
        "canSubscribe": may.can_subscribe,
        "canPublishData": may.can_publish_data,
        "hidden": may.hidden,
        "recorder": may.recorder,
    }
    fields = {"sid": one.sid, "identity": one.identity, "name": one.name, "permission": permission}
    return WebhookParticipant.model_validate(fields)


def webhook(session: SessionState | str, event: str, one: LiveKitParticipant | None = None) -> WebhookEvent:
    room = session if isinstance(session, str) else session.id
    fields = {"id": f"EV_{new_id()}", "event": event, "room": {"name": room}}
    return WebhookEvent.model_validate(fields).model_copy(update={"participant": told(one) if one else None})


def may(replica: Replica, session: SessionState, one: LiveKitParticipant) -> Permissions:
    return replica.livekit.participants[session.id][one.identity].permissions


async def test_an_old_token_s_rights_are_corrected(replica: Replica) -> None:
    session = state()
    await replica.go_live(session)
    viewer = replica.viewer(session, role=Role.CO_HOST)
    await replica.parts.participant_checks.check(session.id, told(viewer))
    assert may(replica, session, viewer) == permissions(session, Role.AUDIENCE)
    assert await replica.kinds() == [Kind.PERMISSION]


async def test_who_may_what_they_do_costs_no_call(replica: Replica) -> None:
    session = state(stage={VIEWER: SEAT})
    await replica.go_live(session)
    asked, called = list(replica.owner.asked), list(replica.livekit.calls)
    for one in (
        replica.host(session),
        replica.viewer(session, role=Role.STAGE),
        replica.viewer(session, new_id()),
    ):
        await replica.parts.participant_checks.check(session.id, told(one))
    assert (replica.owner.asked, replica.livekit.calls) == (asked, called)
    assert await replica.ledger() == []


async def test_who_is_gone_again_is_no_repair(replica: Replica) -> None:
    session = state()
    await replica.go_live(session)
    viewer = replica.viewer(session, role=Role.STAGE)
    replica.livekit.disconnect(session.id, viewer.identity)
    await replica.parts.participant_checks.check(session.id, told(viewer))
    assert await replica.ledger() == []


async def test_who_is_banned_and_comes_back_is_taken_out_each_time(replica: Replica) -> None:
    session = state(banned={VIEWER: T0})
    await replica.go_live(session)
    for _ in range(2):
        viewer = replica.viewer(session, role=Role.STAGE)
        await replica.parts.participant_checks.check(session.id, told(viewer))
        assert replica.livekit.participants[session.id] == {}
    told_of = [(entry.kind, entry.action) for entry in await replica.ledger()]
    assert told_of == [(Kind.BANNED, "taken out of the room")] * 2


async def test_who_was_unbanned_meanwhile_stays(replica: Replica) -> None:
    session = state(banned={VIEWER: T0})
    await replica.go_live(session)
    replica.owner.sessions[session.id] = session.model_copy(update={"version": 3, "banned": {}})
    viewer = replica.viewer(session)
    await replica.parts.participant_checks.check(session.id, told(viewer))
    assert viewer.identity in replica.livekit.participants[session.id]
    assert await replica.ledger() == []


async def test_who_is_banned_and_still_there_is_taken_out_in_a_round(replica: Replica) -> None:
    session = state(banned={VIEWER: T0})
    await replica.go_live(session)
    replica.viewer(session)
    await replica.work(2)
    assert replica.livekit.participants[session.id] == {}


async def test_a_session_that_no_event_told_of_is_asked_for(replica: Replica) -> None:
    session = state()
    await replica.livekit.create_room(session.id, empty_timeout=60, departure_timeout=60)
    replica.owner.sessions[session.id] = session
    viewer = replica.viewer(session, role=Role.STAGE)
    await replica.parts.participant_checks.check(session.id, told(viewer))
    assert may(replica, session, viewer) == permissions(session, Role.AUDIENCE)
    await replica.parts.participant_checks.check(new_id(), told(viewer))


async def test_webhooks_of_joining_are_checked_as_they_come(replica: Replica) -> None:
    session = state()
    await replica.go_live(session)
    viewers = [replica.viewer(session, new_id(), Role.STAGE) for _ in range(20)]
    work = asyncio.create_task(replica.parts.participant_checks.run())
    try:
        for viewer in viewers:
            replica.parts.webhook_observer.on_webhook(webhook(session, "participant_joined", viewer))
        async with asyncio.timeout(5):
            while len(await replica.ledger()) < len(viewers):
                await asyncio.sleep(0.01)
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    assert {may(replica, session, viewer).publishes for viewer in viewers} == {False}


async def test_a_check_that_fails_has_the_room_looked_at(replica: Replica) -> None:
    session = state()
    await replica.go_live(session)
    viewer = replica.viewer(session, role=Role.STAGE)
    replica.owner.away = True
    work = asyncio.create_task(replica.parts.participant_checks.run())
    try:
        replica.parts.webhook_observer.on_webhook(webhook(session, "participant_joined", viewer))
        async with asyncio.timeout(5):
            while not replica.owner.asked:
                await asyncio.sleep(0.01)
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    replica.owner.away = False
    await replica.work(4)
    assert may(replica, session, viewer) == permissions(session, Role.AUDIENCE)


@pytest.mark.parametrize(("event", "dropped"), [("participant_left", 3), ("room_started", 0)])
async def test_lost_webhooks_and_servers_that_take_over_make_a_room_suspicious(
    replica: Replica, event: str, dropped: int
) -> None:
    session = state()
    await replica.go_live(session)
    await replica.work(1)
    replica.viewer(session)
    notice = webhook(session, event).model_copy(update={"num_dropped": dropped})
    replica.parts.webhook_observer.on_webhook(notice)
    await replica.parts.reconciler.run_once()
    assert "has_participant" in replica.livekit.calls
    assert len((await replica.rosters(session))[-1].connections) == 1


async def test_ordinary_webhooks_set_off_nothing(replica: Replica) -> None:
    session = state()
    await replica.go_live(session)
    await replica.work(1)
    calls = len(replica.livekit.calls)
    for event in ("participant_left", "track_published", "room_finished"):
        replica.parts.webhook_observer.on_webhook(webhook(session, event))
    replica.parts.webhook_observer.on_webhook(webhook("lobby", "room_started"))
    await replica.parts.reconciler.run_once()
    assert len(replica.livekit.calls) == calls
