"""HTTP bodies and data about people."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import EmailStr, StringConstraints

from services.session.identity.accounts.domain import User
from shared.access.identity import Caller
from shared.contracts.states import UserRole
from shared.http import Body, Data
from shared.http.schema import Page, PersonName

Username = PersonName
Password = Annotated[str, StringConstraints(min_length=8, max_length=256)]


class UserResponse(Data):
    id: str
    external_user_id: str | None
    organization_id: str | None
    email: str | None
    username: str
    role: Literal["host", "viewer"]
    is_active: bool
    created_at: datetime


class AdminUserResponse(UserResponse):
    is_admin: bool


class AdminUserListResponse(Data):
    users: list[AdminUserResponse]
    total: int
    page: int
    limit: int


class OrganizationQuery(Page):
    organization_id: str | None = None


class CreateUserRequest(Body):
    email: EmailStr
    password: Password
    username: Username
    role: UserRole = UserRole.HOST
    organization_id: str | None = None
    is_admin: bool = False


class UpdateUserRequest(Body):
    username: Username | None = None
    password: Password | None = None
    is_active: bool | None = None
    is_admin: bool | None = None


def user_response(user: User, viewer: Caller | None) -> UserResponse:
    """The person as `viewer` may see them: the e-mail only within the organization, and by themselves."""
    return UserResponse.of(user, email=user.email if sees_email(user, viewer) else None)


def sees_email(user: User, viewer: Caller | None) -> bool:
    if viewer is None:
        return False
    return viewer.hosts_for(user.organization_id) or viewer.user_id == user.id
