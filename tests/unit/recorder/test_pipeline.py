"""The pipeline's thread: it ends when it is told to, however slow the machine is."""

from itertools import count
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from services.recorder.media.pipeline import RenderedSegment, RenderPipeline
from shared.egress.engine import EncodingOptions

DEADLINE = 30.0
# More pictures a second than any machine encodes: it is behind all the time.
TOO_MANY = 20_000


def test_one_that_never_keeps_up_ends_when_it_is_stopped(tmp_path: Path) -> None:
    begun, made, failed = SimpleQueue[Path](), SimpleQueue[RenderedSegment](), SimpleQueue[Exception]()
    numbers = count()

    def path() -> Path:
        begun.put(file := tmp_path / f"{next(numbers)}.ts")
        return file

    look = EncodingOptions(width=64, height=64, frame_rate=TOO_MANY, segment_seconds=1)
    pipeline = RenderPipeline(look, "ultrafast", path=path, done=made.put, failed=failed.put)
    pipeline.start()
    begun.get(timeout=DEADLINE)
    stopping = Thread(target=pipeline.stop, daemon=True)
    stopping.start()
    stopping.join(DEADLINE)
    assert not stopping.is_alive()
    assert failed.empty()
    assert not made.empty()
