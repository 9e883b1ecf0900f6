"""The Chat group."""

from typing import Final

from aiohttp import web

from services.session.chat.export import CONTENT_TYPES, ChatExport
from services.session.chat.file_messages import FileMessages
from services.session.chat.file_types import FILE_TYPES
from services.session.chat.schemas import (
    ChatExportQuery,
    ChatFileMessageResponse,
    ChatFileQuery,
    ChatMessageResponse,
    ChatMessagesResponse,
    ChatQuery,
    CreateChatMessageRequest,
)
from services.session.chat.service import ChatService
from shared.http import ANONYMOUS, BEARER, HOST, READ, WRITE, Reply, Request, Routes, ok
from shared.http.files import attachment, stream

routes = Routes("Chat")

CHAT: Final = web.AppKey("chat", ChatService)
FILE_MESSAGES: Final = web.AppKey("file_messages", FileMessages)
CHAT_EXPORT: Final = web.AppKey("chat_export", ChatExport)


@routes.get("/sessions/{id}/chat", access=BEARER, scope=READ)
async def list_chat_messages(request: Request, query: ChatQuery) -> Reply[ChatMessagesResponse]:
    """Get chat messages for a session.

    Newest first: messages for everybody and the caller's direct messages. `before` is the id of a message;
    only older ones are returned. `total` counts up to 10,000 of either kind.
    """
    return Reply(await request.service(CHAT).read(request.path_id(), request.caller, query))


@routes.post("/sessions/{id}/chat", access=BEARER, scope=WRITE, status=201, idempotent=True)
async def send_chat_message(request: Request, body: CreateChatMessageRequest) -> Reply[ChatMessageResponse]:
    """Send a chat message.

    While the session is live. With a `recipient_id` it is a direct message that only sender and recipient
    see.
    """
    service, reserved = request.service(CHAT), request.reservation.id
    return Reply(await service.send(reserved, request.path_id(), request.caller, body))


@routes.delete("/sessions/{id}/chat/{message_id}", access=BEARER, scope=WRITE)
async def delete_chat_message(request: Request) -> Reply[None]:
    """Delete a chat message.

    For its author, and for chat managers who can see it. Deleting it again changes nothing.
    """
    service = request.service(CHAT)
    await service.delete(request.path_id(), request.path_id("message_id"), request.caller)
    return ok()


@routes.post(
    "/sessions/{id}/chat/files", access=BEARER, scope=WRITE, status=201, uploads=FILE_TYPES, idempotent=True
)
async def send_chat_file(request: Request, query: ChatFileQuery) -> Reply[ChatFileMessageResponse]:
    """Send a file to the chat.

    The body is the file; Content-Type must match its content. The message's text is the file's name, and it
    has a `file`.
    """
    service, reserved = request.service(FILE_MESSAGES), request.reservation.id
    return Reply(await service.send(reserved, request.path_id(), request.caller, request.raw, query))


@routes.get("/chat/files/{token}/{id}", access=ANONYMOUS, secret=("token",))
async def get_chat_file(request: Request) -> web.StreamResponse:
    """Get a file of the chat.

    The `url` of its message; it needs no credentials, and the file is always sent as a download.
    """
    token = request.raw.match_info["token"]
    return await request.service(FILE_MESSAGES).give(request.raw, token, request.path_id())


@routes.get("/sessions/{id}/chat/export", access=HOST, scope=READ)
async def export_chat(request: Request, query: ChatExportQuery) -> web.StreamResponse:
    """Export the chat.

    All messages the host sees, oldest first, as a file without an envelope. In CSV an apostrophe is before
    whatever looks like a formula. With `excel=true` it begins with a byte order mark.
    """
    session_id = request.path_id()
    pieces = await request.service(CHAT_EXPORT).export(
        session_id, request.caller, query.format, excel=query.excel
    )
    headers = {
        "Content-Type": CONTENT_TYPES[query.format],
        "Content-Disposition": attachment(f"chat-{session_id}.{query.format}"),
        "Cache-Control": "no-store",
    }
    return await stream(request.raw, pieces, headers)
