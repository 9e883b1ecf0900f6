"""Which events the chat follows."""

from collections.abc import Sequence

from services.session.chat.service import ChatService
from shared.bus import Reaction, on
from shared.contracts.chat_and_poll_events import ChatMessageDeleted
from shared.contracts.session_events import SessionDeleted


def reactions(chat: ChatService) -> Sequence[Reaction]:
    return [on(SessionDeleted, chat.forget_session), on(ChatMessageDeleted, chat.take_down)]
