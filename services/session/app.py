"""The session service's composition root."""

from collections.abc import AsyncIterator

from aiohttp import web

from services.session.catalog.libraries.routes import LIBRARIES
from services.session.catalog.libraries.service import LibraryService
from services.session.catalog.presets.routes import PRESETS
from services.session.catalog.presets.service import PresetService
from services.session.catalog.rooms.event_handlers import RoomReactions
from services.session.catalog.rooms.routes import ROOMS
from services.session.catalog.rooms.service import RoomService
from services.session.catalog.rooms.views import RoomViews
from services.session.centrifugo.routes import CENTRIFUGO
from services.session.centrifugo.service import CentrifugoService
from services.session.chat.build import build_chat
from services.session.chat.routes import CHAT, CHAT_EXPORT, FILE_MESSAGES
from services.session.enforcement import consumers as enforcement_consumers
from services.session.enforcement.dirty_sessions import Marks
from services.session.enforcement.service import Enforcer
from services.session.identity.accounts.passwords import Passwords
from services.session.identity.accounts.routes import ACCOUNTS
from services.session.identity.accounts.service import AccountService, FirstAdministrator
from services.session.identity.keys.keyring import Keyring
from services.session.identity.keys.routes import API_KEYS
from services.session.identity.keys.service import ApiKeyService
from services.session.identity.organizations.routes import ORGANIZATIONS
from services.session.identity.organizations.service import OrganizationService
from services.session.identity.revocations.routes import REVOKED
from services.session.identity.revocations.service import RevocationService
from services.session.identity.signin.routes import SIGN_IN
from services.session.identity.signin.service import SignInService
from services.session.identity.signin.tokens import RefreshTokens
from services.session.journal import consumers as journal_consumers
from services.session.journal.routes import JOURNAL
from services.session.journal.service import JournalService
from services.session.live import consumers as session_consumers
from services.session.live.event_handlers import SessionReactions
from services.session.live.routes import LIVE, START_PRESENTER
from services.session.live.timeout_worker import apply_timeouts_forever
from services.session.media_state.routes import HOST_MEDIA
from services.session.media_state.service import HostMediaService
from services.session.moderation.routes import MODERATION
from services.session.moderation.service import ModerationService
from services.session.moderation.views import BanViews
from services.session.notices import consumers as notice_consumers
from services.session.notices.recipients import Audience
from services.session.notices.service import NoticeService
from services.session.participants.routes import PARTICIPANTS
from services.session.participants.service import ParticipantService
from services.session.participants.views import ParticipantViews
from services.session.polls.routes import POLLS
from services.session.polls.service import PollService
from services.session.reminders.build import build_reminders
from services.session.reminders.routes import REMINDERS
from services.session.repositories import Repositories
from services.session.sessions.build import build_sessions, limits_of
from services.session.sessions.ingest import EgressIngest
from services.session.sessions.routes import SESSIONS
from services.session.settings import SessionSettings
from services.session.sharing.routes import SHARING
from services.session.sharing.service import SharingService
from services.session.sharing.urls import PageUrls
from services.session.stage.build import build_stage
from services.session.stage.requests.routes import ANSWERING, ASKING
from services.session.stage.seats.routes import STAGE
from services.session.tables import TABLES
from services.session.tokens.routes import TOKENS
from shared.access.identity import TokenIssuer
from shared.bus.rabbit import RabbitBus
from shared.clock import SystemClock
from shared.http import service_app
from shared.http.app import IDEMPOTENCY, INTERNAL_CALLS, REVOCATIONS, VERIFIER
from shared.livekit import LiveKitApi
from shared.livekit.lifetime import livekit_lifetime
from shared.persistence.lifetime import service_lifetime
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.runtime.settings import base64url
from shared.runtime.supervisor import SUPERVISOR


