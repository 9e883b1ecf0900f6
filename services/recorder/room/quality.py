"""How large the pictures are asked for: no larger than they are shown. Pure, save for the asking."""

from __future__ import annotations

from livekit import rtc


def layer(shown: int, sent: int) -> rtc.VideoQuality.ValueType:
    """The smallest of the sender's layers (all, a half, a quarter of its width) that is not enlarged."""
    if shown * 4 <= sent:
        return rtc.VideoQuality.VIDEO_QUALITY_LOW
    if shown * 2 <= sent:
        return rtc.VideoQuality.VIDEO_QUALITY_MEDIUM
    return rtc.VideoQuality.VIDEO_QUALITY_HIGH


class QualityRequests:
    """Remembers what was asked for each track, so that LiveKit hears of changes alone."""

    def __init__(self) -> None:
        self._asked: dict[str, rtc.VideoQuality.ValueType] = {}

    def ask(self, publication: rtc.RemoteTrackPublication, shown: int) -> None:
        """Ask for the layer that fits a picture `shown` pixels wide; 0 where it is not shown."""
        if not publication.simulcasted or not publication.width:
            return
        wanted = layer(shown, publication.width)
        if self._asked.get(publication.sid) != wanted:
            self._asked[publication.sid] = wanted
            publication.set_video_quality(wanted)
