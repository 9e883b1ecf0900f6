"""POST /sessions/{id}/tokens: a customer's backend gives its own users access, with its API key."""

from dataclasses import dataclass
from typing import Any

import pytest

from shared.ids import new_id
from tests.contract.api.client import Answer
from tests.contract.api.contract import extensions
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.sample_bodies import BadField, bad_rounds, sample

TOKENS = extensions()["POST /sessions/{id}/tokens"]
PERSON = {"external_user_id": "0b9f0e6e-6d2e-4b44-9a0e-6d0e4f1d2c3b", "name": "Carla", "role": "audience"}


@dataclass(frozen=True)
class Backend:
    """The customer's: its key, and a live session of its organization's."""

    fixtures: Fixtures
    key: str
    session: str

    async def issue(self, session: str | None = None, **body: Any) -> Answer:
        return await self.send(sample(TOKENS, **PERSON | {"ttl_seconds": 60} | body), session)

    async def send(self, body: Any, session: str | None = None) -> Answer:
        path = TOKENS.path.replace("{id}", session or self.session)
        return await self.fixtures.client.call("POST", path, body=body, headers={"X-API-Key": self.key})


@pytest.fixture(scope="module")
async def backend(fixtures: Fixtures) -> Backend:
    return Backend(fixtures, await fixtures.admin.api_key(fixtures.host), await fixtures.live_session())


async def test_a_person_of_the_customer_gets_in(backend: Backend) -> None:
    data = (await backend.issue()).check_success(TOKENS)
    assert (data["room_name"], data["user"]["username"]) == (backend.session, "Carla")
    assert data["user"]["external_user_id"] == PERSON["external_user_id"]
    me = await backend.fixtures.client.call("GET", "/auth/me", data["access_token"])
    assert me.data["id"] == data["user"]["id"]
    again = (await backend.issue(name="Carla C.")).data
    assert (again["user"]["id"], again["user"]["username"]) == (data["user"]["id"], "Carla C.")


async def test_what_is_not_said_has_a_default(backend: Backend) -> None:
    answer = await backend.send({"external_user_id": PERSON["external_user_id"], "name": "Carla"})
    answer.check_success(TOKENS)


@pytest.mark.parametrize("field", TOKENS.required)
async def test_a_required_field_is_missed_by_name(backend: Backend, field: str) -> None:
    body = {name: value for name, value in sample(TOKENS, **PERSON).items() if name != field}
    (await backend.send(body)).check_bad_fields(field)


@pytest.mark.parametrize("bad", bad_rounds(TOKENS))
async def test_every_bad_field_is_named(backend: Backend, bad: list[BadField]) -> None:
    answer = await backend.issue(**{one.field: one.value for one in bad})
    answer.check_bad_fields(*(one.path for one in bad))


async def test_only_a_key_of_the_organization_may(backend: Backend) -> None:
    fixtures, path = backend.fixtures, TOKENS.path.replace("{id}", backend.session)
    (await fixtures.client.call("POST", path, None, PERSON)).check_refusal(401)
    for person in (fixtures.viewer, fixtures.host, fixtures.colleague):
        (await fixtures.client.call("POST", path, person.access_token, PERSON)).check_refusal(403)
    foreign = Backend(fixtures, await fixtures.admin.api_key(fixtures.outsider), backend.session)
    (await foreign.issue()).check_refusal(404)


async def test_unknown_and_finished_sessions_let_nobody_in(backend: Backend) -> None:
    for session in (new_id(), "nope"):
        (await backend.issue(session)).check_refusal(404)
    (await backend.issue(await backend.fixtures.ended_session())).check_refusal(409, "session_ended")
