"""Room codes: a host hands them out, and whoever has one gets in. And what hosts then read of it."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.contract.api.client import Answer
from tests.contract.api.fixtures import Fixtures


async def call(fixtures: Fixtures, method: str, path: str, body: Any = None, **how: Any) -> Answer:
    return await fixtures.client.call(method, path, fixtures.host.access_token, body, **how)


async def codes_of(fixtures: Fixtures, room: str, **body: Any) -> Sequence[Any]:
    answer = await call(fixtures, "POST", f"/rooms/{room}/codes", body)
    assert answer.status == 201
    codes: Sequence[Any] = answer.data["codes"]
    return codes


async def exchange(fixtures: Fixtures, code: str, **body: Any) -> Answer:
    return await fixtures.client.call("POST", f"/room_codes/{code}/exchange", None, body)


async def test_a_code_lets_anybody_in_until_it_is_disabled(fixtures: Fixtures) -> None:
    room = await fixtures.room(auto_session=True, name="codes.let-in")
    codes = await codes_of(fixtures, room)
    assert [one["role"] for one in codes] == ["host", "moderator", "guest", "audience"]
    assert codes[0].keys() == {"code", "room_id", "role", "enabled", "created_at", "updated_at"}
    assert await codes_of(fixtures, room, role="guest") == [codes[2]]
    code = codes[2]["code"]
    let_in = await exchange(fixtures, code, name="Vera", external_user_id="v-1")
    assert (let_in.status, let_in.data["user"]["username"]) == (201, "Vera")
    me = await fixtures.client.call("GET", "/auth/me", let_in.data["access_token"])
    assert me.data["id"] == let_in.data["user"]["id"]
    changed = await call(fixtures, "PATCH", f"/room_codes/{code}", {"enabled": False})
    assert (changed.status, changed.data["enabled"]) == (200, False)
    listed = await call(fixtures, "GET", f"/rooms/{room}/codes", query={"enabled": "false"})
    assert listed.data["codes"] == [changed.data]
    (await exchange(fixtures, code)).check_refusal(403, "room_code_disabled")


async def test_what_is_no_code_is_refused(fixtures: Fixtures) -> None:
    for code in ("abc-defg-hij", "abc", "ABC-DEFG-HIJ"):
        (await exchange(fixtures, code)).check_refusal(404, "room_code_not_found")
    [code] = await codes_of(fixtures, await fixtures.room(auto_session=True), role="audience")
    (await exchange(fixtures, code["code"], name="")).check_bad_fields("name")
    refused = await call(fixtures, "PATCH", f"/room_codes/{code['code']}", {})
    refused.check_bad_fields("enabled")


async def test_another_organization_has_nothing_to_do_with_them(fixtures: Fixtures) -> None:
    room = await fixtures.room()
    [code] = await codes_of(fixtures, room, role="audience")
    stranger = (await fixtures.admin.host(await fixtures.admin.organization())).access_token
    for method, path, body in (
        ("POST", f"/rooms/{room}/codes", {}),
        ("GET", f"/rooms/{room}/codes", None),
        ("PATCH", f"/room_codes/{code['code']}", {"enabled": False}),
    ):
        (await fixtures.client.call(method, path, stranger, body)).check_refusal(404)


async def test_a_host_finds_the_session_and_what_happened_in_it(fixtures: Fixtures) -> None:
    room = await fixtures.room(auto_session=True, name="codes.found", meta={"ours": {"a.b": 1}})
    [code] = await codes_of(fixtures, room, role="audience")
    session = (await exchange(fixtures, code["code"])).data["session_id"]
    wanted = "room_name=codes.found&status=scheduled&status=live"
    [found] = (await fixtures.get(f"/sessions/my?{wanted}", fixtures.host))["sessions"]
    assert (found["id"], found["meta"], found["options"]["auto_session"]) == (
        session,
        {"ours": {"a.b": 1}},
        True,
    )
    public = await fixtures.client.call("GET", f"/sessions/{session}")
    assert (public.data["meta"], public.data["room_name"]) == ({}, "codes.found")
    path = f"/sessions/{session}/events?name=session.created.v1"
    told = await fixtures.eventually(path, lambda data: bool(data["events"]), by=fixtures.host)
    [event] = told["events"]
    assert (event["data"]["room_name"], event["data"]["status"]) == ("codes.found", "scheduled")


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1001}, {"cursor": "x"}])
@pytest.mark.parametrize("path", ["/sessions/my", "/sessions/{id}/events"])
async def test_bad_pages_are_refused(fixtures: Fixtures, path: str, query: dict[str, Any]) -> None:
    answer = await call(fixtures, "GET", path.replace("{id}", fixtures.library), query=query)
    answer.check_bad_fields(*query)
