"""What an encoder needs: RTMP address and key in mode rtmp, a WHIP address for presets of type whip."""

from typing import Any

import jwt

from deploy.local.stack import Stack
from tests.contract.api.client import Answer
from tests.contract.api.contract import operations
from tests.contract.api.fixtures import Fixtures

CREATE = operations()["POST /rooms/{id}/sessions"]
START = operations()["POST /sessions/{id}/start"]


async def create(fixtures: Fixtures, **fields: str) -> Answer:
    body = {
        "title": "A session",
        "preset_id": await fixtures.preset(type=fields.pop("preset", "whip")),
    } | fields
    path = f"/rooms/{await fixtures.room()}/sessions"
    return await fixtures.client.call("POST", path, fixtures.host.access_token, body)


async def test_rtmp_sessions_have_an_address_and_a_key(fixtures: Fixtures) -> None:
    made = (await create(fixtures, mode="rtmp", preset="rtmp")).check_success(CREATE)
    assert made["rtmp_url"].startswith("rtmp://")
    assert made["stream_key"]
    answer = await fixtures.do("start", made["session"]["id"])
    started = answer.check_success(START)
    rtmp, setup = started["rtmp"], started["rtmp_setup"]
    assert (rtmp["url"], rtmp["stream_key"]) == (made["rtmp_url"], made["stream_key"])
    assert (setup["server"], setup["stream_key"]) == (made["rtmp_url"], made["stream_key"])
    assert rtmp["ingress_id"]
    assert started["whip_url"] is None
    again = (await fixtures.do("go_live", made["session"]["id"])).check_success(START)
    assert again["rtmp"] == rtmp
    await fixtures.do("end", made["session"]["id"])


async def test_the_stream_key_is_told_to_the_host_alone(fixtures: Fixtures) -> None:
    made = (await create(fixtures, mode="rtmp", preset="rtmp")).data
    for person in (None, fixtures.viewer, fixtures.host):
        session = await fixtures.get(f"/sessions/{made['session']['id']}", person)
        assert made["stream_key"] not in str(session)


async def test_a_stream_key_is_rotated_by_the_host_alone(fixtures: Fixtures) -> None:
    made = (await create(fixtures, mode="rtmp", preset="rtmp")).data
    path = f"/sessions/{made['session']['id']}/rotate_stream_key"
    assert (await fixtures.client.call("POST", path, fixtures.viewer.access_token)).status == 403
    rotated = (await fixtures.client.call("POST", path, fixtures.host.access_token)).data
    assert rotated["url"] == made["rtmp_url"]
    assert rotated["stream_key"] not in {"", made["stream_key"]}
    started = (await fixtures.do("start", made["session"]["id"])).check_success(START)
    assert started["rtmp"] == rotated
    await fixtures.do("end", made["session"]["id"])
    over = await fixtures.client.call("POST", path, fixtures.host.access_token)
    assert (over.status, over.body["code"]) == (409, "session_ended")


async def test_a_key_that_the_host_s_backend_was_given_ends_with_the_host_s(fixtures: Fixtures) -> None:
    """Whoever of them rotates; the other gets another key when they ask next."""
    made = (await create(fixtures, mode="rtmp", preset="rtmp")).data
    path, host = f"/sessions/{made['session']['id']}", fixtures.host.access_token
    by_key = {"X-API-Key": await fixtures.admin.api_key(fixtures.host)}

    async def key(what: str, token: str | None = None, headers: dict[str, str] | None = None) -> str:
        data = (await fixtures.client.call("POST", f"{path}/{what}", token, headers=headers)).data
        return str((data.get("rtmp") or data)["stream_key"])

    theirs = await key("start", headers=by_key)
    assert theirs != made["stream_key"]
    hosts = await key("rotate_stream_key", host)
    renewed = await key("start", headers=by_key)
    assert await key("start", host) == hosts
    rotated = await key("rotate_stream_key", headers=by_key)
    assert len({made["stream_key"], theirs, hosts, renewed, rotated, await key("start", host)}) == 6
    await fixtures.do("end", made["session"]["id"])


async def test_a_webcam_session_has_no_key_to_rotate(fixtures: Fixtures) -> None:
    made = (await create(fixtures, preset="whip")).data
    path = f"/sessions/{made['session']['id']}/rotate_stream_key"
    refused = await fixtures.client.call("POST", path, fixtures.host.access_token)
    assert (refused.status, refused.body["code"]) == (409, "session_not_rtmp")


async def test_webcam_sessions_have_none(fixtures: Fixtures) -> None:
    made = (await create(fixtures, preset="rtmp")).check_success(CREATE)
    assert made["session"]["mode"] == "webcam"
    assert (made["rtmp_url"], made["stream_key"]) == ("", "")
    started = (await fixtures.do("start", made["session"]["id"])).check_success(START)
    assert started["rtmp"] is started["rtmp_setup"] is started["whip_url"] is None


async def test_the_mode_wins_over_the_presets_type(fixtures: Fixtures) -> None:
    made = (await create(fixtures, mode="rtmp", preset="whip")).check_success(CREATE)
    assert made["stream_key"]
    started = (await fixtures.do("start", made["session"]["id"])).check_success(START)
    assert started["whip_url"] is None
    await fixtures.do("end", made["session"]["id"])


async def test_whip_presets_give_an_address_and_a_bearer_token(fixtures: Fixtures, stack: Stack) -> None:
    session = await fixtures.session()
    started = (await fixtures.do("start", session)).check_success(START)
    assert started["whip_url"] == f"{stack.base_url}/whip/{started['whip_bearer_token']}"


async def test_tokens_are_good_for_ten_minutes_and_for_their_role(fixtures: Fixtures, stack: Stack) -> None:
    session = await fixtures.session()
    host = decoded(stack, (await fixtures.do("start", session)).data["livekit_token"])
    joined = await fixtures.do("join", session, fixtures.viewer)
    audience = decoded(stack, joined.data["livekit_token"])
    monitor = decoded(
        stack, (await fixtures.get(f"/sessions/{session}/monitor", fixtures.host))["livekit_token"]
    )
    assert joined.data["room_name"] == session
    for claims, person in ((host, fixtures.host), (audience, fixtures.viewer), (monitor, fixtures.host)):
        assert claims["sub"].split(":")[0] == person.id
        assert claims["exp"] - claims["nbf"] == 600
        assert (claims["video"]["room"], claims["video"]["roomJoin"]) == (session, True)
        assert not claims["video"]["canPublishData"]
        assert not claims["video"]["canUpdateOwnMetadata"]
    assert [one["video"]["canPublish"] for one in (host, audience, monitor)] == [True, False, False]
    assert [one["video"]["hidden"] for one in (host, audience, monitor)] == [False, False, True]
    assert [one["attributes"]["greenroom.role"] for one in (host, audience)] == ["host", "audience"]


def decoded(stack: Stack, token: str) -> dict[str, Any]:
    """The claims of a LiveKit token, its signature checked."""
    return dict(jwt.decode(token, stack.livekit_api_secret, ["HS256"], issuer=stack.livekit_api_key))
