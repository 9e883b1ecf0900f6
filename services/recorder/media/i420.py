"""Pictures in I420: brightness at full size, then the two colour planes at half width and height."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

BLACK, GREY = 16, 128


@dataclass(frozen=True)
class I420Frame:
    """Three planes of bytes; the colours' are half as wide and high, rounded up."""

    y: Plane
    u: Plane
    v: Plane

    @property
    def width(self) -> int:
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        return int(self.y.shape[0])

    @property
    def planes(self) -> tuple[Plane, Plane, Plane]:
        return (self.y, self.u, self.v)

    @classmethod
    def of(cls, data: memoryview | bytearray | bytes, width: int, height: int) -> I420Frame:
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
    def plain(cls, width: int, height: int, luma: int = BLACK) -> I420Frame:
        """A grey one of this brightness."""
        half = ((height + 1) // 2, (width + 1) // 2)
        return cls(
            np.full((height, width), luma, dtype=np.uint8),
            np.full(half, GREY, dtype=np.uint8),
            np.full(half, GREY, dtype=np.uint8),
        )

    def cut(self, left: int, top: int, width: int, height: int) -> I420Frame:
        """A part of it, without a copy; all four even."""
        x, y = left // 2, top // 2
        across, down = (width + 1) // 2, (height + 1) // 2
        return I420Frame(
            self.y[top : top + height, left : left + width],
            self.u[y : y + down, x : x + across],
            self.v[y : y + down, x : x + across],
        )

    def turned(self, quarters: int) -> I420Frame:
        """Turned clockwise by so many right angles, without a copy."""
        if not quarters % 4:
            return self
        return I420Frame(*(np.rot90(plane, -quarters) for plane in self.planes))

    def paste(self, other: I420Frame) -> None:
        """Copy one of the same size over this one."""
        for mine, theirs in zip(self.planes, other.planes, strict=True):
            mine[:] = theirs

    def fill(self, luma: int) -> None:
        self.y.fill(luma)
        self.u.fill(GREY)
        self.v.fill(GREY)
