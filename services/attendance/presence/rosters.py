"""What a roster says of a session's connections, beside what webhooks told. Pure.

A roster says nothing of who joined after it was observed, hence the comparison of times; whoever is not on
it had left, at the latest when the roster before was the last to show them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.attendance.presence.domain import Fact
from shared.contracts.roster_events import RosterObserved


@dataclass(frozen=True)
class Correction:
    """`appeared`: there, and not open with us. `gone`: open with us and not there, by sid, since when."""

    appeared: tuple[Fact, ...]
    gone: Mapping[str, datetime]


def correction(roster: RosterObserved, joined_at: Mapping[str, datetime]) -> Correction:
    """`joined_at`: the connections to the roster's room that are open with us, by sid."""
    return Correction(
        appeared=tuple(
            Fact.seen(roster, one)
            for one in roster.connections
            if one.active and one.participant_sid not in joined_at
        ),
        gone=roster.left(joined_at),
    )
