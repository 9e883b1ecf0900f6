"""The streams of a host's sessions, for the host."""

from services.egress.access.service import MediaAccess, owned_by
from services.egress.streams.domain import Stream
from services.egress.streams.repository import StreamFilter, StreamRepository
from shared.access.identity import Caller
from shared.files.stream_links import StreamLinks


class StreamDirectory:
    def __init__(self, streams: StreamRepository, access: MediaAccess, links: StreamLinks):
        self._streams = streams
        self._access = access
        self._links = links

    async def list_mine(
        self, caller: Caller, wanted: StreamFilter, *, own: bool = False, cursor: str | None, limit: int
    ) -> tuple[list[Stream], str | None]:
        """A page of the streams of the caller's sessions, for an API key of its organization's, unless its
        host's `own` are asked for.

        The newest session's first; and the cursor of the page that follows.
        """
        owner = {"host_id": caller.user_id} if own else owned_by(caller)
        return await self._streams.list_owned(owner, wanted, cursor=cursor, limit=limit)

    async def get(self, session_id: str, caller: Caller) -> Stream:
        """For who is in control of the session. Raises `NotFound`, `Forbidden`, `Unavailable`."""
        await self._access.get_for_host(session_id, caller)
        return await self._streams.get(session_id)

    def url(self, stream: Stream) -> str | None:
        """Where it plays; None while there is nothing to play."""
        return None if stream.hls_path is None else self._links.hls(stream, stream.hls_path)
