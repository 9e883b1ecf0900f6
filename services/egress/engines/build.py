"""The two engines, each with its properties."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from services.egress.engines.embedded import EmbeddedEngine
from services.egress.engines.livekit import LiveKitEngine
from shared.clock import Clock
from shared.egress.engine import Engine
from shared.egress.job_repository import JobRepository, RecorderRepository
from shared.egress.jobs import alive
from shared.livekit import LiveKitEgressApi
from shared.persistence.lifetime import Indexed
from shared.persistence.mongo import Mongo

# LiveKit waits for a worker for up to 25 s; some time after that, an unanswered start has not happened.
_LIVEKIT_SETTLES_AFTER = timedelta(seconds=35)


class EngineProblem(Protocol):
    async def __call__(self, *, starting: bool) -> str | None:
        """A sentence about what keeps it from working, None if nothing does. Raises `Unavailable`."""
        ...


@dataclass(frozen=True, kw_only=True)
class EngineParts:
    """`problem` says what keeps the engine from running, or from starting, an egress; `remake` has the file
    of a failed egress made once more, False if it cannot.

    `settles_after` an unanswered start, it will no longer happen. `keeps_records`: the engine writes records
    of segments, and no playlists of its own.
    """

    engine: Engine
    settles_after: timedelta
    keeps_records: bool
    problem: EngineProblem
    remake: Callable[[str], Awaitable[bool]]
    stores: tuple[Indexed, ...] = ()


def livekit_engine(
    livekit: LiveKitEgressApi, storage_url: str, storage_options: Mapping[str, str]
) -> EngineParts:
    """LiveKit Egress, whose workers write to the storage under the same URL."""

    async def problem(*, starting: bool) -> str | None:
        del starting  # LiveKit reports nothing about its workers.
        return None

    async def remake(_: str) -> bool:
        return False

    return EngineParts(
        engine=LiveKitEngine(livekit, storage_url, storage_options),
        settles_after=_LIVEKIT_SETTLES_AFTER,
        keeps_records=False,
        problem=problem,
        remake=remake,
    )


def embedded_engine(mongo: Mongo, clock: Clock) -> EngineParts:
    """The recorders that come with Greenroom."""
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
