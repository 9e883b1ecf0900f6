"""Whoever is revoked leaves every room, though no session changes and nobody looks at the rooms otherwise."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from services.session.enforcement.build import build_enforcement
from services.session.enforcement.dirty_sessions import DirtySessions
from services.session.identity.accounts.schemas import UpdateUserRequest
from services.session.identity.keys.schemas import CreateApiKeyRequest, UpdateApiKeyRequest
from services.session.sessions.domain.session import Session
from shared.access.identity import Scope
from shared.access.permissions import encoder_grant
from shared.access.revocations import Revocations
from shared.contracts.states import Role
from shared.ids import new_id
from tests.unit.session.actors import Host, colleague, grant_role
from tests.unit.session.backend import Backend


@asynccontextmanager
async def observed(backend: Backend) -> AsyncIterator[Revocations]:
    """Enforcement at work as in the service, without anything else that would look at rooms."""
    revocations = Revocations(backend.clock)
    built = build_enforcement(
        backend.sessions,
        backend.removals,
        backend.livekit,
        DirtySessions(),
        revocations,
        backend.sign_in,
        backend.clock,
    )
    tasks = [asyncio.create_task(run()) for run in built.workers.values()]
    try:
        yield revocations
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class Rooms:
    """Two live sessions of a host, in each the encoders of the host, of a co-host and of an API key."""

    backend: Backend
    sessions: list[Session]
    host_id: str
    co_host_id: str
    key_id: str

    @property
    def everybody(self) -> set[str]:
        return {f"{self.host_id}:whip", f"{self.co_host_id}:whip", f"{self.host_id}:whip:{self.key_id}"}

    def present(self) -> list[set[str]]:
        return [set(self.backend.livekit.participants[one.id]) for one in self.sessions]


@pytest.fixture
async def rooms(backend: Backend, host: Host) -> Rooms:
    preset = (await host.preset(host_add_co_host=True)).id
    sessions = [await host.live_session(preset=preset) for _ in range(2)]
    co_host = await colleague(backend, host)
    key, _ = await backend.key_service.create(
        new_id(), CreateApiKeyRequest(user_id=host.user.id, name="a key")
    )
    made = Rooms(backend, sessions, host.user.id, co_host.user_id, key.id)
    for session in sessions:
        await grant_role(backend, host, session, co_host, Role.CO_HOST)
        for identity in made.everybody:
            backend.livekit.connect(encoder_grant(room=session.id, identity=identity, name=""))
    backend.clock.advance(seconds=1)
    return made


async def deactivated(rooms: Rooms) -> str:
    await rooms.backend.accounts.update(rooms.co_host_id, UpdateUserRequest(is_active=False))
    return f"{rooms.co_host_id}:whip"


async def deleted(rooms: Rooms) -> str:
    await rooms.backend.accounts.delete(rooms.co_host_id)
    return f"{rooms.co_host_id}:whip"


async def key_deleted(rooms: Rooms) -> str:
    await rooms.backend.key_service.delete(rooms.key_id)
    return f"{rooms.host_id}:whip:{rooms.key_id}"


async def scope_withdrawn(rooms: Rooms) -> str:
    await rooms.backend.key_service.update(rooms.key_id, UpdateApiKeyRequest(scopes=[Scope.READ]))
    return f"{rooms.host_id}:whip:{rooms.key_id}"


@pytest.mark.parametrize("revoke", [deactivated, deleted, key_deleted, scope_withdrawn])
async def test_what_is_revoked_leaves_every_room_and_the_others_stay(
    backend: Backend, rooms: Rooms, revoke: Callable[[Rooms], Awaitable[str]]
) -> None:
    gone = await revoke(rooms)
    async with observed(backend) as revocations, asyncio.timeout(10):
        await revocations.update(backend.revocations)
        while any(gone in present for present in rooms.present()):
            await asyncio.sleep(0)
    assert rooms.present() == [rooms.everybody - {gone}] * 2


async def test_with_a_new_name_or_all_scopes_nobody_leaves(backend: Backend, rooms: Rooms) -> None:
    await backend.key_service.update(rooms.key_id, UpdateApiKeyRequest(name="another", scopes=list(Scope)))
    revocations = Revocations(backend.clock)
    await revocations.update(backend.revocations)
    assert len(revocations) == 0
