"""What becomes of decoded pictures and sound: they are made alike, encoded, and passed on as they come."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

import av

from services.relay.media.picture import KEY_SECONDS, MICROSECOND, PictureEncoder, PictureFilter
from services.relay.media.room import Publication
from services.relay.media.sound import SoundFilter
from shared.dejitter import Dejitter

# A request for a key picture waits so long for the next picture before the last one is sent again.
_AGAIN_AFTER = 0.2

Clock = Callable[[], float]


class PictureSink:
    """`push` is called by one thread, `tend` by another.

    `size` is that of the last picture, as passed on; 0 if none of the present track has been.
    """

    def __init__(self, kbps: int, publication: Publication, clock: Clock = time.monotonic):
        self.codec = ""
        self.size = (0, 0)
        self.decoded_at = self.sent_at = float("-inf")
        self._publication = publication
        self._clock = clock
        self._dejitter = Dejitter()
        self._filter = PictureFilter()
        self._encoder = PictureEncoder(kbps)
        self._last: av.VideoFrame | None = None
        self._lock = Lock()

    def begin(self, codec: str) -> None:
        self.codec, self.size = codec, (0, 0)

    def push(self, frame: Any, *, late: bool = False) -> None:
        """Leaves `late` pictures out: to decode alone is faster, until there is time again."""
        now = self._clock()
        taken = now if frame.time is None else self._dejitter.captured_at(frame.time, now)
        if late or not self._encoder.takes(taken):
            self.decoded_at = now
            return
        frame.pts, frame.time_base = round(taken / MICROSECOND), MICROSECOND
        try:
            pictures = self._filter.apply(frame)
        except av.FFmpegError:
            # One that cannot be made like the others is as good as not decoded.
            self._filter = PictureFilter()
            return
        self.decoded_at = now
        for picture in pictures:
            with self._lock:
                self._send(picture, picture.time, publish=True)

    def tend(self, *, wanted: bool, target: int | None) -> None:
        """Regularly: whether LiveKit wants a key picture, and to how many bits a second the way is.

        If no picture comes for a while the last one goes again, to whoever joined meanwhile.
        """
        self._encoder.wanted |= wanted
        self._encoder.target = target or self._encoder.target
        # Whoever holds it sends a picture just now.
        if self._lock.acquire(blocking=False):
            try:
                quiet = self._clock() - self.sent_at
                if self._last is not None and quiet > (_AGAIN_AFTER if self._encoder.wanted else KEY_SECONDS):
                    self._send(self._last, self._clock(), publish=False)
            finally:
                self._lock.release()

    def pause(self) -> None:
        """The encoder sends no pictures any longer: the last one is not sent again."""
        self._last, self.size = None, (0, 0)

    def _send(self, picture: av.VideoFrame, at: float, *, publish: bool) -> None:
        encoded = self._encoder.encode(picture, at)
        if encoded is not None and self._publication.show(encoded, publish=publish):
            self.sent_at, self._last = self._clock(), picture
            self.size = (encoded.width, encoded.height)
        else:
            # What comes after it refers to it.
            self._encoder.wanted = True


class SoundSink:
    """For one thread. `format` is that of the last sound as it came: samples a second, and channels."""

    def __init__(self, publication: Publication, clock: Clock = time.monotonic):
        self.codec = ""
        self.format = (0, 0)
        self.decoded_at = self.sent_at = float("-inf")
        self._publication = publication
        self._clock = clock
        self._filter = SoundFilter()

    def begin(self, codec: str) -> None:
        self.codec = codec

    def push(self, frame: Any, *, late: bool = False) -> None:
        """Leaves `late` sound out: it would stay in viewers' buffers, which shrink slowly."""
        now = self._clock()
        self.format = (frame.sample_rate, frame.layout.nb_channels)
        try:
            pieces = [] if late else self._filter.apply(frame)
        except av.FFmpegError:
            self._filter = SoundFilter()
            return
        self.decoded_at = now
        if pieces and self._publication.play(pieces):
            self.sent_at = self._clock()
