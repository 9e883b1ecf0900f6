"""Chat files: received, stored, and sent to anybody with a link."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web

from services.session.chat.domain import ChatMessage
from services.session.chat.file_types import Sniffer
from shared.clock import Clock
from shared.errors import FieldError, InvalidRequest, NotFound, TooLarge
from shared.files.paths import PathSigner, link_subject
from shared.files.storage import Storage
from shared.http.bodies import body_pieces
from shared.http.files import attachment, send_file

# The purpose of the links' tokens.
PURPOSE = "chat file"
# A link lasts a day, and is the same for an hour.
_HOUR = timedelta(hours=1)
_LASTS = timedelta(hours=24)


@dataclass(frozen=True)
class Received:
    """A completely received file, for the length of the block; `size` in bytes."""

    path: Path
    size: int


class ChatFiles:
    """`largest` is in bytes."""

    def __init__(self, storage: Storage, signer: PathSigner, public_url: str, largest: int, clock: Clock):
        self._storage = storage
        self._signer = signer
        self._public_url = public_url.rstrip("/")
        self._largest = largest
        self._clock = clock

    @asynccontextmanager
    async def receive(self, raw: web.Request) -> AsyncIterator[Received]:
        """The request's body as a file on disk, never whole in memory.

        Raises `TooLarge`, `UnsupportedMediaType`, and `InvalidRequest` for an empty or a broken one.
        """
        if (raw.content_length or 0) > self._largest:
            raise self._too_large()
        sniffer = Sniffer(raw.content_type)
        with TemporaryDirectory(prefix="greenroom-chat-") as folder:
            path = Path(folder) / "file"
            size = await self._write(raw, path, sniffer)
            sniffer.finish()
            yield Received(path, size)

    async def _write(self, raw: web.Request, path: Path, sniffer: Sniffer) -> int:
        size = 0
        with path.open("wb") as file:
            async for piece in body_pieces(raw):
                size += len(piece)
                if size > self._largest:
                    raise self._too_large()
                sniffer.look(piece)
                await asyncio.to_thread(file.write, piece)
        if not size:
            empty = FieldError("body", "empty", "must not be empty")
            raise InvalidRequest([empty], "The file cannot be read")
        return size

    async def keep(self, received: Received, session_id: str, message_id: str) -> None:
        """Raises `StorageFull`, `Unavailable`."""
        await self._storage.put(_key(session_id, message_id), received.path)

    def url(self, message: ChatMessage, *, registered_only: bool) -> str:
        """Where the file is got, without credentials, for a day."""
        hour = self._clock.now().replace(minute=0, second=0, microsecond=0)
        subject = link_subject(message.id, registered_only=registered_only)
        token = self._signer.sign(subject, hour + _HOUR + _LASTS)
        return f"{self._public_url}/chat/files/{token}/{message.id}"

    def check(self, token: str, message_id: str, *, registered_only: bool) -> None:
        """Raises `Forbidden` unless the token is for this message's file and has not expired."""
        self._signer.verify(token, link_subject(message_id, registered_only=registered_only))

    async def send(self, request: web.BaseRequest, message: ChatMessage | None) -> web.StreamResponse:
        """The file, never to be shown by a browser as a page of ours. Raises `NotFound`."""
        if message is None or message.file is None:
            raise NotFound("There is no such file", code="file_not_found")
        headers = {
            "Content-Disposition": attachment(message.file.name),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, max-age=3600",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        key, kind = _key(message.session_id, message.id), message.file.content_type
        return await send_file(request, self._storage, key, content_type=kind, headers=headers)

    async def delete(self, session_id: str, message_id: str) -> None:
        await self._storage.delete([_key(session_id, message_id)])

    async def delete_session(self, session_id: str) -> None:
        """Delete all files of a session, including those without a message."""
        with suppress(NotFound):
            await self._storage.delete_folder(f"chat/{session_id}")

    def _too_large(self) -> TooLarge:
        return TooLarge(f"A file may be at most {self._largest} bytes", code="file_too_large")


def _key(session_id: str, message_id: str) -> str:
    return f"chat/{session_id}/{message_id}"
