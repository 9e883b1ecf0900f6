"""Which participants of a room are alive: who was asked, who answered. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.livekit.ports import NOT_COUNTED, LiveKitParticipant, LiveKitRoom

# Nothing counts as dead before it has given no answer for this long.
CONFIRMED_AFTER = timedelta(seconds=5)
# For how long a participant that answered need not be asked again, and how many are asked per snapshot.
TRUSTED_FOR = timedelta(seconds=20)
ASKED_AT_ONCE = 1000


@dataclass
class Liveness:
    """Of one room. `silent` and `answered` are since when participants (by sid) gave no answer, or one.

    `silent_since` is the same for the room as a whole, `was_silent_since` for one that a server took over.
    `suspected`: it was never probed, or something happened to it, and all of its participants must answer.
    """

    silent_since: datetime | None = None
    was_silent_since: datetime | None = None
    silent: dict[str, datetime] = field(default_factory=dict)
    answered: dict[str, datetime] = field(default_factory=dict)
    suspected: bool = True

    def suspect(self) -> None:
        self.suspected = True
        self.answered.clear()

    def record_room(self, now: datetime, *, running: bool) -> None:
        """Whether a server runs it. If one took it over, its participants may not have moved along."""
        if running and self.silent_since is not None:
            self.was_silent_since = self.silent_since
            self.suspect()
        self.silent_since = None if running else self.silent_since or now

    def to_ask(
        self, room: LiveKitRoom, participants: Sequence[LiveKitParticipant], now: datetime
    ) -> list[LiveKitParticipant]:
        """Whom to ask now: the silent again, and in a suspicious room the others, oldest first."""
        silent = [one for one in participants if one.sid in self.silent]
        if not self.suspected and not miscounted(room, participants):
            return silent
        others = [one for one in participants if one.sid not in self.silent and not self._trusted(one, now)]
        self.suspected = len(others) > ASKED_AT_ONCE
        return silent + sorted(others, key=lambda one: one.joined_at)[:ASKED_AT_ONCE]

    def _trusted(self, participant: LiveKitParticipant, now: datetime) -> bool:
        answered = self.answered.get(participant.sid)
        return answered is not None and now - answered <= TRUSTED_FOR

    def record(self, asked: Iterable[LiveKitParticipant], answered: Collection[str], now: datetime) -> None:
        """Of those `asked`, the sids that `answered`; the others are silent."""
        self.silent = {
            one.sid: self.silent.get(one.sid) or self._silent_since(one, now)
            for one in asked
            if one.sid not in answered
        }
        self.answered |= dict.fromkeys(answered, now)

    def _silent_since(self, participant: LiveKitParticipant, now: datetime) -> datetime:
        """Whoever was in the room when it fell silent has been so since then."""
        since = self.was_silent_since
        return since if since is not None and participant.joined_at < since else now

    def retain(self, participants: Iterable[LiveKitParticipant]) -> None:
        """Forget all others: they are no longer listed."""
        sids = {one.sid for one in participants}
        self.silent = {sid: at for sid, at in self.silent.items() if sid in sids}
        self.answered = {sid: at for sid, at in self.answered.items() if sid in sids}

    def stale_since(self, sid: str) -> datetime | None:
        """Since when the participant gives no answer; to be relied on when it is no longer `uncertain`."""
        return self.silent_since or self.silent.get(sid)

    def uncertain(self, now: datetime) -> bool:
        """Whether something has been silent for so short that it may only be slow, or was not asked yet."""
        if self.suspected and self.silent_since is None:
            return True
        since = [*self.silent.values(), *([self.silent_since] if self.silent_since else [])]
        return any(now - moment < CONFIRMED_AFTER for moment in since)


def miscounted(room: LiveKitRoom, participants: Sequence[LiveKitParticipant]) -> bool:
    """Whether the room's server counts others than are listed; its count is up to some 10 s late."""
    return room.num_participants != sum(one.kind not in NOT_COUNTED for one in participants)
