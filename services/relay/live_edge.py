"""Finds the live edge: media that waited for us arrives in a burst, and must not be passed on."""

# Seconds of media that may arrive together, since video and audio are not interleaved exactly.
_TOGETHER = 0.1
# After so long without a burst, media is live.
_NO_BURST = 0.2
# A source that sends faster than real time never gets there; its media is taken as it arrives.
_MAX_WAIT = 3.0


class LiveEdge:
    """Pure. Media that arrived while the room was being connected would stay in the viewers' buffers, which
    take half a minute to shrink by a second.
    """

    def __init__(self) -> None:
        self.reached = False
        self._began: float | None = None
        self._burst_at = 0.0
        self._burst_media = 0.0
        self._offset = 0.0

    def is_live(self, media: float, now: float) -> bool:
        """Whether media of this time in the stream (`media`, seconds) that arrives at `now` is live."""
        if self.reached:
            return True
        if self._began is None:
            self._began = now
            self._mark(media, now)
        elif media - self._burst_media > now - self._burst_at + _TOGETHER:
            self._mark(media, now)
        self.reached = now - self._burst_at >= _NO_BURST or now - self._began >= _MAX_WAIT
        self._offset = now - media
        return self.reached

    def delay(self, media: float, now: float) -> float:
        """Seconds by which media is later than when the live edge was reached."""
        return now - media - self._offset

    def _mark(self, media: float, now: float) -> None:
        self._burst_at, self._burst_media = now, media
