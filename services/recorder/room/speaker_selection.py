"""Who of a crowd is seen, where more are on stage than there is room for in the picture. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.recorder.media.layout import MOST
from services.recorder.media.scene import StageParticipant

_NEVER = float("-inf")


class SpeakerSelection:
    """Hosts and who shares a screen are seen first, then who spoke last, then who was on stage first.

    So whoever is not seen and speaks takes the place of whoever has been silent the longest, and nobody else
    comes or goes. All are heard.
    """

    def __init__(self) -> None:
        self._spoke: dict[str, float] = {}
        self._seen: frozenset[str] = frozenset()

    def hear(self, speaking: Iterable[str], now: float) -> bool:
        """These identities speak at this moment; true where one of them is not seen."""
        heard = frozenset(speaking)
        self._spoke |= dict.fromkeys(heard, now)
        return not heard <= self._seen

    def choose(self, people: Sequence[StageParticipant]) -> list[StageParticipant]:
        """Those who are seen, in the order given, which is that of their coming on stage, hosts first."""
        self._spoke = {one.identity: self._spoke.get(one.identity, _NEVER) for one in people}
        best = sorted(people, key=self._rank)[:MOST]  # Stable: else they stay in their order.
        self._seen = frozenset(one.identity for one in best)
        return [one for one in people if one.identity in self._seen]

    def _rank(self, person: StageParticipant) -> tuple[bool, float]:
        first = person.hosts or person.screen is not None
        return (not first, 0.0 if first else -self._spoke[person.identity])
