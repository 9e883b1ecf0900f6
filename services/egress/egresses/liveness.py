"""Signs of life of egresses whose engine lists only what its workers last reported.

The playlist of a stream is looked at first: while that changes, the egress lives. One that does not change is
not dead yet, since the storage may be slow, and a file shows only once it is complete: then its worker has to
answer. If LiveKit has lost its records, nothing can be asked of a worker, and its participant in the room
counts only for what shows no other way: Chrome stays there when its worker is dead.
"""

import asyncio
from dataclasses import dataclass

from services.egress.egresses.domain import PlannedEgress
from shared.egress.engine import Engine
from shared.egress.keys import LIVE_PLAYLIST, segments_prefix
from shared.errors import AppError
from shared.files.storage import Storage

# Seconds. A storage that does not answer shows nothing; its worker is asked then.
_LOOKED_FOR = 2.0


@dataclass(frozen=True)
class Vitals:
    """`progress` names the playlist as it is now, None if there is none to see.

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
        seen = True
        try:
            progress = await self._progress(egress)
        except (AppError, TimeoutError):
            progress, seen = None, False
        if progress is not None and progress != egress.progress:
            return Vitals(progress)
        by_presence = egress.wanted and not (egress.stream and seen)
        try:
            answers = await self._engine.answers(
                egress.egress_id, egress.session_id, egress.status, by_presence=by_presence
            )
        except AppError:
            return Vitals(progress)
        return Vitals(progress, answers)

    async def _progress(self, egress: PlannedEgress) -> str | None:
        """Of its playlist, if it has one. Raises `Unavailable`, `TimeoutError`."""
        if not egress.stream or self._engine.keeps_records:
            return None
        async with asyncio.timeout(_LOOKED_FOR):
            playlist = await self._storage.head(
                f"{segments_prefix(egress.session_id, egress.id)}/{LIVE_PLAYLIST}"
            )
        return playlist.etag if playlist else None
