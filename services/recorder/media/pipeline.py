"""Where video and audio become segments: on a thread of its own, driven by the clock."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import structlog
from prometheus_client import Counter

from services.recorder.media.audio import RATE, AudioFeed, Mixer
from services.recorder.media.compositor import Compositor
from services.recorder.media.encoder import EncodedSegment, SegmentEncoder
from services.recorder.media.frames import Canvas
from services.recorder.media.layout import Picture, Tile
from shared.egress.engine import EncodingOptions

# Seconds behind the clock: beyond the first a frame repeats the last one, beyond the second it is skipped.
REPEAT_BEHIND = 0.4
SKIP_BEHIND = 1.0
# A process that was frozen for so long has lost audio, too: a new part begins.
BREAK_BEHIND = 2.5


@dataclass(frozen=True)
class Tick:
    """What to do now: wait for so many seconds, or render frame `number`, drawn again or as the last one.

    `skipped` is how many frames before it are left out; `interrupted`, whether a new part begins.
    """

    wait: float = 0.0
    number: int = 0
    redraw: bool = True
    skipped: int = 0
    interrupted: bool = False


class Pacer:
    """Frame `n` is due `n / rate` seconds after `start` on a steady clock, so that nothing drifts. Pure."""

    def __init__(self, start: float, rate: int):
        self._start = start
        self._rate = rate
        self._next = 0

    def next(self, now: float) -> Tick:
        """The next thing to do; a frame that it names counts as rendered."""
        behind = now - self._start - self._next / self._rate
        if behind < 0:
            return Tick(wait=-behind)
        skipped = int(behind * self._rate) if behind > SKIP_BEHIND else 0
        number = self._next + skipped
        self._next = number + 1
        redraw = bool(skipped) or behind <= REPEAT_BEHIND
        return Tick(number=number, redraw=redraw, skipped=skipped, interrupted=behind > BREAK_BEHIND)


log = structlog.get_logger(__name__)

SKIPPED = Counter("greenroom_recorder_pictures_left_out_total", "Pictures for which there was no time")

# Seconds that video and audio may take to arrive here; they are rendered so much later.
DELAY = 0.5


@dataclass(frozen=True)
class RenderedSegment:
    """A finished file of `duration` seconds whose first frame was captured `age` seconds ago.

    `discontinuity`: its timestamps start again, since it is the first after an interruption. `missing`: the
    names of those whose video did not arrive at its end.
    """

    file: Path
    age: float
    duration: float
    discontinuity: bool
    missing: tuple[str, ...]


class RenderPipeline:
    """Renders `tiles`, which may be replaced at any time.

    On its own thread it calls `path` for the path of each new file, `done` with each finished one, and
    `failed` with what ended it before `stop`.
    """

    def __init__(
        self,
        encoding: EncodingOptions,
        preset: str,
        *,
        path: Callable[[], Path],
        done: Callable[[RenderedSegment], None],
        failed: Callable[[Exception], None],
    ):
        self.tiles: tuple[Tile, ...] = ()
        self.picture = Picture(encoding.width, encoding.height, encoding.video_fit, encoding.layout)
        self._encoding, self._preset = encoding, preset
        self._path, self._done, self._failed = path, done, failed
        self._mixer = Mixer()
        self._canvas = Canvas(encoding.width, encoding.height)
        self._compositor = Compositor(self._canvas)
        self._stopping = Event()
        self._ends_at = math.inf
        self._thread = Thread(target=self._run, name="render pipeline", daemon=True)
        self._opened_at = time.monotonic()
        self._part_at = self._opened_at
        self._discontinuity = False
        self._skipped = 0

    def start(self) -> None:
        """Begin with what is captured now."""
        self._begin_part(time.monotonic())
        self._thread.start()

    def stop(self) -> None:
        """End with what is captured now; returns when the last file is finished."""
        time.sleep(DELAY)
        self._ends_at = time.monotonic()
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def audio_feed(self) -> AudioFeed:
        """A feed for one more track."""
        return AudioFeed(self._mixer, self._opened_at)

    def _run(self) -> None:
        try:
            while self._render_part():
                self._discontinuity = True
        except Exception as error:
            log.exception("pipeline.failed")
            self._failed(error)

    def _render_part(self) -> bool:
        """Render until stopped (False), or until the process was frozen for a while (True)."""
        encoder = SegmentEncoder(self._encoding, self._preset, self._path, self._take)
        pacer = Pacer(self._part_at + DELAY, self._encoding.frame_rate)
        try:
            while True:
                # A pipeline that is always behind would never reach an end that moved on with the clock.
                tick = pacer.next(min(time.monotonic(), self._ends_at))
                if tick.interrupted:
                    return True
                if tick.wait and self._stopping.wait(tick.wait):
                    return False
                if not tick.wait:
                    self._render(tick, encoder)
        finally:
            encoder.close()
            self._begin_part(time.monotonic() - DELAY)

    def _render(self, tick: Tick, encoder: SegmentEncoder) -> None:
        rate = self._encoding.frame_rate
        self._skipped += tick.skipped
        if tick.redraw:
            self._compositor.draw(self.tiles, self._part_at + tick.number / rate)
        encoder.add_video(self._canvas.frame, tick.number)
        due = round((tick.number + 1) * RATE / rate)
        encoder.add_audio(self._mixer.read(due - encoder.samples))

    def _begin_part(self, at: float) -> None:
        self._part_at = at
        self._mixer.skip_to(round((self._part_at - self._opened_at) * RATE))

    def _take(self, segment: EncodedSegment) -> None:
        age = time.monotonic() - self._part_at - segment.first_frame / self._encoding.frame_rate
        missing = self._compositor.missing
        self._done(RenderedSegment(segment.file, age, segment.duration, self._discontinuity, missing))
        self._discontinuity = False
        if self._skipped:
            log.warning("pipeline.behind", skipped=self._skipped, seconds=round(segment.duration, 1))
            SKIPPED.inc(self._skipped)
            self._skipped = 0
