"""Starting, replacing and ending the streams of sessions as their states ask."""

from contextlib import suppress
from datetime import timedelta
from typing import Final, Protocol

import structlog
from prometheus_client import Counter

from services.egress.egresses.domain import PlannedEgress
from services.egress.egresses.service import EgressService
from services.egress.sessions.projection import EgressSessionProjection, KnownSession
from services.egress.streams.domain import Stream, StreamPart, new_stream
from services.egress.streams.repository import StreamRepository
from shared.bus import Group, on
from shared.clock import Clock
from shared.contracts.livekit_events import TrackPublished
from shared.contracts.people_and_catalog_events import LibraryEvent, LibraryUpdated, RoomUpdated
from shared.contracts.session_events import (
    SessionDeleted,
    SessionEnded,
    SessionEvent,
    SessionExpired,
    SessionStarted,
    SessionUpdated,
)
from shared.contracts.states import SessionState
from shared.egress.keys import key_of
from shared.errors import NotFound
from shared.ids import new_id

log = structlog.get_logger(__name__)

TAKEN_OVER = Counter("greenroom_stream_takeovers_total", "Streams that another egress went on with")

GROUP: Final = "egress.streams"
_STATES = (SessionStarted, SessionUpdated, SessionEnded, SessionExpired, SessionDeleted)


class StreamRecordings(Protocol):
    """The recordings that streams make."""

    async def reserve(self, key: str, session: SessionState) -> bool:
        """Start the recording that the egress `key` is to make; False if the session is being recorded."""
        ...

    async def go_on(self, broken: PlannedEgress) -> str | None:
        """The key of the egress that goes on with the recording of a broken one; None if none is to."""
        ...

    async def withdraw(self, key: str) -> None:
        """Remove a reserved recording whose egress is not planned after all."""
        ...


