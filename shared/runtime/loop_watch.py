"""Whether the event loop keeps up: how late it wakes what has slept."""

import asyncio
from typing import Final

from shared.runtime.metrics import Durations

_PERIOD: Final = 0.5

_LATE = Durations(
    "greenroom_event_loop_late_seconds",
    "By how much the event loop was late: for so long everything in the process waited",
    (),
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)


async def watch_event_loop() -> None:
    """Measure until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        started = loop.time()
        await asyncio.sleep(_PERIOD)
        _LATE.observe((), max(0.0, loop.time() - started - _PERIOD))
