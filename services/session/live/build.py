"""Going live, built."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.session.catalog.presets.repository import PresetRepository
from services.session.live.event_handlers import SessionEventHandlers, event_handlers
from services.session.live.presenter import StartPresenter
from services.session.live.service import LiveService, RoomTimeouts
from services.session.sessions.build import SessionCore
from services.session.sessions.ingest import IngestPort
from shared.bus import EventHandler
from shared.clock import Clock
from shared.livekit import LiveKit

# How long LiveKit keeps a room beyond our own grace: LiveKit closing a room is the exception.
_BEYOND_GRACE_SECONDS = 300


@dataclass(frozen=True)
class Live:
    service: LiveService
    presenter: StartPresenter
    event_handlers: Sequence[EventHandler]


def build_live(
    sessions: SessionCore,
    presets: PresetRepository,
    ingest: IngestPort,
    livekit: LiveKit,
    whip_server: str,
    clock: Clock,
) -> Live:
    limits = sessions.limits
    seconds = int(limits.no_host_grace.total_seconds()) + _BEYOND_GRACE_SECONDS
    service = LiveService(
        sessions.repository,
        sessions.access,
        presets,
        ingest,
        livekit,
        limits,
        RoomTimeouts(empty=seconds, departure=seconds),
        clock,
    )
    handlers = SessionEventHandlers(sessions.repository, presets, livekit, limits, clock)
    presenter = StartPresenter(sessions.presenter, sessions.join_tokens, sessions.encoder_keys, whip_server)
    return Live(service, presenter, event_handlers(handlers, service))
