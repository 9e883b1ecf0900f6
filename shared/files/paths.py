"""The keys that name stored files, and signed, expiring tokens for URLs followed without credentials.

Tokens are for downloads and restricted HLS. One is `<end, in seconds since 1970, hexadecimal>.<HMAC-SHA-256,
base64url>` over the purpose, the subject and the end. It fits into one segment of a path.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from datetime import datetime

from shared.clock import Clock
from shared.errors import Forbidden, Unavailable

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

    def __init__(self, secret: str, purpose: str, clock: Clock):
        self._key = hmac.digest(secret.encode(), f"greenroom {purpose}".encode(), "sha256") if secret else b""
        self._clock = clock

    def sign(self, subject: str, expires_at: datetime) -> str:
        """Raises `Unavailable` if no secret is configured."""
        if not self._key:
            raise Unavailable("No secret is configured for signing URLs")
        end = f"{int(expires_at.timestamp()):x}"
        return f"{end}.{self._signature(subject, end)}"

    def verify(self, token: str, subject: str) -> None:
        """Raises `Forbidden` unless the token was signed for `subject` and has not expired."""
        match = _TOKEN.fullmatch(token)
        if match is None or not self._key:
            raise Forbidden("The link is not valid", code="link_invalid")
        end, signature = match.groups()
        if not hmac.compare_digest(signature, self._signature(subject, end)):
            raise Forbidden("The link is not valid", code="link_invalid")
        if int(end, 16) <= self._clock.now().timestamp():
            raise Forbidden("The link has expired; ask for a new one", code="link_expired")

    def _signature(self, subject: str, end: str) -> str:
        digest = hmac.new(self._key, f"{end}\n{subject}".encode(), hashlib.sha256).digest()
        return urlsafe_b64encode(digest).decode().rstrip("=")


def link_subject(id: str, *, registered_only: bool) -> str:
    """What the token of a link to the stream of a session, or to a file in its chat, is signed for.

    A link that was made before the library admitted registered people only does not work afterwards.
    """
    return f"{id} registered" if registered_only else id


def is_token(text: str) -> bool:
    """Whether `text` has the form of a token."""
    return _TOKEN.fullmatch(text) is not None
