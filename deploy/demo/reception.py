"""What one connection received, and whether it was what the host sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from deploy.demo.stamp import WRAP, Luma, read_stamp
from deploy.demo.tone import Samples, is_tone

MOVES_NEEDED = 5


@dataclass
class Reception:
    """Counts of one connection. `moves` are pictures whose time was later than that of the one before.

    Only a picture whose time can be read is the host's: `first_frame_at` is when the first of them came.
    """

    now: Callable[[], float]
    frames: int = 0
    moves: int = 0
    sounds: int = 0
    tone_heard: bool = False
    first_frame_at: float | None = None
    delays: list[int] = field(default_factory=list)
    _last_stamp: int = -1

    def see(self, luma: Luma) -> None:
        """A picture came."""
        now = self.now()
        self.frames += 1
        stamp = read_stamp(luma)
        if stamp is None:
            return
        if self.first_frame_at is None:
            self.first_frame_at = now
        self.moves += stamp > self._last_stamp
        self._last_stamp = stamp
        self.delays.append((int(now * 1000) - stamp) % WRAP)

    def hear(self, samples: Samples) -> None:
        """A piece of sound came; once the tone was known again, pieces are only counted."""
        self.sounds += 1
        self.tone_heard = self.tone_heard or is_tone(samples)

    @property
    def complete(self) -> bool:
        """Whether picture and sound of the host both arrive."""
        return self.moves >= MOVES_NEEDED and self.tone_heard

    @property
    def delay(self) -> int | None:
        """Milliseconds from drawing a picture to having it, in the median."""
        return round(median(self.delays)) if self.delays else None

    def missing(self) -> str:
        """What has not arrived yet, in words."""
        lacking = []
        if self.moves < MOVES_NEEDED:
            lacking.append(f"a moving picture ({self.frames} frames, {self.moves} of them new)")
        if not self.tone_heard:
            lacking.append(f"the tone ({self.sounds} pieces of sound)")
        return " and ".join(lacking) or "nothing"
