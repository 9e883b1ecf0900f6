"""100ms's requests as its published server client for Node.js makes them: its tokens, parameters, retries and
iteration."""

import time
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import ClientSession
from yarl import URL

from tests.integration.gateway.fixtures import KEY_ID, SECRET

# A parameter that was given as undefined.
UNDEFINED = "undefined"


def management_token(key_id: str = KEY_ID, secret: str = SECRET, **claims: object) -> str:
    now = int(time.time()) - 10
    return jwt.encode(
        {
            "access_key": key_id,
            "type": "management",
            "version": 2,
            "iat": now,
            "nbf": now,
            "exp": now + 24 * 3600,
            "jti": str(uuid.uuid4()),
            **claims,
        },
        secret,
    )


class HundredMsError(Exception):
    def __init__(self, status: int, body: dict[str, Any]):
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


@dataclass
class HundredMsClient:
    """`sent` are the tokens of its requests. It renews a token that is refused, once a request."""

    http: ClientSession
    url: str
    key_id: str = KEY_ID
    secret: str = SECRET
    token: str = ""
    sent: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.token = management_token(self.key_id, self.secret)

    async def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        return await self._request("GET", path, _serialized(parameters or {}), None)

    async def post(self, path: str, payload: Mapping[str, Any] | None = None) -> Any:
        return await self._request("POST", path, "", payload or {})

    async def iterate(self, path: str, filters: Mapping[str, Any] | None = None) -> AsyncIterator[Any]:
        """All items of a list, as the client pages through it."""
        parameters = dict(filters or {})
        while True:
            page = await self.get(path, parameters)
            for item in page["data"]:
                yield item
            if len(page["data"]) < parameters.get("limit", 10) or not page["last"]:
                return
            parameters["start"] = page["last"]

    async def _request(self, method: str, path: str, query: str, payload: Mapping[str, Any] | None) -> Any:
        status, body = await self._once(method, path, query, payload)
        if status in {401, 403}:
            self.token = management_token(self.key_id, self.secret)
            status, body = await self._once(method, path, query, payload)
        if status >= 400:
            raise HundredMsError(status, body)
        return body

    async def _once(
        self, method: str, path: str, query: str, payload: Mapping[str, Any] | None
    ) -> tuple[int, Any]:
        self.sent.append(self.token)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        url = URL(f"{self.url}/v2{path}{query}", encoded=True)
        async with self.http.request(method, url, headers=headers, json=payload) as answer:
            return answer.status, await answer.json()


def _serialized(parameters: Mapping[str, Any]) -> str:
    """Lists are repeated, moments and other objects are left out, and nothing is escaped."""
    pairs = []
    for name, value in parameters.items():
        values = value if isinstance(value, list) else [value]
        pairs += [f"{name}={_text(one)}" for one in values if isinstance(one, str | int)]
    return "?" + "&".join(pairs) if pairs else ""


def _text(value: str | int) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
