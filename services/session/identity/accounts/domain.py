"""A person, and what may be changed about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.access.identity import Caller
from shared.contracts.event import Event
from shared.contracts.people_and_catalog_events import UserRegistered, UserUpdated
from shared.contracts.states import UserRole, UserState

# Registrations from one device within an hour.
REGISTRATIONS_AN_HOUR = 20
# Of those who registered from a device, so many of the last may go on signing in.
SIGNED_IN_OF_DEVICE = 50


def external_key(organization_id: str, external_user_id: str) -> str:
    return f"{organization_id}:{external_user_id}"


@dataclass(kw_only=True)
class User:
    """A host (e-mail and password), or a viewer (registered with a display name: a guest).

    Passwords are kept as argon2id hashes, device tokens as SHA-256. `device_id` is the device that a
    viewer registered from: the id of whoever did so first there. A customer's own person has
    their `external_user_id`; `external_key` is that within the organization, and unique.
    """

    id: str
    version: int = 1
    username: str
    role: UserRole
    organization_id: str | None = None
    email: str | None = None
    password_hash: str | None = None
    device_hash: str | None = None
    device_id: str | None = None
    external_user_id: str | None = None
    external_key: str | None = None
    is_active: bool = True
    is_admin: bool = False
    created_at: datetime
    updated_at: datetime

    @property
    def is_guest(self) -> bool:
        """Known by a display name only."""
        known = self.email is not None or self.external_user_id is not None
        return self.role is UserRole.VIEWER and not known

    @property
    def device(self) -> str | None:
        """The device by which a guest is banned, also one who registered before devices were noted."""
        return (self.device_id or self.id) if self.is_guest else None

    def registered(self) -> Sequence[Event]:
        return [UserRegistered(user=self.state())]

    def edit(
        self,
        now: datetime,
        *,
        username: str | None = None,
        password_hash: str | None = None,
        is_active: bool | None = None,
        is_admin: bool | None = None,
    ) -> Sequence[Event]:
        """Change the given fields."""
        self.username = self.username if username is None else username
        self.password_hash = self.password_hash if password_hash is None else password_hash
        self.is_active = self.is_active if is_active is None else is_active
        self.is_admin = self.is_admin if is_admin is None else is_admin
        self.updated_at = now
        return [UserUpdated(user=self.state())]

    def rename(self, now: datetime, username: str) -> Sequence[Event]:
        return [] if username == self.username else self.edit(now, username=username)

    def leave(self, now: datetime) -> Sequence[Event]:
        """The account is deleted."""
        return self.edit(now, is_active=False)

    def caller(self, sign_in_id: str, via: str | None = None) -> Caller:
        """This person in one sign-in; a sign-in through an API key is never an administrator's."""
        return Caller(
            user_id=self.id,
            sign_in_id=sign_in_id,
            organization_id=self.organization_id,
            role=self.role,
            username=self.username,
            is_admin=self.is_admin and via is None,
            via=via,
            device_id=self.device,
            is_guest=self.is_guest,
        )

    def state(self) -> UserState:
        return UserState.model_validate(self, from_attributes=True)
