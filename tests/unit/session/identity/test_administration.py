"""What administrators make, and what they may not take away."""

import asyncio
import base64
from typing import Any

import pytest

from services.session.catalog.libraries.schemas import CreateLibraryRequest, UpdateLibraryRequest
from services.session.identity.accounts.first_administrator import ensure_first_administrator
from services.session.identity.accounts.schemas import CreateUserRequest, UpdateUserRequest
from services.session.identity.accounts.service import FirstAdministrator
from services.session.identity.keys.schemas import CreateApiKeyRequest, UpdateApiKeyRequest
from shared.access.identity import Scope, TokenVerifier
from shared.contracts.audit_events import AdministratorActed
from shared.contracts.states import AuditedCallState, AuditOutcome, UserRole, Visibility
from shared.errors import Conflict, InvalidRequest, NotFound, Unauthenticated, Unavailable
from shared.http.audit import AuditTrail
from shared.http.schema import Page
from shared.ids import new_id
from tests.unit.session.actors import Host
from tests.unit.session.backend import SIGNING_KEY, Backend

PASSWORD = "correct horse"


def person(organization: str | None, **fields: Any) -> CreateUserRequest:
    own = {"email": "anna@example.com", "password": PASSWORD, "username": "Anna"}
    return CreateUserRequest.model_validate(own | {"organization_id": organization} | fields)


def bad(refusal: pytest.ExceptionInfo[InvalidRequest]) -> list[str]:
    return [error.field for error in refusal.value.errors]


async def test_an_organization_has_a_public_default_library(backend: Backend) -> None:
    id = new_id()
    made = [await backend.organization_service.create(id, "Acme") for _ in range(2)]
    assert made[0] == made[1]
    libraries, total = await backend.library_service.list(id, Page())
    assert total == 1
    assert (libraries[0].id, libraries[0].is_default) == (made[0].default_library_id, True)
    assert libraries[0].visibility is Visibility.PUBLIC


async def test_an_organization_with_people_stays(backend: Backend, host: Host) -> None:
    organization = host.library.organization_id
    with pytest.raises(Conflict) as refusal:
        await backend.organization_service.delete(organization)
    assert refusal.value.code == "organization_in_use"
    await backend.accounts.delete(host.user.id)
    await backend.settle()
    await backend.organization_service.delete(organization)
    assert await backend.libraries.find(host.library.id) is None
    with pytest.raises(NotFound):
        await backend.organization_service.get(organization)


async def test_renaming_keeps_what_is_not_given(backend: Backend, host: Host) -> None:
    organization = host.library.organization_id
    assert (await backend.organization_service.rename(organization, None)).name == "Acme"
    assert (await backend.organization_service.rename(organization, "Bcme")).name == "Bcme"
    library = await backend.library_service.update(host.library.id, UpdateLibraryRequest(name="Shows"))
    assert (library.name, library.visibility) == ("Shows", Visibility.PUBLIC)


async def test_the_default_library_and_one_with_rooms_stay(backend: Backend, host: Host) -> None:
    body = CreateLibraryRequest(organization_id=host.library.organization_id, name="Shows")
    library = await backend.library_service.create(new_id(), body)
    assert await backend.library_service.create(library.id, body) == library
    await backend.library_service.delete(library.id)
    with pytest.raises(Conflict) as refusal:
        await backend.library_service.delete(host.library.id)
    assert refusal.value.code == "default_library"
    with pytest.raises(InvalidRequest) as unknown:
        await backend.library_service.create(new_id(), CreateLibraryRequest(organization_id="x", name="Y"))
    assert bad(unknown) == ["organization_id"]


async def test_the_same_person_again_is_the_same_person(backend: Backend, host: Host) -> None:
    organization, id = host.library.organization_id, new_id()
    first = await backend.accounts.create(id, person(organization, email="Anna@Example.com"))
    assert first.email == "anna@example.com"
    assert (await backend.accounts.create(id, person(organization))).id == id
    with pytest.raises(Conflict) as refusal:
        await backend.accounts.create(new_id(), person(organization))
    assert refusal.value.code == "email_taken"


async def test_a_host_needs_an_organization_that_exists(backend: Backend) -> None:
    for organization, role in ((None, UserRole.HOST), (new_id(), UserRole.HOST), (new_id(), UserRole.VIEWER)):
        with pytest.raises(InvalidRequest) as refusal:
            await backend.accounts.create(new_id(), person(organization, role=role))
        assert bad(refusal) == ["organization_id"]
    await backend.accounts.create(new_id(), person(None, role=UserRole.VIEWER))


async def test_the_first_administrator_is_made_once(backend: Backend) -> None:
    first = FirstAdministrator("Admin@example.com", PASSWORD)
    made = [(await backend.accounts.create_first_administrator(first))[0] for _ in range(2)]
    assert made[0].id == made[1].id
    assert (await backend.sign_in.login("admin@example.com", PASSWORD)).user.is_admin


async def test_the_first_administrator_is_made_once_by_replicas_that_start_together(backend: Backend) -> None:
    first = FirstAdministrator("admin@example.com", PASSWORD)
    made = await asyncio.gather(*(backend.accounts.create_first_administrator(first) for _ in range(3)))
    assert len({user.id for user, _ in made}) == 1
    assert sorted(new for _, new in made) == [False, False, True]


