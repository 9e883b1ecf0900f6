"""Encoders by WHIP: addresses, bearer tokens and connections; and a key is no more than who asked for it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from deploy.local.stack import Stack
from shared.ids import new_id
from shared.livekit import LiveKitApi
from tests.contract.api.accounts import Person
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.whip import OFFER, SDP, SilentEncoder, fragment
from tests.waiting import eventually

# The reconciler alone would do it by then, too: tests/unit/session/enforcement has the rule without it.
WITHIN = 10.0


@pytest.fixture
async def livekit(stack: Stack) -> AsyncIterator[LiveKitApi]:
    livekit = LiveKitApi(stack.livekit_url, stack.livekit_api_key, stack.livekit_api_secret)
    yield livekit
    await livekit.close()


@dataclass(frozen=True)
class Broadcast:
    """A live session, and a co-host of it who is a colleague with an account of their own."""

    fixtures: Fixtures
    livekit: LiveKitApi
    id: str
    colleague: Person

    async def started(self, by: Person) -> Any:
        return (await self.fixtures.do("go_live", self.id, by)).data

    async def encoder(self, by: Person) -> SilentEncoder:
        return SilentEncoder(self.fixtures.client, (await self.started(by))["whip_url"])

    async def call(self, method: str, what: str, body: object = None) -> None:
        path = f"/sessions/{self.id}/{what}"
        answer = await self.fixtures.client.call(method, path, self.fixtures.host.access_token, body)
        assert answer.status < 300, answer

    async def encoders(self) -> set[str]:
        """The identities of those in the room."""
        found = await self.livekit.list_participants(self.id)
        return {one.identity for one in found if ":whip" in one.identity}


@pytest.fixture
async def broadcast(fixtures: Fixtures, livekit: LiveKitApi) -> AsyncIterator[Broadcast]:
    session = await fixtures.live_session(preset=await fixtures.preset(host_add_co_host=True))
    colleague = await fixtures.admin.host(fixtures.organization, "Cora")
    made = Broadcast(fixtures, livekit, session, colleague)
    await made.call("POST", "co_hosts", {"user_id": colleague.id})
    yield made
    await fixtures.do("end", session)


async def test_a_connection_has_an_address_of_its_own_where_it_is_changed_and_ended(
    broadcast: Broadcast,
) -> None:
    encoder = await broadcast.encoder(broadcast.fixtures.host)
    made = await encoder.connect()
    assert (made.status, made.headers["Content-Type"]) == (201, SDP)
    assert made.content.startswith(b"v=0")
    location, tag = made.headers["Location"], made.headers["ETag"]
    assert location.startswith(f"{encoder.url}/")
    assert tag.startswith('"')
    assert (await encoder.patch(location, fragment("abcd", "abcdefghijklmnopqrstuvwx"), tag)).status == 204
    restarted = await encoder.patch(location, fragment("efgh", "bcdefghijklmnopqrstuvwxy"), "*")
    assert restarted.status == 200
    assert b"a=ice-ufrag:" in restarted.content
    (await encoder.patch(location, fragment("efgh", "x"), '"another"')).check_refusal(412)
    (await encoder.patch(location, fragment("efgh", "x"), None)).check_refusal(428)
    assert await broadcast.encoders() == {f"{broadcast.fixtures.host.id}:whip"}
    assert (await encoder.end(location)).status == 200
    assert await broadcast.encoders() == set()
    (await encoder.end(location)).check_refusal(404)


async def test_a_connection_is_ended_by_the_key_that_made_it_alone(broadcast: Broadcast) -> None:
    encoder, other = (
        await broadcast.encoder(broadcast.fixtures.host),
        await broadcast.encoder(broadcast.colleague),
    )
    location = (await encoder.connect()).headers["Location"]
    (await other.end(other.url + location.removeprefix(encoder.url))).check_refusal(404)
    (await encoder.end(location[:-1] + ("A" if location[-1] != "A" else "B"))).check_refusal(404)
    assert await broadcast.encoders() == {f"{broadcast.fixtures.host.id}:whip"}


@pytest.mark.parametrize("pasted", ["{key}", " {key} ", "/{key}", "{url}", "{url}/"])
async def test_a_bearer_token_stands_for_the_address_however_it_is_pasted(
    broadcast: Broadcast, pasted: str
) -> None:
    started = await broadcast.started(broadcast.fixtures.host)
    encoder = SilentEncoder(broadcast.fixtures.client, started["whip_url"])
    token = pasted.format(key=started["whip_bearer_token"], url=started["whip_url"])
    made = await encoder.connect("/whip", Authorization=f"Bearer {token}")
    assert made.status == 201, made
    assert (await encoder.end(made.headers["Location"])).status == 200


async def test_an_address_may_have_blanks_around_it(broadcast: Broadcast) -> None:
    encoder = await broadcast.encoder(broadcast.fixtures.host)
    key = encoder.url.rpartition("/")[2]
    for path in (f"/whip/{key}%20", f"/whip/%20{key}", f"/whip/{key}?x=1"):
        assert (await encoder.connect(path)).status == 201


async def test_what_is_no_key_and_no_description_is_refused(broadcast: Broadcast) -> None:
    encoder = await broadcast.encoder(broadcast.fixtures.host)
    forged = encoder.url[:-2] + ("AA" if not encoder.url.endswith("AA") else "BB")
    (await SilentEncoder(encoder.client, forged).connect()).check_refusal(401, "encoder_key_invalid")
    (await encoder.connect("/whip")).check_refusal(401, "encoder_key_invalid")
    access_token = f"Bearer {broadcast.fixtures.host.access_token}"
    (await encoder.connect("/whip", Authorization=access_token)).check_refusal(401, "encoder_key_invalid")
    (await encoder.connect(Content_Type="application/json")).check_refusal(415)
    for body, status in ((b"rubbish", 400), (OFFER.encode() + b"a=x\r\n" * 20_000, 413)):
        path = "/" + encoder.url.partition("://")[2].partition("/")[2]
        answer = await encoder.client.raw("POST", path, body=body, headers={"Content-Type": SDP})
        answer.check_refusal(status)


@pytest.mark.parametrize("camera", [True, False])
@pytest.mark.parametrize("who", ["host", "colleague", "key"])
async def test_an_encoder_sends_no_picture_where_its_owner_has_no_camera(
    fixtures: Fixtures, livekit: LiveKitApi, who: str, *, camera: bool
) -> None:
    preset = await fixtures.preset(host_add_co_host=True, host_camera_enabled=camera)
    session = await fixtures.live_session(preset=preset)
    broadcast = Broadcast(fixtures, livekit, session, fixtures.colleague)
    await broadcast.call("POST", "co_hosts", {"user_id": fixtures.colleague.id})
    asked_by = {"host": fixtures.host, "colleague": fixtures.colleague}.get(who)
    headers = {} if asked_by else {"X-API-Key": await fixtures.admin.api_key(fixtures.host)}
    token = asked_by.access_token if asked_by else None
    started = await fixtures.client.call("POST", f"/sessions/{session}/go_live", token, headers=headers)
    assert (await SilentEncoder(fixtures.client, started.data["whip_url"]).connect()).status == 201
    (identity,) = await broadcast.encoders()
    encoder = await livekit.get_participant(session, identity)
    assert encoder is not None
    assert encoder.permissions.allows("camera") is camera
    assert encoder.permissions.allows("microphone")
    await fixtures.do("end", session)


async def role_taken(broadcast: Broadcast) -> None:
    await broadcast.call("DELETE", f"co_hosts/{broadcast.colleague.id}")


async def banned(broadcast: Broadcast) -> None:
    await role_taken(broadcast)
    await broadcast.call("POST", "ban", {"user_id": broadcast.colleague.id})


async def deactivated(broadcast: Broadcast) -> None:
    await broadcast.fixtures.admin.change("users", broadcast.colleague.id, is_active=False)


async def new_password(broadcast: Broadcast) -> None:
    await broadcast.fixtures.admin.change("users", broadcast.colleague.id, password=new_id())


async def deleted(broadcast: Broadcast) -> None:
    await broadcast.fixtures.admin.delete("users", broadcast.colleague.id)


@pytest.mark.parametrize("lose", [role_taken, banned, deactivated, new_password, deleted])
async def test_an_encoder_ends_with_the_rights_of_who_asked_for_its_key(
    broadcast: Broadcast, lose: Any
) -> None:
    """And goes on if it is somebody else's."""
    host, theirs = (
        await broadcast.encoder(broadcast.fixtures.host),
        await broadcast.encoder(broadcast.colleague),
    )
    location = (await theirs.connect()).headers["Location"]
    assert (await host.connect()).status == 201
    assert len(await broadcast.encoders()) == 2
    await lose(broadcast)
    refused = await theirs.connect()
    assert refused.status in {401, 403}, refused
    assert (await theirs.patch(location, fragment("a", "b"), "*")).status in {401, 403}
    only_host = {f"{broadcast.fixtures.host.id}:whip"}
    await eventually(broadcast.encoders, lambda found: found == only_host, WITHIN)
    assert (await host.connect()).status == 201


