"""LiveKit's address in the form that its clients take."""

from typing import Final
from urllib.parse import urlsplit, urlunsplit

_SCHEMES: Final = {"http": "ws", "https": "wss"}


def as_websocket(api_url: str) -> str:
    """The address of LiveKit's API as its clients write it: http becomes ws, https becomes wss."""
    parts = urlsplit(api_url)
    scheme = _SCHEMES.get(parts.scheme, parts.scheme)
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
