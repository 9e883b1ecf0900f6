"""Where pictures and sound become segments: a thread of its own, driven by the clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import structlog
from prometheus_client import Counter

from services.recorder.media.audio_feed import AudioFeed
from services.recorder.media.compositor import Compositor
from services.recorder.media.encoder import EncodedSegment, SegmentEncoder
from services.recorder.media.frames import Canvas
from services.recorder.media.mixer import RATE, Mixer
from services.recorder.media.pacing import Pacer, Tick
from services.recorder.media.scene import Tile
from shared.egress.engine import EncodingOptions

log = structlog.get_logger(__name__)

LEFT_OUT = Counter("greenroom_recorder_pictures_left_out_total", "Pictures for which there was no time")

# Seconds that pictures and sound may take to come here; they are put together so much later.
DELAY = 0.5


@dataclass(frozen=True)
class RenderedSegment:
    """A finished file of `duration` seconds whose first picture was taken `age` seconds ago.

    `broken`: it is the first after a break, and its timestamps begin anew.
    """

    file: Path
    age: float
    duration: float
    broken: bool


class RenderPipeline:
    """`name` gives the path of each new file, `made` is told of each finished one, both on our thread.

    `failed` is told, on our thread, of what ended it before `stop`.
    """

    def __init__(
        self,
        look: EncodingOptions,
        preset: str,
        *,
        name: Callable[[], Path],
        made: Callable[[RenderedSegment], None],
        failed: Callable[[Exception], None],
    ):
        self.tiles: tuple[Tile, ...] = ()
        self.width, self.height = look.width, look.height
        self._look, self._preset = look, preset
        self._name, self._made, self._failed = name, made, failed
        self._mixer = Mixer()
        self._canvas = Canvas(look.width, look.height)
        self._compositor = Compositor(self._canvas)
        self._stopping = Event()
        self._ends_at = math.inf
        self._thread = Thread(target=self._run, name="pipeline", daemon=True)
        self._opened_at = time.monotonic()
        self._part_at = self._opened_at
        self._broken = False
        self._left_out = 0

    def start(self) -> None:
        """Begin with what is taken now."""
        self._begin_part(time.monotonic())
        self._thread.start()

    def stop(self) -> None:
        """End with what is taken now; returns when the last file is finished."""
        time.sleep(DELAY)
        self._ends_at = time.monotonic()
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def audio_feed(self) -> AudioFeed:
        """For one more track."""
        return AudioFeed(self._mixer, self._opened_at)

    def _run(self) -> None:
        try:
            while self._make_part():
                self._broken = True
        except Exception as error:
            log.exception("pipeline.failed")
            self._failed(error)

    def _make_part(self) -> bool:
        """Make pictures and sound until we are stopped, or, which returns true, were frozen for a while."""
        encoder = SegmentEncoder(self._look, self._preset, self._name, self._take)
        pacer = Pacer(self._part_at + DELAY, self._look.frame_rate)
        try:
            while True:
                # Who is always behind would never see an end that moved on with the clock.
                turn = pacer.turn(min(time.monotonic(), self._ends_at))
                if turn.broken:
                    return True
                if turn.wait and self._stopping.wait(turn.wait):
                    return False
                if not turn.wait:
                    self._make(turn, encoder)
        finally:
            encoder.close()
            self._begin_part(time.monotonic() - DELAY)

    def _make(self, turn: Tick, encoder: SegmentEncoder) -> None:
        rate = self._look.frame_rate
        self._left_out += turn.lost
        if turn.drawn:
            self._compositor.draw(self.tiles, self._part_at + turn.number / rate)
        encoder.picture(self._canvas.frame, turn.number)
        due = round((turn.number + 1) * RATE / rate)
        encoder.sound(self._mixer.read(due - encoder.samples))

    def _begin_part(self, at: float) -> None:
        self._part_at = at
        self._mixer.skip_to(round((self._part_at - self._opened_at) * RATE))

    def _take(self, cut: EncodedSegment) -> None:
        age = time.monotonic() - self._part_at - cut.first_picture / self._look.frame_rate
        self._made(RenderedSegment(cut.file, age, cut.duration, self._broken))
        self._broken = False
        if self._left_out:
            log.warning("pipeline.behind", left_out=self._left_out, seconds=round(cut.duration, 1))
            LEFT_OUT.inc(self._left_out)
            self._left_out = 0
