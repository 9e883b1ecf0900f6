"""What a file shows: when it flashes, when it beeps, and whether its timestamps go on as they should."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np

BRIGHT = 170.0
LOUD = 0.1
QUIET_SECONDS = 0.3  # between two beeps


@dataclass
class Read:
    """Times in seconds of the file's own clock."""

    flashes: list[float] = field(default_factory=list)
    beeps: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)
    sounds: list[float] = field(default_factory=list)
    size: tuple[int, int] = (0, 0)

    @property
    def offsets(self) -> list[float]:
        """By how much each beep is later than the flash next to it."""
        if not self.flashes:
            return []
        pairs = ((beep, min(self.flashes, key=lambda flash: abs(flash - beep))) for beep in self.beeps)
        return [beep - flash for beep, flash in pairs if abs(beep - flash) < 0.5]


def read(files: Iterable[Path], *, box: tuple[int, int, int, int] | None = None) -> Read:
    """Decode the files one after the other; brightness is that of `box` (left, top, width, height)."""
    found = Read()
    bright, loud_until = False, -1.0
    for frame in _frames(files):
        at = float(frame.time or 0.0)
        if isinstance(frame, av.VideoFrame):
            is_bright = _brightness(frame, box) > BRIGHT
            found.flashes += [at] if is_bright and not bright else []
            bright = is_bright
            found.pictures.append(at)
            found.size = (frame.width, frame.height)
        else:
            found.sounds.append(at)
            wave = np.abs(frame.to_ndarray()).max(axis=0)
            loud = np.flatnonzero(wave > LOUD)
            if loud.size:
                begins = at + float(loud[0]) / frame.sample_rate
                found.beeps += [begins] if begins - loud_until > QUIET_SECONDS else []
                loud_until = at + float(loud[-1]) / frame.sample_rate
    return found


def _frames(files: Iterable[Path]) -> Iterator[av.VideoFrame | av.AudioFrame]:
    for path in files:
        with av.open(str(path)) as container:
            for frame in container.decode():
                if isinstance(frame, (av.VideoFrame, av.AudioFrame)):
                    yield frame


def _brightness(frame: av.VideoFrame, box: tuple[int, int, int, int] | None) -> float:
    plane = frame.planes[0]
    luma = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)
    left, top, width, height = box or (0, 0, frame.width, frame.height)
    return float(luma[top : top + height, left : left + width].mean())
