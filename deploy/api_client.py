"""Calls of a gateway's public API: each with a deadline, each refusal with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urljoin

import aiohttp
from pydantic import BaseModel, TypeAdapter, ValidationError

T = TypeVar("T")

CALL_SECONDS = 15.0
FILE_SECONDS = 60.0
REQUEST_ID = "X-Request-Id"


class InvalidField(BaseModel):
    field: str
    code: str = ""
    message: str = ""


class ApiEnvelope(BaseModel):
    """The JSON of every answer: `{"success": true, "data": …}`, or why the call was refused."""

    success: bool
    data: Any = None
    error: str = ""
    code: str = ""
    errors: list[InvalidField] = []


class CallFailed(Exception):
    """A call was refused, or not answered (`status` None): `message` and `errors` say why."""

    def __init__(
        self,
        call: str,
        *,
        status: int | None = None,
        code: str = "",
        message: str = "",
        errors: Sequence[InvalidField] = (),
        request_id: str = "",
    ) -> None:
        parts = [f"{call} failed"]
        parts += [f"with {status} {code}".rstrip()] if status is not None else []
        text = f"{' '.join(parts)}: {message or 'no reason given'}"
        text += "".join(f"\n  {bad.field}: {bad.message} ({bad.code})" for bad in errors)
        super().__init__(text + (f"\n  request id: {request_id}" if request_id else ""))
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        self.request_id = request_id


class ApiClient:
    """`token` is an access token, sent with every call that does not bring its own."""

    def __init__(self, base_url: str, client: aiohttp.ClientSession, token: str | None = None) -> None:
        self._base_url = base_url.rstrip("/")
        self._client = client
        self._token = token

    def with_token(self, token: str) -> ApiClient:
        return ApiClient(self._base_url, self._client, token)

    async def sign_in(self, email: str, password: str) -> ApiClient:
        """A client that calls as this user. Raises CallFailed."""
        data = await self.call("POST", "/auth/login", body={"email": email, "password": password})
        return self.with_token(data["access_token"])

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The answer's `data`; query parameters that are None are left out, those of a list are repeated.

        Raises CallFailed for any refusal, and if there is no answer in time.
        """
        options = {
            "headers": {**self._authorization, **(headers or {})},
            "json": body,
            "params": [(name, str(value)) for name, value in _each(query or {}) if value is not None],
        }
        response, raw = await self._request(method, self._base_url + path, CALL_SECONDS, **options)
        return _data(f"{method} {self._base_url}{path}", response, raw)

    async def read(self, kind: type[T], method: str, path: str, *, field: str = "", **options: Any) -> T:
        """The answer's `data`, or one field of it such as `room.id`, validated as `kind`; see `call`."""
        data = await self.call(method, path, **options)
        try:
            for name in field.split(".") if field else ():
                data = data[name]
            return TypeAdapter(kind).validate_python(data)
        except (ValidationError, LookupError, TypeError) as error:
            raise CallFailed(
                f"{method} {self._base_url}{path}", message=f"unexpected answer: {error}"
            ) from error

    async def fetch(self, url: str) -> bytes:
        """A file at a URL that the API gave; no token is sent. Raises CallFailed."""
        response, raw = await self._request("GET", urljoin(self._base_url, url), FILE_SECONDS)
        return raw if response.ok else _data(f"GET {url}", response, raw)

    @property
    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    async def _request(
        self, method: str, url: str, seconds: float, **options: Any
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._client.request(method, url, timeout=timeout, **options) as response:
                return response, await response.read()
        except aiohttp.ClientError as error:
            raise CallFailed(f"{method} {url}", message=str(error)) from error
        except TimeoutError as error:
            raise CallFailed(f"{method} {url}", message=f"no answer within {seconds:.0f} s") from error


def _each(query: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in query.items():
        yield from ((name, one) for one in value) if isinstance(value, list) else ((name, value),)


def _data(call: str, response: aiohttp.ClientResponse, raw: bytes) -> Any:
    request_id = response.headers.get(REQUEST_ID, "")
    try:
        envelope = ApiEnvelope.model_validate_json(raw)
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
        errors=envelope.errors,
        request_id=request_id,
    )
