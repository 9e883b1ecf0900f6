"""Everything the session service keeps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from services.session.catalog.libraries.repository import LibraryRepository
from services.session.catalog.presets.repository import PresetRepository
from services.session.catalog.rooms.repository import RoomRepository
from services.session.chat.repository import ChatRepository
from services.session.identity.accounts.repository import UserRepository
from services.session.identity.keys.repository import ApiKeyRepository
from services.session.identity.organizations.repository import OrganizationRepository
from services.session.identity.revocations.repository import RevocationRepository
from services.session.identity.signin.repository import AuthCodeRepository, SignInRepository
from services.session.journal.repository import JournalRepository
from services.session.polls.repository import PollRepository
from services.session.polls.votes import VoteRepository
from services.session.sessions.repository import SessionRepository
from services.session.stage.requests.repository import StageRequestRepository
from shared.clock import Clock
from shared.http.idempotency import IdempotencyKeys
from shared.persistence.lifetime import Indexed
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox


@dataclass(frozen=True)
class Repositories:
    """One of each; those of the reminders are the reminders' own."""

    organizations: OrganizationRepository
    libraries: LibraryRepository
    users: UserRepository
    keys: ApiKeyRepository
    rooms: RoomRepository
    presets: PresetRepository
    sessions: SessionRepository
    stage_requests: StageRequestRepository
    chat: ChatRepository
    polls: PollRepository
    votes: VoteRepository
    sign_ins: SignInRepository
    codes: AuthCodeRepository
    revocations: RevocationRepository
    journal: JournalRepository
    idempotency: IdempotencyKeys

    @classmethod
    def on(cls, mongo: Mongo, outbox: Outbox, clock: Clock, session_updated: Callable[[str], None]) -> Self:
        """`session_updated` is called with the id of each session that was changed, once that is stored."""
        return cls(
            organizations=OrganizationRepository(mongo, outbox, clock),
            libraries=LibraryRepository(mongo, outbox, clock),
            users=UserRepository(mongo, outbox, clock),
            keys=ApiKeyRepository(mongo, outbox, clock),
            rooms=RoomRepository(mongo, outbox, clock),
            presets=PresetRepository(mongo, outbox, clock),
            sessions=SessionRepository(mongo, outbox, clock, session_updated),
            stage_requests=StageRequestRepository(mongo, outbox, clock),
            chat=ChatRepository(mongo, outbox, clock),
            polls=PollRepository(mongo, outbox, clock),
            votes=VoteRepository(mongo, outbox),
            sign_ins=SignInRepository(mongo),
            codes=AuthCodeRepository(mongo),
            revocations=RevocationRepository(mongo),
            journal=JournalRepository(mongo),
            idempotency=IdempotencyKeys(mongo, clock),
        )

    @property
    def all(self) -> Sequence[Indexed]:
        return tuple(vars(self).values())
