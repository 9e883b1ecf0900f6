"""The session service's composition root: layer by layer, from identity up."""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from aiohttp import web

from services.session.all_routes import ALL_ROUTES
from services.session.audit.repository import AuditRepository
from services.session.audit.routes import AUDIT_LOG
from services.session.audit.service import AuditService, audit_group
from services.session.catalog.build import Catalog, CatalogStores, build_catalog
from services.session.catalog.codes.routes import ROOM_CODES
from services.session.catalog.libraries.routes import LIBRARIES
from services.session.catalog.presets.routes import PRESETS
from services.session.catalog.rooms.routes import ROOMS
from services.session.centrifugo.routes import CENTRIFUGO
from services.session.centrifugo.service import CentrifugoService
from services.session.chat.build import build_chat
from services.session.chat.repository import ChatRepository
from services.session.chat.routes import CHAT, CHAT_EXPORT, FILE_MESSAGES
from services.session.enforcement.build import build_enforcement
from services.session.enforcement.dirty_sessions import DirtySessions
from services.session.enforcement.removals import RemovalRepository
from services.session.identity.accounts.first_administrator import ensure_first_administrator
from services.session.identity.accounts.passwords import Passwords
from services.session.identity.accounts.routes import ACCOUNTS
from services.session.identity.accounts.service import AccountService, FirstAdministrator
from services.session.identity.build import Identity, build_identity
from services.session.identity.keys.routes import API_KEYS
from services.session.identity.organizations.routes import ORGANIZATIONS
from services.session.identity.revocations.routes import REVOKED
from services.session.identity.signin.routes import SIGN_IN
from services.session.journal.repository import JournalRepository
from services.session.journal.routes import JOURNAL
from services.session.journal.service import JournalService, journal_group
from services.session.live.build import build_live
from services.session.live.event_handlers import GROUP
from services.session.live.routes import LIVE, START_PRESENTER
from services.session.media_state.routes import HOST_MEDIA
from services.session.media_state.service import HostMediaService
from services.session.moderation.presenter import BanPresenter
from services.session.moderation.routes import MODERATION
from services.session.moderation.service import ModerationService
from services.session.notices.service import NoticeRecipients, NoticeService, notice_group
from services.session.participants.presenter import ParticipantPresenter
from services.session.participants.routes import PARTICIPANTS
from services.session.participants.service import ParticipantService
from services.session.polls.repository import PollRepository, VoteRepository
from services.session.polls.routes import POLLS
from services.session.polls.service import PollService
from services.session.reminders.build import build_reminders
from services.session.reminders.routes import REMINDERS
from services.session.room_participants.build import build_room_participants
from services.session.room_participants.routes import ROOM_MESSAGES, ROOM_PARTICIPANTS
from services.session.sessions import metrics as session_metrics
from services.session.sessions.build import SessionCore, build_sessions
from services.session.sessions.encoder_keys import whip_server
from services.session.sessions.ingest import EgressIngest
from services.session.sessions.repository import SessionRepository
from services.session.sessions.routes import ENCODER_ACCESS, SESSIONS
from services.session.sessions.timeout_worker import run_timeouts
from services.session.settings import SessionSettings
from services.session.sharing.routes import SHARING
from services.session.sharing.service import PageUrls, SharingService
from services.session.stage.build import build_stage
from services.session.stage.requests.repository import StageRequestRepository
from services.session.stage.requests.routes import STAGE_APPROVALS, STAGE_REQUESTS
from services.session.stage.seats.routes import STAGE
from services.session.timeline.explanation.routes import EXPLANATIONS
from services.session.timeline.explanation.service import EgressStreamProblems, ExplanationService
from services.session.timeline.routes import TIMELINE
from services.session.timeline.service import TimelineService
from services.session.tokens.build import build_tokens
from services.session.tokens.routes import CODE_EXCHANGE, TOKENS
from services.session.whip.routes import WHIP
from services.session.whip.service import WhipService
from shared.bus import Group, OrderedGroup, combined, on
from shared.bus.rabbit import RabbitBus
from shared.clock import Clock, SystemClock
from shared.contracts.people_and_catalog_events import LibraryUpdated, RoomDeleted, RoomUpdated
from shared.contracts.session_events import SessionDeleted
from shared.files.storage import Storage
from shared.http import service_app
from shared.http.app import AUDIT, IDEMPOTENCY, INTERNAL_CALLS, REVOCATIONS, VERIFIER
from shared.http.audit import AuditTrail
from shared.http.idempotency import IdempotencyKeys
from shared.livekit import LiveKitApi
from shared.livekit.lifetime import livekit_lifetime
from shared.livekit.whip import WhipClient
from shared.persistence.lifetime import DATABASE, Database, Indexed, service_lifetime
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.persistence.state_counts import report_periodically
from shared.runtime.rotating_secret import RotatingSecret
from shared.runtime.tasks import SUPERVISOR