async def key_deleted(fixtures: Fixtures, id: str) -> None:
    await fixtures.admin.delete("api-keys", id)


async def scope_withdrawn(fixtures: Fixtures, id: str) -> None:
    await fixtures.admin.change("api-keys", id, scopes=["read"])


@pytest.mark.parametrize("lose", [key_deleted, scope_withdrawn])
async def test_an_encoder_ends_with_the_api_key_that_asked_for_it(broadcast: Broadcast, lose: Any) -> None:
    fixtures = broadcast.fixtures
    key = await fixtures.admin.api_key(fixtures.host)
    headers = {"X-API-Key": key}
    answer = await fixtures.client.call("POST", f"/sessions/{broadcast.id}/go_live", headers=headers)
    by_key = SilentEncoder(fixtures.client, answer.data["whip_url"])
    host = await broadcast.encoder(fixtures.host)
    assert [(await one.connect()).status for one in (by_key, host)] == [201, 201]
    identities = {f"{fixtures.host.id}:whip", f"{fixtures.host.id}:whip:{key.partition('.')[0]}"}
    assert await broadcast.encoders() == identities
    await lose(fixtures, key.partition(".")[0])
    assert (await by_key.connect()).status in {401, 403}
    await eventually(broadcast.encoders, lambda found: found == {f"{fixtures.host.id}:whip"}, WITHIN)


