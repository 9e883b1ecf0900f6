"""Who may act in a session: the permission function applied to a caller, and the refusals."""

from collections.abc import Container
from typing import Literal, NoReturn, Protocol

from shared.access.identity import Caller
from shared.access.permissions import RolePermissions, SessionRules, permissions_in_session, role_of
from shared.contracts.states import PresetSettings, Role
from shared.errors import Forbidden, NotFound
from shared.runtime.log import bind_session

# The permissions of `RolePermissions`, by name.
Permission = Literal[
    "chat_send_text",
    "chat_send_file",
    "chat_receive",
    "chat_manage",
    "poll_create",
    "poll_vote",
    "poll_view",
    "poll_manage",
    "stage_request",
    "stage_manage",
    "see_participants",
    "see_viewers",
    "see_viewer_count",
    "add_co_host",
    "moderate",
    "control",
]

# Staff-only permissions: for other organizations the session does not seem to exist.
_STAFF_ONLY: frozenset[Permission] = frozenset(
    {"chat_manage", "poll_manage", "stage_manage", "add_co_host", "moderate", "control"}
)
_NON_STAFF_ROLES = frozenset({Role.STAGE, Role.AUDIENCE})


class Admitting(Protocol):
    """A room or session; `registered_only`: its library admits no guests."""

    @property
    def registered_only(self) -> bool: ...


class AccessibleSession(SessionRules, Protocol):
    """A session's aggregate, or its state."""

    @property
    def id(self) -> str: ...
    @property
    def organization_id(self) -> str: ...
    @property
    def library_id(self) -> str: ...
    @property
    def banned(self) -> Container[str | None]: ...
    @property
    def registered_only(self) -> bool: ...


def acting_role(session: AccessibleSession, caller: Caller) -> Role:
    """The caller's role in the session; an API key of its organization acts as its host."""
    by_key = caller.api_key_id is not None and caller.organization_id == session.organization_id
    return Role.HOST if by_key else role_of(session, caller.user_id)


def acting_user(session: AccessibleSession, caller: Caller) -> str:
    """The user the caller is in the room, where only user ids count: an API key is the host."""
    by_key = caller.api_key_id is not None and acting_role(session, caller) is Role.HOST
    return session.host_id if by_key else caller.user_id


def permissions_for_caller(
    session: AccessibleSession, preset: PresetSettings, caller: Caller
) -> RolePermissions:
    """What the caller may do in the session, regardless of bans."""
    return permissions_in_session(session, preset, caller.user_id, acting_role(session, caller))


def require(
    session: AccessibleSession,
    preset: PresetSettings,
    caller: Caller,
    library_id: str | None,
    permission: Permission | None = None,
    *,
    noun: str = "session",
) -> RolePermissions:
    """What the caller may do in the session; includes `permission`, if one is given.

    From here on log lines name the session and its organization. `noun` is what the call names: the session,
    or something in it.

    Raises `NotFound` in another library, and for staff-only permissions in another organization's session;
    `Forbidden` for banned callers (`banned`), for guests if registered people alone are admitted
    (`registration_required`), for viewers (`host_required`) and colleagues (`not_the_host`)
    if it takes staff, and if their role does not allow it (`not_permitted`).
    """
    if library_id is not None and session.library_id != library_id:
        refuse_outsider(noun, caller, permission)
    bind_session(session.id, session.organization_id)
    role = acting_role(session, caller)
    if is_banned(session, caller):
        raise _banned()
    require_admitted(session, guest=caller.is_guest)
    permissions = permissions_in_session(session, preset, caller.user_id, role)
    if permission is not None and not getattr(permissions, permission):
        if permission in _STAFF_ONLY and role in _NON_STAFF_ROLES:
            if caller.hosting_organization() != session.organization_id:
                raise NotFound.of(noun)
            raise Forbidden("Only its host may do this", code="not_the_host")
        raise Forbidden("Your role in this session does not allow this", code="not_permitted")
    return permissions


def refuse_outsider(noun: str, caller: Caller, permission: Permission | None = None) -> NoReturn:
    """Refuse what does not exist and what another organization has, both alike.

    Raises `Forbidden` for viewers if it takes staff, `NotFound` otherwise.
    """
    if permission in _STAFF_ONLY:
        caller.hosting_organization()
    raise NotFound.of(noun)


def require_admitted(to: Admitting, *, guest: bool) -> None:
    """Raises `Forbidden` for guests if registered people alone are admitted."""
    if guest and to.registered_only:
        raise Forbidden("Only registered users may take part here", code="registration_required")


def sees_inside(session: AccessibleSession, viewer: Caller | None) -> bool:
    """Whether `viewer` gets the stream and the counts of a session, which everybody else finds by its id.

    Not for banned people, nor for guests if registered people alone are admitted. Somebody who is not signed
    in is a guest.
    """
    if session.registered_only and (viewer is None or viewer.is_guest):
        return False
    return viewer is None or not is_banned(session, viewer)


def is_banned(session: AccessibleSession, caller: Caller) -> bool:
    """Whether the caller or their device is banned."""
    theirs = is_banned_person(session, caller.user_id, caller.device_id)
    return theirs and acting_role(session, caller) is not Role.HOST


def require_not_banned(session: AccessibleSession, user_id: str, device_id: str | None = None) -> None:
    """Raises `Forbidden`."""
    if is_banned_person(session, user_id, device_id):
        raise _banned()


def is_banned_person(session: AccessibleSession, user_id: str, device_id: str | None = None) -> bool:
    """Whether a user or their device is banned: the rule that every check applies.

    The users of a device at the time of its ban are listed themselves, so that a user id alone is enough for
    whoever has been in the session: connections, places on stage, roles. The device tells of those who
    register from it later.
    """
    banned = session.banned
    return user_id in banned or device_id in banned


def _banned() -> Forbidden:
    return Forbidden("This person is banned from the session", code="banned")
