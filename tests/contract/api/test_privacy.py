"""What is told to whom: addresses within the organization only, secrets to nobody."""

from typing import Any

import pytest

from tests.contract.api.accounts import Person
from tests.contract.api.cases import Case, cases, name
from tests.contract.api.fixtures import World


def hosts(data: Any) -> list[dict[str, Any]]:
    """Every `host` in the data, however deep."""
    if isinstance(data, list):
        return [host for item in data for host in hosts(item)]
    if not isinstance(data, dict):
        return []
    own = [data["host"]] if isinstance(data.get("host"), dict) else []
    return own + [host for value in data.values() for host in hosts(value)]


@pytest.mark.parametrize(
    "path", ["/rooms", "/rooms/{room}", "/sessions", "/sessions/live", "/sessions/{session}"]
)
async def test_a_hosts_address_stays_within_the_organization(world: World, path: str) -> None:
    library = await world.admin.library(world.organization)
    room = await world.room(library)
    session = await world.live_session(library, room=room)
    at = f"/libraries/{library}" + path.format(room=room, session=session)
    seen: list[tuple[Person | None, str | None]] = [
        (None, None),
        (world.viewer, None),
        (world.outsider, None),
        (world.colleague, world.host.email),
        (world.host, world.host.email),
    ]
    for person, email in seen:
        found = hosts(await world.get(at, person))
        assert found
        assert [host["email"] for host in found] == [email] * len(found)


@pytest.mark.parametrize("case", cases(lambda operation: operation.access == "public"), ids=name)
async def test_public_answers_carry_no_secret(world: World, case: Case) -> None:
    scene = await case.scene(world)
    answer = await world.client.call(case.operation.method, scene.path, None, scene.body or None)
    text = str(answer.body)
    assert str(world.host.password) not in text
    for word in ("password_hash", "stream_key", "sealed_secret", "device_hash"):
        assert word not in text
