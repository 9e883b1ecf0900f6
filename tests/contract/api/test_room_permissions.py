"""Permissions in the room follow the session immediately, over real connections to LiveKit.

A second is promised for each; the times are printed, and kept far from the deadline of a busy machine.
"""

import sys
import time
from collections.abc import AsyncIterator

import pytest

from deploy.local.stack import Stack
from tests.contract.api.accounts import Person, register
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.room_connections import Attendee, RoomConnections, room_connections

pytestmark = pytest.mark.timeout(240)

RETURNS = 3


@pytest.fixture
async def livekit(stack: Stack) -> AsyncIterator[RoomConnections]:
    async with room_connections(stack) as opened:
        yield opened


async def token(fixtures: Fixtures, session: str, person: Person) -> str:
    return str((await fixtures.do("join", session, person)).data["livekit_token"])


async def done(fixtures: Fixtures, method: str, session: str, what: str, body: object = None) -> float:
    """Done by the host; when that was asked for."""
    asked = time.monotonic()
    path = f"/sessions/{session}/{what}"
    answer = await fixtures.client.call(method, path, fixtures.host.access_token, body)
    assert answer.status < 300, answer
    return asked


def note(what: str, seconds: float) -> None:
    sys.stdout.write(f"{what}: {seconds * 1000:.0f} ms\n")


async def test_a_guest_publishes_without_rejoining_and_is_cut_when_removed(
    fixtures: Fixtures, livekit: RoomConnections
) -> None:
    session, vera = await fixtures.live_session(), await fixtures.viewer_of_its_own()
    guest = await livekit.enter(await token(fixtures, session, vera))
    await guest.publishes_nothing()
    hand = (await fixtures.do("raise_hand", session, vera)).data["id"]
    asked = await done(fixtures, "POST", session, f"hand_raises/{hand}/approve")
    note("approved to publishing", await guest.until_published(asked))
    body = {"participant_identity": vera.id}
    asked = await done(fixtures, "POST", session, "stage/remove", body)
    note("removed to cut", await guest.until(lambda one: not one.tracks, asked))
    await guest.publishes_nothing()


async def test_switching_the_stage_off_silences_guests(fixtures: Fixtures, livekit: RoomConnections) -> None:
    session, vera = await fixtures.live_session(), await fixtures.viewer_of_its_own()
    guest = await livekit.enter(await token(fixtures, session, vera))
    await done(fixtures, "POST", session, "stage/add", {"participant_identity": vera.id})
    await guest.until_published(time.monotonic())
    asked = await done(fixtures, "PATCH", session, "settings", {"stage_enabled": False})
    note("stage off to silence", await guest.until(lambda one: not one.tracks, asked))
    asked = await done(fixtures, "PATCH", session, "settings", {"stage_enabled": True})
    note("stage on to publishing", await guest.until_published(asked))


async def test_a_role_is_in_effect_on_every_device(fixtures: Fixtures, livekit: RoomConnections) -> None:
    session, vera = await fixtures.live_session(), await fixtures.viewer_of_its_own()
    first = await livekit.enter(await token(fixtures, session, vera))
    login = {"device_token": vera.device_token}
    again = (await fixtures.client.call("POST", "/auth/viewer/device-login", body=login)).data
    tablet = Person(vera.id, again["access_token"], again["refresh_token"])
    devices = (first, await livekit.enter(await token(fixtures, session, tablet)))
    assert len({device.identity for device in devices}) == 2
    asked = await done(fixtures, "POST", session, "co_hosts", {"user_id": vera.id})
    for device in devices:
        note("made co-host to publishing", await device.until_published(asked))
        assert device.role == "co_host"
    asked = await done(fixtures, "DELETE", session, f"co_hosts/{vera.id}")
    for device in devices:
        note("demoted to cut", await device.until(lambda one: not one.tracks, asked))


async def test_who_is_demoted_and_comes_back_on_the_old_token_cannot_publish(
    fixtures: Fixtures, livekit: RoomConnections
) -> None:
    session = await fixtures.live_session()
    vera = await fixtures.viewer_of_its_own()
    await done(fixtures, "POST", session, "co_hosts", {"user_id": vera.id})
    old = await token(fixtures, session, vera)
    await done(fixtures, "DELETE", session, f"co_hosts/{vera.id}")
    for _ in range(RETURNS):
        back = await livekit.enter(old)
        since = time.monotonic()
        note("back to corrected", await back.until(lambda one: not one.permissions.publishes, since))
        await back.publishes_nothing()
        await back.leave()


