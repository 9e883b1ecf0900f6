"""LiveKit Egress: workers of its own, reached through the LiveKit server."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from shared.egress.engine import EgressInfo, EgressOrder, EgressStatus
from shared.egress.keys import FULL_PLAYLIST, LIVE_PLAYLIST, key_in
from shared.livekit import (
    LiveKitEgress,
    LiveKitEgressApi,
    LiveKitParticipant,
    RoomCompositeOrder,
    S3Output,
    WorkerAnswer,
)

# Who is connected to a room. Raises `Unavailable`.
ListParticipants = Callable[[str], Awaitable[Sequence[LiveKitParticipant]]]


class LiveKitEngine:
    """Room composites. Workers write to the same storage: the same bucket, or the same directory mounted."""

    # LiveKit looks for a worker for as long as the call lasts, which we end; a worker that took the start
    # reports the egress before it does anything else.
    start_expires_after = timedelta(seconds=12)
    checked_every = timedelta(seconds=2)
    keeps_records = False

    def __init__(
        self,
        livekit: LiveKitEgressApi,
        storage_url: str,
        storage_options: Mapping[str, str],
        *,
        list_participants: ListParticipants,
    ):
        self._livekit = livekit
        self._list_participants = list_participants
        self._target = StorageTarget(storage_url, storage_options)

    async def start(self, order: EgressOrder) -> str:
        return await self._livekit.start_room_composite(composite(order, self._target))

    async def stop(self, egress_id: str) -> None:
        await self._livekit.stop_egress(egress_id)

    async def list(self, session_id: str) -> Sequence[EgressInfo]:
        return [_info(found) for found in await self._livekit.list_egresses(session_id)]

    async def list_running(self) -> Sequence[EgressInfo]:
        return [_info(found) for found in await self._livekit.list_active_egresses()]

    async def answers(
        self, egress_id: str, session_id: str, status: EgressStatus, *, by_presence: bool = True
    ) -> bool | None:
        """LiveKit lists what a worker last reported, and goes on listing it when the worker is dead."""
        found = await self._livekit.worker_answers(egress_id, ending=status is EgressStatus.ENDING)
        if found is not WorkerAnswer.UNLISTED:
            return found is WorkerAnswer.ANSWERS
        if not by_presence:
            return False
        present = await self._list_participants(session_id)
        return any(one.identity == egress_id for one in present)

    async def problem(self, *, starting: bool) -> str | None:
        del starting  # LiveKit reports nothing about its workers.
        return None

    async def remake(self, key: str) -> bool:
        del key
        return False


class StorageTarget:
    """Where the storage is for a worker: a bucket and the prefix in it, or a directory."""

    def __init__(self, url: str, options: Mapping[str, str]):
        parts = urlsplit(url)
        self.s3: S3Output | None = None
        self._root = PurePosixPath(unquote(parts.path))
        if parts.scheme == "s3":
            self._root = PurePosixPath(parts.path.strip("/"))
            self.s3 = S3Output(
                bucket=parts.netloc,
                region=options.get("region", ""),
                endpoint=options.get("endpoint", ""),
                access_key=options.get("access_key_id", ""),
                secret=options.get("secret_access_key", ""),
            )

    def path(self, key: str | None) -> str | None:
        """What a worker calls the file, or the folder, that we call `key`."""
        return None if key is None else str(self._root / key)


def composite(order: EgressOrder, target: StorageTarget) -> RoomCompositeOrder:
    return RoomCompositeOrder(
        room=order.session_id,
        encoding=order.encoding,
        segments_prefix=target.path(order.segments_prefix),
        file_path=target.path(order.file_key),
        playlist_name=FULL_PLAYLIST,
        live_playlist_name=LIVE_PLAYLIST,
        s3=target.s3,
    )


def _info(found: LiveKitEgress) -> EgressInfo:
    return EgressInfo(
        egress_id=found.egress_id,
        session_id=found.room,
        key=key_in(found.paths),
        status=EgressStatus(found.status),
        error=found.error or None,
        started_at=found.started_at,
        ended_at=found.ended_at,
    )
