"""Things of the session service, with what a test does not care about filled in."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.session.catalog.libraries.repository import Library
from services.session.catalog.presets.domain import Preset
from services.session.catalog.rooms.domain import Room
from services.session.identity.accounts.domain import User
from services.session.polls.domain import Option, Poll
from services.session.sessions.domain.session import Limits, Session
from shared.access.identity import Caller
from shared.contracts.states import (
    PresetSettings,
    PresetState,
    PresetType,
    SessionMode,
    UserRole,
    Visibility,
)
from shared.ids import new_id

T0 = datetime(2030, 1, 1, 12, tzinfo=UTC)
GRACE = timedelta(seconds=60)
LIMITS = Limits(
    no_host_grace=GRACE,
    departure_grace=timedelta(seconds=5),
    max_duration=timedelta(hours=12),
    expire_after=timedelta(days=1),
)
ORGANIZATION, LIBRARY, HOST = new_id(), new_id(), new_id()


def _made(noun: type[Any], fields: dict[str, Any], given: dict[str, Any]) -> Any:
    return noun(**{"id": new_id(), "created_at": T0, "updated_at": T0} | fields | given)


def settings(**given: Any) -> PresetSettings:
    return PresetSettings(**{"name": "A preset", "type": PresetType.WHIP, "primary_color": "#112233"} | given)


def preset(**given: Any) -> Preset:
    owner = {"organization_id": ORGANIZATION, "library_id": LIBRARY, "user_id": HOST}
    made: Preset = _made(Preset, owner | {"settings": settings()}, given)
    return made


def preset_state(version: int = 1, **given: Any) -> PresetState:
    """The state of a preset with these settings."""
    return preset(version=version, settings=settings(**given)).state(is_default=False)


def room(**given: Any) -> Room:
    owner = {"organization_id": ORGANIZATION, "library_id": LIBRARY, "host_id": HOST}
    made: Room = _made(Room, owner | {"listed": True, "title": "A room"}, given)
    return made


def session(**given: Any) -> Session:
    """A scheduled session in a room of its own."""
    owner = {"organization_id": ORGANIZATION, "library_id": LIBRARY, "host_id": HOST, "room_id": new_id()}
    own = {"listed": True, "title": "A session", "mode": SessionMode.WEBCAM, "preset": preset_state()}
    made: Session = _made(Session, owner | own, given)
    return made


def live_session(at: datetime = T0, **given: Any) -> Session:
    made = session(**given)
    made.start(at, made.preset, LIMITS)
    return made


def user(**given: Any) -> User:
    made: User = _made(
        User, {"username": "Hanna", "role": UserRole.HOST, "organization_id": ORGANIZATION}, given
    )
    return made


def library(**given: Any) -> Library:
    own = {"organization_id": ORGANIZATION, "name": "Shows", "visibility": Visibility.PUBLIC}
    made: Library = _made(Library, own, given)
    return made


def poll(**given: Any) -> Poll:
    options = [Option(id=new_id(), text=text) for text in ("Monday", "Friday")]
    own = {"id": new_id(), "session_id": new_id(), "user_id": HOST, "created_at": T0}
    fields: dict[str, Any] = own | {"question": "Which day?", "options": options} | given
    return Poll(**fields)


def caller(user_id: str = HOST, organization_id: str | None = ORGANIZATION, **given: Any) -> Caller:
    own = {"role": UserRole.HOST if organization_id else UserRole.VIEWER, "username": "Hanna"}
    own |= {"sign_in_id": new_id()}
    return Caller(user_id=user_id, organization_id=organization_id, **own | given)
