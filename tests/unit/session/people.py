"""Those who take part in a session, and how they are refused."""

from collections.abc import Awaitable, Sequence

import pytest

from services.session.sessions.domain.people import Ban
from services.session.sessions.domain.roles import Appointment, appoint
from services.session.sessions.domain.session import Session
from shared.access.identity import Caller
from shared.contracts.event import Event
from shared.contracts.states import Role, UserRole
from shared.errors import AppError
from shared.ids import new_id
from tests.unit.session.house import House
from tests.unit.session.make import caller, user


async def person(house: House, organization_id: str | None = None, **more: str) -> Caller:
    """A viewer with an account, of an organization or of none."""
    made = user(organization_id=organization_id, role=UserRole.VIEWER, username="Vera", **more)
    await house.users.add(made, [])
    return caller(made.id, organization_id, role=UserRole.VIEWER, username="Vera")


async def moderating(house: House, session: Session) -> Caller:
    """A person who moderates the session."""
    made = await person(house)
    given = Appointment(
        id=new_id(), user_id=made.user_id, username="Vera", role=Role.MODERATOR, by=session.host_id
    )
    await house.sessions.change(session.id, lambda session: appoint(session, house.clock.now(), given))
    return made


async def for_registered(house: House, session: Session) -> None:
    """The session's library admits registered people only."""
    await house.sessions.follow_library(session.library_id, listed=True, registered_only=True)


async def ban(house: House, session: Session, person: Caller, device: str | None = None) -> None:
    """This person may not come in any more, nor whoever uses this device."""

    def decide(session: Session) -> Sequence[Event]:
        made = Ban(id=new_id(), device_id=device, banned_by="h", reason=None, banned_at=house.clock.now())
        session.bans = {person.user_id: made}
        return []

    await house.sessions.change(session.id, decide)


async def refused(code: str, kind: type[AppError], attempt: Awaitable[object]) -> None:
    with pytest.raises(kind) as refusal:
        await attempt
    assert refusal.value.code == code
