"""Debounces drift: it must persist for its grace period before it is corrected."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta

from services.egress.drift.domain import GRACE_PERIOD, Drift, Kind

Key = tuple[str, str, str]


class Debouncer:
    """Since when each difference of a session has lasted, in the memory of the replica that compares."""

    def __init__(self, grace_period: Mapping[Kind, timedelta] = GRACE_PERIOD):
        self._grace_period = grace_period
        self._since: dict[str, dict[Key, datetime]] = {}
        self._corrected: defaultdict[str, dict[Key, datetime]] = defaultdict(dict)

    def due(self, session_id: str, found: Sequence[Drift], now: datetime) -> list[Drift]:
        """Those of all `found` in the session that have lasted long enough; the earlier ones have passed."""
        known, corrected = self._since.pop(session_id, {}), self._corrected.pop(session_id, {})
        since = {one.key: known.get(one.key) or _beginning(one, corrected, now) for one in found}
        if since:
            self._since[session_id] = since
        if lasting := {key: at for key, at in corrected.items() if key in since}:
            self._corrected[session_id] = lasting
        return [one for one in found if now - since[one.key] >= self._grace_period[one.kind]]

    def corrected(self, drifts: Iterable[Drift], now: datetime) -> None:
        """Restart the grace period of what still differs: events of the correction may be on their way."""
        for drift in drifts:
            self._corrected[drift.session_id][drift.key] = now
            left = self._since.get(drift.session_id, {})
            left.pop(drift.key, None)
            if not left:
                self._since.pop(drift.session_id, None)

    def retain(self, session_ids: Set[str]) -> None:
        """Forget all other sessions."""
        for kept in (self._since, self._corrected):
            for session_id in kept.keys() - session_ids:
                del kept[session_id]

    def pending(self, session_id: str) -> bool:
        """Whether a difference of the session is not corrected yet."""
        return session_id in self._since


def _beginning(drift: Drift, corrected: Mapping[Key, datetime], now: datetime) -> datetime:
    began = drift.since or now
    return max(began, corrected.get(drift.key, began))
