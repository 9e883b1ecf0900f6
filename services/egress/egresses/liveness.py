"""Signs of life of egresses whose engine lists only what its workers last reported.

What an egress makes is looked at first: while that grows, it lives. An egress that makes nothing is not dead
yet (the storage may be slow, or shows a file only once it is complete): then its worker has to answer.
"""

import asyncio
from dataclasses import dataclass

from services.egress.egresses.domain import PlannedEgress
from shared.egress.engine import Engine
from shared.egress.keys import LIVE_PLAYLIST, file_key, segments_prefix
from shared.errors import AppError
from shared.files.storage import Storage

# Seconds. A storage that does not answer shows nothing; its worker is asked then.
_LOOKED_FOR = 2.0


@dataclass(frozen=True)
class Vitals:
    """`progress` names what the egress has made so far, None if nothing is seen of it.

    `answers`: whether its worker answers, None if that is not known or did not need to be.
    """

    progress: str | None = None
    answers: bool | None = None


class LivenessProbe:
    def __init__(self, engine: Engine, storage: Storage):
        self._engine = engine
        self._storage = storage

    async def examine(self, egress: PlannedEgress) -> Vitals:
        """The signs of life of one that is running or ending. Raises nothing."""
        if egress.egress_id is None:
            return Vitals()
        progress = await self._progress(egress)
        if progress is not None and progress != egress.progress:
            return Vitals(progress)
        try:
            answers = await self._engine.answers(egress.egress_id, egress.session_id, egress.status)
        except AppError:
            return Vitals(progress)
        return Vitals(progress, answers)

    async def _progress(self, egress: PlannedEgress) -> str | None:
        """The state of the files that it writes: a file grows only in a directory that is mounted."""
        keys = [file_key(egress.session_id, egress.id)] if egress.file else []
        if egress.stream:
            keys.append(f"{segments_prefix(egress.session_id, egress.id)}/{LIVE_PLAYLIST}")
        try:
            async with asyncio.timeout(_LOOKED_FOR):
                found = await asyncio.gather(*(self._storage.head(key) for key in keys))
        except (AppError, TimeoutError):
            return None
        return " ".join(f"{one.size}{one.etag}" for one in found if one is not None) or None
