"""The session service below HTTP: everything in memory, on a clock that tests turn."""

import base64
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.session.catalog.libraries.repository import LibraryRepository
from services.session.catalog.libraries.service import LibraryService
from services.session.catalog.presets.repository import PresetRepository
from services.session.catalog.presets.service import PresetService
from services.session.catalog.rooms.event_handlers import RoomReactions
from services.session.catalog.rooms.repository import RoomRepository
from services.session.catalog.rooms.service import RoomService
from services.session.catalog.rooms.views import RoomViews
from services.session.chat.export import ChatExport
from services.session.chat.file_messages import FileMessages
from services.session.chat.files import PURPOSE as CHAT_FILE
from services.session.chat.files import ChatFiles
from services.session.chat.repository import ChatRepository
from services.session.chat.service import ChatService
from services.session.enforcement.dirty_sessions import Marks
from services.session.enforcement.service import Enforcer
from services.session.identity.accounts.passwords import Passwords
from services.session.identity.accounts.repository import UserRepository
from services.session.identity.accounts.service import AccountService
from services.session.identity.keys.keyring import Keyring
from services.session.identity.keys.repository import ApiKeyRepository
from services.session.identity.keys.service import ApiKeyService
from services.session.identity.organizations.repository import OrganizationRepository
from services.session.identity.organizations.service import OrganizationService
from services.session.identity.revocations.repository import RevocationRepository
from services.session.identity.revocations.service import RevocationService
from services.session.identity.signin.repository import AuthCodeRepository, SignInRepository
from services.session.identity.signin.service import SignInService
from services.session.identity.signin.tokens import RefreshTokens
from services.session.live import consumers
from services.session.live.event_handlers import SessionReactions
from services.session.live.presenter import StartPresenter
from services.session.live.service import LiveService, RoomTimeouts
from services.session.moderation.service import ModerationService
from services.session.moderation.views import BanViews
from services.session.participants.service import ParticipantService
from services.session.participants.views import ParticipantViews
from services.session.polls.repository import PollRepository
from services.session.polls.service import PollService
from services.session.polls.votes import VoteRepository
from services.session.sessions.access import SessionAccess
from services.session.sessions.hls_links import PURPOSE, HlsLinks
from services.session.sessions.join_tokens import JoinTokens
from services.session.sessions.repository import SessionRepository
from services.session.sessions.service import SessionService
from services.session.sessions.views import SessionViews
from services.session.stage import consumers as stage_consumers
from services.session.stage.build import build_stage
from services.session.stage.requests.repository import StageRequestRepository
from services.session.tokens.service import TokenService
from shared.access.identity import TokenIssuer
from shared.contracts.event import Envelope, Event
from shared.files.signed_paths import PathSigner
from shared.files.storage import Storage
from shared.ids import new_id
from shared.livekit import TokenMint
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.testing.fake_clock import FakeClock
from shared.testing.memory_bus import MemoryBus
from shared.testing.memory_mongo import memory_mongo
from tests.unit.session.builders import LIMITS, T0
from tests.unit.session.fakes import FakeIngest, HookedLiveKit

SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(b"a key of thirty-two bytes length")
KEYRING = {"1": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
PASSWORDS = Passwords()
CHAT_FILE_LIMIT = 4096


class Backend:
    """Wired as in the service's composition root, with fakes for what is outside.

    Several over one `mongo` are replicas of the service.
    """

    def __init__(self, mongo: Mongo | None = None) -> None:
        self.clock = FakeClock(T0)
        self.bus = MemoryBus(clock=self.clock)
        self.outbox = Outbox(self.bus, self.clock, source="/greenroom/session")
        self.livekit = HookedLiveKit(self.clock)
        self.ingest = FakeIngest()
        self._keep(mongo or memory_mongo())
        self._serve()

    def _keep(self, mongo: Mongo) -> None:
        outbox, clock = self.outbox, self.clock
        self.organizations = OrganizationRepository(mongo, outbox, clock)
        self.libraries = LibraryRepository(mongo, outbox, clock)
        self.users = UserRepository(mongo, outbox, clock)
        self.keys = ApiKeyRepository(mongo, outbox, clock)
        self.rooms = RoomRepository(mongo, outbox, clock)
        self.presets = PresetRepository(mongo, outbox, clock)
        self.marks = Marks()
        self.sessions = SessionRepository(mongo, outbox, clock, updated=self.marks.add)
        self.stage_requests = StageRequestRepository(mongo, outbox, clock)
        self.chat = ChatRepository(mongo, outbox, clock)
        self.polls = PollRepository(mongo, outbox, clock)
        self.votes = VoteRepository(mongo, outbox)
        self.sign_ins = SignInRepository(mongo)
        self.codes = AuthCodeRepository(mongo)
        self.revoked = RevocationRepository(mongo)

    def _serve(self) -> None:
        clock, limits = self.clock, LIMITS
        self.issuer = TokenIssuer(SIGNING_KEY.private_bytes_raw(), "k1", clock)
        self.mint = TokenMint("key", "a secret of at least thirty-two bytes", clock)
        room_views = RoomViews(self.users, self.sessions)
        links = HlsLinks("https://live.example", PathSigner("a secret of tests", PURPOSE, clock), clock)
        self.views = SessionViews(self.rooms, room_views, links)
        self.organization_service = OrganizationService(self.organizations, self.libraries, self.users, clock)
        self.library_service = LibraryService(self.libraries, self.organizations, self.rooms, clock)
        self.revocations = RevocationService(self.revoked, self.sign_ins, clock)
        self.accounts = AccountService(self.users, self.organizations, self.revocations, PASSWORDS, clock)
        self.room_service = RoomService(self.rooms, self.sessions, self.library_service, room_views, clock)
        self.preset_service = PresetService(self.presets, self.sessions, self.library_service, clock)
        self.access = SessionAccess(self.sessions, self.users)
        self.session_service = SessionService(
            self.sessions,
            self.access,
            self.room_service,
            self.preset_service,
            self.library_service,
            self.ingest,
            self.views,
            limits,
            clock,
        )
        self.join_tokens = JoinTokens(self.access, self.mint)
        self.tokens = TokenService(
            self.sessions, self.access, self.join_tokens, self.accounts, self.issuer, clock
        )
        self.start_presenter = StartPresenter(
            self.views, self.join_tokens, self.mint, "ws://livekit.test", LIMITS.max_duration
        )
        self.live = self._live_service()
        self.enforcer = Enforcer(self.sessions, self.livekit, self.marks)
        self.participants = ParticipantService(
            self.sessions, self.access, ParticipantViews(self.users), clock
        )
        self.moderation = ModerationService(
            self.sessions, self.access, self.users, BanViews(self.users), clock
        )
        self._serve_stage()
        self.storage = Storage.from_url("memory:")
        signer = PathSigner("a secret of tests", CHAT_FILE, clock)
        files = ChatFiles(self.storage, signer, "https://live.example", CHAT_FILE_LIMIT, clock)
        self.chat_service = ChatService(self.chat, files, self.access, clock)
        self.file_messages = FileMessages(self.chat_service, files, self.access, clock)
        self.chat_export = ChatExport(self.chat, self.access)
        self.poll_service = PollService(self.polls, self.votes, self.access, clock)
        self.key_service = self.keys_under(Keyring(KEYRING))
        self.sign_in = self.signing_in(PASSWORDS)

    def _serve_stage(self) -> None:
        built = build_stage(
            self.stage_requests,
            self.sessions,
            self.users,
            self.access,
            self.join_tokens,
            self.livekit,
            self.clock,
        )
        self.stage, self.asking, self.answering = built.service, built.asking, built.answering
        self.absence = built.absence

    def keys_under(self, keyring: Keyring) -> ApiKeyService:
        return ApiKeyService(self.keys, self.users, self.revocations, keyring, self.issuer, self.clock)

    def signing_in(self, passwords: Passwords) -> SignInService:
        return SignInService(
            self.users,
            self.keys,
            self.sign_ins,
            self.codes,
            passwords,
            RefreshTokens("a secret"),
            self.issuer,
            self.clock,
        )

    @property
    def public_keys(self) -> dict[str, str]:
        """What tokens of the issuer are verified with."""
        return {"k1": base64.urlsafe_b64encode(SIGNING_KEY.public_key().public_bytes_raw()).decode()}

    def _live_service(self) -> LiveService:
        return LiveService(
            self.sessions,
            self.access,
            self.presets,
            self.ingest,
            self.livekit,
            LIMITS,
            RoomTimeouts(empty=360, departure=360),
            self.clock,
        )

    async def open(self) -> None:
        for store in (self.organizations, self.libraries, self.users, self.keys, self.rooms, self.presets):
            await store.ensure_indexes()
        for own in (
            self.sessions,
            self.stage_requests,
            self.chat,
            self.polls,
            self.votes,
            self.sign_ins,
            self.codes,
        ):
            await own.ensure_indexes()
        reactions = SessionReactions(self.sessions, self.presets, self.livekit, LIMITS, self.clock)
        rooms = RoomReactions(self.rooms, self.sessions, self.libraries)
        await self.bus.subscribe(
            consumers.group(reactions, rooms, self.live, self.chat_service, self.poll_service)
        )
        await self.bus.subscribe(stage_consumers.group(self.absence, self.answering))

    async def close(self) -> None:
        await self.bus.stop_consuming()

    async def tell(self, *events: Event) -> None:
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

    def told(self) -> Sequence[str]:
        """The names of all events so far, in order."""
        return [envelope.event.name for envelope in self.bus.published]