async def test_the_first_administrator_is_recorded_also_if_the_end_cannot_be(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail = AuditTrail(backend.mongo, backend.outbox, backend.clock, service="session")
    first = FirstAdministrator("admin@example.com", PASSWORD)
    stored: list[AuditedCallState] = []

    async def add(state: AuditedCallState) -> None:
        if stored:
            raise Unavailable("The database does not answer")
        stored.append(state)

    monkeypatch.setattr(trail, "add", add)
    await ensure_first_administrator(backend.accounts, trail, first)
    assert [(one.outcome, one.actor) for one in stored] == [(AuditOutcome.BEGUN, "settings:session")]
    assert await backend.accounts.has("Admin@example.com")


async def test_each_replica_that_makes_the_first_administrator_records_it(backend: Backend) -> None:
    trail = AuditTrail(backend.mongo, backend.outbox, backend.clock, service="session")
    first = FirstAdministrator("admin@example.com", PASSWORD)
    await asyncio.gather(*(ensure_first_administrator(backend.accounts, trail, first) for _ in range(2)))
    await ensure_first_administrator(backend.accounts, trail, first)  # at the next start
    documents = await backend.mongo.collection("audited_calls").find({})
    calls = [AdministratorActed.model_validate_json(one["outbox"][0]["data"]).call for one in documents]
    assert sorted(one.outcome for one in calls) == ["begun", "begun", "done", "refused"]
    user, _ = await backend.accounts.create_first_administrator(first)
    assert [one.targets for one in calls if one.outcome is AuditOutcome.DONE] == [[user.id]]


async def test_passwords_are_kept_as_hashes(backend: Backend, host: Host) -> None:
    user = await backend.accounts.create(new_id(), person(host.library.organization_id))
    assert str(user.password_hash).startswith("$argon2id$")
    await backend.settle()
    assert PASSWORD not in str(backend.bus.published)
    assert "argon2" not in str(backend.bus.published)


async def test_a_person_keeps_what_is_not_given(backend: Backend, host: Host) -> None:
    changed = await backend.accounts.update(host.user.id, UpdateUserRequest(username="Hanna B."))
    assert (changed.username, changed.is_active, changed.email) == ("Hanna B.", True, host.user.email)
    assert (await backend.accounts.update(host.user.id, UpdateUserRequest())).username == "Hanna B."


async def key_of(backend: Backend, host: Host) -> tuple[str, str]:
    body = CreateApiKeyRequest(user_id=host.user.id, name="a key")
    key, secret = await backend.key_service.create(new_id(), body)
    return key.id, secret


async def test_a_key_is_exchanged_for_a_minute(backend: Backend, host: Host) -> None:
    await backend.accounts.update(host.user.id, UpdateUserRequest(is_admin=True))
    id, secret = await key_of(backend, host)
    token, expires_at = await backend.key_service.exchange(id, secret)
    assert (expires_at - backend.clock.now()).total_seconds() == 60
    public = base64.urlsafe_b64encode(SIGNING_KEY.public_key().public_bytes_raw()).decode()
    caller = TokenVerifier({"k1": public}, backend.clock).verify(token)
    assert (caller.user_id, caller.api_key_id, caller.is_admin) == (host.user.id, id, False)
    assert caller.organization_id == host.library.organization_id


async def test_a_key_is_kept_sealed_and_shown_again_to_a_repeated_call(backend: Backend, host: Host) -> None:
    body, id = CreateApiKeyRequest(user_id=host.user.id, name="a key"), new_id()
    first, second = [await backend.key_service.create(id, body) for _ in range(2)]
    assert first[1] == second[1]
    stored = await backend.keys.collection.find({})
    assert len(stored) == 1
    assert first[1] not in str(stored)
    assert first[1] not in repr(first[0])


async def test_a_wrong_deleted_or_ownerless_key_is_refused(backend: Backend, host: Host) -> None:
    id, secret = await key_of(backend, host)
    wrong = [(id, "wrong"), (id, ""), (new_id(), secret), ("nope", secret)]
    for key, shown in wrong:
        await refused(backend, key, shown)
    await backend.accounts.update(host.user.id, UpdateUserRequest(is_active=False))
    await refused(backend, id, secret)
    await backend.accounts.update(host.user.id, UpdateUserRequest(is_active=True))
    await backend.key_service.exchange(id, secret)
    await backend.key_service.delete(id)
    await refused(backend, id, secret)
    with pytest.raises(NotFound):
        await backend.key_service.delete(id)


async def refused(backend: Backend, id: str, secret: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        await backend.key_service.exchange(id, secret)
    assert refusal.value.code == "api_key_invalid"


async def test_keys_are_for_hosts_and_may_be_renamed(backend: Backend, host: Host) -> None:
    viewer, _ = await backend.sign_in.register_viewer(new_id(), "Vera")
    for owner in (viewer.user.id, new_id()):
        with pytest.raises(InvalidRequest) as refusal:
            await backend.key_service.create(new_id(), CreateApiKeyRequest(user_id=owner, name="a key"))
        assert bad(refusal) == ["user_id"]
    id, secret = await key_of(backend, host)
    changed = await backend.key_service.update(id, UpdateApiKeyRequest(scopes=[Scope.READ]))
    assert (changed.name, changed.scopes) == ("a key", [Scope.READ])
    await backend.key_service.exchange(id, secret)
