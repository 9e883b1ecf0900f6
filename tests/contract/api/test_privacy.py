"""Privacy: addresses are shown within the organization only, secrets to nobody."""

from typing import Any

import pytest

from tests.contract.api.accounts import Person
from tests.contract.api.cases import Case, cases, name
from tests.contract.api.fixtures import Fixtures


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
async def test_a_hosts_address_stays_within_the_organization(fixtures: Fixtures, path: str) -> None:
    library = await fixtures.admin.library(fixtures.organization)
    room = await fixtures.room(library)
    session = await fixtures.live_session(library, room=room)
    at = f"/libraries/{library}" + path.format(room=room, session=session)
    seen: list[tuple[Person | None, str | None]] = [
        (None, None),
        (fixtures.viewer, None),
        (fixtures.outsider, None),
        (fixtures.colleague, fixtures.host.email),
        (fixtures.host, fixtures.host.email),
    ]
    for person, email in seen:
        found = hosts(await fixtures.get(at, person))
        assert found
        assert [host["email"] for host in found] == [email] * len(found)


@pytest.mark.parametrize("case", cases(lambda operation: operation.access == "public"), ids=name)
async def test_public_answers_carry_no_secret(fixtures: Fixtures, case: Case) -> None:
    prepared = await case.prepare(fixtures)
    answer = await fixtures.client.call(case.operation.method, prepared.path, None, prepared.body or None)
    text = str(answer.body)
    assert str(fixtures.host.password) not in text
    for word in ("password_hash", "stream_key", "sealed_secret", "device_hash"):
        assert word not in text
