"""Calls of the gateway: one at a time, each with a deadline, each refusal with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urljoin

import aiohttp
from pydantic import BaseModel, ValidationError

from deploy.demo.errors import CallFailed

M = TypeVar("M", bound=BaseModel)

CALL_SECONDS = 15.0
FILE_SECONDS = 60.0
REQUEST_ID = "X-Request-Id"


class Http:
    """JSON in the API's envelope: `{"success": true, "data": …}`."""

    def __init__(self, base_url: str, client: aiohttp.ClientSession) -> None:
        self._base_url = base_url.rstrip("/")
        self._client = client

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """The answer's `data`. Raises CallFailed for any refusal, and where nobody answers in time."""
        call = f"{method} {self._base_url}{path}"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            async with self._client.request(
                method,
                self._base_url + path,
                headers=headers,
                json=body,
                params=query,
                timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
            ) as response:
                return _data(call, response, await response.read())
        except aiohttp.ClientError as error:
            raise CallFailed(call, message=str(error)) from error
        except TimeoutError as error:
            raise CallFailed(call, message=f"no answer within {CALL_SECONDS:.0f} s") from error

    async def fetch(self, url: str) -> bytes:
        """A file at an address of the gateway's own. Raises CallFailed."""
        call = f"GET {url}"
        try:
            timeout = aiohttp.ClientTimeout(total=FILE_SECONDS)
            async with self._client.get(urljoin(self._base_url, url), timeout=timeout) as response:
                raw = await response.read()
                return raw if response.ok else _data(call, response, raw)
        except aiohttp.ClientError as error:
            raise CallFailed(call, message=str(error)) from error
        except TimeoutError as error:
            raise CallFailed(call, message=f"not here within {FILE_SECONDS:.0f} s") from error

    async def read(self, model: type[M], method: str, path: str, **options: Any) -> M:
        """The answer's `data` as `model`; see `call`."""
        data = await self.call(method, path, **options)
        try:
            return model.model_validate(data)
        except ValidationError as error:
            raise CallFailed(
                f"{method} {self._base_url}{path}", message=f"unexpected answer: {error}"
            ) from error


def _data(call: str, response: aiohttp.ClientResponse, raw: bytes) -> Any:
    request_id = response.headers.get(REQUEST_ID, "")
    try:
        envelope = Envelope.model_validate_json(raw)
    except ValidationError as error:
        text = raw[:200].decode(errors="replace")
        raise CallFailed(
            call, status=response.status, message=f"not our JSON: {text!r}", request_id=request_id
        ) from error
    if envelope.success and response.ok:
        return envelope.data
    raise CallFailed(
        call,
        status=response.status,
        code=envelope.code,
        message=envelope.error,
        errors=[f"{bad.field}: {bad.message} ({bad.code})" for bad in envelope.errors],
        request_id=request_id,
    )


class BadField(BaseModel):
    field: str
    code: str = ""
    message: str = ""


class Envelope(BaseModel):
    """What surrounds every answer."""

    success: bool
    data: Any = None
    error: str = ""
    code: str = ""
    errors: list[BadField] = []
