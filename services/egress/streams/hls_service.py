"""The HLS of streams: who may have it, which playlist it is, or which stored file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from services.egress.sessions.projection import EgressSessionProjection
from services.egress.streams.domain import Stream
from services.egress.streams.repository import StreamRepository
from shared.contracts.states import StreamStatus
from shared.egress.keys import FULL_PLAYLIST, LIVE_PLAYLIST, preview_key, segments_prefix
from shared.egress.segments import Segment
from shared.errors import Forbidden, NotFound
from shared.files.paths import PathSigner, is_key, is_token, link_subject
from shared.files.storage import Storage
from shared.ids import is_id
from shared.runtime.ttl_cache import TtlCache

PLAYLIST_TYPE: Final = "application/vnd.apple.mpegurl"
_TYPES: Final = {"ts": "video/mp2t", "m4s": "video/iso.segment", "mp4": "video/mp4", "m3u8": PLAYLIST_TYPE}

# Seconds. A playlist changes every two seconds or so, and the whole of it may be long; access to a stream
# follows its library's visibility within a second.
_WINDOW_TTL, _WHOLE_TTL = 0.5, 2.0
_STREAM_TTL = 1.0


class PlaylistSource(Protocol):
    """Where the playlists of streams come from: records of segments, or playlists that the engine wrote."""

    async def playable(self, session_id: str, key: str) -> bool:
        """Whether the egress has something to play. Raises `Unavailable`."""
        ...

    async def output(self, session_id: str, key: str) -> tuple[Sequence[Segment], int]:
        """The last few segments of the egress, and how many it has made. Raises `Unavailable`."""
        ...

    async def playlist(self, stream: Stream, name: str) -> str | None:
        """The playlist of this name over all parts of the stream; None if there is nothing to play yet."""
        ...


@dataclass(frozen=True)
class HlsFile:
    """A stored file: its storage key and its content type."""

    key: str
    content_type: str


class HlsService:
    def __init__(
        self,
        streams: StreamRepository,
        sessions: EgressSessionProjection,
        source: PlaylistSource,
        storage: Storage,
        links: PathSigner,
    ):
        self.storage = storage
        self._streams = streams
        self._sessions = sessions
        self._source = source
        self._links = links
        self._playlists: dict[str, TtlCache[str]] = {
            LIVE_PLAYLIST: TtlCache(_WINDOW_TTL),
            FULL_PLAYLIST: TtlCache(_WHOLE_TTL),
        }
        self._known: TtlCache[Stream | None] = TtlCache(_STREAM_TTL)

    async def find(self, path: str) -> str | HlsFile:
        """The playlist or file at `/hls/<path>`. Raises `NotFound`, `Forbidden`, `Unavailable`."""
        token, session_id, rest = _split(path)
        stream = await self._authorize(session_id, token)
        if rest in self._playlists:
            return await self._playlists[rest].get(session_id, lambda: self._playlist(stream, rest))
        return _file(stream, rest)

    async def preview(self, session_id: str, token: str | None) -> str:
        """The storage key of the stream's latest picture, while it is live. Raises as `find`."""
        stream = await self._authorize(session_id, token)
        if stream.status is not StreamStatus.ACTIVE or stream.current is None:
            raise NotFound.of("preview")
        return preview_key(segments_prefix(stream.id, stream.current.key))

    async def _authorize(self, session_id: str, token: str | None) -> Stream:
        """The stream, if it is open to all or the token is for it."""
        stream = await self._known.get(session_id, lambda: self._stream(session_id))
        if token is not None:
            registered_only = bool(stream and stream.registered_only)
            self._links.verify(token, link_subject(session_id, registered_only=registered_only))
        if stream is None:
            raise _not_found()
        if token is None and not stream.open_to_all:
            raise Forbidden("This stream needs a signed link", code="link_required")
        return stream

    async def _stream(self, session_id: str) -> Stream | None:
        stream = await self._streams.find(session_id)
        if stream is not None and stream.registered_only is None:
            session = await self._sessions.find(session_id)
            stream.registered_only = session is None or session.state.registered_only
        return stream

    async def _playlist(self, stream: Stream, name: str) -> str:
        text = await self._source.playlist(stream, name)
        if text is None:
            raise _not_found()
        return text


def _file(stream: Stream, rest: str) -> HlsFile:
    key = rest.partition("/")[0]
    content_type = _TYPES.get(rest.rpartition(".")[2])
    if content_type is None or not any(part.key == key for part in stream.parts):
        raise _not_found()
    return HlsFile(f"hls/{stream.id}/{rest}", content_type)


def _split(path: str) -> tuple[str | None, str, str]:
    """The token, if there is one, the session's id, and the name of the file. Raises `NotFound`."""
    first, _, rest = path.partition("/")
    token = first if is_token(first) else None
    session_id, _, rest = rest.partition("/") if token else (first, "", rest)
    if not is_id(session_id) or not is_key(rest):
        raise _not_found()
    return token, session_id.lower(), rest


def _not_found() -> NotFound:
    return NotFound.of("stream")
