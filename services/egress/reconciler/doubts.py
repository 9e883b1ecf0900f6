"""Differences that were seen and are not repaired yet, since they may pass."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta

from services.egress.reconciler.domain import PATIENCE, Kind, Repair

Key = tuple[str, str, str]


class Doubts:
    """Since when each difference of a room has lasted, kept in memory by whoever looks at the room."""

    def __init__(self, patience: Mapping[Kind, timedelta] = PATIENCE):
        self._patience = patience
        self._since: dict[str, dict[Key, datetime]] = {}
        self._settled: defaultdict[str, dict[Key, datetime]] = defaultdict(dict)

    def ripe(self, room: str, repairs: Sequence[Repair], now: datetime) -> list[Repair]:
        """Those of the room's differences that have lasted long enough; earlier ones have passed."""
        known, settled = self._since.pop(room, {}), self._settled.pop(room, {})
        since = {one.key: known.get(one.key) or _beginning(one, settled, now) for one in repairs}
        if since:
            self._since[room] = since
        if lasting := {key: at for key, at in settled.items() if key in since}:
            self._settled[room] = lasting
        return [one for one in repairs if now - since[one.key] >= self._patience[one.kind]]

    def settle(self, repairs: Iterable[Repair], now: datetime) -> None:
        """They were repaired: what still differs begins anew, for news of the repair are on their way."""
        for repair in repairs:
            self._settled[repair.session_id][repair.key] = now
            left = self._since.get(repair.session_id, {})
            left.pop(repair.key, None)
            if not left:
                self._since.pop(repair.session_id, None)

    def forget_others(self, rooms: Set[str]) -> None:
        """Nobody will ask for other rooms than these."""
        for kept in (self._since, self._settled):
            for room in kept.keys() - rooms:
                del kept[room]

    def any(self, room: str) -> bool:
        """Whether a difference of the room awaits its time."""
        return room in self._since


def _beginning(repair: Repair, settled: Mapping[Key, datetime], now: datetime) -> datetime:
    began = repair.since or now
    return max(began, settled.get(repair.key, began))
