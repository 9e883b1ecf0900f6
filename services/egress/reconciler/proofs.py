"""When each connection of a room was last known to live. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from services.egress.reconciler.connections.domain import Believed
from services.egress.reconciler.rosters.domain import Roster

# Whoever joined was there for a moment, and so attended what ended with them.
MOMENT = timedelta(milliseconds=1)


def proofs_of_life(
    roster: Roster | None, believed: Mapping[str, Believed], answered_at: datetime | None
) -> dict[str, datetime]:
    """By sid: on a roster, by joining, or as long as LiveKit answered.

    `roster` is the last one, `believed` the connections by sid, `answered_at` when LiveKit last answered
    before it was away as a whole: whoever was connected until then lived until then.
    """
    proofs = roster.proofs() if roster else {}
    for sid, one in believed.items():
        if one.is_open:
            known = [one.joined_at + MOMENT, proofs.get(sid), answered_at]
            proofs[sid] = max(moment for moment in known if moment is not None)
    return proofs
