"""LiveKit's webhooks: what LiveKit did not sign is refused."""

import base64
import hashlib
import time

import jwt
import orjson
import pytest

from deploy.local.stack import Stack
from shared.ids import new_id
from tests.contract.api.client import Answer, Client
from tests.contract.api.contract import operations

DOOR = operations()["POST /webhooks/livekit"]
BODY = orjson.dumps({"event": "room_finished", "id": "EV_contract", "room": {"name": "no session of ours"}})


def signed(stack: Stack, body: bytes, **changes: object) -> str:
    now = int(time.time())
    claims = {
        "iss": stack.livekit_api_key,
        "nbf": now,
        "exp": now + 300,
        "sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
    }
    secret = str(changes.pop("secret", stack.livekit_api_secret))
    return jwt.encode(claims | changes, secret, "HS256")


async def post(client: Client, body: bytes, authorization: str | None) -> Answer:
    headers = {"Content-Type": "application/webhook+json"}
    if authorization is not None:
        headers["Authorization"] = authorization
    return await client.raw("POST", DOOR.path, None, body, headers=headers)


async def test_what_livekit_signed_comes_in(client: Client, stack: Stack) -> None:
    for _ in range(2):
        (await post(client, BODY, signed(stack, BODY))).check_success(DOOR)


async def test_what_nobody_signed_is_refused(client: Client) -> None:
    for authorization in (None, "", "nonsense", "Bearer nonsense"):
        (await post(client, BODY, authorization)).check_refusal(401)


@pytest.mark.parametrize(
    "change",
    [
        {"secret": "another secret, long enough for its algorithm"},
        {"iss": "another key"},
        {"exp": 1_700_000_000},
        {"nbf": 4_000_000_000},
        {"sha256": base64.b64encode(hashlib.sha256(b"another body").digest()).decode()},
        {"sha256": ""},
    ],
    ids=str,
)
async def test_a_wrong_signature_is_refused(client: Client, stack: Stack, change: dict[str, object]) -> None:
    body = orjson.dumps({"event": "room_finished", "id": f"EV_{new_id()}", "room": {"name": "x"}})
    (await post(client, body, signed(stack, body, **change))).check_refusal(401)


async def test_an_unsigned_token_opens_nothing(client: Client, stack: Stack) -> None:
    unsigned = jwt.encode({"iss": stack.livekit_api_key}, "", "none")
    (await post(client, BODY, unsigned)).check_refusal(401)
