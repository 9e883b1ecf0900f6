"""A session's life: scheduled -> live -> ended, or scheduled -> expired. Pure rules, no I/O."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.session.catalog.rooms.domain import Meta, RoomStanding
from services.session.sessions.domain.people import Assignment, Ban
from services.session.sessions.domain.presence import HostConnection, first_gone, hostless_since
from shared.contracts.event import Event
from shared.contracts.session_events import (
    SessionCreated,
    SessionDeleted,
    SessionEnded,
    SessionExpired,
    SessionStarted,
    SessionUpdated,
)
from shared.contracts.states import (
    EndReason,
    PresetState,
    Role,
    RoomOptions,
    SessionMode,
    SessionState,
    SessionStatus,
    StageSeat,
    StreamRequest,
    StreamStatus,
)
from shared.errors import Conflict, Forbidden

# What a state has of a session as it is.
_IN_STATE = SessionState.model_fields.keys() - {"preset_id", "preset", "banned"}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a session ends or expires automatically.

    `departure_grace` is how long whoever left a room may take to come back: to reload a page, for example.
    """

    no_host_grace: timedelta
    departure_grace: timedelta
    max_duration: timedelta
    expire_after: timedelta


@dataclass(kw_only=True)
class Session:
    """One session of a room.

    `stream` is what is requested, `stream_status` and `hls_path` are as the egress service last reported.
    `live_room_id` is the room while the session is live (unique: one live session a room); `pending_room_id`
    while it is an automatic one that nobody has joined yet (unique, too); `room_name`, `options` and `meta`
    are the room's when the session was created. An automatic session has `options.auto_session`: of these
    `last_left_at` is when somebody last left, `emptied_at` since when nobody has been there, as far as known.
    `due_at` is when to look whether it ends or expires by itself; `hosts` are the host's connections by sid,
    `closers` by user id those of people with whose leaving it ends.
    `assignments` and `bans` go by user id, as `roles` and `stage` do; `roles` alone says who has which now.
    `stage_checks` say, by user id, when to look whether somebody on stage is there at all, `stage_due_at`
    is the first of them (see `services.session.sessions.domain.stage`).
    """

    id: str
    version: int = 1
    organization_id: str
    library_id: str
    room_id: str
    room_name: str | None = None
    options: RoomOptions = field(default_factory=RoomOptions)
    meta: Meta = field(default_factory=dict)
    host_id: str
    listed: bool
    unlisted: bool = False
    registered_only: bool = False
    title: str
    description: str | None = None
    status: SessionStatus = SessionStatus.SCHEDULED
    mode: SessionMode
    preset: PresetState
    scheduled_start_time: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: EndReason | None = None
    end_estimated: bool = False
    live_room_id: str | None = None
    pending_room_id: str | None = None
    closed_at: datetime | None = None
    due_at: datetime | None = None
    hosts: dict[str, HostConnection] = field(default_factory=dict)
    closers: dict[str, dict[str, HostConnection]] = field(default_factory=dict)
    last_left_at: datetime | None = None
    emptied_at: datetime | None = None
    roles: dict[str, Role] = field(default_factory=dict)
    assignments: dict[str, Assignment] = field(default_factory=dict)
    stage: dict[str, StageSeat] = field(default_factory=dict)
    stage_checks: dict[str, datetime] = field(default_factory=dict)
    stage_due_at: datetime | None = None
    bans: dict[str, Ban] = field(default_factory=dict)
    stream: StreamRequest = field(default_factory=StreamRequest)
    stream_status: StreamStatus = StreamStatus.NONE
    hls_path: str | None = None
    chat_enabled_override: bool | None = None
    stage_enabled_override: bool | None = None
    max_join_limit_override: int | None = None
    viewer_count: int = 0
    max_viewers: int = 0
    created_at: datetime
    updated_at: datetime

    @property
    def is_live(self) -> bool:
        return self.status is SessionStatus.LIVE

    @property
    def is_automatic(self) -> bool:
        return self.options.auto_session

    @property
    def is_pending(self) -> bool:
        """Whether it is an automatic session that nobody has joined yet."""
        return self.is_automatic and self.status is SessionStatus.SCHEDULED

    @property
    def is_over(self) -> bool:
        return self.status not in {SessionStatus.SCHEDULED, SessionStatus.LIVE}

    def has_stream(self, *, record: bool) -> bool:
        """Whether a stream is requested, with a recording if `record`."""
        return self.stream.wanted and (self.stream.record or not record)

    @property
    def banned(self) -> Set[str]:
        """Banned people: ids of users, with all those of banned devices, and of devices."""
        return self.bans.keys() | frozenset[str]().union(*(ban.ids for ban in self.bans.values()))

    @property
    def duration(self) -> int | None:
        """Whole seconds from start to end; None before the end."""
        if self.started_at is None or self.ended_at is None:
            return None
        return int((self.ended_at - self.started_at).total_seconds())

    @property
    def effective_max_join_limit(self) -> int:
        override = self.max_join_limit_override
        return self.preset.settings.max_join_limit if override is None else override

    def created(self) -> Sequence[Event]:
        return [SessionCreated(session=self.state())]

    def check_not_over(self) -> None:
        """Raises `Conflict` for a session that is over; a live one may be started again, to no effect."""
        if self.is_over:
            raise Conflict(f"The session has {self.status.value}", code=f"session_{self.status.value}")

    def start(
        self,
        now: datetime,
        preset: PresetState,
        limits: Limits,
        *,
        stream: bool = False,
        at: datetime | None = None,
    ) -> Sequence[Event]:
        """Go live, now or since `at`, with the preset as it is now, frozen from here on.

        With a stream if requested, and with one and a recording if the room's options say so.
        """
        self.check_not_over()
        if self.is_live:
            return []
        self.check_room_enabled()
        self.status = SessionStatus.LIVE
        self.preset = preset
        self.started_at = at or now
        self.updated_at = now
        self.live_room_id, self.pending_room_id = self.room_id, None
        recorded = self.options.record_on_start
        if stream or recorded:
            record = recorded or preset.settings.recording_enabled
            self.stream = StreamRequest(wanted=True, record=record, attempt=1)
        # An encoder may have been there first: it connects as soon as the LiveKit room is open.
        self.schedule_check(limits)
        return [SessionStarted(session=self.state())]

    def schedule_check(self, limits: Limits) -> None:
        """Note when a live session may have to end automatically."""
        if not self.is_live or self.started_at is None:
            return
        ends = [self.started_at + limits.max_duration]
        alone = self.emptied_at if self.is_automatic else hostless_since(self.hosts, self.started_at)
        if alone is not None:
            ends.append(alone + limits.no_host_grace)
        if closer_gone := first_gone(self.closers.values()):
            ends.append(closer_gone + limits.departure_grace)
        self.due_at = min(ends)

    def end(
        self, now: datetime, reason: EndReason, *, at: datetime | None = None, estimated: bool = False
    ) -> Sequence[Event]:
        """End now, or as of `at`; ending it again changes nothing."""
        if self.status is SessionStatus.ENDED:
            return []
        self.check_live()
        self.status = SessionStatus.ENDED
        self.end_reason = reason
        self.ended_at = at or now
        self.end_estimated = estimated
        self.updated_at = now
        self.live_room_id = self.due_at = self.stage_due_at = None
        self.stage, self.stage_checks = {}, {}
        self.viewer_count = 0
        return [SessionEnded(session=self.state())]

    def check_live(self) -> None:
        """Raises `Conflict` unless the session is live."""
        if not self.is_live:
            raise Conflict(f"The session is not live; it is {self.status.value}", code="session_not_live")

    def reschedule(self, now: datetime, start_time: datetime, limits: Limits) -> Sequence[Event]:
        if self.status is not SessionStatus.SCHEDULED:
            raise Conflict(f"The session is {self.status.value}", code="session_not_scheduled")
        self.scheduled_start_time = start_time
        self.due_at = start_time + limits.expire_after
        self.updated_at = now
        return [SessionUpdated(session=self.state())]

    def configure(self, now: datetime, overrides: dict[str, bool | int | None]) -> Sequence[Event]:
        """Set or clear (None) the runtime overrides: chat_enabled, stage_enabled, max_join_limit."""
        self.check_not_over()
        for name, value in overrides.items():
            setattr(self, f"{name}_override", value)
        self.updated_at = now
        return [SessionUpdated(session=self.state())]

    def expire(self, now: datetime) -> Sequence[Event]:
        """A scheduled session's time has passed."""
        self.status = SessionStatus.EXPIRED
        self.due_at = self.pending_room_id = None
        self.updated_at = now
        return [SessionExpired(session=self.state())]

    def refresh_preset(self, now: datetime, preset: PresetState) -> Sequence[Event]:
        """Follow a changed preset while scheduled."""
        if self.status is not SessionStatus.SCHEDULED or preset.version <= self.preset.version:
            return []
        self.preset = preset
        self.updated_at = now
        return [SessionUpdated(session=self.state())]

    def follow_library(self, *, listed: bool, registered_only: bool) -> Sequence[Event]:
        """Follow the library's visibility and whom it admits."""
        listed = listed and not self.unlisted
        if (self.listed, self.registered_only) == (listed, registered_only):
            return []
        self.listed, self.registered_only = listed, registered_only
        return [SessionUpdated(session=self.state())]

    def follow_room(self, room: RoomStanding) -> Sequence[Event]:
        """Follow whether the room is in public lists and lets people in."""
        followed = (room.unlisted, room.listed, room.disabled_at)
        if (self.unlisted, self.listed, self.closed_at) == followed:
            return []
        self.unlisted, self.listed, self.closed_at = followed
        return [SessionUpdated(session=self.state())]

    def check_room_enabled(self) -> None:
        """Raises `Forbidden` if its room was disabled."""
        if self.closed_at is not None:
            raise Forbidden("The room is disabled", code="room_disabled")

    def delete(self) -> Sequence[Event]:
        """Raises `Conflict` while the session is live."""
        if self.is_live:
            raise Conflict("The session is live; end it first", code="session_live")
        return [SessionDeleted(session=self.state())]

    def state(self) -> SessionState:
        """The session as its events carry it."""
        own = {name: getattr(self, name) for name in _IN_STATE}
        banned: dict[str, datetime] = {}
        for user_id, ban in self.bans.items():
            for id_ in {user_id} | ban.ids:
                banned[id_] = min(ban.banned_at, banned.get(id_, ban.banned_at))
        return SessionState(**own, preset_id=self.preset.id, preset=self.preset.settings, banned=banned)
