"""Keys that encoders publish with by WHIP: each says who asked for it, for which session and when.

They are derived, so nothing has to be stored; whether one still holds is decided at each use (see
`EncoderAccess`). One is base64url of the session's id, the owner's user id and API key id (zeros for none),
the milliseconds since 1970 when it was issued, and the HMAC-SHA-256 of these without its last two bytes.
"""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from struct import Struct
from typing import Final
from uuid import UUID

from shared.access.encoders import EncoderOwner
from shared.clock import Clock, from_unix_ms
from shared.errors import NotFound, Unauthenticated
from shared.runtime.rotating_secret import RotatingSecret
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

    def __init__(self, secret: RotatingSecret, clock: Clock):
        self._secret = secret.derived("greenroom encoder keys")
        self._clock = clock

    def issue(self, session_id: str, owner: EncoderOwner) -> str:
        key_id = UUID(owner.key_id).bytes if owner.key_id else _NO_ID
        issued_at = int(self._clock.now().timestamp() * 1000).to_bytes(6)
        content = _CONTENT.pack(UUID(session_id).bytes, UUID(owner.user_id).bytes, key_id, issued_at)
        return _text(content + self._secret.mac(content)[:_MAC_BYTES])

    def read(self, pasted: str) -> EncoderKey:
        """The key in what somebody pasted; raises `Unauthenticated` for one that we did not issue."""
        try:
            raw = urlsafe_b64decode(pasted_key(pasted).encode())
        except (binascii.Error, ValueError) as error:
            raise _unknown() from error
        content, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        genuine = any(hmac.compare_digest(mac, one) for one in self._macs(content))
        if len(content) != _CONTENT.size or not genuine:
            raise _unknown()
        session, user, key, issued_at = _CONTENT.unpack(content)
        owner = EncoderOwner(str(UUID(bytes=user)), None if key == _NO_ID else str(UUID(bytes=key)))
        moment = from_unix_ms(int.from_bytes(issued_at))
        return EncoderKey(str(UUID(bytes=session)), owner, moment, _text(raw))

    def sign_connection(self, key: EncoderKey, connection_id: str) -> str:
        """The name of a connection that was made with the key, as part of a URL."""
        mac = self._secret.mac(_connection(key, connection_id))[:_MAC_BYTES]
        return f"{connection_id}.{_text(mac)}"

    def read_connection(self, key: EncoderKey, name: str) -> str:
        """The connection's id; raises `NotFound` for a connection that this key did not make."""
        connection_id, _, signature = name.rpartition(".")
        signed, shown = _connection(key, connection_id), signature.encode()
        if not any(hmac.compare_digest(shown, _text(mac).encode()) for mac in self._macs(signed)):
            raise NotFound("There is no such connection", code="whip_connection_not_found")
        return connection_id

    def _macs(self, content: bytes) -> Iterator[bytes]:
        return (mac[:_MAC_BYTES] for mac in self._secret.macs(content))


def _connection(key: EncoderKey, connection_id: str) -> bytes:
    return f"{key.text} {connection_id}".encode()


def _text(raw: bytes) -> str:
    """Without padding, since the lengths are multiples of three."""
    return urlsafe_b64encode(raw).decode()


def _unknown() -> Unauthenticated:
    return Unauthenticated("This is no encoder's key", code="encoder_key_invalid")
