"""Calls through the gateway, with checks of the answers against the contract."""

import re
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from multidict import CIMultiDictProxy

from tests.contract.api.contract import Operation
from tests.contract.api.response_checks import NULLABLE_DATA, SINGLE, data_of, faults

# What sets a recorder to work.
_STREAMS = re.compile(r"/sessions/([^/]+)/(go_live|start_webcam_hls|ensure_hls_egress|recordings/start)$")
_DEADLINE = aiohttp.ClientTimeout(total=20)


@dataclass(frozen=True)
class Answer:
    """What came back. `body` is the parsed JSON."""

    status: int
    headers: CIMultiDictProxy[str]
    body: Any
    call: str
    content: bytes = field(default=b"", repr=False)

    @property
    def data(self) -> Any:
        """The data of a success."""
        assert self.status < 300, self
        return self.body["data"]

    @property
    def bad_fields(self) -> list[str]:
        return [entry["field"] for entry in self.body.get("errors", [])]

    def check_success(self, operation: Operation) -> Any:
        """Status, envelope and data are exactly the contract's, or it is a file; returns the data."""
        assert self.status == operation.status, self
        if operation.file:
            assert self.headers["Content-Disposition"].startswith("attachment; "), self
            return None
        assert self.body.keys() == {"success", "data", "timestamp"}, self
        assert self.body["success"] is True
        self._check_timestamp()
        data = self.body["data"]
        if data is None and operation.key in SINGLE:
            return data
        nullable = frozenset(NULLABLE_DATA.get(operation.key, ()))
        assert faults(data_of(operation), data, nullable=nullable) == [], self
        return data

    def check_refusal(self, status: int, code: str | None = None) -> None:
        """The error envelope with this status (and code)."""
        assert self.status == status, self
        fields = {"success", "error", "code", "timestamp"}
        assert fields <= self.body.keys() <= fields | {"message", "errors"}, self
        assert self.body["success"] is False
        assert self.body["error"]
        assert code is None or self.body["code"] == code, self
        self._check_timestamp()

    def check_bad_fields(self, *fields: str) -> None:
        """422 with exactly one entry for each of these fields."""
        self.check_refusal(422)
        assert sorted(self.bad_fields) == sorted(fields), self
        for entry in self.body["errors"]:
            assert entry.keys() == {"field", "code", "message"}
            assert all(isinstance(text, str) and text for text in entry.values())

    def _check_timestamp(self) -> None:
        timestamp = self.body["timestamp"]
        assert isinstance(timestamp, int)
        assert abs(timestamp - time.time()) < 60


class Client:
    """One HTTP client. `as_` is an access token, or None for nobody."""

    def __init__(self, http: aiohttp.ClientSession):
        self._http = http
        self._streamed: dict[str, str | None] = {}

    async def call(
        self,
        method: str,
        path: str,
        as_: str | None = None,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        query: dict[str, Any] | None = None,
    ) -> Answer:
        raw = None if body is None else orjson.dumps(body)
        sent = {"Content-Type": "application/json"} if raw is not None else {}
        return await self.raw(method, path, as_, raw, headers=sent | (headers or {}), query=query)

    async def raw(
        self,
        method: str,
        path: str,
        as_: str | None = None,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        query: dict[str, Any] | None = None,
    ) -> Answer:
        """A call whose body is sent as it is: bytes, or an async generator of them."""
        sent = dict(headers or {})
        if as_ is not None:
            sent["Authorization"] = f"Bearer {as_}"
        async with self._http.request(method, path, data=body, headers=sent, params=query) as response:
            content = await response.read()
            is_json = content and response.content_type == "application/json"
            parsed = orjson.loads(content) if is_json else None
            streamed = _STREAMS.search(path)
            if streamed and response.ok:
                self._streamed[streamed[1]] = as_
            return Answer(response.status, response.headers, parsed, f"{method} {path}", content)

    async def end_streamed(self) -> None:
        """End the sessions that had a stream or a recording: two cores make few of them at once."""
        streamed, self._streamed = self._streamed, {}
        for session, as_ in streamed.items():
            await self.call("POST", f"/sessions/{session}/end", as_)


def connect(base_url: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        base_url, timeout=_DEADLINE, skip_auto_headers=["Content-Type"], cookie_jar=aiohttp.DummyCookieJar()
    )
