"""The stable addresses of a session's pages."""

from html import escape
from urllib.parse import urlencode


class PageUrls:
    """Addresses under `public_url`, the gateway's own; a session's never change."""

    def __init__(self, public_url: str):
        self._public_url = public_url.rstrip("/")

    def watch(self, session_id: str) -> str:
        return f"{self._public_url}/watch/{session_id}"

    def embed(self, session_id: str) -> str:
        return f"{self._public_url}/embed/{session_id}"

    def studio(self, session_id: str, *, code: str | None = None) -> str:
        """The host's page; an auth `code` signs in the first visitor."""
        query = f"?{urlencode({'code': code})}" if code else ""
        return f"{self._public_url}/studio/{session_id}{query}"


def embed_html(url: str, title: str) -> str:
    """An iframe for somebody else's page."""
    return (
        f'<iframe src="{escape(url)}" title="{escape(title)}" width="1280" height="720"'
        ' style="border:0;width:100%;aspect-ratio:16/9;height:auto"'
        ' allow="autoplay; fullscreen; picture-in-picture; camera; microphone; display-capture"'
        ' allowfullscreen loading="lazy"></iframe>'
    )
