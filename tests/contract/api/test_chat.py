"""The chat through the gateway: who sees what, how it is paged, and how much one may say."""

import asyncio
from typing import Any

from tests.contract.api.accounts import Person
from tests.contract.api.client import Answer
from tests.contract.api.fixtures import Fixtures

MANY_AT_ONCE = 20


async def say(fixtures: Fixtures, session: str, by: Person, message: str = "Hello", **more: Any) -> Answer:
    body = {"message": message, **more}
    return await fixtures.client.call("POST", f"/sessions/{session}/chat", by.access_token, body)


async def read(fixtures: Fixtures, session: str, by: Person, **query: Any) -> Any:
    answer = await fixtures.client.call("GET", f"/sessions/{session}/chat", by.access_token, query=query)
    return answer.data


def texts(data: Any) -> list[str]:
    return [message["message"] for message in data["messages"]]


async def test_a_direct_message_is_seen_by_two(fixtures: Fixtures) -> None:
    session = await fixtures.live_session()
    one, other, third = [await fixtures.viewer_of_its_own() for _ in range(3)]
    said = (await say(fixtures, session, one, "psst", recipient_id=other.id)).data
    assert (said["is_direct"], said["recipient_username"]) == (True, "Vera")
    for by, seen in ((one, ["psst"]), (other, ["psst"]), (third, []), (fixtures.host, [])):
        data = await read(fixtures, session, by)
        assert (texts(data), data["total"]) == (seen, len(seen))
    path = f"/sessions/{session}/chat/{said['id']}"
    for by in (third, fixtures.host):
        (await fixtures.client.call("DELETE", path, by.access_token)).check_refusal(404)
    (await fixtures.client.call("DELETE", path, other.access_token)).check_refusal(403, "not_the_author")


async def test_people_of_other_organizations_are_not_to_be_found(fixtures: Fixtures) -> None:
    session = await fixtures.live_session()
    answer = await say(fixtures, session, fixtures.viewer, recipient_id=fixtures.outsider.id)
    answer.check_refusal(404, "user_not_found")
    assert (await say(fixtures, session, fixtures.viewer, recipient_id=fixtures.colleague.id)).data[
        "is_direct"
    ]


async def test_the_newest_first_by_offset_and_by_cursor(fixtures: Fixtures) -> None:
    session, viewer = await fixtures.live_session(), await fixtures.viewer_of_its_own()
    said = [(await say(fixtures, session, viewer, f"{number}")).data for number in range(7)][::-1]
    default = await read(fixtures, session, viewer)
    assert (default["messages"], default["total"]) == (said, 7)
    assert (default["limit"], default["offset"]) == (50, 0)
    page = await read(fixtures, session, viewer, limit=3, offset=2)
    assert (page["messages"], page["total"], page["limit"], page["offset"]) == (said[2:5], 7, 3, 2)
    further = await read(fixtures, session, viewer, limit=3, before=said[2]["id"])
    assert (further["messages"], further["total"]) == (said[3:6], 7)
    for query in ({"limit": 101}, {"limit": 0}, {"offset": -1}, {"before": "nope"}):
        path = f"/sessions/{session}/chat"
        answer = await fixtures.client.call("GET", path, viewer.access_token, query=query)
        answer.check_bad_fields(*query)


async def test_what_is_typed_comes_out_clean(fixtures: Fixtures) -> None:
    session, viewer = await fixtures.live_session(), await fixtures.viewer_of_its_own()
    assert (await say(fixtures, session, viewer, " \u202eabc\u0000\r\ne\u0301 ")).data[
        "message"
    ] == "abc\n\u00e9"
    for empty in ("\u202e", " \n ", "\u200b"):
        (await say(fixtures, session, viewer, empty)).check_bad_fields("message")


async def test_a_deleted_message_is_gone_for_everybody(fixtures: Fixtures) -> None:
    session, viewer = await fixtures.live_session(), await fixtures.viewer_of_its_own()
    for by in (viewer, fixtures.host):
        said = (await say(fixtures, session, viewer)).data
        path = f"/sessions/{session}/chat/{said['id']}"
        for _ in range(2):
            assert (await fixtures.client.call("DELETE", path, by.access_token)).status == 200
    data = await read(fixtures, session, viewer)
    assert (data["messages"], data["total"]) == ([], 0)


async def test_chat_off_stops_messages(fixtures: Fixtures) -> None:
    session, viewer = await fixtures.live_session(), await fixtures.viewer_of_its_own()
    await say(fixtures, session, viewer)
    settings = f"/sessions/{session}/settings"
    off = await fixtures.client.call("PATCH", settings, fixtures.host.access_token, {"chat_enabled": False})
    assert off.status == 200
    (await say(fixtures, session, viewer)).check_refusal(403, "chat_disabled")
    assert texts(await read(fixtures, session, viewer)) == ["Hello"]


