"""The session service below HTTP: everything in memory, on a clock that tests turn."""

import base64
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from services.session.catalog.build import CatalogStores, build_catalog
from services.session.chat.build import build_chat
from services.session.chat.repository import ChatRepository
from services.session.enforcement.build import enforcement_group
from services.session.enforcement.dirty_sessions import DirtySessions
from services.session.enforcement.old_tokens import OldTokens
from services.session.enforcement.removals import RemovalRepository, Removals
from services.session.enforcement.service import Enforcer
from services.session.identity.accounts.passwords import Passwords
from services.session.identity.build import build_identity
from services.session.identity.keys.keyring import Keyring
from services.session.identity.keys.repository import ApiKeyRepository
from services.session.identity.keys.service import ApiKeyService
from services.session.identity.signin.domain import RefreshTokens
from services.session.identity.signin.repository import AuthCodeRepository, SignInRepository
from services.session.identity.signin.service import SignInService
from services.session.live.build import build_live
from services.session.live.event_handlers import GROUP
from services.session.moderation.presenter import BanPresenter
from services.session.moderation.service import ModerationService
from services.session.participants.presenter import ParticipantPresenter
from services.session.participants.service import ParticipantService
from services.session.polls.repository import PollRepository, VoteRepository
from services.session.polls.service import PollService
from services.session.room_participants.build import build_room_participants
from services.session.sessions.build import build_sessions
from services.session.sessions.repository import SessionRepository
from services.session.stage.build import build_stage
from services.session.stage.requests.repository import StageRequestRepository
from services.session.tokens.build import build_tokens
from shared.bus import Group, combined, on
from shared.contracts.event import Envelope, Event
from shared.contracts.people_and_catalog_events import LibraryUpdated, RoomDeleted, RoomUpdated
from shared.contracts.session_events import SessionDeleted
from shared.files.storage import Storage
from shared.ids import new_id
from shared.persistence.lifetime import Indexed
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.runtime.rotating_secret import RotatingSecret
from shared.runtime.settings import Keys
from tests.fakes.fake_clock import FakeClock
from tests.fakes.memory_bus import MemoryBus
from tests.fakes.memory_mongo import memory_mongo
from tests.unit.session.builders import LIMITS, T0
from tests.unit.session.fakes import FakeIngest, HookedLiveKit

SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(b"a key of thirty-two bytes length")
KEYRING = {"1": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
PASSWORDS = Passwords()
CHAT_FILE_LIMIT = 4096


class Settings:
    identity_signing_kid: str = "k1"
    identity_private_key: SecretStr = SecretStr(
        base64.urlsafe_b64encode(SIGNING_KEY.private_bytes_raw()).decode()
    )
    refresh_secret: SecretStr = SecretStr("a secret")
    refresh_previous_secrets: tuple[SecretStr, ...] = ()
    keyring: Keys = KEYRING
    internal_signing: RotatingSecret = RotatingSecret("a secret of tests")
    public_url: str = "https://live.example"
    livekit_api_key: str = "key"
    livekit_api_secret: SecretStr = SecretStr("a secret of at least thirty-two bytes")
    livekit_public_url: str = "wss://livekit.example"
    no_host_grace_seconds: int = LIMITS.no_host_grace.seconds
    departure_grace_seconds: int = LIMITS.departure_grace.seconds
    max_duration_seconds: int = LIMITS.max_duration.seconds
    expire_after_seconds: int = int(LIMITS.expire_after.total_seconds())
    chat_file_limit_bytes: int = CHAT_FILE_LIMIT


class Backend:
    """Built as in the service's composition root, with fakes for what is outside.

    Several over one `mongo` are replicas of the service.
    """

    def __init__(self, mongo: Mongo | None = None) -> None:
        self.clock = FakeClock(T0)
        self.bus = MemoryBus(clock=self.clock)
        self.outbox = Outbox(self.bus, self.clock, source="/greenroom/session")
        self.livekit = HookedLiveKit(self.clock)
        self.ingest = FakeIngest()
        self.settings = Settings()
        self.mongo = mongo or memory_mongo()
        self._build_core(self.mongo)
        self._build_features()

    def _build_core(self, mongo: Mongo) -> None:
        self._stored = mongo, self.outbox, self.clock
        self.dirty_sessions = DirtySessions()
        self.identity = identity = build_identity(self.settings, PASSWORDS, *self._stored)
        self.users, self.accounts = identity.users, identity.accounts
        self.key_service, self.sign_in = identity.keys, identity.sign_in
        self.revocations, self.issuer = identity.revocations, identity.issuer
        stores = CatalogStores(*self._stored)
        self.sessions = SessionRepository(*self._stored, updated=self.dirty_sessions.add)
        self.catalog = catalog = build_catalog(
            stores, identity.organizations, self.users, self.sessions, self.clock
        )
        self.organization_service, self.library_service = catalog.organizations, catalog.libraries
        self.room_service, self.preset_service = catalog.rooms, catalog.presets
        self.rooms, self.libraries = stores.rooms, stores.libraries
        self.keys = ApiKeyRepository(*self._stored)
        self.core = build_sessions(
            self.settings,
            self.sessions,
            catalog,
            identity,
            self.ingest,
            self.livekit,
            self.clock,
        )
        self.access, self.session_service = self.core.access, self.core.service

    def _build_features(self) -> None:
        core, clock = self.core, self.clock
        live = build_live(
            core, self.catalog.stores.presets, self.ingest, self.livekit, "https://live.example/whip", clock
        )
        self.live, self.start_presenter = live.service, live.presenter
        tokens = build_tokens(core, self.catalog, self.identity, clock)
        self.tokens, self.code_exchange = tokens.service, tokens.code_exchange
        self.enforcer = Enforcer(self.sessions, self.livekit, self.dirty_sessions)
        self.removals = RemovalRepository(self._stored[0])
        self.due_removals = Removals(self.removals, self.livekit, clock)
        old_tokens = OldTokens(self.sign_in, self.livekit)
        self.enforcement_group = enforcement_group(self.enforcer, self.due_removals, old_tokens)
        self.participants = ParticipantService(
            self.sessions, self.access, ParticipantPresenter(self.users), clock
        )
        room = build_room_participants(core, self.users, self.livekit, clock)
        self.room_participants, self.room_messages = room.service, room.messages
        self.moderation = ModerationService(
            self.sessions, self.access, self.users, BanPresenter(self.users), self.livekit, clock
        )
        self.stage_requests = StageRequestRepository(*self._stored)
        self.stage_built = stage = build_stage(self.stage_requests, core, self.users, self.livekit, clock)
        self.stage, self.requests, self.approvals = stage.service, stage.requests, stage.approvals
        self.absence = stage.absence
        self.storage, self.chat = Storage.from_url("memory:"), ChatRepository(*self._stored)
        chat = build_chat(self.settings, self.storage, self.chat, self.access, clock)
        self.chat_service, self.file_messages, self.chat_export = (
            chat.service,
            chat.file_messages,
            chat.export,
        )
        mongo, outbox, _ = self._stored
        self.polls, self.votes = PollRepository(*self._stored), VoteRepository(mongo, outbox)
        self.poll_service = PollService(self.polls, self.votes, self.access, clock)
        self._event_handlers = [
            *live.event_handlers,
            on(LibraryUpdated, self.room_service.follow_library),
            on(RoomUpdated, self.room_service.follow_room),
            on(RoomDeleted, self.catalog.codes.delete_with_room),
            *chat.event_handlers,
            on(SessionDeleted, self.poll_service.forget_session),
        ]

    def keys_under(self, keyring: Keyring) -> ApiKeyService:
        return ApiKeyService(self.keys, self.users, self.revocations, keyring, self.issuer, self.clock)

    def signing_in(self, passwords: Passwords) -> SignInService:
        mongo = self._stored[0]
        return SignInService(
            self.users,
            self.keys,
            SignInRepository(mongo),
            AuthCodeRepository(mongo),
            passwords,
            RefreshTokens(RotatingSecret("a secret")),
            self.issuer,
            self.clock,
        )

    @property
    def public_keys(self) -> dict[str, str]:
        """What tokens of the issuer are verified with."""
        return {"k1": base64.urlsafe_b64encode(SIGNING_KEY.public_key().public_bytes_raw()).decode()}

    async def open(self) -> None:
        own: list[Indexed] = [
            self.sessions,
            self.removals,
            self.stage_requests,
            self.chat,
            self.polls,
            self.votes,
        ]
        for store in [*self.identity.stores, *self.catalog.stores.all, *own]:
            await store.ensure_indexes()
        await self.bus.subscribe(Group(GROUP, combined(self._event_handlers)))
        await self.bus.subscribe(self.stage_built.group)
        await self.bus.subscribe(self.enforcement_group)

    async def close(self) -> None:
        await self.bus.stop_consuming()

    async def publish(self, *events: Event) -> None:
        """Publish events of another service, and wait until they and all that follow are handled."""
        for event in events:
            await self.bus.publish(
                Envelope(id=new_id(), source="/greenroom/tests", time=self.clock.now(), event=event)
            )
        await self.settle()

    async def settle(self) -> None:
        """Until every event that was told is handled, those told meanwhile included."""
        told = -1
        while told != len(self.bus.published):
            told = len(self.bus.published)
            await self.outbox.publish_once()
            await self.outbox.clear_once()
            await self.bus.settle()

    def published(self) -> Sequence[str]:
        """The names of all events so far, in order."""
        return [envelope.event.name for envelope in self.bus.published]
