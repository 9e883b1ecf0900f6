"""The documentation page, served from the package: it calls no other host."""

import asyncio
import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from aiohttp import web

from services.gateway.routing.target import RequestTarget, no_such_path
from shared.http.pages import PAGE_HEADERS
from shared.http.reply import etag_matches

_WEB: Final = Path(__file__).parent / "web"
_VENDOR: Final = _WEB / "vendor" / "swagger-ui"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
}
# Swagger UI sets style attributes; scripts and calls are to ourselves alone.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Asset:
    body: bytes
    content_type: str

    @cached_property
    def packed(self) -> bytes:
        return gzip.compress(self.body, mtime=0)

    @cached_property
    def etag(self) -> str:
        return f'W/"{hashlib.sha256(self.body).hexdigest()[:32]}"'


class Pages:
    """/ and /docs with what it needs."""

    def __init__(self, assets: dict[str, Asset]):
        self._assets = assets

    @classmethod
    def from_files(cls) -> "Pages":
        """Reads what the package carries, about 2 MB."""
        files = [
            _WEB / "docs.html",
            _WEB / "docs.js",
            _VENDOR / "swagger-ui-bundle.js",
            _VENDOR / "swagger-ui.css",
            _VENDOR / "favicon-32x32.png",
        ]
        return cls({file.name: Asset(file.read_bytes(), _TYPES[file.suffix]) for file in files})

    async def root(self, _: web.BaseRequest, __: RequestTarget) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "/docs"})

    async def docs(self, request: web.BaseRequest, _: RequestTarget) -> web.StreamResponse:
        return await _serve(request, self._assets["docs.html"])

    async def asset(self, request: web.BaseRequest, target: RequestTarget) -> web.StreamResponse:
        found = self._assets.get(target.segments[1])
        if found is None:
            raise no_such_path(target.path)
        return await _serve(request, found)


async def _serve(request: web.BaseRequest, asset: Asset) -> web.Response:
    headers = {
        **PAGE_HEADERS,
        "Content-Type": asset.content_type,
        "ETag": asset.etag,
        "Cache-Control": "no-cache",
        "Content-Security-Policy": POLICY,
        "Vary": "Accept-Encoding",
    }
    if etag_matches(request.headers.getall("If-None-Match", ()), asset.etag):
        return web.Response(status=304, headers=headers)
    if any("gzip" in line for line in request.headers.getall("Accept-Encoding", ())):
        # In a thread: the first time it takes 0.1 s.
        packed = await asyncio.to_thread(getattr, asset, "packed")
        return web.Response(body=packed, headers=headers | {"Content-Encoding": "gzip"})
    return web.Response(body=asset.body, headers=headers)
