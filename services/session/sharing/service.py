"""Giving out a session's addresses."""

from html import escape
from urllib.parse import urlencode

from services.session.identity.signin.service import CODE_LIFETIME, SignInService
from services.session.sessions.access import SessionAccess
from services.session.sessions.presenter import HlsLinks
from services.session.sharing.schemas import ShareUrlsResponse, StudioUrlResponse
from shared.access.identity import Caller
from shared.clock import Clock


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


class SharingService:
    def __init__(
        self, access: SessionAccess, sign_in: SignInService, pages: PageUrls, hls: HlsLinks, clock: Clock
    ):
        self._access = access
        self._sign_in = sign_in
        self._pages = pages
        self._hls = hls
        self._clock = clock

    async def share(self, id: str, caller: Caller, library_id: str | None) -> ShareUrlsResponse:
        session, _ = await self._access.authorize(id, caller, library_id)
        embed_url = self._pages.embed(session.id)
        return ShareUrlsResponse(
            watch_url=self._pages.watch(session.id),
            studio_url=self._pages.studio(session.id),
            embed_url=embed_url,
            embed_html=embed_html(embed_url, session.title),
            hls_url=self._hls.url(session, caller),
        )

    async def studio(self, id: str, caller: Caller, library_id: str | None) -> StudioUrlResponse:
        """A link that signs the caller in once. Raises `NotFound`, `Forbidden`."""
        expires_at = self._clock.now() + CODE_LIFETIME
        code = await self.generate_code(id, caller, library_id)
        url = self._pages.studio(id.lower(), code=code)
        return StudioUrlResponse(studio_url=url, code=code, expires_at=expires_at)

    async def generate_code(self, id: str, caller: Caller, library_id: str | None) -> str:
        """A code that signs the caller in once, for a session they host. Raises `NotFound`, `Forbidden`."""
        session = await self._access.get_for_host(id, caller, library_id)
        return await self._sign_in.generate_code(caller, session.id)