async def test_an_encoder_of_a_customers_person_ends_with_the_key_and_with_them(broadcast: Broadcast) -> None:
    fixtures = broadcast.fixtures
    key = await fixtures.admin.api_key(fixtures.host)
    encoders = []
    for name in ("c-" + new_id(), "c-" + new_id()):
        body = {"external_user_id": name, "name": "Carla", "role": "co_host"}
        issued = await fixtures.client.call(
            "POST", f"/sessions/{broadcast.id}/tokens", body=body, headers={"X-API-Key": key}
        )
        person = Person(issued.data["user"]["id"], issued.data["access_token"], "")
        encoders.append((person, await broadcast.encoder(person)))
    (first, one), (_, other) = encoders
    assert [(await each.connect()).status for each in (one, other)] == [201, 201]
    await fixtures.admin.change("users", first.id, is_active=False)
    (await one.connect()).check_refusal(401)
    await eventually(broadcast.encoders, lambda found: len(found) == 1, WITHIN)
    assert (await other.connect()).status == 201
    await fixtures.admin.delete("api-keys", key.partition(".")[0])
    (await other.connect()).check_refusal(401)
    await eventually(broadcast.encoders, lambda found: not found, WITHIN)


async def test_the_session_s_end_ends_its_keys(fixtures: Fixtures) -> None:
    session = await fixtures.live_session()
    url = (await fixtures.do("go_live", session)).data["whip_url"]
    await fixtures.do("end", session)
    (await SilentEncoder(fixtures.client, url).connect()).check_refusal(409, "session_ended")
