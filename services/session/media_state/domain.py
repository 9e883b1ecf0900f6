"""When a host may publish the state of their camera and microphone."""

from collections.abc import Sequence
from datetime import datetime

from services.session.sessions.domain.session import Session
from shared.contracts.event import Event
from shared.contracts.session_events import HostMedia, HostMediaChanged


def switched(
    session: Session, user_id: str, media: HostMedia, now: datetime, *, enabled: bool
) -> Sequence[Event]:
    """Publish it; nothing is stored in the session. Raises `Conflict` unless it is live."""
    session.check_live()
    return [
        HostMediaChanged(session_id=session.id, user_id=user_id, media=media, enabled=enabled, changed_at=now)
    ]
