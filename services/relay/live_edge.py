"""Where live is: media that waited for us comes in a burst, and is not to be passed on."""

from __future__ import annotations

# Seconds of media that may come at once, for picture and sound do not take turns exactly.
_AT_ONCE = 0.1
# Nothing came in a burst for so long: this is live.
_QUIET = 0.2
# Whoever sends faster than it is made never comes to live, and is taken as it comes.
_AT_MOST = 3.0


class LiveEdge:
    """Pure. What came while the room was being connected would lie in the viewers' buffers ever after: they
    take half a minute to get rid of a second.
    """

    def __init__(self) -> None:
        self.reached = False
        self._began: float | None = None
        self._quiet_since = 0.0
        self._media_then = 0.0
        self._offset = 0.0

    def piece(self, media: float, now: float) -> bool:
        """Whether live is reached with this piece, of `media` seconds in the stream's time, at `now`."""
        if self.reached:
            return True
        if self._began is None:
            self._began = now
            self._mark(media, now)
        elif media - self._media_then > now - self._quiet_since + _AT_ONCE:
            self._mark(media, now)
        self.reached = now - self._quiet_since >= _QUIET or now - self._began >= _AT_MOST
        self._offset = now - media
        return self.reached

    def behind(self, media: float, now: float) -> float:
        """Seconds by which this piece is later than live was when it was reached."""
        return now - media - self._offset

    def _mark(self, media: float, now: float) -> None:
        self._quiet_since, self._media_then = now, media
