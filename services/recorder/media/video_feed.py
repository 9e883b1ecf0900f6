"""The pictures of one track on their way to the compositor."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock

from services.recorder.media.dejitter import Dejitter
from services.recorder.media.i420 import I420Frame

# A second at 30 a second: twice as much as waits here while all is well.
_KEPT = 30
# The last picture of a camera stays for so long; LiveKit ends a muted track with a black one of two pixels.
STALE_SECONDS = 4.0
_SMALLEST = 16


@dataclass(frozen=True)
class TimedFrame:
    """A picture and when it was taken, on the steady clock."""

    taken_at: float
    picture: I420Frame


class VideoFeed:
    """Filled by the room's loop, emptied by the compositor's thread.

    `jitter_buffer_delay`: seconds spent in the SDK's jitter buffer; None until it is known.
    """

    def __init__(self) -> None:
        self.jitter_buffer_delay: float | None = None
        self._shots: deque[TimedFrame] = deque(maxlen=_KEPT)
        self._current: TimedFrame | None = None
        self._dejitter = Dejitter()
        self._lock = Lock()

    def push(self, picture: I420Frame, stamp: float, arrived: float) -> None:
        """A picture came; `stamp` is its own time, `arrived` ours, in seconds."""
        if picture.width < _SMALLEST or picture.height < _SMALLEST:
            return
        taken_at = self._dejitter.place(stamp, arrived) - (self.jitter_buffer_delay or 0.0)
        with self._lock:
            self._shots.append(TimedFrame(taken_at, picture))

    def at(self, moment: float) -> TimedFrame | None:
        """What was to be seen at this moment; moments only go forward."""
        with self._lock:
            while self._shots and self._shots[0].taken_at <= moment:
                self._current = self._shots.popleft()
        return self._current
