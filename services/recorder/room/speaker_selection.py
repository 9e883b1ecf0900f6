"""Who is seen if more participants are on stage than fit into the picture. Pure."""

from collections.abc import Iterable, Sequence

from services.recorder.media.layout import MAX_TILES
from services.recorder.media.scene import StageParticipant

_NEVER = float("-inf")


class SpeakerSelection:
    """Hosts and who shares a screen are seen first, then who spoke last, then who was on stage first.

    So an unseen participant who speaks takes the place of the one who has been silent the longest, and nobody
    else appears or disappears. All are heard.
    """

    def __init__(self) -> None:
        self._spoke: dict[str, float] = {}
        self._seen: frozenset[str] = frozenset()

    def hear(self, speaking: Iterable[str], now: float) -> bool:
        """These identities speak at this moment; true if one of them is not seen."""
        heard = frozenset(speaking)
        self._spoke |= dict.fromkeys(heard, now)
        return not heard <= self._seen

    def select(self, participants: Sequence[StageParticipant]) -> list[StageParticipant]:
        """Those who are seen, in the order given: hosts first, then in the order of joining the stage."""
        self._spoke = {one.identity: self._spoke.get(one.identity, _NEVER) for one in participants}
        best = sorted(participants, key=self._rank)[:MAX_TILES]  # Stable: else they stay in their order.
        self._seen = frozenset(one.identity for one in best)
        return [one for one in participants if one.identity in self._seen]

    def _rank(self, participant: StageParticipant) -> tuple[bool, float]:
        first = participant.is_host or participant.screen is not None
        return (not first, 0.0 if first else -self._spoke[participant.identity])
