"""Pictures as FFmpeg's frames: drawn on and scaled without leaving I420."""

from __future__ import annotations

import av
import numpy as np
from av.video.plane import VideoPlane
from av.video.reformatter import Interpolation, VideoReformatter

from services.recorder.media.i420 import I420Frame, Plane


class Canvas:
    """An FFmpeg frame that stays the same, and its planes to draw on. x264 copies what it is given."""

    def __init__(self, width: int, height: int):
        self.frame = av.VideoFrame(width, height, "yuv420p")
        self.picture = picture_of(self.frame)


class Scaler:
    """Scales pictures of one source; FFmpeg keeps what it worked out for the last sizes."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._source: Canvas | None = None

    def scale(self, picture: I420Frame, width: int, height: int) -> I420Frame:
        """The picture in another size; the result is valid until it is dropped."""
        source = self._source
        if source is None or source.picture.y.shape != picture.y.shape:
            source = self._source = Canvas(picture.width, picture.height)
        source.picture.paste(picture)
        scaled = self._reformatter.reformat(
            source.frame, width, height, "yuv420p", interpolation=Interpolation.BILINEAR
        )
        return picture_of(scaled)


def picture_of(frame: av.VideoFrame) -> I420Frame:
    """The planes of a yuv420p frame, without a copy; they keep the frame alive."""
    width, height = frame.width, frame.height
    half = ((width + 1) // 2, (height + 1) // 2)
    sizes = ((width, height), half, half)
    return I420Frame(*(_plane(plane, *size) for plane, size in zip(frame.planes, sizes, strict=True)))


def _plane(plane: VideoPlane, width: int, height: int) -> Plane:
    flat: Plane = np.frombuffer(memoryview(plane), dtype=np.uint8)
    return flat.reshape(-1, plane.line_size)[:height, :width]
