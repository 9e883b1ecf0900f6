"""The engine that the settings name, with what has to be known of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from services.egress.engines.embedded import EmbeddedEngine
from services.egress.engines.livekit import LiveKitEngine
from services.egress.settings import EgressSettings
from shared.clock import Clock
from shared.egress.engine import Engine
from shared.egress.job_repository import JobRepository, RecorderRepository
from shared.egress.jobs import alive
from shared.livekit import LiveKitEgressApi
from shared.persistence.lifetime import Indexed
from shared.persistence.mongo import Mongo

# LiveKit waits for a worker for up to 25 s; a start that had no answer has not happened some time after that.
_LIVEKIT_SETTLES_AFTER = timedelta(seconds=35)


class EngineProblem(Protocol):
    async def __call__(self, *, starting: bool) -> str | None:
        """A sentence about what keeps it from working, None where nothing does. Raises `Unavailable`."""
        ...


@dataclass(frozen=True, kw_only=True)
class EngineParts:
    """`problem` says what keeps the engine from running, or from starting, an egress; `remake` has a failed
    file made once more.

    `settles_after` a start without an answer nothing comes of it any more. `keeps_records`: the engine writes
    records of segments, and no playlists of its own.
    """

    engine: Engine
    settles_after: timedelta
    keeps_records: bool
    problem: EngineProblem
    remake: Callable[[str], Awaitable[bool]]
    stores: tuple[Indexed, ...] = ()


def build_engine(
    settings: EgressSettings, livekit: LiveKitEgressApi, mongo: Mongo, clock: Clock
) -> EngineParts:
    if settings.engine == "livekit":
        return _livekit(settings, livekit)
    return _embedded(mongo, clock)


def _livekit(settings: EgressSettings, livekit: LiveKitEgressApi) -> EngineParts:
    async def problem(*, starting: bool) -> str | None:
        del starting  # LiveKit does not tell of its workers.
        return None

    async def remake(_: str) -> bool:
        return False

    return EngineParts(
        engine=LiveKitEngine(livekit, settings.storage_url, settings.storage_options),
        settles_after=_LIVEKIT_SETTLES_AFTER,
        keeps_records=False,
        problem=problem,
        remake=remake,
    )


def _embedded(mongo: Mongo, clock: Clock) -> EngineParts:
    jobs, recorders = JobRepository(mongo), RecorderRepository(mongo)

    async def problem(*, starting: bool) -> str | None:
        running = alive(await recorders.all(), clock.now())
        if not running:
            return "No recorder runs"
        busy = all(one.jobs >= one.capacity for one in running)
        return "All recorders are busy" if starting and busy else None

    return EngineParts(
        engine=EmbeddedEngine(jobs, clock),
        settles_after=timedelta(),
        keeps_records=True,
        problem=problem,
        remake=jobs.reopen,
        stores=(jobs, recorders),
    )
