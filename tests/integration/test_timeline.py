"""On the running stack: a session's timeline, why it ended, and who did what as an administrator."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from deploy.dead_letters import replay_record
from deploy.local.stack import Stack
from shared.bus.rabbit import RabbitBus
from shared.ids import new_id
from tests.integration.test_journal import Api, a_session_held, api

__all__ = ["api"]

DEADLINE = 30.0
REPLAY = "greenroom events dead-letters replay"
AUDITED = ("POST /admin/organizations", "POST /admin/storage/cleanup", "POST /sessions/{id}/leave")


async def until(read: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(DEADLINE):
        while not wanted(found := await read()):
            await asyncio.sleep(0.1)
    return found


async def test_a_session_ended_by_its_host(api: Api, stack: Stack) -> None:
    host, admin = await api.sign_in(stack.host), await api.sign_in(stack.admin)
    session = await a_session_held(api, host)
    path = f"/admin/sessions/{session}/timeline"

    def finished(timeline: Any) -> bool:
        return any(entry["name"] == "livekit_room.finished.v1" for entry in timeline["entries"])

    found = await until(lambda: api.call("GET", path, admin), finished)
    moments = [entry["at"] for entry in found["entries"]]
    assert moments == sorted(moments)
    calls = [(entry["operation"], entry["actor_name"]) for entry in found["entries"] if entry["actor"]]
    assert ("POST /sessions/{id}/end", "host") in calls
    webhooks = [entry for entry in found["entries"] if entry["kind"] == "webhook"]
    assert all(entry["occurred_at"] and entry["latencies"]["journal"] is not None for entry in webhooks)
    first = await api.call("GET", f"{path}?limit=2", admin)
    rest = await api.call("GET", f"{path}?limit=1000&cursor={first['next_cursor']}", admin)
    assert [entry["id"] for entry in (first["entries"] + rest["entries"])[: len(moments)]] == [
        entry["id"] for entry in found["entries"]
    ]
    why = await api.call("GET", f"/admin/sessions/{session}/explanation", admin)
    assert why["findings"][0]["reason"] == "host"
    assert why["findings"][0]["by"] == "host with POST /sessions/{id}/end"


async def publish_replayed(stack: Stack) -> None:
    """As `greenroom events dead-letters replay` does if there was something to replay."""
    bus = RabbitBus(stack.amqp_url, service="command")
    await bus.start()
    try:
        await eventually_connected(bus)
        await bus.publish(replay_record(["session.journal"], ()))
    finally:
        await bus.close()


async def eventually_connected(bus: RabbitBus) -> None:
    async def state() -> str | None:
        return bus.state()

    await until(state, lambda found: found is None)


async def test_what_administrators_do_in_every_service_is_in_the_audit_log(api: Api, stack: Stack) -> None:
    admin, host = await api.sign_in(stack.admin), await api.sign_in(stack.host)
    me = (await api.call("GET", "/auth/me", admin))["id"]
    name = f"Audited {new_id()[-8:]}"
    made = (await api.call("POST", "/admin/organizations", admin, {"name": name}))["id"]
    await api.call("POST", "/admin/storage/cleanup", admin, {"older_than_days": 3000, "dry_run": True})
    assert await api.status("DELETE", f"/admin/organizations/{made}", host) == 403
    assert await api.status("POST", f"/sessions/{new_id()}/leave", admin) == 404
    await publish_replayed(stack)

    def complete(log: Any) -> bool:
        found = {(call["operation"], call["outcome"]) for call in log["calls"]}
        return found >= {
            ("POST /admin/organizations", "done"),
            ("POST /admin/storage/cleanup", "done"),
            ("DELETE /admin/organizations/{id}", "refused"),
            ("POST /sessions/{id}/leave", "refused"),
            (REPLAY, "done"),
        }

    log = await until(lambda: api.call("GET", "/admin/audit?limit=100", admin), complete)
    by_operation = {call["operation"]: call for call in reversed(log["calls"])}
    services = {by_operation[name]["service"] for name in AUDITED}
    assert services == {"session", "egress", "attendance"}
    assert by_operation[REPLAY]["targets"] == ["session.journal"]
    created = by_operation["POST /admin/organizations"]
    assert (created["actor"], created["targets"], created["fields"]) == (
        f"user:{me}",
        [made],
        {"name": "(not kept)"},
    )
    assert created["client_address"] == "127.0.0.1"
    assert name not in str(log)
    of_target = await api.call("GET", f"/admin/audit?target={made}&outcome=refused", admin)
    assert [call["refusal"] for call in of_target["calls"]] == ["admin_required"]
    assert await api.status("DELETE", "/admin/audit", admin) == 405
