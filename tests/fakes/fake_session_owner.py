"""The session service's answers about sessions, for tests."""

from shared.contracts.states import SessionState
from shared.errors import Unavailable


class FakeSessionOwner:
    """`sessions` are those there are, `asked` the ids asked for; `away` while it does not answer."""

    def __init__(self) -> None:
        self.sessions: dict[str, SessionState] = {}
        self.asked: list[str] = []
        self.away = False

    async def ask(self, session_id: str) -> SessionState | None:
        self.asked.append(session_id)
        if self.away:
            raise Unavailable("away")
        return self.sessions.get(session_id)
