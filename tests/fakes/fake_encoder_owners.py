"""The session service's answers about encoders, for tests."""

from datetime import datetime

from shared.access.encoders import EncoderOwner
from shared.errors import Unavailable


class FakeEncoderOwners:
    """All may send but those `refused`; `away` while it does not answer."""

    def __init__(self) -> None:
        self.refused: set[EncoderOwner | None] = set()
        self.away = False

    async def may_send(self, session_id: str, owner: EncoderOwner | None, asked_at: datetime | None) -> bool:
        del session_id, asked_at
        if self.away:
            raise Unavailable("away")
        return owner not in self.refused
