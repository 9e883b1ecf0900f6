"""The stage over HTTP: asking, being let on, leaving, and many at once before two replicas."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.contract.api.accounts import Person
from tests.contract.api.client import Answer, Client
from tests.contract.api.fixtures import World
from tests.contract.api.sample_bodies import UNKNOWN_ID

PLACES, GUESTS = 5, 50
ROOMY: dict[str, Any] = {"max_join_limit": 10}


async def call(world: World, by: Person, method: str, session: str, what: str, body: object = None) -> Answer:
    return await world.client.call(method, f"/sessions/{session}/{what}", by.access_token, body)


async def live(world: World, **preset: Any) -> str:
    return await world.live_session(preset=await world.preset(**(ROOMY | preset)))


async def stage(world: World, session: str) -> dict[str, tuple[bool, bool]]:
    """What each guest on stage may publish there: sound and picture."""
    data = await world.get(f"/sessions/{session}/stage", world.host)
    assert data["total"] == len(data["participants"])
    return {
        one["participant_identity"]: (one["can_publish_audio"], one["can_publish_video"])
        for one in data["participants"]
    }


async def test_a_hand_is_raised_seen_and_approved(world: World) -> None:
    session, guest = await live(world), await world.viewer_of_its_own()
    assert await world.get(f"/sessions/{session}/hand_raise_status", guest) is None
    raised = (await call(world, guest, "POST", session, "raise_hand", {"message": "A question"})).data
    assert (raised["status"], raised["message"], raised["participant_name"]) == (
        "pending",
        "A question",
        "Vera",
    )
    again = (await call(world, guest, "POST", session, "raise_hand")).data
    assert (again["id"], again["message"]) == (raised["id"], None)
    waiting = await world.get(f"/sessions/{session}/hand_raises", world.host)
    assert [one["id"] for one in waiting["hand_raises"]] == [raised["id"]]
    assert waiting["total"] == 1
    await world.do(f"hand_raises/{raised['id']}/approve", session)
    assert (await world.get(f"/sessions/{session}/hand_raise_status", guest))["status"] == "approved"
    assert (await world.get(f"/sessions/{session}/hand_raises", world.host))["total"] == 0
    assert await stage(world, session) == {guest.id: (True, True)}
    (await call(world, guest, "POST", session, "raise_hand")).check_refusal(409, "on_stage")
    await world.do("stage/leave", session, guest)
    (await call(world, guest, "GET", session, "stage/token")).check_refusal(403, "not_on_stage")
    assert await stage(world, session) == {}


async def test_a_lowered_hand_is_gone(world: World) -> None:
    session, guest = await live(world), await world.viewer_of_its_own()
    hand = (await world.do("raise_hand", session, guest)).data["id"]
    await world.do("lower_hand", session, guest)
    assert await world.get(f"/sessions/{session}/hand_raise_status", guest) is None
    for answer in ("approve", "reject"):
        path = f"hand_raises/{hand}/{answer}"
        (await call(world, world.host, "POST", session, path)).check_refusal(404, "stage_request_not_found")


async def test_nobody_raises_anothers_hand(world: World) -> None:
    session, guest = await live(world), await world.viewer_of_its_own()
    body = {"participant_identity": world.host.id}
    (await call(world, guest, "POST", session, "raise_hand", body)).check_refusal(403, "not_yourself")


async def test_a_guest_is_added_muted_and_removed(world: World) -> None:
    session, guest = await live(world), world.colleague
    body = {"participant_identity": guest.id, "can_publish_video": False}
    await call(world, world.host, "POST", session, "stage/add", body)
    assert await stage(world, session) == {guest.id: (True, False)}
    muted = {"can_publish_audio": False, "can_publish_video": None}
    path = f"stage/{guest.id}/permissions"
    changed = (await call(world, world.host, "PATCH", session, path, muted)).data
    assert (changed["can_publish_audio"], changed["can_publish_video"]) == (False, True)
    for _ in range(2):
        await call(world, world.host, "POST", session, "stage/remove", {"participant_identity": guest.id})
        assert await stage(world, session) == {}
    (await call(world, world.host, "PATCH", session, path, muted)).check_refusal(404, "not_on_stage")


async def test_a_guest_may_be_named_as_livekit_names_them(world: World) -> None:
    session, guest = await live(world), world.colleague
    identity = f"{guest.id.upper()}:{UNKNOWN_ID}"
    await call(world, world.host, "POST", session, "stage/add", {"participant_identity": identity})
    path = f"stage/{identity}/permissions"
    changed = await call(world, world.host, "PATCH", session, path, {"can_publish_audio": False})
    assert changed.data["participant_identity"] == guest.id
    assert await stage(world, session) == {guest.id: (False, True)}
    await call(world, world.host, "POST", session, "stage/remove", {"participant_identity": identity})
    assert await stage(world, session) == {}


@pytest.mark.parametrize("what", ["raise_hand", "join_requests"])
async def test_a_stage_that_is_off_is_not_asked_for(world: World, what: str) -> None:
    session = await live(world, stage_enabled=False)
    answer = await call(world, await world.viewer_of_its_own(), "POST", session, what)
    answer.check_refusal(409, "stage_disabled")


async def test_a_stranger_is_not_added(world: World) -> None:
    session = await live(world)
    for nobody in (world.outsider.id, "nobody"):
        body = {"participant_identity": nobody}
        answer = await call(world, world.host, "POST", session, "stage/add", body)
        answer.check_refusal(404, "participant_not_found")


async def test_of_fifty_approvals_before_two_replicas_as_many_succeed_as_there_are_places(
    world: World, two_sessions: tuple[Client, Client]
) -> None:
    session = await live(world, max_join_limit=PLACES)
    guests = [await world.viewer_of_its_own() for _ in range(GUESTS)]
    hands = [(await world.do("raise_hand", session, guest)).data["id"] for guest in guests]
    answers = await asyncio.gather(
        *(
            two_sessions[number % 2].call(
                "POST", f"/sessions/{session}/hand_raises/{hand}/approve", world.host.access_token
            )
            for number, hand in enumerate(hands)
        )
    )
    assert Counter(answer.status for answer in answers) == {200: PLACES, 409: GUESTS - PLACES}
    assert {answer.body["code"] for answer in answers if answer.status == 409} == {"stage_full"}
    approved = {guest.id for guest, answer in zip(guests, answers, strict=True) if answer.status == 200}
    assert (await stage(world, session)).keys() == approved
    waiting = await world.get(f"/sessions/{session}/hand_raises", world.host)
    assert waiting["total"] == GUESTS - PLACES
