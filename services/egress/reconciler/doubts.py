"""Differences that were seen and are not repaired yet, since they may pass."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from services.egress.reconciler.domain import PATIENCE, Kind, Repair


class Doubts:
    """Since when each difference of a room has lasted, kept in memory by whoever looks at the room."""

    def __init__(self, patience: Mapping[Kind, timedelta] = PATIENCE):
        self._patience = patience
        self._since: dict[str, dict[tuple[str, str, str], datetime]] = {}

    def ripe(self, room: str, repairs: Sequence[Repair], now: datetime) -> list[Repair]:
        """Those of the room's differences that have lasted long enough; earlier ones have passed."""
        known = self._since.pop(room, {})
        since = {repair.key: known.get(repair.key, repair.since or now) for repair in repairs}
        if since:
            self._since[room] = since
        return [one for one in repairs if now - since[one.key] >= self._patience[one.kind]]

    def settle(self, repairs: Iterable[Repair]) -> None:
        """They were repaired: the same differences would be new ones."""
        for repair in repairs:
            left = self._since.get(repair.session_id, {})
            left.pop(repair.key, None)
            if not left:
                self._since.pop(repair.session_id, None)

    def any(self, room: str) -> bool:
        """Whether a difference of the room awaits its time."""
        return room in self._since
