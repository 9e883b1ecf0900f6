"""The stream of a session: the egresses that make it, and what there is to play. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.egress.egresses.domain import PlannedEgress
from shared.contracts.event import Event
from shared.contracts.states import SessionState, StreamState, StreamStatus
from shared.contracts.stream_and_recording_events import StreamChanged
from shared.egress.engine import EgressStatus
from shared.egress.keys import FULL_PLAYLIST, LIVE_PLAYLIST
from shared.egress.problems import EgressProblem

_STATUS = {
    EgressStatus.STARTING: StreamStatus.STARTING,
    EgressStatus.ACTIVE: StreamStatus.ACTIVE,
    EgressStatus.ENDING: StreamStatus.ENDING,
}


@dataclass(kw_only=True)
class StreamPart:
    """One egress of the stream; `file`: it makes a recording as well.

    When it was planned, started, and had something to play; parts of earlier releases do not say.
    """

    key: str
    file: bool
    planned_at: datetime | None = None
    started_at: datetime | None = None
    playable_at: datetime | None = None


@dataclass(kw_only=True)
class Stream:
    """`id` is the session's. `parts` are its egresses, the oldest first; the last is the current one.

    `session_version` is the newest state of the session that was applied, `attempt` the newest request.
    `record`: with a recording, which the part makes, or, if the part ran already, an egress of its own;
    `recording_key` is the key of such a one while it is not planned yet. `remove_at` is when its files are
    deleted; without it they stay. `started_at` and `ended_at` are those of its latest run, since it may be
    stopped and started again. `room_version` is the newest state of the room that was applied: whether it is
    `unlisted`, so that it is not `listed` whatever the library is. `room_id`, `host_id` and `registered_only`
    are None if an earlier release stored it, which did not know. `broke_off_at` is when a part before broke
    off, and `broke_off_error` why the last did, until the current one has something to play.
    """

    id: str
    version: int = 1
    organization_id: str
    library_id: str
    room_id: str | None = None
    host_id: str | None = None
    listed: bool
    unlisted: bool = False
    room_version: int = 0
    registered_only: bool | None = None
    session_version: int = 0
    wanted: bool = False
    attempt: int = 0
    record: bool = False
    recording_key: str | None = None
    parts: list[StreamPart] = field(default_factory=list)
    status: StreamStatus = StreamStatus.NONE
    hls_path: str | None = None
    error: str | None = None
    broke_off_at: datetime | None = None
    broke_off_error: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    remove_at: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def open_to_all(self) -> bool:
        """Whether it plays without a signed link."""
        return self.listed and not self.registered_only

    @property
    def current(self) -> StreamPart | None:
        return self.parts[-1] if self.parts else None

    def needs_part(self, session: SessionState, ended_key: str | None) -> bool:
        """Whether this state of the session asks for another egress; `ended_key` is that of an ended part."""
        newer = session.stream.attempt > self.attempt or not self.wanted
        return session.version >= self.session_version and newer and self._may_begin(ended_key)

    def _may_begin(self, ended_key: str | None) -> bool:
        return self.current is None or self.current.key == ended_key

    def follow(
        self, session: SessionState, part: StreamPart, ended_key: str | None, now: datetime
    ) -> Sequence[Event]:
        """Apply a state of the session that wants a stream; `part` is begun if one is needed."""
        if session.version < self.session_version:
            return []
        begin = self.needs_part(session, ended_key)
        self.session_version = session.version
        self.listed, self.unlisted = session.listed, session.unlisted
        self.registered_only = session.registered_only if session.complete else None
        self.room_id, self.host_id = session.room_id, session.host_id
        if begin and not self.wanted:
            self.started_at = None
        self.attempt, self.wanted = max(self.attempt, session.stream.attempt), True
        if session.stream.record and not begin and not self.record:
            self.recording_key = part.key
        self.record = session.stream.record
        return self._begin(part, now) if begin else []

    def recording_begun(self, key: str) -> Sequence[Event]:
        """The recording beside the part is planned, or there is one already."""
        if self.recording_key == key:
            self.recording_key = None
        return []

    def replace(self, part: StreamPart, key: str, now: datetime) -> Sequence[Event]:
        """Replace the part with this `key` by another, if it is still the current one."""
        if not self.wanted or not self._may_begin(key):
            return []
        return self._begin(part, now)

    def take_over(self, part: StreamPart, broken: PlannedEgress, now: datetime) -> Sequence[Event]:
        """Replace a part that broke off, if it is still the current one."""
        if not self.wanted or not self._may_begin(broken.id):
            return []
        self.broke_off_at = self.broke_off_at or broken.last_alive_at or now
        self.broke_off_error = broken.error
        return self._begin(part, now)

    def _begin(self, part: StreamPart, now: datetime) -> Sequence[Event]:
        self.parts = [*self.parts, part]
        self.status, self.error, self.ended_at = StreamStatus.STARTING, None, None
        self.updated_at = now
        return self._changed()

    def cancel(self, session_version: int, now: datetime, remove_at: datetime | None) -> Sequence[Event]:
        """The session is over."""
        self.session_version = max(self.session_version, session_version)
        self.remove_at = remove_at
        return self._wind_down(now)

    def stop(self, session_version: int, now: datetime) -> Sequence[Event]:
        """The session goes on without a stream, unless a newer state of it was applied."""
        if session_version < self.session_version:
            return []
        self.session_version, self.record, self.recording_key = session_version, False, None
        return self._wind_down(now)

    def _wind_down(self, now: datetime) -> Sequence[Event]:
        """Want it no longer: it is over once its egress is; one that has failed is already."""
        self.wanted = False
        if self.status in {StreamStatus.STARTING, StreamStatus.ACTIVE}:
            self.status, self.updated_at = StreamStatus.ENDING, now
            return self._changed()
        if self.status is StreamStatus.FAILED:
            self.status, self.ended_at, self.updated_at = StreamStatus.ENDED, self.ended_at or now, now
            return self._changed()
        return []

    def clear(self, now: datetime) -> Sequence[Event]:
        """Its files are deleted."""
        self.parts, self.hls_path, self.remove_at, self.updated_at = [], None, None, now
        return self._changed()

    def shows(self, egress: PlannedEgress) -> bool:
        """Whether its status is that of its current egress."""
        return self.status is self._seen(egress)[0]

    def abandon(self, now: datetime) -> Sequence[Event]:
        """It is over, and its egress was never planned."""
        if self.wanted or self.status is not StreamStatus.ENDING:
            return []
        self.status, self.ended_at, self.updated_at = StreamStatus.ENDED, now, now
        return self._changed()

    def observe(self, egress: PlannedEgress, now: datetime) -> Sequence[Event]:
        """Apply the state of the current egress; others are ignored."""
        part = self.current
        if part is None or egress.id != part.key:
            return []
        before = (self.status, self.hls_path, self.error, part.playable_at)
        part.planned_at, part.started_at = egress.created_at, egress.started_at
        self.status, self.error = self._seen(egress)
        self.started_at = self.started_at or egress.started_at
        if egress.over:
            self.ended_at = egress.last_alive_at
        if egress.playable:
            self.broke_off_at = self.broke_off_error = None
            part.playable_at = part.playable_at or now
        if egress.playable or self.hls_path:
            done = egress.over and not self.wanted
            self.hls_path = f"/hls/{self.id}/{FULL_PLAYLIST if done else LIVE_PLAYLIST}"
        if before == (self.status, self.hls_path, self.error, part.playable_at):
            return []
        self.updated_at = now
        return self._changed()

    def _seen(self, egress: PlannedEgress) -> tuple[StreamStatus, str | None]:
        if not egress.over:
            return (_STATUS[egress.status] if self.wanted else StreamStatus.ENDING), egress.error
        if self.wanted:
            return StreamStatus.FAILED, egress.error or EgressProblem.ENDED_BY_ITSELF
        return StreamStatus.ENDED, egress.error if egress.status is EgressStatus.FAILED else None

    def _changed(self) -> Sequence[Event]:
        return [StreamChanged(stream=self.state())]

    def state(self) -> StreamState:
        return StreamState(
            session_id=self.id,
            version=self.version,
            status=self.status,
            hls_path=self.hls_path,
            error=self.error,
            planned_at=self.current and self.current.planned_at,
            started_at=self.current and self.current.started_at,
            playable_at=self.current and self.current.playable_at,
            broke_off_at=self.broke_off_at,
            broke_off_error=self.broke_off_error,
            updated_at=self.updated_at,
        )


def new_stream(session: SessionState, now: datetime) -> Stream:
    return Stream(
        id=session.id,
        organization_id=session.organization_id,
        library_id=session.library_id,
        room_id=session.room_id,
        host_id=session.host_id,
        listed=session.listed,
        unlisted=session.unlisted,
        registered_only=session.registered_only if session.complete else None,
        created_at=now,
        updated_at=now,
    )
