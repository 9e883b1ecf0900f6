"""The body of a request while it is received: bounded in size and in time."""

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Final, TypeAlias

from aiohttp import web

from services.gateway.http.client_pace import ClientPace
from shared.errors import AppError, TooLarge

# So much of a body is read before a service is asked, so that slow clients hold none of its connections.
BUFFERED: Final = 64 * 1024

# A whole body, one that is still being received, or none.
Payload: TypeAlias = bytes | AsyncIterator[bytes] | None


class BadRequest(AppError):
    status = 400
    code = "bad_request"


class RequestTimeout(AppError):
    """408: the client did not send its body in time."""

    status = 408
    code = "request_timeout"


class ClientGone(AppError):
    """499, for log and metrics: the client closed the connection before it was answered."""

    status = 499
    code = "client_gone"


class RequestBody:
    """Read once, by `payload()`. `failure` is what went wrong on the client's side, if anything.

    `seconds`: how long the client may keep us waiting for it. `deadline` is the service's, and paused
    meanwhile.
    """

    def __init__(self, request: web.BaseRequest, *, limit: int, seconds: float):
        self.failure: AppError | None = None
        self.deadline: PausableDeadline | None = None
        self._request = request
        self._content = request.content
        self._limit = limit
        self._pace = ClientPace(seconds)
        self._whole: bytes | None = None

    async def whole(self) -> bytes:
        """All of it, for those who must look into it; `payload` gives it again."""
        payload = await self.payload()
        if not isinstance(payload, bytes):
            payload = b"" if payload is None else b"".join([piece async for piece in payload])
        self._whole = payload
        return payload

    async def payload(self) -> Payload:
        """The body to forward; raises `TooLarge`, `RequestTimeout`, `BadRequest`."""
        if self._whole is not None:
            return self._whole
        if not self._request.body_exists:
            return None
        declared = self._request.content_length
        if declared is not None and declared > self._limit:
            raise self._too_large()
        await self._invite()
        pieces = self._pieces()
        read, size = [], 0
        async for piece in pieces:
            read.append(piece)
            size += len(piece)
            if size > BUFFERED:
                return _joined(read, pieces)
        return b"".join(read)

    async def _pieces(self) -> AsyncIterator[bytes]:
        size = 0
        while piece := await self._piece():
            size += len(piece)
            self._pace.moved(len(piece))
            if size > self._limit:
                self.failure = self._too_large()
                raise self.failure
            yield piece

    async def _piece(self) -> bytes:
        """The next piece, empty at the end."""
        if self.deadline is not None:
            self.deadline.pause()
        try:
            return await self._pace.wait(self._content.readany())
        except TimeoutError:
            self.failure = RequestTimeout("The body did not arrive in time")
        except ConnectionError:
            self.failure = ClientGone("The client went away")
        except (web.RequestPayloadError, ValueError):
            self.failure = BadRequest("The body is not framed as announced", code="body_malformed")
        finally:
            if self.deadline is not None:
                self.deadline.restart()
        raise self.failure

    async def _invite(self) -> None:
        """Tell a client that asked first (Expect: 100-continue) to send the body."""
        if self._request.headers.get("Expect", "").lower() != "100-continue":
            return
        writer = self._request.writer
        await writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        writer.output_size = 0  # nothing of the answer itself is sent yet

    def _too_large(self) -> TooLarge:
        return TooLarge(f"The body is larger than {self._limit} bytes")


async def _joined(read: list[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield b"".join(read)
    async for piece in rest:
        yield piece


class PausableDeadline:
    """As a context, raises `TimeoutError` when `seconds` passed since it was last restarted."""

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(seconds)
        self._running = False

    async def __aenter__(self) -> "PausableDeadline":
        await self._timeout.__aenter__()
        self._running = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running = False
        await self._timeout.__aexit__(kind, error, trace)

    def restart(self) -> None:
        self._set(self._loop.time() + self._seconds)

    def pause(self) -> None:
        """Until the next `restart`."""
        self._set(None)

    def _set(self, when: float | None) -> None:
        # A body may still be read when the service has answered.
        if self._running and not self._timeout.expired():
            self._timeout.reschedule(when)