async def test_outside_of_a_live_session_nothing_is_said(fixtures: Fixtures) -> None:
    for session in (await fixtures.session(), await fixtures.ended_session()):
        (await say(fixtures, session, fixtures.viewer)).check_refusal(409, "session_not_live")
        assert (await read(fixtures, session, fixtures.viewer))["total"] == 0


async def test_one_person_does_not_flood_the_chat(fixtures: Fixtures) -> None:
    session, viewer = await fixtures.live_session(), await fixtures.viewer_of_its_own()
    # Two windows of time may meet within the test.
    answers = await asyncio.gather(*(say(fixtures, session, viewer) for _ in range(2 * MANY_AT_ONCE + 1)))
    refused = [answer for answer in answers if answer.status != 201]
    assert refused
    for answer in refused:
        answer.check_refusal(429, "too_many_requests")
        assert 1 <= int(answer.headers["Retry-After"]) <= 10
    assert (await say(fixtures, session, await fixtures.viewer_of_its_own())).status == 201


async def test_the_same_key_says_it_once(fixtures: Fixtures) -> None:
    session, viewer = await fixtures.live_session(), await fixtures.viewer_of_its_own()
    path, headers = f"/sessions/{session}/chat", {"Idempotency-Key": "hello-1"}
    calls = (
        fixtures.client.call("POST", path, viewer.access_token, {"message": "Hello"}, headers=headers)
        for _ in range(5)
    )
    answers = [answer.data["id"] for answer in await asyncio.gather(*calls)]
    assert len(set(answers)) == 1
    assert (await read(fixtures, session, viewer))["total"] == 1


PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1024


async def test_a_file_is_sent_and_got_by_its_link(fixtures: Fixtures) -> None:
    session, viewer = await fixtures.live_session(), await fixtures.viewer_of_its_own()
    path, headers = f"/sessions/{session}/chat/files", {"Content-Type": "image/png"}
    query = {"name": "C:\\me\\slides \u00fc.png"}
    sent = await fixtures.client.raw("POST", path, viewer.access_token, PNG, headers=headers, query=query)
    assert sent.status == 201, sent
    file = sent.data["file"]
    assert (file["name"], file["size"], file["content_type"]) == ("slides \u00fc.png", len(PNG), "image/png")
    assert sent.data["message"] == file["name"]
    (listed,) = (await read(fixtures, session, fixtures.host))["messages"]
    assert listed == sent.data
    at = file["url"].split("/", 3)[3]
    got = await fixtures.client.raw("GET", f"/{at}")
    assert (got.status, got.content) == (200, PNG)
    assert got.headers["Content-Disposition"].startswith("attachment;")
    assert (got.headers["X-Content-Type-Options"], got.headers["Content-Type"]) == ("nosniff", "image/png")
    message = f"/sessions/{session}/chat/{sent.data['id']}"
    assert (await fixtures.client.call("DELETE", message, fixtures.host.access_token)).status == 200
    (await fixtures.client.call("GET", f"/{at}")).check_refusal(404, "file_not_found")


async def test_what_is_no_file_of_a_kind_is_refused(fixtures: Fixtures) -> None:
    session, viewer = await fixtures.live_session(), await fixtures.viewer_of_its_own()
    path = f"/sessions/{session}/chat/files"

    async def send(content: bytes, kind: str, **query: str) -> Answer:
        headers = {"Content-Type": kind}
        return await fixtures.client.raw(
            "POST", path, viewer.access_token, content, headers=headers, query=query
        )

    (await send(b"<html>", "image/png", name="a.png")).check_refusal(415, "file_type_mismatch")
    (await send(b"<html>", "text/html", name="a.html")).check_refusal(415, "unsupported_media_type")
    (await send(PNG * 41, "image/png", name="a.png")).check_refusal(413, "file_too_large")
    (await send(b"", "image/png", name="a.png")).check_bad_fields("body")
    (await send(PNG, "image/png")).check_bad_fields("name")
    assert (await read(fixtures, session, viewer))["total"] == 0


async def test_the_host_exports_the_chat(fixtures: Fixtures) -> None:
    session, viewer = await fixtures.live_session(), await fixtures.viewer_of_its_own()
    await say(fixtures, session, viewer, "=cmd()")
    path = f"/sessions/{session}/chat/export"
    exported = await fixtures.client.call("GET", path, fixtures.host.access_token)
    assert exported.headers["Content-Type"].startswith("text/csv")
    assert b",'=cmd()," in exported.content
    as_json = await fixtures.client.call("GET", path, fixtures.host.access_token, query={"format": "json"})
    assert [one["message"] for one in as_json.body] == ["=cmd()"]
    for by, status in ((viewer, 403), (fixtures.colleague, 403), (fixtures.outsider, 404)):
        (await fixtures.client.call("GET", path, by.access_token)).check_refusal(status)
    (
        await fixtures.client.call("GET", path, fixtures.host.access_token, query={"format": "xml"})
    ).check_bad_fields("format")
