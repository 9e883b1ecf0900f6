"""The Chat group."""

from services.session.chat.schemas import (
    ChatMessageResponse,
    ChatMessagesResponse,
    ChatQuery,
    CreateChatMessageRequest,
)
from services.session.chat.service import CHAT
from shared.http import BEARER, Reply, Request, Routes, ok

routes = Routes("Chat")


@routes.get("/sessions/{id}/chat", access=BEARER)
async def list_chat_messages(request: Request, query: ChatQuery) -> Reply[ChatMessagesResponse]:
    """Get chat messages for a session.

    The newest first: what is for everybody, and direct messages that the caller wrote or got. `before` is the
    id of a message and gives older ones, however many came since. `total` counts up to 10,000 of either kind.
    """
    return Reply(await request.service(CHAT).read(request.path_id(), request.caller, query))


@routes.post("/sessions/{id}/chat", access=BEARER, status=201, idempotent=True)
async def send_chat_message(request: Request, body: CreateChatMessageRequest) -> Reply[ChatMessageResponse]:
    """Send a chat message.

    While the session is live. With a `recipient_id` it is a direct message, which those two alone ever see.
    """
    service, reserved = request.service(CHAT), request.reservation.id
    return Reply(await service.say(reserved, request.path_id(), request.caller, body))


@routes.delete("/sessions/{id}/chat/{message_id}", access=BEARER)
async def delete_chat_message(request: Request) -> Reply[None]:
    """Delete a chat message.

    By its author, or whoever manages the chat and sees it. Deleting it again changes nothing.
    """
    service = request.service(CHAT)
    await service.delete(request.path_id(), request.path_id("message_id"), request.caller)
    return ok()
