"""The session's own events: its room follows, even if the process that changed it died."""

from typing import Final

from services.session.enforcement.service import Enforcer
from shared.bus import Group, on
from shared.contracts.session_events import SessionUpdated

GROUP: Final = "session.enforcement"


def group(enforcer: Enforcer) -> Group:
    return Group(GROUP, dict([on(SessionUpdated, enforcer.follow)]))
