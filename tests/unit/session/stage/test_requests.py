"""Raised hands and join requests: who may ask, and how they are answered."""

import asyncio

import pytest

from services.session.stage.requests.domain import StageRequest
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import RequestKind, RequestStatus, StageSeat
from shared.errors import AppError, Conflict, Forbidden, NotFound
from shared.http.idempotency import Reservation
from shared.http.schema import Page
from shared.ids import new_id
from tests.unit.session.actors import Host, new_host, viewer
from tests.unit.session.backend import Backend
from tests.unit.session.builders import caller
from tests.unit.session.stage.fixtures import HAND, JOIN, stage, told

FIRST = Page()


async def status(backend: Backend, request: StageRequest) -> RequestStatus:
    return (await backend.stage_requests.get(request.id)).status


@pytest.mark.parametrize("kind", RequestKind)
async def test_a_request_waits_until_it_is_approved(backend: Backend, host: Host, kind: RequestKind) -> None:
    at = await stage(host)
    guest = await at.guest()
    made = await at.ask(guest, kind)
    assert await backend.approvals.pending(at.id, host.caller, kind, FIRST) == ([made], 1)
    backend.clock.advance(seconds=3)
    approved = await at.approve(made)
    assert (approved.status, approved.responded_at) == (RequestStatus.APPROVED, backend.clock.now())
    assert await at.guests() == {guest.user_id}
    assert await backend.approvals.pending(at.id, host.caller, kind, FIRST) == ([], 0)
    assert await backend.requests.mine(at.id, guest, kind) == approved
    assert await at.approve(made) == approved
    await backend.settle()
    names = (
        ("hand.raised.v1", "hand.answered.v1")
        if kind is HAND
        else (
            "join_request.created.v1",
            "join_request.answered.v1",
        )
    )
    assert [told(backend, name) for name in names] == [1, 1]


