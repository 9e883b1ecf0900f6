"""Who may be banned from a session, and what a ban takes. Pure."""

from collections.abc import Sequence, Set
from dataclasses import replace
from datetime import datetime

from services.session.sessions.domain.people import Ban
from services.session.sessions.domain.roles import clear_role
from services.session.sessions.domain.session import Session
from services.session.sessions.domain.stage import free_seat
from shared.access.permissions import role_of
from shared.contracts.event import Event
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import Role
from shared.errors import Conflict, Forbidden, NotFound

# Bans, and the users whom all of them name beside the one each is of: all are in the session's document and
# in each of its events.
MOST_BANNED = 2000
MOST_OTHERS = 6000

_HOSTS = frozenset({Role.HOST, Role.CO_HOST})


def ban(session: Session, user_id: str, banned: Ban, by: Role) -> Sequence[Event]:
    """Ban a person with all others of their device, who lose role and place on stage.

    An existing ban stays as it is, but for others who registered from the device since. If all bans together
    name too many others, the last of `banned.others` are left out: a ban never fails for their number.

    Raises `Forbidden` if one of them is host or co-host, or, `by` a moderator, moderator; `Conflict` for
    oneself, for a session that is over and if too many are banned.
    """
    session.check_not_over()
    people = {user_id} | banned.ids
    _check(session, people, banned.banned_by, by)
    known = session.bans.get(user_id)
    others = tuple(dict.fromkeys((*known.others, *banned.others))) if known else banned.others
    most = max(_free(session, user_id), len(known.others) if known else 0)
    kept = replace(known or banned, others=others[:most])
    if kept == known:
        return []
    if known is None and len(session.bans) >= MOST_BANNED:
        raise Conflict(f"At most {MOST_BANNED} people can be banned", code="too_many_bans")
    session.bans = {**session.bans, user_id: kept}
    for one in people:
        free_seat(session, banned.banned_at, one)
        clear_role(session, banned.banned_at, one)
    return [SessionUpdated(session=session.state())]


def _check(session: Session, people: Set[str], banned_by: str, by: Role) -> None:
    if banned_by in people:
        raise Conflict("You cannot ban yourself", code="ban_of_oneself")
    roles = {role_of(session, one) for one in people}
    if roles & _HOSTS or (Role.MODERATOR in roles and by not in _HOSTS):
        raise Forbidden("You cannot ban people whose role is not below yours", code="ban_of_staff")


def _free(session: Session, user_id: str) -> int:
    """How many others the ban of this person may name."""
    taken = sum(len(ban.others) for one, ban in session.bans.items() if one != user_id)
    return max(MOST_OTHERS - taken, 0)


def bans_of(session: Session, user_id: str, device_id: str | None) -> dict[str, Ban]:
    """The bans that keep a person out, by the user ids under which they are kept."""
    theirs = {user_id, device_id or user_id}
    return {one: ban for one, ban in session.bans.items() if theirs & ({one} | ban.ids)}


def unban(session: Session, now: datetime, user_id: str, device_id: str | None = None) -> Sequence[Event]:
    """Let a person join again, as a viewer, with all others of their device.

    Raises `NotFound` if they are not banned.
    """
    lifted = bans_of(session, user_id, device_id)
    if not lifted:
        raise NotFound("This person is not banned from the session", code="ban_not_found")
    session.bans = {one: ban for one, ban in session.bans.items() if one not in lifted}
    session.updated_at = now
    return [SessionUpdated(session=session.state())]
