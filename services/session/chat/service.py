"""Sending, reading and deleting chat messages."""

from services.session.chat.domain import ChatMessage, Recipient
from services.session.chat.files import ChatFiles
from services.session.chat.repository import ChatRepository, History
from services.session.chat.schemas import (
    ChatMessageResponse,
    ChatMessagesResponse,
    ChatQuery,
    CreateChatMessageRequest,
    file_message_response,
    message_response,
)
from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.session import Session
from shared.access.identity import Caller
from shared.access.permissions import RolePermissions, switches_of
from shared.clock import Clock
from shared.contracts.chat_and_poll_events import ChatMessageDeleted
from shared.contracts.session_events import SessionDeleted
from shared.errors import FieldError, Forbidden, InvalidRequest, NotFound


class ChatService:
    def __init__(
        self,
        chat: ChatRepository,
        files: ChatFiles,
        access: SessionAccess,
        clock: Clock,
    ):
        self._chat = chat
        self._files = files
        self._history = History(chat)
        self._access = access
        self._clock = clock

    async def send(
        self, id: str, session_id: str, caller: Caller, body: CreateChatMessageRequest
    ) -> ChatMessageResponse:
        """Say it under the reserved `id`; raises `NotFound`, `Forbidden`, `Conflict`, `InvalidRequest`."""
        session, may = await self._access.authorize(session_id, caller)
        check_sending(session, allowed=may.chat_send_text)
        recipient = await self.recipient(session, caller, body.recipient_id)
        message = ChatMessage(
            id=id,
            session_id=session_id,
            user_id=caller.user_id,
            username=caller.username,
            text=body.message,
            recipient=recipient,
            created_at=self._clock.now(),
        )
        return message_response(await self.store(message))

    async def store(self, message: ChatMessage) -> ChatMessage:
        """Store the message; the existing one if the same call was made before."""
        if await self._chat.add(message):
            return message
        kept = await self._chat.find(message.id)
        if kept is None:
            raise _unknown()
        return kept

    async def recipient(self, session: Session, caller: Caller, user_id: str | None) -> Recipient | None:
        """Whom it is for; raises `NotFound` for those who can take no part in this session."""
        if user_id is None:
            return None
        if user_id == caller.user_id:
            raise InvalidRequest([FieldError("recipient_id", "yourself", "must be somebody else")])
        user = await self._access.get_eligible_user(session, user_id)
        return Recipient(id=user.id, username=user.username)

    async def read(self, session_id: str, caller: Caller, query: ChatQuery) -> ChatMessagesResponse:
        """What the caller sees of it; raises `NotFound`, `Forbidden`."""
        session, _ = await self._access.authorize(session_id, caller, permission="chat_receive")
        messages, total = await self._history.page(
            session_id, caller.user_id, before=query.before, skip=query.offset, limit=query.limit
        )
        return ChatMessagesResponse(
            messages=[self._shown(session, message) for message in messages],
            total=total,
            limit=query.limit,
            offset=query.offset,
        )

    def _shown(self, session: Session, message: ChatMessage) -> ChatMessageResponse:
        if message.file is None:
            return message_response(message)
        url = self._files.url(message, registered_only=session.registered_only)
        return file_message_response(message, message.file, url)

    async def find(self, id: str) -> ChatMessage | None:
        return await self._chat.find(id)

    async def delete(self, session_id: str, message_id: str, caller: Caller) -> None:
        """Delete what the caller wrote, or sees and manages; again changes nothing."""
        _, may = await self._access.authorize(session_id, caller)
        message = await self._chat.find(message_id)
        if message is None or message.session_id != session_id:
            await self._check_was_theirs(session_id, message_id, caller, may)
        elif not message.is_seen_by(caller.user_id):
            raise _unknown()
        elif not _may_delete(caller, may, message.user_id):
            raise Forbidden("Only the author and chat managers may do this", code="not_the_author")
        else:
            await self._chat.delete(message, caller.user_id, self._clock.now())

    async def _check_was_theirs(
        self, session_id: str, message_id: str, caller: Caller, may: RolePermissions
    ) -> None:
        """Raises `NotFound` unless it is a deleted message that the caller might have deleted."""
        left = await self._chat.was_deleted(message_id, session_id)
        if left is None or not _may_delete(caller, may, left["user_id"]):
            raise _unknown()
        if left["between"] and caller.user_id not in left["between"]:
            raise _unknown()

    async def apply_deletion(self, event: ChatMessageDeleted) -> None:
        """A message was deleted: removes its text, also if the deleting process died in between."""
        deletion = event.deletion
        await self._chat.clear_content(deletion.id, deletion.deleted_at)
        await self._files.delete(deletion.session_id, deletion.id)

    async def forget_session(self, event: SessionDeleted) -> None:
        """A session was deleted, and with it its chat."""
        await self._chat.forget_session(event.session.id)
        await self._files.delete_session(event.session.id)


def check_sending(session: Session, *, allowed: bool) -> None:
    """Raises `Forbidden` unless allowed, and `Conflict` unless the session is live."""
    if not switches_of(session, session.preset.settings).chat:
        raise Forbidden("Chat is disabled in this session", code="chat_disabled")
    if not allowed:
        raise Forbidden("You may not write this in the session's chat", code="not_permitted")
    session.check_live()


def _may_delete(caller: Caller, may: RolePermissions, author: str) -> bool:
    return author == caller.user_id or may.chat_manage


def _unknown() -> NotFound:
    return NotFound.of("chat_message")