def build(settings: SessionSettings) -> web.Application:
    clock = SystemClock()
    app = service_app("session", settings, TABLES, clock)

    mongo = Mongo.from_uri(settings.mongodb_uri, expiry=settings.mongodb_expiry)
    bus = RabbitBus(settings.amqp_url, service="session")
    outbox = Outbox(bus, clock, source="/greenroom/session")
    livekit = LiveKitApi(
        settings.livekit_api_url, settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()
    )
    issuer = TokenIssuer(
        base64url(settings.identity_private_key.get_secret_value()), settings.identity_signing_kid, clock
    )
    ingest = EgressIngest(settings.egress_url, app[INTERNAL_CALLS])
    passwords = Passwords(settings.passwords_at_once)
    marks = Marks()
    kept = Repositories.on(mongo, outbox, clock, session_updated=marks.add)

    revocations = RevocationService(kept.revocations, kept.sign_ins, clock)
    accounts = AccountService(kept.users, kept.organizations, revocations, passwords, clock)
    libraries = LibraryService(kept.libraries, kept.organizations, kept.rooms, clock)
    room_views = RoomViews(kept.users, kept.sessions)
    rooms = RoomService(kept.rooms, kept.sessions, libraries, room_views, clock)
    presets = PresetService(kept.presets, kept.sessions, libraries, clock)
    sessions = build_sessions(
        settings, kept, rooms, room_views, libraries, presets, accounts, issuer, ingest, livekit, clock
    )
    access = sessions.access
    stage = build_stage(
        kept.stage_requests,
        kept.sessions,
        kept.users,
        access,
        sessions.join_tokens,
        livekit,
        clock,
    )
    chat = build_chat(settings, kept.chat, access, clock)
    polls = PollService(kept.polls, kept.votes, access, clock)
    reminders = build_reminders(
        settings,
        mongo,
        outbox,
        clock,
        room_service=rooms,
        accounts=accounts,
        rooms=kept.rooms,
        users=kept.users,
    )
    journal = JournalService(kept.journal)
    enforcer = Enforcer(kept.sessions, livekit, marks)
    notices = NoticeService(livekit, Audience(kept.sessions, livekit), clock)

    app[IDEMPOTENCY] = kept.idempotency
    app[ORGANIZATIONS] = OrganizationService(kept.organizations, kept.libraries, kept.users, clock)
    app[LIBRARIES] = libraries
    app[ACCOUNTS] = accounts
    app[API_KEYS] = ApiKeyService(
        kept.keys, kept.users, revocations, Keyring(settings.keyring), issuer, clock
    )
    app[REVOKED] = revocations
    app[SIGN_IN] = SignInService(
        kept.users,
        kept.keys,
        kept.sign_ins,
        kept.codes,
        passwords,
        RefreshTokens(settings.refresh_secret.get_secret_value()),
        issuer,
        clock,
    )
    app[ROOMS] = rooms
    app[REMINDERS] = reminders.service
    app[PRESETS] = presets
    app[SESSIONS] = sessions.service
    app[TOKENS] = sessions.tokens
    app[START_PRESENTER] = sessions.presenter
    app[LIVE] = sessions.live
    app[PARTICIPANTS] = ParticipantService(kept.sessions, access, ParticipantViews(kept.users), clock)
    app[MODERATION] = ModerationService(kept.sessions, access, kept.users, BanViews(kept.users), clock)
    app[HOST_MEDIA] = HostMediaService(kept.sessions, access, clock)
    app[SHARING] = SharingService(
        access, app[SIGN_IN], PageUrls(settings.public_url), sessions.streams, clock
    )
    app[STAGE], app[ASKING], app[ANSWERING] = stage.service, stage.asking, stage.answering
    app[CHAT], app[FILE_MESSAGES], app[CHAT_EXPORT] = chat.service, chat.file_messages, chat.export
    app[POLLS] = polls
    app[CENTRIFUGO] = CentrifugoService(settings.centrifugo_secret.get_secret_value(), app[VERIFIER], access)
    app[JOURNAL] = journal

    async def prepare() -> None:
        first = _first_administrator(settings)
        if first is not None:
            await accounts.create_first_administrator(first)

    async def own_lifetime(app: web.Application) -> AsyncIterator[None]:
        app[SUPERVISOR].spawn("timekeeper", apply_timeouts_forever(sessions.live))
        app[SUPERVISOR].spawn("enforcement", enforcer.run())
        app[SUPERVISOR].spawn("revocations", app[REVOCATIONS].follow(revocations))
        yield
        await ingest.close()

    app.cleanup_ctx.append(livekit_lifetime(livekit))
    app.cleanup_ctx.append(own_lifetime)
    app.cleanup_ctx.append(stage.lifetime)
    app.cleanup_ctx.append(
        service_lifetime(
            mongo=mongo,
            bus=bus,
            outbox=outbox,
            stores=[*reminders.stores, *kept.all],
            groups=[
                session_consumers.group(
                    SessionReactions(kept.sessions, kept.presets, livekit, limits_of(settings), clock),
                    RoomReactions(kept.rooms, kept.sessions, kept.libraries),
                    sessions.live,
                    chat.service,
                    polls,
                ),
                reminders.group,
                enforcement_consumers.group(enforcer),
                journal_consumers.group(journal),
                notice_consumers.group(notices),
                stage.group,
            ],
            prepare=prepare,
        )
    )
    app.cleanup_ctx.append(reminders.lifetime)
    return app


def _first_administrator(settings: SessionSettings) -> FirstAdministrator | None:
    password = settings.bootstrap_admin_password
    if not settings.bootstrap_admin_email or password is None:
        return None
    return FirstAdministrator(settings.bootstrap_admin_email, password.get_secret_value())
