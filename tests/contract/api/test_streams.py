"""Streams, as far as they need no media: what forbids them, what is said of them, what HLS refuses."""

import pytest

from tests.contract.api.client import Answer
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.sample_bodies import UNKNOWN_ID


async def call(fixtures: Fixtures, method: str, path: str) -> Answer:
    return await fixtures.client.call(method, path, fixtures.host.access_token)


@pytest.mark.parametrize("what", ["start_webcam_hls", "ensure_hls_egress"])
async def test_only_a_live_session_streams(fixtures: Fixtures, what: str) -> None:
    for session in (await fixtures.session(), await fixtures.ended_session()):
        (await call(fixtures, "POST", f"/sessions/{session}/{what}")).check_refusal(409, "session_not_live")


async def test_a_session_without_a_stream_is_idle(fixtures: Fixtures) -> None:
    session = await fixtures.live_session()
    health = (await call(fixtures, "GET", f"/sessions/{session}/stream_health")).data
    assert (health["status"], health["egress"]["status"]) == ("idle", "none")
    assert health["room"]["name"] == session
    assert health["egress"]["reasons"] == ["No stream was asked for"]


async def test_a_stream_without_media_says_what_it_waits_for(fixtures: Fixtures) -> None:
    session = await fixtures.session()
    answer = await call(fixtures, "POST", f"/sessions/{session}/go_live")
    assert answer.data["session"]["hls_url"] is None
    path = f"/sessions/{session}/stream_health"
    health = await fixtures.eventually(path, lambda one: one["egress"]["egress_id"], by=fixtures.host)
    assert health["status"] in {"degraded", "unhealthy"}
    # Who is in a room that is just opened may not be known yet.
    told = "Nobody is sending picture or sound" in health["egress"]["reasons"]
    assert told is (health["room"]["num_participants"] is not None)
    assert health["tracks"] == []
    await fixtures.do("end", session)
    over = await fixtures.eventually(path, lambda one: one["egress"]["status"] == "ended", by=fixtures.host)
    assert over["status"] == "idle"


@pytest.mark.parametrize(
    "path",
    [
        f"{UNKNOWN_ID}/live.m3u8",
        f"{UNKNOWN_ID}/index.m3u8",
        f"{UNKNOWN_ID}/../{UNKNOWN_ID}/live.m3u8",
        f"{UNKNOWN_ID}/%2e%2e/secret",
        f"{UNKNOWN_ID}/..%2f..%2fsecret.ts",
        f"{UNKNOWN_ID}/a%00.ts",
        f"{UNKNOWN_ID}/a%0d%0aSet-Cookie:x.ts",
        "live.m3u8",
        "6b01ddad." + "A" * 43,
        "",
    ],
)
async def test_hls_of_nothing(fixtures: Fixtures, path: str) -> None:
    (await fixtures.client.call("GET", f"/hls/{path}")).check_refusal(404)


async def test_a_forged_token_is_refused(fixtures: Fixtures) -> None:
    token = "6b01ddad." + "A" * 43
    answer = await fixtures.client.call("GET", f"/hls/{token}/{await fixtures.live_session()}/live.m3u8")
    answer.check_refusal(403, "link_invalid")
