"""Video frames in I420: luma at full size, then the two chroma planes at half width and height."""

from typing import NamedTuple, Self

import av
import numpy as np
from av.video.plane import VideoPlane
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

BLACK, GREY = 16, 128


class I420Frame(NamedTuple):
    """Three planes of bytes; the chroma planes are half as wide and high, rounded up."""

    y: Plane
    u: Plane
    v: Plane

    @property
    def width(self) -> int:
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        return int(self.y.shape[0])

    @classmethod
    def of(cls, data: memoryview | bytearray | bytes, width: int, height: int) -> Self:
        """The planes of a frame that lie one after the other, without a copy."""
        across, down = (width + 1) // 2, (height + 1) // 2
        flat = np.frombuffer(data, dtype=np.uint8)
        luma, chroma = width * height, across * down
        return cls(
            flat[:luma].reshape(height, width),
            flat[luma : luma + chroma].reshape(down, across),
            flat[luma + chroma : luma + 2 * chroma].reshape(down, across),
        )

    @classmethod
    def of_av(cls, frame: av.VideoFrame) -> Self:
        """The planes of a yuv420p frame, without a copy; they keep the frame alive."""
        half = ((frame.width + 1) // 2, (frame.height + 1) // 2)
        sizes = ((frame.width, frame.height), half, half)
        return cls(*(_av_plane(plane, *size) for plane, size in zip(frame.planes, sizes, strict=True)))

    @classmethod
    def plain(cls, width: int, height: int, luma: int = BLACK) -> Self:
        """A grey frame of this luma."""
        half = ((height + 1) // 2, (width + 1) // 2)
        return cls(
            np.full((height, width), luma, dtype=np.uint8),
            np.full(half, GREY, dtype=np.uint8),
            np.full(half, GREY, dtype=np.uint8),
        )

    def crop(self, left: int, top: int, width: int, height: int) -> "I420Frame":
        """A part of it, without a copy; all four even."""
        x, y = left // 2, top // 2
        across, down = (width + 1) // 2, (height + 1) // 2
        return I420Frame(
            self.y[top : top + height, left : left + width],
            self.u[y : y + down, x : x + across],
            self.v[y : y + down, x : x + across],
        )

    def rotated(self, quarters: int) -> "I420Frame":
        """Rotated clockwise by so many right angles, without a copy."""
        if not quarters % 4:
            return self
        return I420Frame(*(np.rot90(plane, -quarters) for plane in self))

    def paste(self, other: "I420Frame") -> None:
        """Copy a frame of the same size over this one."""
        for mine, theirs in zip(self, other, strict=True):
            mine[:] = theirs

    def fill(self, luma: int) -> None:
        self.y.fill(luma)
        self.u.fill(GREY)
        self.v.fill(GREY)


class Canvas:
    """An FFmpeg frame that stays the same, and its planes to draw on. x264 copies what it is given."""

    def __init__(self, width: int, height: int):
        self.frame = av.VideoFrame(width, height, "yuv420p")
        self.planes = I420Frame.of_av(self.frame)


class Scaler:
    """Scales the frames of one source; FFmpeg keeps its tables for the last sizes."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._source: Canvas | None = None

    def scale(self, frame: I420Frame, width: int, height: int) -> I420Frame:
        """The frame in another size; the result is valid until it is dropped."""
        source = self._source
        if source is None or source.planes.y.shape != frame.y.shape:
            source = self._source = Canvas(frame.width, frame.height)
        source.planes.paste(frame)
        scaled = self._reformatter.reformat(
            source.frame, width, height, "yuv420p", interpolation=Interpolation.BILINEAR
        )
        return I420Frame.of_av(scaled)


def _av_plane(plane: VideoPlane, width: int, height: int) -> Plane:
    flat: Plane = np.frombuffer(memoryview(plane), dtype=np.uint8)
    return flat.reshape(-1, plane.line_size)[:height, :width]
