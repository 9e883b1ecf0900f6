"""The proxies that Centrifugo asks, through the gateway: always 200, always a word, never our envelope."""

import json
from typing import Any

import pytest

from shared.http.request import CENTRIFUGO_HEADER
from tests.contract.api.client import Answer
from tests.contract.api.contract import operations
from tests.contract.api.fixtures import Fixtures
from tests.running_stack import RunningStack

CONNECT, REFRESH, SUBSCRIBE = "/centrifugo/connect", "/centrifugo/refresh", "/centrifugo/subscribe"
# What Centrifugo sends besides.
CLIENT = {"client": "c-1", "transport": "websocket", "protocol": "json", "encoding": "json"}


@pytest.fixture
def secret(running_stack: RunningStack) -> str:
    return str(json.loads(running_stack.data.secrets_file.read_text())["centrifugo_secret"])


async def ask(fixtures: Fixtures, path: str, secret: str | None, **body: Any) -> Any:
    headers = {} if secret is None else {CENTRIFUGO_HEADER: secret}
    answer: Answer = await fixtures.client.call("POST", path, body=CLIENT | body, headers=headers)
    assert answer.status == 200, answer
    assert len(answer.body) == 1, answer
    return answer.body


def test_the_contract_has_these_two() -> None:
    proxies = {key for key, operation in operations().items() if operation.access == "proxy secret"}
    assert proxies == {f"POST {CONNECT}", f"POST {SUBSCRIBE}"}


async def test_a_client_connects_with_its_access_token(fixtures: Fixtures, secret: str) -> None:
    person = fixtures.viewer
    result = (await ask(fixtures, CONNECT, secret, data={"token": person.access_token}))["result"]
    assert (result["user"], result["info"]) == (person.id, {"username": "Vera"})
    assert isinstance(result["expire_at"], int)
    forwarded = await fixtures.client.call(
        "POST", CONNECT, person.access_token, CLIENT, headers={CENTRIFUGO_HEADER: secret}
    )
    assert forwarded.body == {"result": result}
    for data in (None, {"token": "nonsense"}, {"token": person.access_token + "x"}):
        assert (await ask(fixtures, CONNECT, secret, data=data))["disconnect"]["code"] == 4501


async def test_a_connection_ends_with_its_token(fixtures: Fixtures, secret: str) -> None:
    assert await ask(fixtures, REFRESH, secret, user=fixtures.viewer.id) == {"result": {"expired": True}}


async def test_a_client_hears_what_is_for_it(fixtures: Fixtures, secret: str) -> None:
    session, viewer, host = await fixtures.live_session(), fixtures.viewer.id, fixtures.host.id
    common, staff = f"session:{session}", f"session:{session}:staff"
    for user, channel in ((viewer, common), (host, common), (host, staff), (viewer, f"user:{viewer}")):
        answer = await ask(fixtures, SUBSCRIBE, secret, user=user, channel=channel)
        assert answer == {"result": {}}
    for user, channel in ((viewer, staff), (host, f"user:{viewer}"), ("", common)):
        answer = await ask(fixtures, SUBSCRIBE, secret, user=user, channel=channel)
        assert answer["error"]["code"] == 103
    unknown = await ask(fixtures, SUBSCRIBE, secret, user=viewer, channel="news")
    assert unknown["error"]["code"] == 102


@pytest.mark.parametrize("wrong", [None, "", "wrong"])
async def test_without_the_secret_nobody_is_told_anything(fixtures: Fixtures, wrong: str | None) -> None:
    token = {"token": fixtures.viewer.access_token}
    asked = {"user": fixtures.viewer.id, "channel": f"user:{fixtures.viewer.id}"}
    for path, body in ((CONNECT, {"data": token}), (REFRESH, asked), (SUBSCRIBE, asked)):
        answer = await ask(fixtures, path, wrong, **body)
        assert answer == {"error": {"code": 101, "message": "unauthorized", "temporary": True}}
