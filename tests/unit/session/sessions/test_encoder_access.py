"""An encoder's key is no more than who asked for it, for as long as their session is live."""

from datetime import datetime, timedelta

import jwt
import pytest

from services.session.identity.accounts.schemas import UpdateUserRequest
from services.session.identity.keys.schemas import CreateApiKeyRequest, UpdateApiKeyRequest
from services.session.whip.service import WhipService
from shared.access.encoders import EncoderOwner, owner_for
from shared.access.identity import Scope
from shared.access.revocations import OTHERS_MATTER
from shared.contracts.states import Role
from shared.errors import Forbidden, Unauthenticated
from shared.ids import new_id
from shared.livekit import TokenMint
from shared.livekit.tokens import GUEST_ATTRIBUTE
from shared.livekit.whip import WhipAnswer
from tests.unit.session.actors import Host, grant_role, new_host, person, registered
from tests.unit.session.backend import Backend, Settings


async def may_send(backend: Backend, session_id: str, owner: EncoderOwner, asked_at: datetime) -> bool:
    try:
        await backend.core.encoder_access.authorize(session_id, owner, asked_at)
    except (Forbidden, Unauthenticated):
        return False
    return True


async def test_a_key_that_may_write_again_revives_nothing_of_before(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    key, _ = await backend.key_service.create(
        new_id(), CreateApiKeyRequest(user_id=host.user.id, name="a key")
    )
    owner, before = EncoderOwner(host.user.id, key.id), backend.clock.now()
    backend.clock.advance(seconds=1)
    may = [await may_send(backend, session.id, owner, before)]
    for scopes in ([Scope.READ], list(Scope)):
        await backend.key_service.update(key.id, UpdateApiKeyRequest(scopes=scopes))
        backend.clock.advance(seconds=1)
        may.append(await may_send(backend, session.id, owner, before))
    assert may == [True, False, False]
    assert await may_send(backend, session.id, owner, backend.clock.now())
    assert await may_send(backend, session.id, EncoderOwner(host.user.id), before), "the host's own goes on"


async def test_a_key_that_may_not_write_takes_those_along_who_came_through_it(
    backend: Backend, host: Host
) -> None:
    session = await host.live_session(preset=(await host.preset(host_add_co_host=True)).id)
    key, _ = await backend.key_service.create(
        new_id(), CreateApiKeyRequest(user_id=host.user.id, name="a key", scopes=[Scope.WRITE])
    )
    carla = await person(backend, host.library.organization_id, external_user_id="c-1")
    await grant_role(backend, host, session, carla, Role.CO_HOST)
    owner = EncoderOwner(carla.user_id, key.id)
    assert await may_send(backend, session.id, owner, backend.clock.now())
    await backend.key_service.update(key.id, UpdateApiKeyRequest(scopes=[Scope.READ]))
    backend.clock.advance(seconds=1)
    assert not await may_send(backend, session.id, owner, backend.clock.now())


@pytest.mark.parametrize("longest", [timedelta(hours=12), timedelta(days=7)], ids=str)
async def test_what_was_revoked_is_known_for_as_long_as_a_session_lasts(
    monkeypatch: pytest.MonkeyPatch, longest: timedelta
) -> None:
    monkeypatch.setattr(Settings, "max_duration_seconds", int(longest.total_seconds()))
    backend = Backend()
    await backend.open()
    host = await new_host(backend)
    asked_at = backend.clock.now()
    await backend.accounts.update(host.user.id, UpdateUserRequest(password="another horse"))
    [revoked] = await backend.revocations.since(asked_at)
    assert revoked.until - asked_at > max(longest, OTHERS_MATTER - timedelta(seconds=1))
    await backend.close()


class SilentWhip:
    """LiveKit's endpoint, which keeps the tokens that it is sent."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    async def connect(self, token: str, offer: str) -> WhipAnswer:
        del offer
        self.tokens.append(token)
        return WhipAnswer("", None, participant_id="PA_1")

    async def patch(self, token: str, participant_id: str, fragment: str, ice_session: str) -> WhipAnswer:
        raise NotImplementedError

    async def end(self, token: str, participant_id: str) -> None:
        raise NotImplementedError


@pytest.mark.parametrize("is_guest", [True, False])
async def test_an_encoder_by_whip_says_that_it_is_a_guests(
    backend: Backend, host: Host, is_guest: bool
) -> None:
    session = await host.live_session(preset=(await host.preset(host_add_co_host=True)).id)
    who = await registered(backend) if is_guest else await person(backend, external_user_id="c-1")
    await grant_role(backend, host, session, who, Role.CO_HOST)
    livekit, mint = SilentWhip(), TokenMint("key", "a secret of at least thirty-two bytes", backend.clock)
    keys = backend.core.encoder_keys
    whip = WhipService("https://live.example/whip", keys, backend.core.encoder_access, mint, livekit)
    await whip.connect(keys.issue(session.id, owner_for(session, who)), "v=0")
    claims = jwt.decode(livekit.tokens[0], options={"verify_signature": False})
    assert (GUEST_ATTRIBUTE in claims["attributes"]) is is_guest