@dataclass(frozen=True)
class Infrastructure:
    """`dirty` notes the sessions whose rooms have to follow a change."""

    mongo: Mongo
    bus: RabbitBus
    outbox: Outbox
    clock: Clock
    livekit: LiveKitApi
    whip: WhipClient
    ingest: EgressIngest
    stream_problems: EgressStreamProblems
    dirty: DirtySessions


@dataclass(frozen=True)
class Core:
    """What features are built on. `stores` are those of all three layers."""

    identity: Identity
    catalog: Catalog
    sessions: SessionCore
    stores: Sequence[Indexed]


@dataclass(frozen=True)
class Subsystem:
    """What features or outputs keep, consume and run in the background, by name."""

    stores: Sequence[Indexed]
    groups: Sequence[Group | OrderedGroup]
    workers: Mapping[str, Callable[[], Coroutine[None, None, None]]]


def build(settings: SessionSettings) -> web.Application:
    clock = SystemClock()
    app = service_app("session", settings, ALL_ROUTES, clock)
    base = _infrastructure(app, settings, clock)
    idempotency = app[IDEMPOTENCY] = IdempotencyKeys(base.mongo, clock)
    trail = app[AUDIT] = AuditTrail(base.mongo, base.outbox, clock, service="session")
    core = _build_core(app, settings, base)
    _build_session_operations(app, settings, base, core)
    features = _build_features(app, settings, base, core)
    outputs = _build_outputs(app, settings, base, core)
    reminders = build_reminders(
        settings, base.mongo, base.outbox, clock, identity=core.identity, catalog=core.catalog
    )
    app[REMINDERS] = reminders.service

    async def own_lifetime(app: web.Application) -> AsyncIterator[None]:
        for name, work in {**features.workers, **outputs.workers}.items():
            app[SUPERVISOR].spawn(name, work())
        app[SUPERVISOR].spawn("revocations", app[REVOCATIONS].follow(core.identity.revocations))
        yield
        await base.ingest.close()
        await base.stream_problems.close()
        await base.whip.close()

    stores = [*core.stores, *features.stores, *outputs.stores, *reminders.stores, idempotency, trail]
    app[DATABASE] = Database(base.mongo, stores)
    lifetime = service_lifetime(
        bus=base.bus,
        outbox=base.outbox,
        groups=[*features.groups, reminders.group, *outputs.groups],
        prepare=lambda: _prepare(settings, core.identity.accounts, trail),
    )
    app.cleanup_ctx.extend([livekit_lifetime(base.livekit), own_lifetime, lifetime, reminders.lifetime])
    return app


def _infrastructure(app: web.Application, settings: SessionSettings, clock: Clock) -> Infrastructure:
    bus = RabbitBus(settings.amqp_url, service="session")
    return Infrastructure(
        Mongo.from_uri(settings.mongodb_uri, expiry=settings.mongodb_expiry),
        bus,
        Outbox(bus, clock, source="/greenroom/session"),
        clock,
        LiveKitApi(
            settings.livekit_api_url, settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()
        ),
        WhipClient(settings.livekit_api_url),
        EgressIngest(settings.egress_url, app[INTERNAL_CALLS]),
        EgressStreamProblems(settings.egress_url, app[INTERNAL_CALLS]),
        DirtySessions(),
    )


def _build_core(app: web.Application, settings: SessionSettings, base: Infrastructure) -> Core:
    mongo, outbox, clock = base.mongo, base.outbox, base.clock
    identity = build_identity(settings, Passwords(settings.passwords_at_once), mongo, outbox, clock)
    stores = CatalogStores(mongo, outbox, clock)
    repository = SessionRepository(mongo, outbox, clock, updated=base.dirty.add)
    catalog = build_catalog(stores, identity.organizations, identity.users, repository, clock)
    sessions = build_sessions(settings, repository, catalog, identity, base.ingest, base.livekit, clock)
    app[ACCOUNTS], app[SIGN_IN] = identity.accounts, identity.sign_in
    app[API_KEYS], app[REVOKED] = identity.keys, identity.revocations
    app[ORGANIZATIONS], app[LIBRARIES] = catalog.organizations, catalog.libraries
    app[ROOMS], app[PRESETS], app[ROOM_CODES] = catalog.rooms, catalog.presets, catalog.codes
    app[SESSIONS], app[ENCODER_ACCESS] = sessions.service, sessions.encoder_access
    return Core(identity, catalog, sessions, [*identity.stores, *stores.all, repository])


