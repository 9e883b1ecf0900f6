"""What administrators do with accounts."""

from dataclasses import dataclass

from services.session.identity.accounts.domain import User, external_key
from services.session.identity.accounts.fair_queue import THE_SERVICE, Asker
from services.session.identity.accounts.passwords import Passwords
from services.session.identity.accounts.repository import UserRepository
from services.session.identity.accounts.schemas import CreateUserRequest, UpdateUserRequest
from services.session.identity.organizations.repository import OrganizationRepository, of_organization
from services.session.identity.revocations.service import RevocationService
from shared.clock import Clock
from shared.contracts.states import UserRole
from shared.errors import Conflict, FieldError, Forbidden, InvalidRequest
from shared.http.schema import Page
from shared.ids import new_id
from shared.persistence.mongo import Duplicate


@dataclass(frozen=True)
class FirstAdministrator:
    """The administrator to create at start if there is none with this address yet."""

    email: str
    password: str


class AccountService:
    def __init__(
        self,
        users: UserRepository,
        organizations: OrganizationRepository,
        revocations: RevocationService,
        passwords: Passwords,
        clock: Clock,
    ):
        self._users = users
        self._organizations = organizations
        self._revocations = revocations
        self._passwords = passwords
        self._clock = clock

    async def create(self, id: str, body: CreateUserRequest, asker: Asker = THE_SERVICE) -> User:
        """Create a person with the reserved `id`; the same again returns the first."""
        if body.organization_id is not None and await self._organizations.find(body.organization_id) is None:
            raise InvalidRequest([FieldError("organization_id", "unknown", "There is no such organization")])
        if body.role is UserRole.HOST and body.organization_id is None and not body.is_admin:
            raise InvalidRequest(
                [FieldError("organization_id", "missing", "A host must belong to an organization")]
            )
        now = self._clock.now()
        user = User(
            id=id,
            username=body.username,
            role=body.role,
            organization_id=body.organization_id,
            email=body.email.lower(),
            password_hash=await self._passwords.hash(body.password, asker),
            is_admin=body.is_admin,
            created_at=now,
            updated_at=now,
        )
        try:
            await self._users.add(user, user.registered())
        except Duplicate:
            known = await self._users.find(id)
            if known is None:
                raise Conflict("This e-mail address is already in use", code="email_taken") from None
            return known
        return user

    async def has(self, email: str) -> bool:
        return await self._users.find_by_email(email) is not None

    async def create_first_administrator(self, first: FirstAdministrator) -> tuple[User, bool]:
        """The administrator, and whether they are new; a user who has the address already is unchanged."""
        known = await self._users.find_by_email(first.email)
        if known is not None:
            return known, False
        body = CreateUserRequest(
            email=first.email, password=first.password, username="Administrator", is_admin=True
        )
        try:
            return await self.create(new_id(), body), True
        except Conflict:
            # Another replica, which started at the same time, was faster.
            known = await self._users.find_by_email(first.email)
            if known is None:
                raise
            return known, False

    async def of_customer(self, organization_id: str, external_user_id: str, name: str) -> User:
        """The customer's own user, created on first use; a new name is stored."""
        key = external_key(organization_id, external_user_id)
        known = await self._users.find_external(key)
        if known is None:
            known = await self._add_external(organization_id, external_user_id, name)
        if not known.is_active:
            raise Forbidden("This person was deactivated", code="account_inactive")
        if known.username == name:
            return known
        return await self._users.change(known.id, lambda user: user.rename(self._clock.now(), name))

    def new_guest(self, id: str, organization_id: str, name: str) -> User:
        """Somebody new of the customer's without an id of theirs, to be added once they may come in."""
        now = self._clock.now()
        return User(
            id=id,
            username=name,
            role=UserRole.VIEWER,
            organization_id=organization_id,
            created_at=now,
            updated_at=now,
        )

    async def add_guest(self, guest: User) -> User:
        """Store a `new_guest`; the same one again changes nothing."""
        try:
            await self._users.add(guest, guest.registered())
        except Duplicate:
            return await self._users.get(guest.id)
        return guest

    async def _add_external(self, organization_id: str, external_user_id: str, name: str) -> User:
        now = self._clock.now()
        key = external_key(organization_id, external_user_id)
        user = User(
            id=new_id(),
            username=name,
            role=UserRole.VIEWER,
            organization_id=organization_id,
            external_user_id=external_user_id,
            external_key=key,
            created_at=now,
            updated_at=now,
        )
        try:
            await self._users.add(user, user.registered())
        except Duplicate:
            user = await self._users.find_external(key) or user
        return user

    async def get(self, id: str) -> User:
        return await self._users.get(id)

    async def list(self, organization_id: str | None, page: Page) -> tuple[list[User], int]:
        return await self._users.page(of_organization(organization_id), skip=page.skip, limit=page.limit)

    async def update(self, id: str, body: UpdateUserRequest, asker: Asker = THE_SERVICE) -> User:
        """Change a person; a new password or a deactivation ends their sign-ins."""
        password_hash = await self._passwords.hash(body.password, asker) if body.password else None
        user = await self._users.change(
            id,
            lambda user: user.edit(
                self._clock.now(),
                username=body.username,
                password_hash=password_hash,
                is_active=body.is_active,
                is_admin=body.is_admin,
            ),
        )
        if password_hash is not None or not user.is_active:
            await self._revocations.end_sign_ins(id)
        if password_hash is not None or not user.is_active or body.is_admin is False:
            await self._revocations.end_tokens(id)
        return user

    async def delete(self, id: str) -> None:
        """Delete a person; their rooms stay and name nobody as host."""
        await self._users.get(id)
        # Revoked first, since a deleted user cannot be deleted again; also revokes what they began meanwhile.
        await self._revocations.end_person(id)
        await self._users.remove(id, lambda user: user.leave(self._clock.now()))
        await self._revocations.end_person(id)
