"""Going live, built."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.session.catalog.presets.repository import PresetRepository
from services.session.live.automatic_sessions import AutomaticSessions, automatic_handlers
from services.session.live.event_handlers import SessionEventHandlers, event_handlers
from services.session.live.presenter import StartPresenter
from services.session.live.service import LiveService
from services.session.sessions.build import SessionCore
from services.session.sessions.ingest import IngestPort
from shared.bus import EventHandler
from shared.clock import Clock
from shared.livekit import LiveKit


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
    repository, limits = sessions.repository, sessions.limits
    service = LiveService(repository, sessions.access, presets, ingest, sessions.rooms, limits, clock)
    handlers = SessionEventHandlers(sessions.repository, presets, livekit, limits, clock)
    presenter = StartPresenter(sessions.presenter, sessions.join_tokens, sessions.encoder_keys, whip_server)
    automatic = AutomaticSessions(repository, sessions.pending, sessions.rooms, limits, clock)
    all_handlers = [*event_handlers(handlers, service), *automatic_handlers(automatic)]
    return Live(service, presenter, all_handlers)
