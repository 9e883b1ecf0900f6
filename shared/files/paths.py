"""The keys that name stored files, and signed, expiring tokens for URLs followed without credentials.

Tokens are for downloads and restricted HLS. One is `<end, in seconds since 1970, hexadecimal>.<HMAC-SHA-256,
base64url>` over the purpose, the subject and the end. It fits into one segment of a path.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from datetime import datetime

from shared.clock import Clock
from shared.errors import Forbidden
from shared.runtime.rotating_secret import RotatingSecret

LONGEST_KEY = 512

# No segment begins with a dot, so that none is `.` or `..`, and none is empty: a key never leads outside.
_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


def is_key(text: str) -> bool:
    """Whether `text` may name a stored file: parts of letters, digits, `._-`, with slashes between them."""
    return len(text) <= LONGEST_KEY and _KEY.fullmatch(text) is not None


def check_key(text: str) -> str:
    """`text` itself; raises ValueError if it is no key. Check user input with `is_key` first."""
    if not is_key(text):
        raise ValueError(f"not the key of a stored file: {text[:LONGEST_KEY]!a}")
    return text


_TOKEN = re.compile(r"([0-9a-f]{1,12})\.([A-Za-z0-9_-]{43})")


class PathSigner:
    """Tokens for one purpose, under a key derived from `secret`; services with the same secret agree."""

    def __init__(self, secret: RotatingSecret, purpose: str, clock: Clock):
        self._secret = secret.derived(f"greenroom {purpose}")
        self._clock = clock

    def sign(self, subject: str, expires_at: datetime) -> str:
        """Raises `Unavailable` if no secret is configured."""
        end = f"{int(expires_at.timestamp()):x}"
        return f"{end}.{_signature(self._secret.mac(_signed(subject, end)))}"

    def verify(self, token: str, subject: str) -> None:
        """Raises `Forbidden` unless the token was signed for `subject` and has not expired."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise Forbidden("The link is not valid", code="link_invalid")
        end, signature = match.groups()
        macs = self._secret.macs(_signed(subject, end))
        if not any(hmac.compare_digest(signature, _signature(mac)) for mac in macs):
            raise Forbidden("The link is not valid", code="link_invalid")
        if int(end, 16) <= self._clock.now().timestamp():
            raise Forbidden("The link has expired; ask for a new one", code="link_expired")


def _signed(subject: str, end: str) -> bytes:
    return f"{end}\n{subject}".encode()


def _signature(mac: bytes) -> str:
    return urlsafe_b64encode(mac).decode().rstrip("=")


def link_subject(id: str, *, registered_only: bool) -> str:
    """What the token of a link to the stream of a session, or to a file in its chat, is signed for.

    A link that was made before the library admitted registered people only does not work afterwards.
    """
    return f"{id} registered" if registered_only else id


def is_token(text: str) -> bool:
    """Whether `text` has the form of a token."""
    return _TOKEN.fullmatch(text) is not None
