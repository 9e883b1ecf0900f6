"""The chat, built."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.session.chat.export import ChatExport
from services.session.chat.file_messages import FileMessages
from services.session.chat.files import PURPOSE, ChatFiles
from services.session.chat.repository import ChatRepository
from services.session.chat.service import ChatService
from services.session.sessions.access import SessionAccess
from shared.bus import EventHandler, on
from shared.clock import Clock
from shared.contracts.chat_and_poll_events import ChatMessageDeleted
from shared.contracts.session_events import SessionDeleted
from shared.files.paths import PathSigner
from shared.files.storage import Storage
from shared.runtime.rotating_secret import RotatingSecret


class ChatSettings(Protocol):
    public_url: str
    chat_file_limit_bytes: int

    @property
    def internal_signing(self) -> RotatingSecret: ...


@dataclass(frozen=True)
class Chat:
    service: ChatService
    file_messages: FileMessages
    export: ChatExport

    @property
    def event_handlers(self) -> Sequence[EventHandler]:
        return [
            on(SessionDeleted, self.service.forget_session),
            on(ChatMessageDeleted, self.service.apply_deletion),
        ]


def build_chat(
    settings: ChatSettings, storage: Storage, messages: ChatRepository, access: SessionAccess, clock: Clock
) -> Chat:
    signer = PathSigner(settings.internal_signing, PURPOSE, clock)
    files = ChatFiles(storage, signer, settings.public_url, settings.chat_file_limit_bytes, clock)
    service = ChatService(messages, files, access, clock)
    return Chat(service, FileMessages(service, files, access, clock), ChatExport(messages, access))