async def test_who_is_banned_is_out_each_time_and_counts_nowhere(
    fixtures: Fixtures, livekit: RoomConnections
) -> None:
    session = await fixtures.live_session()
    vera, berta, anna = [await fixtures.viewer_of_its_own() for _ in range(3)]
    watching = await livekit.enter(await token(fixtures, session, vera))
    # Has a token, and was never there before the ban.
    old = await token(fixtures, session, berta)
    for person in (vera, berta):
        asked = await done(fixtures, "POST", session, "ban", {"user_id": person.id})
        if person is vera:
            note("banned to out", await watching.until_gone(asked))
        answer = await fixtures.client.call("POST", f"/sessions/{session}/join", person.access_token)
        answer.check_refusal(403, "banned")
    for _ in range(RETURNS):
        await _sent_away(await livekit.enter(old))
    later = await livekit.enter(await token(fixtures, session, anna))
    path = f"/sessions/{session}/attendance"
    report = await fixtures.eventually(path, lambda found: anna.id in _people(found), by=fixtures.host)
    assert _people(report) == {vera.id: 1, anna.id: 1}
    drift = f"/admin/drift?session_id={session}&kind=banned"
    path = f"/sessions/{session}"
    await fixtures.eventually(path, lambda shown: shown["max_viewers"] == 1, by=fixtures.host)
    entries = await fixtures.client.call("GET", drift, fixtures.admin.access_token)
    assert {one["participant"]["user_id"] for one in entries.data["drift"]} == {berta.id}
    await later.leave()


async def test_a_banned_device_is_out_under_every_name(fixtures: Fixtures, livekit: RoomConnections) -> None:
    session, anna = await fixtures.live_session(), await fixtures.viewer_of_its_own()
    berta = await register(fixtures.client, "Berta", device_of=anna)
    old = await token(fixtures, session, berta)
    connections = [await livekit.enter(one) for one in (await token(fixtures, session, anna), old)]
    await done(fixtures, "POST", session, "stage/add", {"participant_identity": berta.id})
    await connections[1].until_published(time.monotonic())
    asked = await done(fixtures, "POST", session, "ban", {"user_id": anna.id})
    for connection in connections:
        note("banned to out", await connection.until_gone(asked))
    assert (await fixtures.get(f"/sessions/{session}/stage", fixtures.host))["participants"] == []
    for _ in range(RETURNS):
        await _sent_away(await livekit.enter(old))
    for person in (berta, await register(fixtures.client, "Carla", device_of=anna)):
        answer = await fixtures.client.call("POST", f"/sessions/{session}/join", person.access_token)
        answer.check_refusal(403, "banned")
    await done(fixtures, "DELETE", session, f"ban/{berta.id}")
    await (await livekit.enter(await token(fixtures, session, anna))).leave()


async def test_guests_are_out_when_the_library_admits_registered_people_only(
    fixtures: Fixtures, livekit: RoomConnections
) -> None:
    library = await fixtures.admin.library(fixtures.organization)
    session, vera = await fixtures.live_session(library), await fixtures.viewer_of_its_own()
    old = await token(fixtures, session, vera)
    guest = await livekit.enter(old)
    host = await livekit.enter(await token(fixtures, session, fixtures.host))
    asked = time.monotonic()
    await fixtures.admin.change("libraries", library, registered_only=True)
    note("closed to out", await guest.until_gone(asked))
    await _sent_away(await livekit.enter(old))
    assert await host.listed() is not None


async def _sent_away(back: Attendee) -> None:
    since = time.monotonic()
    await back.publish()
    note("back to out", await back.until_gone(since))
    assert await back.listed() is None


def _people(report: dict[str, list[dict[str, object]]]) -> dict[str, int]:
    """How often each is said to have come."""
    return {str(one["user_id"]): int(str(one["join_count"])) for one in report["attendance"]}


async def test_stage_and_join_tokens_say_what_the_connection_may(
    fixtures: Fixtures, livekit: RoomConnections
) -> None:
    """A fresh token carries the rights of the moment: nothing has to be corrected."""
    session, vera = await fixtures.live_session(), await fixtures.viewer_of_its_own()
    hand = (await fixtures.do("raise_hand", session, vera)).data["id"]
    await done(fixtures, "POST", session, f"hand_raises/{hand}/approve")
    guest = await livekit.enter(await token(fixtures, session, vera))
    note("joined to publishing", await guest.until_published(time.monotonic()))
