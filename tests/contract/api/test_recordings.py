"""Recordings and their storage, as far as they need no media: states, links, and who may do what."""

import pytest

from shared.ids import new_id
from tests.contract.api.accounts import Person
from tests.contract.api.client import Answer
from tests.contract.api.contract import operations
from tests.contract.api.fixtures import Fixtures


async def call(
    fixtures: Fixtures, method: str, path: str, by: Person | None = None, body: object = None
) -> Answer:
    return await fixtures.client.call(method, path, (by or fixtures.host).access_token, body)


async def test_only_a_live_session_is_recorded(fixtures: Fixtures) -> None:
    for session in (await fixtures.session(), await fixtures.ended_session()):
        path = f"/sessions/{session}/recordings/start"
        (await call(fixtures, "POST", path)).check_refusal(409, "session_not_live")


async def test_one_recording_at_a_time(fixtures: Fixtures) -> None:
    session = await fixtures.recorded_session()
    again = await call(fixtures, "POST", f"/sessions/{session}/recordings/start")
    again.check_refusal(409, "recording_active")
    active = (await call(fixtures, "GET", f"/sessions/{session}/recordings/active")).data
    listed = (await call(fixtures, "GET", f"/sessions/{session}/recordings")).data
    assert (listed["total"], [one["id"] for one in listed["recordings"]]) == (1, [active["id"]])
    mine = (await call(fixtures, "GET", "/recordings/my?limit=100")).data
    assert active["id"] in {one["id"] for one in mine["recordings"]}


async def test_without_a_recording_there_is_none_to_stop(fixtures: Fixtures) -> None:
    session = await fixtures.live_session()
    assert (await call(fixtures, "GET", f"/sessions/{session}/recordings/active")).data is None
    path = f"/sessions/{session}/recordings/stop"
    (await call(fixtures, "POST", path)).check_refusal(409, "recording_not_active")


async def test_what_runs_is_neither_deleted_nor_downloaded(fixtures: Fixtures) -> None:
    session = await fixtures.recorded_session()
    active = (await call(fixtures, "GET", f"/sessions/{session}/recordings/active")).data
    path = f"/recordings/{active['id']}"
    (await call(fixtures, "DELETE", path)).check_refusal(409, "recording_active")
    (await call(fixtures, "GET", f"{path}/download")).check_refusal(409, "recording_not_completed")


async def test_the_end_of_a_session_is_the_end_of_its_recording(fixtures: Fixtures) -> None:
    session = await fixtures.recorded_session()
    recording = (await call(fixtures, "GET", f"/sessions/{session}/recordings/active")).data["id"]
    await fixtures.do("end", session)
    over = await fixtures.eventually(
        f"/recordings/{recording}", lambda found: found["status"] != "recording", by=fixtures.host
    )
    assert (over["status"], over["file_path"]) == ("failed", None)
    assert over["error_message"]


async def test_a_recording_has_the_name_that_it_is_given(fixtures: Fixtures) -> None:
    path = f"/recordings/{await fixtures.recording()}"
    named = (await call(fixtures, "PATCH", path, body={"name": "  Größe: 9/10  "})).data
    assert named["name"] == "Größe: 9/10"
    for name in ["a\x00b", "two\nlines", "", " ", "x" * 256, "bell\x07"]:
        (await call(fixtures, "PATCH", path, body={"name": name})).check_bad_fields("name")
    assert (await call(fixtures, "GET", path)).data["name"] == "Größe: 9/10"


async def test_a_deleted_recording_is_gone(fixtures: Fixtures) -> None:
    path = f"/recordings/{await fixtures.recording()}"
    assert (await call(fixtures, "DELETE", path)).status == 200
    for method in ("GET", "DELETE"):
        (await call(fixtures, method, path)).check_refusal(404)


@pytest.mark.parametrize("token", ["", "nonsense", "6b01ddad." + "A" * 43, "%00", "../../etc/passwd"])
async def test_a_file_needs_a_link(fixtures: Fixtures, token: str) -> None:
    answer = await fixtures.client.call("GET", f"/recordings/{await fixtures.recording()}/file?token={token}")
    answer.check_refusal(403, "link_invalid")


async def test_a_file_without_any_token(fixtures: Fixtures) -> None:
    answer = await fixtures.client.call("GET", f"/recordings/{new_id()}/file")
    answer.check_bad_fields("token")


async def test_administrators_see_to_the_storage(fixtures: Fixtures) -> None:
    for method, path in [
        ("GET", "/admin/storage/status"),
        ("POST", "/admin/storage/cleanup"),
        ("POST", f"/admin/recordings/{new_id()}/retry"),
    ]:
        (await call(fixtures, method, path, fixtures.host, {})).check_refusal(403, "admin_required")
        (await fixtures.client.call(method, path, None, {})).check_refusal(401)
    admin = fixtures.admin.access_token
    status = await fixtures.client.call("GET", "/admin/storage/status", admin)
    status.check_success(operations()["GET /admin/storage/status"])
    assert status.data["storage_type"] == "filesystem"
    assert status.data["free_bytes"] > 0
    body = {"older_than_days": 365, "dry_run": True}
    cleanup = await fixtures.client.call("POST", "/admin/storage/cleanup", admin, body)
    cleanup.check_success(operations()["POST /admin/storage/cleanup"])
    assert cleanup.data == {"deleted_recordings": 0, "freed_bytes": 0, "dry_run": True}
    bad = await fixtures.client.call("POST", "/admin/storage/cleanup", admin, {"older_than_days": -1})
    bad.check_bad_fields("older_than_days")


async def test_a_failed_recording_is_tried_again(fixtures: Fixtures) -> None:
    recording, admin = await fixtures.recording(), fixtures.admin.access_token
    again = await fixtures.client.call("POST", f"/admin/recordings/{recording}/retry", admin)
    again.check_success(operations()["POST /admin/recordings/{id}/retry"])
    assert again.data["retry_count"] == 1
    unknown = await fixtures.client.call("POST", f"/admin/recordings/{new_id()}/retry", admin)
    unknown.check_refusal(404)
