"""Forged tokens are refused by the gateway and by every service."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from deploy.local.credentials import load_credentials
from shared.clock import SystemClock
from shared.contracts.states import Role
from shared.http.internal import InternalCalls
from shared.ids import new_id
from shared.livekit import JoinGrant, TokenMint
from shared.runtime.rotating_secret import RotatingSecret
from tests.contract.api.endpoints import Endpoint, all_endpoints, statuses
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.token_signing import FORMS, Signer, shown
from tests.running_stack import RunningStack

_PAST, _FUTURE = 1_700_000_000, 4_000_000_000
Forgery = Callable[[Signer], str]

FORGERIES: dict[str, Forgery] = {
    "expired": lambda by: by.sign(iat=_PAST, nbf=_PAST, exp=_PAST + 900),
    "no end": lambda by: by.sign(exp=None),
    "not yet valid": lambda by: by.sign(nbf=_FUTURE, exp=_FUTURE + 900),
    "another key": lambda by: by.sign(key=by.stranger),
    "a changed caller": lambda by: by.changed(),
    "no signature": lambda by: by.sign().rpartition(".")[0] + ".",
    "alg none": lambda by: by.by_another_algorithm("none"),
    "the public key as a secret": lambda by: by.by_another_algorithm("HS256", by.public),
    "another audience": lambda by: by.sign(aud="another-api"),
    "no audience": lambda by: by.sign(aud=None),
    "another issuer": lambda by: by.sign(iss="somebody"),
    "no issuer": lambda by: by.sign(iss=None),
    "another type": lambda by: by.sign(by.head(typ="JWT")),
    "the type of internal calls": lambda by: by.sign(by.head(typ="internal+jwt")),
    "an unknown key id": lambda by: by.sign(by.head(kid="local-0")),
    "no key id": lambda by: by.sign(by.head(kid=None)),
    "no sign-in": lambda by: by.sign(sid=None),
    "no such role": lambda by: by.sign(role="king"),
    "no such scope": lambda by: by.sign(scp=["everything"]),
}


@pytest.fixture(scope="module")
async def endpoints(running_stack: RunningStack) -> AsyncIterator[list[Endpoint]]:
    async with all_endpoints(running_stack.info) as endpoints:
        yield endpoints


@pytest.fixture(scope="module")
def signer(running_stack: RunningStack, fixtures: Fixtures) -> Signer:
    return Signer(load_credentials(running_stack.data), fixtures.host)


def refused(endpoints: list[Endpoint]) -> dict[str, int]:
    return {endpoint.name: 401 for endpoint in endpoints}


async def test_the_forged_ones_below_would_else_be_good(endpoints: list[Endpoint], signer: Signer) -> None:
    got = await statuses(endpoints, signer.sign())
    assert got == {name: {"session": 200, "egress": 403, "attendance": 404}[name.split()[-1]] for name in got}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
async def test_a_forged_token_proves_nobody(
    endpoints: list[Endpoint], signer: Signer, forge: Forgery
) -> None:
    assert await statuses(endpoints, forge(signer)) == refused(endpoints)


async def test_what_is_signed_for_something_else_is_no_access_token(
    endpoints: list[Endpoint], signer: Signer, fixtures: Fixtures
) -> None:
    own = signer.credentials
    mint = TokenMint(own.livekit_api_key, own.livekit_api_secret, SystemClock())
    grant = JoinGrant(new_id(), f"{fixtures.host.id}:{new_id()}", "Hanna", Role.HOST)
    internal = InternalCalls(RotatingSecret(own.internal_secret), SystemClock())
    tokens = [
        fixtures.host.refresh_token,
        str(fixtures.viewer.device_token),
        mint.join_token(grant, lifetime=timedelta(minutes=5)),
        *(internal.sign(name).removeprefix("Bearer ") for name in ("session", "egress", "attendance")),
    ]
    for token in tokens:
        assert await statuses(endpoints, token) == refused(endpoints)


@pytest.mark.parametrize("form", FORMS)
async def test_an_api_key_means_nothing_to_a_service(
    endpoints: list[Endpoint], fixtures: Fixtures, form: str
) -> None:
    headers = shown(await fixtures.admin.api_key(fixtures.host), form)
    got = {endpoint.name: (await endpoint.call(**headers)).status for endpoint in endpoints}
    assert got == {
        "session": 401,
        "egress": 401,
        "attendance": 401,
        "gateway to session": 200,
        "gateway to egress": 403,
        "gateway to attendance": 404,
    }


async def test_an_access_token_opens_no_internal_operation(endpoints: list[Endpoint], signer: Signer) -> None:
    paths = {"session": "/internal/revocations", "egress": "/internal/ingests"}
    for token in (signer.sign(adm=True), signer.by_another_algorithm("none")):
        for endpoint in endpoints:
            if endpoint.name in paths:
                method = "GET" if endpoint.name == "session" else "POST"
                answer = await endpoint.client.call(method, paths[endpoint.name], token, {})
                answer.check_refusal(401, "internal_only")
