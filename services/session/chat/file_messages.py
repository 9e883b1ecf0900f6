"""Messages that are files: sending one, and getting it by its link."""

from aiohttp import web

from services.session.chat.domain import ChatFile, ChatMessage
from services.session.chat.file_types import file_name
from services.session.chat.files import ChatFiles
from services.session.chat.schemas import ChatFileMessageResponse, ChatFileQuery, file_message_response
from services.session.chat.service import ChatService, check_sending
from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.session import Session
from shared.access.identity import Caller
from shared.clock import Clock
from shared.errors import FieldError, InvalidRequest, NotFound


class FileMessages:
    def __init__(self, chat: ChatService, files: ChatFiles, access: SessionAccess, clock: Clock):
        self._chat = chat
        self._files = files
        self._access = access
        self._clock = clock

    async def send(
        self, id: str, session_id: str, caller: Caller, raw: web.Request, query: ChatFileQuery
    ) -> ChatFileMessageResponse:
        """Send the request's body under the reserved `id`; what this call has sent before is answered again.

        Raises `NotFound`, `Forbidden`, `Conflict`, `InvalidRequest`, `TooLarge`, `UnsupportedMediaType`.
        """
        session = await self._open(session_id, caller)
        recipient = await self._chat.recipient(session, caller, query.recipient_id)
        sent = await self._chat.find(id)
        if sent is not None and sent.file is not None:
            return self._response(session, sent, sent.file)
        async with self._files.receive(raw) as received:
            name = file_name(query.name, raw.content_type)
            if not name:
                raise InvalidRequest([FieldError("name", "empty", "must have visible characters")])
            # The upload may have taken long.
            await self._open(session_id, caller)
            await self._files.keep(received, session_id, id)
        file = ChatFile(name=name, size=received.size, content_type=raw.content_type)
        message = ChatMessage(
            id=id,
            session_id=session_id,
            user_id=caller.user_id,
            username=caller.username,
            text=name,
            recipient=recipient,
            file=file,
            created_at=self._clock.now(),
        )
        try:
            message = await self._chat.store(message)
        except NotFound:
            # It was deleted after the same call was made before.
            await self._files.delete(session_id, id)
            raise
        return self._response(session, message, file)

    def _response(self, session: Session, message: ChatMessage, file: ChatFile) -> ChatFileMessageResponse:
        url = self._files.url(message, registered_only=session.registered_only)
        return file_message_response(message, file, url)

    async def _open(self, session_id: str, caller: Caller) -> Session:
        session, may = await self._access.authorize(session_id, caller)
        check_sending(session, allowed=may.chat_send_file)
        return session

    async def give(self, raw: web.BaseRequest, token: str, message_id: str) -> web.StreamResponse:
        """The file, for anybody with its link; raises `Forbidden`, `NotFound`."""
        message = await self._chat.find(message_id)
        session = await self._access.get_in_library(message.session_id, None) if message else None
        registered_only = session is not None and session.registered_only
        self._files.check(token, message_id, registered_only=registered_only)
        return await self._files.send(raw, message)
