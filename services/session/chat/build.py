"""The chat, put together."""

from dataclasses import dataclass

from services.session.chat.export import ChatExport
from services.session.chat.file_messages import FileMessages
from services.session.chat.files import PURPOSE, ChatFiles
from services.session.chat.repository import ChatRepository
from services.session.chat.service import ChatService
from services.session.sessions.access import SessionAccess
from services.session.settings import SessionSettings
from shared.clock import Clock
from shared.files.signed_paths import PathSigner
from shared.files.storage import Storage


@dataclass(frozen=True)
class Chat:
    service: ChatService
    file_messages: FileMessages
    export: ChatExport


def build_chat(
    settings: SessionSettings,
    messages: ChatRepository,
    access: SessionAccess,
    clock: Clock,
) -> Chat:
    signer = PathSigner(settings.internal_secret.get_secret_value(), PURPOSE, clock)
    storage = Storage.from_url(settings.storage_url, settings.storage_options)
    files = ChatFiles(storage, signer, settings.public_url, settings.chat_file_limit_bytes, clock)
    service = ChatService(messages, files, access, clock)
    return Chat(
        service=service,
        file_messages=FileMessages(service, files, access, clock),
        export=ChatExport(messages, access),
    )