async def test_who_raises_a_hand_again_has_the_same_one_up(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest = await at.guest()
    first = await at.raise_hand(guest, message="I know")
    again = await at.raise_hand(guest, message="I know it all")
    assert (again.id, again.message, again.name) == (first.id, "I know it all", "Vera")
    assert (await at.raise_hand(guest, message="I know it all")).version == again.version
    assert (await at.ask(guest, JOIN)).id != first.id
    await backend.settle()
    assert told(backend, "hand.raised.v1") == 2


async def test_hands_that_are_raised_at_once_are_one(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest = await at.guest()
    raised = await asyncio.gather(*(at.raise_hand(guest) for _ in range(10)))
    assert len({one.id for one in raised}) == 1
    assert (await backend.approvals.pending(at.id, host.caller, HAND, FIRST))[1] == 1


async def test_the_same_call_is_answered_with_what_it_made(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest, reserved = await at.guest(), new_id()
    made = await backend.requests.ask(Reservation(reserved), at.id, guest, HAND)
    await at.approve(made)
    again = await backend.requests.ask(Reservation(reserved, repeated=True), at.id, guest, HAND)
    assert (again.id, again.status) == (reserved, RequestStatus.APPROVED)


async def test_a_lowered_hand_is_gone(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest = await at.guest()
    first = await at.raise_hand(guest)
    await backend.requests.lower_hand(at.id, guest)
    await backend.requests.lower_hand(at.id, guest)
    assert await backend.requests.mine(at.id, guest, HAND) is None
    with pytest.raises(NotFound):
        await at.approve(first)
    await backend.settle()
    assert told(backend, "hand.lowered.v1") == 1
    assert (await at.raise_hand(guest)).id != first.id


async def test_who_was_rejected_may_ask_again(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest = await at.guest()
    first = await at.raise_hand(guest)
    rejected = await at.reject(first)
    assert rejected.status is RequestStatus.REJECTED
    assert await at.reject(first) == rejected
    with pytest.raises(Conflict) as refusal:
        await at.approve(first)
    assert refusal.value.code == "request_rejected"
    again = await at.raise_hand(guest)
    assert await backend.requests.mine(at.id, guest, HAND) == again
    await at.approve(again)
    with pytest.raises(Conflict) as refusal:
        await at.reject(again)
    assert refusal.value.code == "request_approved"


async def test_everybody_raises_their_own_hand(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest = await at.guest()
    with pytest.raises(Forbidden) as refusal:
        await at.raise_hand(guest, participant_identity=host.caller.user_id)
    assert refusal.value.code == "not_yourself"
    own = await at.raise_hand(guest, participant_identity=guest.user_id.upper(), participant_name="V.")
    assert (own.user_id, own.name) == (guest.user_id, "V.")


async def test_who_is_on_stage_or_hosts_asks_for_nothing(backend: Backend, host: Host) -> None:
    at = await stage(host)
    seated = await at.seated()
    for person, code in ((seated, "on_stage"), (host.caller, "needs_no_seat")):
        with pytest.raises(Conflict) as refusal:
            await at.raise_hand(person)
        assert refusal.value.code == code


async def test_the_preset_may_leave_it_to_invitations(backend: Backend, host: Host) -> None:
    at = await stage(host, audience_stage_join_request=False)
    guest = await at.guest()
    with pytest.raises(Forbidden) as refusal:
        await at.raise_hand(guest)
    assert refusal.value.code == "not_permitted"


async def test_nobody_asks_for_a_stage_that_is_off_or_over(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest = await at.guest()
    waiting = await at.ask(guest, JOIN)
    await backend.sessions.change(
        at.id, lambda one: one.configure(backend.clock.now(), {"stage_enabled": False})
    )
    for refused in (at.raise_hand(guest), at.approve(waiting)):
        with pytest.raises(Conflict) as refusal:
            await refused
        assert refusal.value.code == "stage_disabled"
    await host.end(await at.session())
    with pytest.raises(Conflict) as refusal:
        await at.raise_hand(guest)
    assert refusal.value.code == "session_not_live"


async def test_a_full_stage_leaves_the_request_waiting(backend: Backend, host: Host) -> None:
    at = await stage(host, max_join_limit=1)
    await at.seated()
    waiting = await at.raise_hand(await at.guest())
    with pytest.raises(Conflict) as refusal:
        await at.approve(waiting)
    assert refusal.value.code == "stage_full"
    assert await status(backend, waiting) is RequestStatus.PENDING


async def test_of_fifty_approvals_at_once_as_many_succeed_as_there_are_places(
    backend: Backend, host: Host
) -> None:
    at = await stage(host, max_join_limit=5)
    waiting = [await at.raise_hand(await at.guest()) for _ in range(50)]
    done = await asyncio.gather(*(at.approve(one) for one in waiting), return_exceptions=True)
    refused = [one.code for one in done if isinstance(one, AppError)]
    assert refused == ["stage_full"] * 45
    approved = [one for one in waiting if await status(backend, one) is RequestStatus.APPROVED]
    assert await at.guests() == {one.user_id for one in approved}
    assert len(approved) == 5


async def test_strangers_answer_nothing(backend: Backend, host: Host) -> None:
    at = await stage(host)
    waiting = await at.raise_hand(await at.guest())
    other = await new_host(backend)
    colleague = caller(new_id(), host.library.organization_id)
    for stranger, kind in ((other.caller, NotFound), (colleague, Forbidden), (viewer(), Forbidden)):
        with pytest.raises(kind):
            await at.approve(waiting, by=stranger)
    elsewhere = await stage(host)
    with pytest.raises(NotFound):
        await elsewhere.approve(waiting)
    with pytest.raises(NotFound):
        await backend.approvals.approve(at.id, host.caller, JOIN, waiting.id)


@pytest.mark.parametrize("meanwhile", ["lowered", "rejected"])
async def test_a_place_for_what_was_taken_back_meanwhile_is_free_again(
    backend: Backend, host: Host, meanwhile: str
) -> None:
    """Whoever approves has given the place, and then finds that the request is over."""
    at = await stage(host)
    guest = await at.guest()
    waiting = await at.raise_hand(guest)
    await backend.stage.take_seat(at.id, guest.user_id, guest.username, waiting.id)
    if meanwhile == "lowered":
        await backend.requests.lower_hand(at.id, guest)
    else:
        await at.reject(waiting)
    await backend.settle()
    assert await at.guests() == set()


async def test_an_approval_that_broke_off_is_finished(backend: Backend, host: Host) -> None:
    at = await stage(host)
    guest = await at.guest()
    waiting = await at.raise_hand(guest)
    await backend.stage.take_seat(at.id, guest.user_id, guest.username, waiting.id)
    await backend.settle()
    assert await status(backend, waiting) is RequestStatus.APPROVED
    assert await at.guests() == {guest.user_id}


async def test_old_news_of_a_place_approve_nothing(backend: Backend, host: Host) -> None:
    at = await stage(host)
    waiting = await at.raise_hand(await at.guest())
    old = (await at.session()).state()
    seat = StageSeat(id=new_id(), name="Vera", joined_stage_at=backend.clock.now(), request_id=waiting.id)
    await backend.publish(SessionUpdated(session=old.model_copy(update={"stage": {waiting.user_id: seat}})))
    assert await status(backend, waiting) is RequestStatus.PENDING


async def test_with_a_session_go_its_requests(backend: Backend, host: Host) -> None:
    at = await stage(host)
    await at.raise_hand(await at.guest())
    await host.end(await at.session())
    await backend.session_service.delete(at.id, host.caller, None)
    await backend.settle()
    assert await backend.stage_requests.collection.find({"session_id": at.id}) == []
