"""Keys that encoders publish with by WHIP: each says who asked for it, for which session and when.

They are derived, so nothing has to be stored; whether one still holds is decided at each use (see
`EncoderAccess`). One is base64url of the session's id, the owner's user id and API key id (zeros for none),
the milliseconds since 1970 when it was issued, and the HMAC-SHA-256 of these without its last two bytes.
"""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from struct import Struct
from typing import Final
from uuid import UUID

from shared.access.encoders import EncoderOwner
from shared.clock import Clock, from_unix_ms
from shared.errors import NotFound, Unauthenticated
from shared.text import pasted_key

_CONTENT: Final = Struct(">16s16s16s6s")
_NO_ID: Final = bytes(16)
_MAC_BYTES: Final = 30


def whip_server(public_url: str) -> str:
    """Where encoders publish by WHIP with a bearer token; with `/<key>` behind it they need none."""
    return f"{public_url.rstrip('/')}/whip"


@dataclass(frozen=True)
class EncoderKey:
    """A key that we issued at `issued_at`; `text` is the key itself."""

    session_id: str
    owner: EncoderOwner
    issued_at: datetime
    text: str = field(repr=False)


class EncoderKeys:
    """Replicas need the same `secret`."""

    def __init__(self, secret: str, clock: Clock):
        self._secret = hmac.digest(secret.encode(), b"greenroom encoder keys", "sha256")
        self._clock = clock

    def issue(self, session_id: str, owner: EncoderOwner) -> str:
        key_id = UUID(owner.key_id).bytes if owner.key_id else _NO_ID
        issued_at = int(self._clock.now().timestamp() * 1000).to_bytes(6)
        content = _CONTENT.pack(UUID(session_id).bytes, UUID(owner.user_id).bytes, key_id, issued_at)
        return _text(content + self._mac(content))

    def read(self, pasted: str) -> EncoderKey:
        """The key in what somebody pasted; raises `Unauthenticated` for one that we did not issue."""
        try:
            raw = urlsafe_b64decode(pasted_key(pasted).encode())
        except (binascii.Error, ValueError) as error:
            raise _unknown() from error
        content, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if len(content) != _CONTENT.size or not hmac.compare_digest(mac, self._mac(content)):
            raise _unknown()
        session, user, key, issued_at = _CONTENT.unpack(content)
        owner = EncoderOwner(str(UUID(bytes=user)), None if key == _NO_ID else str(UUID(bytes=key)))
        moment = from_unix_ms(int.from_bytes(issued_at))
        return EncoderKey(str(UUID(bytes=session)), owner, moment, _text(raw))

    def sign_connection(self, key: EncoderKey, connection_id: str) -> str:
        """The name of a connection that was made with the key, as part of a URL."""
        return f"{connection_id}.{self._signature(key, connection_id)}"

    def read_connection(self, key: EncoderKey, name: str) -> str:
        """The connection's id; raises `NotFound` for a connection that this key did not make."""
        connection_id, _, signature = name.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(key, connection_id).encode()):
            raise NotFound("There is no such connection", code="whip_connection_not_found")
        return connection_id

    def _signature(self, key: EncoderKey, connection_id: str) -> str:
        return _text(self._mac(f"{key.text} {connection_id}".encode()))

    def _mac(self, content: bytes) -> bytes:
        return hmac.digest(self._secret, content, "sha256")[:_MAC_BYTES]


def _text(raw: bytes) -> str:
    """Without padding, since the lengths are multiples of three."""
    return urlsafe_b64encode(raw).decode()


def _unknown() -> Unauthenticated:
    return Unauthenticated("This is no encoder's key", code="encoder_key_invalid")