def _build_session_operations(
    app: web.Application, settings: SessionSettings, base: Infrastructure, core: Core
) -> None:
    """Features that keep nothing of their own and follow no events."""
    identity, sessions, clock = core.identity, core.sessions, base.clock
    repository, access = sessions.repository, sessions.access
    tokens = build_tokens(sessions, core.catalog, identity, clock)
    app[TOKENS], app[CODE_EXCHANGE] = tokens.service, tokens.code_exchange
    app[PARTICIPANTS] = ParticipantService(repository, access, ParticipantPresenter(identity.users), clock)
    app[MODERATION] = ModerationService(
        repository, access, identity.users, BanPresenter(identity.users), base.livekit, clock
    )
    app[WHIP] = WhipService(
        whip_server(settings.public_url),
        sessions.encoder_keys,
        sessions.encoder_access,
        sessions.mint,
        base.whip,
    )
    room = build_room_participants(sessions, identity.users, base.livekit, clock)
    app[ROOM_PARTICIPANTS], app[ROOM_MESSAGES] = room.service, room.messages
    app[HOST_MEDIA] = HostMediaService(repository, access, clock)
    app[SHARING] = SharingService(
        access, identity.sign_in, PageUrls(settings.public_url), sessions.hls_links, clock
    )
    centrifugo = RotatingSecret.of(settings.centrifugo_secret, settings.centrifugo_previous_secrets)
    app[CENTRIFUGO] = CentrifugoService(centrifugo, app[VERIFIER], access, clock)


def _build_features(
    app: web.Application, settings: SessionSettings, base: Infrastructure, core: Core
) -> Subsystem:
    mongo, outbox, clock = base.mongo, base.outbox, base.clock
    sessions, users = core.sessions, core.identity.users
    messages, requests = ChatRepository(mongo, outbox, clock), StageRequestRepository(mongo, outbox, clock)
    polls, votes = PollRepository(mongo, outbox, clock), VoteRepository(mongo, outbox)
    presets = core.catalog.stores.presets
    live = build_live(sessions, presets, base.ingest, base.livekit, whip_server(settings.public_url), clock)
    storage = Storage.from_url(settings.storage_url, settings.storage_options)
    chat = build_chat(settings, storage, messages, sessions.access, clock)
    stage = build_stage(requests, sessions, users, base.livekit, clock)
    poll_service = PollService(polls, votes, sessions.access, clock)
    app[LIVE], app[START_PRESENTER] = live.service, live.presenter
    app[CHAT], app[FILE_MESSAGES], app[CHAT_EXPORT] = chat.service, chat.file_messages, chat.export
    app[STAGE], app[STAGE_REQUESTS], app[STAGE_APPROVALS] = stage.service, stage.requests, stage.approvals
    app[POLLS] = poll_service
    event_handlers = [
        *live.event_handlers,
        on(LibraryUpdated, core.catalog.rooms.follow_library),
        on(RoomUpdated, core.catalog.rooms.follow_room),
        on(RoomDeleted, core.catalog.codes.delete_with_room),
        *chat.event_handlers,
        on(SessionDeleted, poll_service.forget_session),
    ]
    return Subsystem(
        [messages, requests, polls, votes],
        [Group(GROUP, combined(event_handlers)), stage.group],
        {
            "session counts": partial(
                report_periodically,
                partial(session_metrics.report, sessions.repository.count_live_and_pending),
            ),
            "timeouts": partial(run_timeouts, "sessions", live.service.apply_due_timeouts),
            "stage timeouts": partial(run_timeouts, "stages", stage.absence.apply_due_timeouts),
        },
    )


def _build_outputs(
    app: web.Application, settings: SessionSettings, base: Infrastructure, core: Core
) -> Subsystem:
    sessions, livekit = core.sessions.repository, base.livekit
    entries = JournalRepository(base.mongo)
    journal = app[JOURNAL] = JournalService(entries, core.sessions.access, base.clock)
    app[TIMELINE] = TimelineService(entries, sessions, core.identity.users)
    app[EXPLANATIONS] = ExplanationService(
        entries, sessions, core.identity.users, base.stream_problems, core.sessions.limits, base.clock
    )
    calls = AuditRepository(base.mongo, timedelta(days=settings.audit_kept_days))
    audit = app[AUDIT_LOG] = AuditService(calls)
    removals = RemovalRepository(base.mongo)
    enforcement = build_enforcement(
        sessions,
        removals,
        livekit,
        base.dirty,
        app[REVOCATIONS],
        core.identity.sign_in,
        base.clock,
    )
    notices = NoticeService(livekit, NoticeRecipients(sessions, livekit), base.clock)
    groups: list[Group | OrderedGroup] = [
        enforcement.group,
        journal_group(journal),
        audit_group(audit),
        notice_group(notices),
    ]
    return Subsystem([entries, calls, removals], groups, enforcement.workers)


async def _prepare(settings: SessionSettings, accounts: AccountService, trail: AuditTrail) -> None:
    """Make the first administrator, if the settings name one."""
    password = settings.bootstrap_admin_password
    if settings.bootstrap_admin_email and password is not None:
        first = FirstAdministrator(settings.bootstrap_admin_email, password.get_secret_value())
        await ensure_first_administrator(accounts, trail, first)