class StreamService:
    def __init__(
        self,
        streams: StreamRepository,
        egresses: EgressService,
        recordings: StreamRecordings,
        sessions: EgressSessionProjection,
        clock: Clock,
        *,
        retention: timedelta | None,
    ):
        """`retention` is how long HLS is kept after its session's end, None for as long as the session."""
        self._streams = streams
        self._egresses = egresses
        self._recordings = recordings
        self._sessions = sessions
        self._clock = clock
        self._retention = retention

    async def follow(self, event: SessionEvent) -> None:
        """The newest known state of the session counts, whatever the event reports."""
        await self._sessions.follow(event)
        session = event.session
        await self._apply(session.id, await self._sessions.find(session.id), session.version)

    async def reconcile(self, session_id: str) -> None:
        """Bring the stream in line with its session and its egress."""
        known = await self._sessions.ask(session_id)
        await self._apply(session_id, known, known.state.version if known else 0)
        stream = await self._streams.find(session_id)
        if stream is None or stream.current is None:
            return
        egress = await self._egresses.find(stream.current.key)
        if egress is not None:
            await self.observe(egress)
        else:
            await self._streams.change(session_id, lambda one: one.abandon(self._clock.now()))

    async def _apply(self, session_id: str, known: KnownSession | None, version: int) -> None:
        if known is None or known.over:
            await self._end(session_id, version, deleted=known is None or known.deleted)
        elif known.live and known.state.stream.wanted:
            await self._ensure(known.state)
        elif known.live:
            await self._stop(known.state)

    async def _stop(self, session: SessionState) -> None:
        """End the stream of a session that goes on, with the recording that its part makes."""
        if await self._streams.find(session.id) is None:
            return
        stream = await self._streams.change(
            session.id, lambda one: one.stop(session.version, self._clock.now())
        )
        if stream.current is not None and not stream.wanted:
            await self._egresses.stop(stream.current.key)

    async def _end(self, session_id: str, version: int, *, deleted: bool) -> None:
        now = self._clock.now()
        retention = timedelta() if deleted else self._retention
        remove_at = None if retention is None else now + retention
        with suppress(NotFound):
            await self._streams.change(session_id, lambda stream: stream.cancel(version, now, remove_at))
        await self._egresses.stop_all(session_id)

    async def _ensure(self, session: SessionState) -> None:
        """Have the session's stream run; an ended part is replaced if it is asked for again."""
        stream = await self._streams.ensure(new_stream(session, self._clock.now()))
        ended_key = await self._ended_part(stream)
        part = StreamPart(key=key_of(new_id()), file=False)
        if stream.needs_part(session, ended_key):
            part.file = session.stream.record and await self._recordings.reserve(part.key, session)
        stream = await self._streams.change(
            session.id, lambda one: one.follow(session, part, ended_key, self._clock.now())
        )
        await self._carry_out(stream, part)
        if stream.recording_key is not None:
            await self._record_beside(session, stream.recording_key)

    async def _record_beside(self, session: SessionState, key: str) -> None:
        """Record a session whose stream runs without a recording: the stream is not touched for that."""
        if await self._recordings.reserve(key, session):
            await self._egresses.plan(key, session.id, stream=False, file=True)
        await self._streams.change(session.id, lambda one: one.recording_begun(key))

    async def _carry_out(
        self, stream: Stream, part: StreamPart, replaces: PlannedEgress | None = None
    ) -> None:
        """Plan the current part: `part`, unless another call was faster."""
        current = stream.current
        if current is None:
            return
        if part.file and current.key != part.key:
            await self._recordings.withdraw(part.key)
        await self._egresses.plan(current.key, stream.id, stream=True, file=current.file, replaces=replaces)
        if not (await self._streams.get(stream.id)).wanted:
            # It was stopped meanwhile, perhaps before there was anything planned to be stopped.
            await self._egresses.stop(current.key)

    async def _ended_part(self, stream: Stream) -> str | None:
        """The key of the current part, if its egress is over, or was asked to end and soon is."""
        if stream.current is None:
            return None
        egress = await self._egresses.find(stream.current.key)
        return egress.id if egress is not None and (egress.over or not egress.wanted) else None

    async def release_file(self, key: str, session_id: str) -> None:
        """End the recording that this part makes; the stream goes on without one."""
        part = StreamPart(key=key_of(new_id()), file=False)
        stream = await self._streams.change(session_id, lambda one: one.replace(part, key, self._clock.now()))
        if stream.wanted:
            await self._carry_out(stream, part)

    async def revive(self, event: TrackPublished) -> None:
        """LiveKit's egress ends by itself some time after the last track ended: start again with the next."""
        stream = await self._streams.find(event.session_id)
        if stream is None or not stream.wanted:
            return
        ended_key = await self._ended_part(stream)
        known = await self._sessions.find(event.session_id)
        if ended_key is None or known is None or not known.live:
            return
        part = StreamPart(key=key_of(new_id()), file=False)
        part.file = known.state.stream.record and await self._recordings.reserve(part.key, known.state)
        stream = await self._streams.change(
            stream.id, lambda one: one.replace(part, ended_key, self._clock.now())
        )
        log.info("stream.revived", session_id=stream.id)
        await self._carry_out(stream, part)

    async def observe(self, egress: PlannedEgress) -> None:
        """Apply the state of an egress; the current one is replaced if it broke off."""
        if not egress.stream:
            return
        now = self._clock.now()
        stream = await self._streams.change(egress.session_id, lambda stream: stream.observe(egress, now))
        if egress.broke_off and stream.wanted and stream.current and stream.current.key == egress.id:
            await self._take_over(stream, egress)

    async def _take_over(self, stream: Stream, broken: PlannedEgress) -> None:
        known = await self._sessions.find(stream.id)
        if known is None or not known.live:
            return
        key = await self._recordings.go_on(broken) if broken.file else None
        part = StreamPart(key=key or key_of(new_id()), file=key is not None)
        stream = await self._streams.change(
            stream.id, lambda one: one.take_over(part, broken, self._clock.now())
        )
        TAKEN_OVER.inc()
        log.warning("stream.taken_over", session_id=stream.id, broken=broken.egress_id, error=broken.error)
        await self._carry_out(stream, part, broken)

    async def follow_library(self, event: LibraryEvent) -> None:
        await self._streams.follow_library(event.library)

    async def follow_room(self, event: RoomUpdated) -> None:
        await self._streams.follow_room(event.room)


def stream_group(streams: StreamService) -> Group:
    """The states of sessions, the tracks in their rooms, and which libraries and rooms are public."""
    handlers = dict(on(event, streams.follow) for event in _STATES)
    others = dict(
        [
            on(TrackPublished, streams.revive),
            on(LibraryUpdated, streams.follow_library),
            on(RoomUpdated, streams.follow_room),
        ]
    )
    return Group(GROUP, handlers | others)
