"""The frames of one video track on their way to the compositor."""

from collections import deque
from dataclasses import dataclass
from threading import Lock

from services.recorder.media.frames import I420Frame
from shared.dejitter import Dejitter

# 0.6 s at 60 frames a second. If more wait, the oldest is shown early: were it dropped, all after it would be
# dropped before their time, too, and the picture would stand still.
_MAX_FRAMES = 36
# The last frame of a camera stays for so long; LiveKit ends a muted track with a black frame of two pixels.
STALE_SECONDS = 4.0
_SMALLEST = 16


@dataclass(frozen=True)
class TimedFrame:
    """A frame and when it was captured, on the steady clock."""

    captured_at: float
    frame: I420Frame


class VideoFeed:
    """Filled by the room's loop, emptied by the compositor's thread.

    `jitter_buffer_delay`: seconds spent in the SDK's jitter buffer; None until it is known.
    """

    def __init__(self) -> None:
        self.jitter_buffer_delay: float | None = None
        self._frames: deque[TimedFrame] = deque()
        self._current: TimedFrame | None = None
        self._dejitter = Dejitter()
        self._lock = Lock()

    def push(self, frame: I420Frame, timestamp: float, arrived: float) -> None:
        """A frame arrived; `timestamp` is its own time, `arrived` ours, in seconds."""
        if frame.width < _SMALLEST or frame.height < _SMALLEST:
            return
        captured_at = self._dejitter.captured_at(timestamp, arrived) - (self.jitter_buffer_delay or 0.0)
        with self._lock:
            self._frames.append(TimedFrame(captured_at, frame))
            if len(self._frames) > _MAX_FRAMES:
                self._current = self._frames.popleft()

    def at(self, moment: float) -> TimedFrame | None:
        """The frame to show at this moment; moments only go forward."""
        with self._lock:
            while self._frames and self._frames[0].captured_at <= moment:
                self._current = self._frames.popleft()
        return self._current
