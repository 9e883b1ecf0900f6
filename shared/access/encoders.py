"""Whose an encoder is: in the room it is a connection of whoever asked for its key."""

from dataclasses import dataclass
from typing import Final, Literal

from shared.access.identity import Caller
from shared.access.session_access import AccessibleSession, acting_user

EncoderKind = Literal["whip", "ingress"]

_KINDS: Final = frozenset({"whip", "ingress"})
# The identities that `owner_of` finds an owner of, for queries of what is stored.
IDENTITY_PATTERN: Final = f"^[^:]*:({'|'.join(sorted(_KINDS))})(:|$)"


@dataclass(frozen=True)
class EncoderOwner:
    """Who asked for an encoder's key: `user_id` in the room, where an API key is the host, and `key_id`, the
    API key that they are or signed in through, if any.
    """

    user_id: str
    key_id: str | None = None

    def identity(self, kind: EncoderKind) -> str:
        """The encoder's identity in the room: `<user id>:<kind>`, or `<user id>:<kind>:<API key id>`."""
        return ":".join((self.user_id, kind, *([self.key_id] if self.key_id else [])))


def owner_for(session: AccessibleSession, caller: Caller) -> EncoderOwner:
    """The owner of the keys that the caller asks for in this session."""
    return EncoderOwner(acting_user(session, caller), caller.api_key_id or caller.via)


def owner_of(identity: str) -> EncoderOwner | None:
    """Whose encoder has this identity; None if it is no encoder's."""
    user_id, _, rest = identity.partition(":")
    kind, _, key_id = rest.partition(":")
    return EncoderOwner(user_id, key_id or None) if kind in _KINDS else None
