"""The stage over HTTP: requests, approvals, leaving, and concurrent approvals on two replicas."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.contract.api.accounts import Person
from tests.contract.api.client import Answer, Client
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.sample_bodies import UNKNOWN_ID

PLACES, GUESTS = 5, 50
ROOMY: dict[str, Any] = {"max_join_limit": 10}


async def call(
    fixtures: Fixtures, by: Person, method: str, session: str, what: str, body: object = None
) -> Answer:
    return await fixtures.client.call(method, f"/sessions/{session}/{what}", by.access_token, body)


async def live(fixtures: Fixtures, **preset: Any) -> str:
    return await fixtures.live_session(preset=await fixtures.preset(**(ROOMY | preset)))


async def stage(fixtures: Fixtures, session: str) -> dict[str, tuple[bool, bool]]:
    """What each guest on stage may publish there: sound and picture."""
    data = await fixtures.get(f"/sessions/{session}/stage", fixtures.host)
    assert data["total"] == len(data["participants"])
    return {
        one["participant_identity"]: (one["can_publish_audio"], one["can_publish_video"])
        for one in data["participants"]
    }


async def test_a_hand_is_raised_seen_and_approved(fixtures: Fixtures) -> None:
    session, guest = await live(fixtures), await fixtures.viewer_of_its_own()
    assert await fixtures.get(f"/sessions/{session}/hand_raise_status", guest) is None
    raised = (await call(fixtures, guest, "POST", session, "raise_hand", {"message": "A question"})).data
    assert (raised["status"], raised["message"], raised["participant_name"]) == (
        "pending",
        "A question",
        "Vera",
    )
    again = (await call(fixtures, guest, "POST", session, "raise_hand")).data
    assert (again["id"], again["message"]) == (raised["id"], None)
    waiting = await fixtures.get(f"/sessions/{session}/hand_raises", fixtures.host)
    assert [one["id"] for one in waiting["hand_raises"]] == [raised["id"]]
    assert waiting["total"] == 1
    await fixtures.do(f"hand_raises/{raised['id']}/approve", session)
    assert (await fixtures.get(f"/sessions/{session}/hand_raise_status", guest))["status"] == "approved"
    assert (await fixtures.get(f"/sessions/{session}/hand_raises", fixtures.host))["total"] == 0
    assert await stage(fixtures, session) == {guest.id: (True, True)}
    (await call(fixtures, guest, "POST", session, "raise_hand")).check_refusal(409, "on_stage")
    await fixtures.do("stage/leave", session, guest)
    (await call(fixtures, guest, "GET", session, "stage/token")).check_refusal(403, "not_on_stage")
    assert await stage(fixtures, session) == {}


async def test_a_lowered_hand_is_gone(fixtures: Fixtures) -> None:
    session, guest = await live(fixtures), await fixtures.viewer_of_its_own()
    hand = (await fixtures.do("raise_hand", session, guest)).data["id"]
    await fixtures.do("lower_hand", session, guest)
    assert await fixtures.get(f"/sessions/{session}/hand_raise_status", guest) is None
    for answer in ("approve", "reject"):
        path = f"hand_raises/{hand}/{answer}"
        (await call(fixtures, fixtures.host, "POST", session, path)).check_refusal(
            404, "stage_request_not_found"
        )


async def test_nobody_raises_anothers_hand(fixtures: Fixtures) -> None:
    session, guest = await live(fixtures), await fixtures.viewer_of_its_own()
    body = {"participant_identity": fixtures.host.id}
    (await call(fixtures, guest, "POST", session, "raise_hand", body)).check_refusal(403, "not_yourself")


async def test_a_guest_is_added_muted_and_removed(fixtures: Fixtures) -> None:
    session, guest = await live(fixtures), fixtures.colleague
    body = {"participant_identity": guest.id, "can_publish_video": False}
    await call(fixtures, fixtures.host, "POST", session, "stage/add", body)
    assert await stage(fixtures, session) == {guest.id: (True, False)}
    muted = {"can_publish_audio": False, "can_publish_video": None}
    path = f"stage/{guest.id}/permissions"
    changed = (await call(fixtures, fixtures.host, "PATCH", session, path, muted)).data
    assert (changed["can_publish_audio"], changed["can_publish_video"]) == (False, True)
    for _ in range(2):
        await call(
            fixtures, fixtures.host, "POST", session, "stage/remove", {"participant_identity": guest.id}
        )
        assert await stage(fixtures, session) == {}
    (await call(fixtures, fixtures.host, "PATCH", session, path, muted)).check_refusal(404, "not_on_stage")


async def test_a_guest_may_be_named_as_livekit_names_them(fixtures: Fixtures) -> None:
    session, guest = await live(fixtures), fixtures.colleague
    identity = f"{guest.id.upper()}:{UNKNOWN_ID}"
    await call(fixtures, fixtures.host, "POST", session, "stage/add", {"participant_identity": identity})
    path = f"stage/{identity}/permissions"
    changed = await call(fixtures, fixtures.host, "PATCH", session, path, {"can_publish_audio": False})
    assert changed.data["participant_identity"] == guest.id
    assert await stage(fixtures, session) == {guest.id: (False, True)}
    await call(fixtures, fixtures.host, "POST", session, "stage/remove", {"participant_identity": identity})
    assert await stage(fixtures, session) == {}


@pytest.mark.parametrize("what", ["raise_hand", "join_requests"])
async def test_a_stage_that_is_off_is_not_asked_for(fixtures: Fixtures, what: str) -> None:
    session = await live(fixtures, stage_enabled=False)
    answer = await call(fixtures, await fixtures.viewer_of_its_own(), "POST", session, what)
    answer.check_refusal(409, "stage_disabled")


async def test_a_stranger_is_not_added(fixtures: Fixtures) -> None:
    session = await live(fixtures)
    for nobody in (fixtures.outsider.id, "nobody"):
        body = {"participant_identity": nobody}
        answer = await call(fixtures, fixtures.host, "POST", session, "stage/add", body)
        answer.check_refusal(404, "participant_not_found")


async def test_of_fifty_approvals_before_two_replicas_as_many_succeed_as_there_are_places(
    fixtures: Fixtures, two_sessions: tuple[Client, Client]
) -> None:
    session = await live(fixtures, max_join_limit=PLACES)
    guests = [await fixtures.viewer_of_its_own() for _ in range(GUESTS)]
    hands = [(await fixtures.do("raise_hand", session, guest)).data["id"] for guest in guests]
    answers = await asyncio.gather(
        *(
            two_sessions[number % 2].call(
                "POST", f"/sessions/{session}/hand_raises/{hand}/approve", fixtures.host.access_token
            )
            for number, hand in enumerate(hands)
        )
    )
    assert Counter(answer.status for answer in answers) == {200: PLACES, 409: GUESTS - PLACES}
    assert {answer.body["code"] for answer in answers if answer.status == 409} == {"stage_full"}
    approved = {guest.id for guest, answer in zip(guests, answers, strict=True) if answer.status == 200}
    assert (await stage(fixtures, session)).keys() == approved
    waiting = await fixtures.get(f"/sessions/{session}/hand_raises", fixtures.host)
    assert waiting["total"] == GUESTS - PLACES
