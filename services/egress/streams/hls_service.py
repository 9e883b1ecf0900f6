"""Serving HLS: playlists built from records, segments from the storage, and who may have them."""

from typing import Final

from aiohttp import web

from services.egress.streams.domain import Stream
from services.egress.streams.livekit_playlists import LiveKitPlaylist, read, whole, window
from services.egress.streams.playlists import Opening, media_playlist
from services.egress.streams.repository import StreamRepository
from services.egress.streams.segments import StreamSegments
from shared.contracts.states import StreamStatus
from shared.egress.keys import FULL_PLAYLIST, LIVE_PLAYLIST, segments_prefix
from shared.errors import Forbidden, NotFound
from shared.files.keys import is_key
from shared.files.signed_paths import PathSigner, is_token
from shared.files.storage import Storage
from shared.http.files import send_file
from shared.ids import is_id
from shared.runtime.ttl_cache import TtlCache

PLAYLIST_TYPE: Final = "application/vnd.apple.mpegurl"
_TYPES: Final = {"ts": "video/mp2t", "m4s": "video/iso.segment", "mp4": "video/mp4", "m3u8": PLAYLIST_TYPE}
_OPEN: Final = {"Access-Control-Allow-Origin": "*"}
_SHORT: Final = {"Cache-Control": "public, max-age=1", **_OPEN}
_FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable", **_OPEN}

# A playlist changes every two seconds or so, and the whole of it may be long; a stream's access follows its
# library's within a second.
_WINDOW_KEPT, _WHOLE_KEPT = 0.5, 2.0
_STREAM_KEPT = 1.0
_COMPRESSED_FROM = 4096


class HlsService:
    def __init__(
        self,
        streams: StreamRepository,
        segments: StreamSegments,
        storage: Storage,
        links: PathSigner,
        *,
        seconds: int,
        from_records: bool,
    ):
        """`seconds` is how long segments are meant to be; not `from_records`: the engine wrote playlists."""
        self._streams = streams
        self._segments = segments
        self._storage = storage
        self._links = links
        self._seconds = seconds
        self._from_records = from_records
        self._playlists: dict[str, TtlCache[str]] = {
            LIVE_PLAYLIST: TtlCache(_WINDOW_KEPT),
            FULL_PLAYLIST: TtlCache(_WHOLE_KEPT),
        }
        self._known: TtlCache[Stream | None] = TtlCache(_STREAM_KEPT)

    async def send(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """What lies at `/hls/<path>`. Raises `NotFound`, `Forbidden`, `Unavailable`."""
        token, session_id, rest = _split(path)
        if token is not None:
            self._links.verify(token, session_id)
        stream = await self._known.get(session_id, lambda: self._streams.find(session_id))
        if stream is None:
            raise _nothing()
        if token is None and not stream.listed:
            raise Forbidden("This stream needs a signed link", code="link_required")
        if rest in self._playlists:
            text = await self._playlists[rest].get(session_id, lambda: self._playlist(stream, rest))
            return _playlist_response(text)
        return await self._file(request, stream, rest)

    async def _file(self, request: web.BaseRequest, stream: Stream, rest: str) -> web.StreamResponse:
        key = rest.partition("/")[0]
        kind = _TYPES.get(rest.rpartition(".")[2])
        if kind is None or not any(part.key == key for part in stream.parts):
            raise _nothing()
        headers = _SHORT if kind == PLAYLIST_TYPE else _FOREVER
        return await send_file(
            request, self._storage, f"hls/{stream.id}/{rest}", content_type=kind, headers=headers
        )

    async def _playlist(self, stream: Stream, name: str) -> str:
        if not self._from_records:
            return await self._written(stream, name)
        whole = name == FULL_PLAYLIST
        if whole:
            segments, opening = await self._segments.all(stream), Opening()
        else:
            segments, opening = await self._segments.window(stream)
        if not segments:
            raise _nothing()
        ended = stream.status is StreamStatus.ENDED
        return media_playlist(segments, opening=opening, ended=ended, seconds=self._seconds, whole=whole)

    async def _written(self, stream: Stream, name: str) -> str:
        """LiveKit's own playlists of all parts in one; a live one needs the full ones of the parts before."""
        names = [FULL_PLAYLIST] * (len(stream.parts) - 1) + [name]
        keys = [part.key for part in stream.parts]
        parts = [await self._read(stream.id, key, which) for key, which in zip(keys, names, strict=False)]
        if not any(part.entries for part in parts):
            raise _nothing()
        ended = stream.status is StreamStatus.ENDED
        if name == FULL_PLAYLIST:
            return whole(parts, ended=ended)
        return window(parts[:-1], parts[-1], ended=ended)

    async def _read(self, session_id: str, key: str, name: str) -> LiveKitPlaylist:
        """An egress that never began, or has not yet, wrote none."""
        try:
            text = await self._storage.get(f"{segments_prefix(session_id, key)}/{name}")
        except NotFound:
            return LiveKitPlaylist()
        return read(text.decode(), key)


def _split(path: str) -> tuple[str | None, str, str]:
    """The token, if there is one, the session's id, and what is asked for. Raises `NotFound`."""
    first, _, rest = path.partition("/")
    token = first if is_token(first) else None
    session_id, _, rest = rest.partition("/") if token else (first, "", rest)
    if not is_id(session_id) or not is_key(rest):
        raise _nothing()
    return token, session_id.lower(), rest


def _nothing() -> NotFound:
    return NotFound("There is no such stream", code="stream_not_found")


def _playlist_response(text: str) -> web.Response:
    response = web.Response(text=text, content_type=PLAYLIST_TYPE, headers=_SHORT)
    if len(text) > _COMPRESSED_FROM:
        response.enable_compression()
    return response


HLS: Final = web.AppKey("hls", HlsService)
