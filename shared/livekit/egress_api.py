"""LiveKit's egress API: the port, and the client over the SDK."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any, Protocol

from livekit.api import TwirpErrorCode
from livekit.protocol import egress as egress_protocol
from livekit.protocol import models as models_protocol

from shared.clock import from_unix_ns
from shared.contracts.states import Layout
from shared.egress.engine import EncodingOptions
from shared.egress.keys import PREVIEW_NAME, PREVIEW_SECONDS, PREVIEW_WIDTH
from shared.livekit.sdk import LiveKitRefused, NoServerForIt, SdkConnection, TimedOut, all_items, call


@dataclass(frozen=True, kw_only=True)
class S3Output:
    """A bucket that egress workers upload to, with their credentials."""

    bucket: str
    region: str = ""
    endpoint: str = ""
    access_key: str = ""
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class RoomCompositeOrder:
    """A room's video and audio, as segments, as a file, or as both.

    `segments_prefix` and `file_path` are where the worker writes to: paths in the bucket of `s3`, or in its
    own file system.
    """

    room: str
    encoding: EncodingOptions
    segments_prefix: str | None
    file_path: str | None
    playlist_name: str
    live_playlist_name: str
    s3: S3Output | None


@dataclass(frozen=True, kw_only=True)
class LiveKitEgress:
    """An egress as LiveKit lists it; `status` in lower case (starting …), `paths` where it writes to."""

    egress_id: str
    room: str
    status: str
    error: str
    paths: Sequence[str]
    started_at: datetime | None
    ended_at: datetime | None


class WorkerAnswer(Enum):
    """What came of asking an egress's worker. `UNLISTED`: LiveKit has no record of the egress."""

    ANSWERS = auto()
    SILENT = auto()
    UNLISTED = auto()


class LiveKitEgressApi(Protocol):
    """LiveKit's egress API. Every call has a deadline; errors are those of the `LiveKit` port."""

    async def start_room_composite(self, order: RoomCompositeOrder) -> str:
        """Begin; the id of the egress. `Unavailable` leaves open whether it began."""
        ...

    async def stop_egress(self, egress_id: str) -> None:
        """End it; does nothing if it has ended or does not exist."""
        ...

    async def worker_answers(self, egress_id: str, *, ending: bool) -> WorkerAnswer:
        """Ask the worker of an egress something that changes nothing; `ending`: it was stopped already."""
        ...

    async def list_egresses(self, room: str) -> list[LiveKitEgress]:
        """The egresses of the room; ended ones are listed for a while."""
        ...

    async def list_active_egresses(self) -> list[LiveKitEgress]:
        """The running egresses of all rooms."""
        ...


# Below what a caller waits for: without a worker LiveKit itself answers only after 20 s and more.
DEADLINE = 4.5
# LiveKit does not answer while it looks for a worker.
_NO_WORKER = "LiveKit has not begun it in time: no egress worker seems to run, or to be free"
_AUDIO_HZ = 48_000
# LiveKit waits for a worker for 3 s, some versions longer.
_ASKED_FOR = 4.0
_MEANINGS = {
    TwirpErrorCode.INVALID_ARGUMENT: WorkerAnswer.ANSWERS,
    TwirpErrorCode.FAILED_PRECONDITION: WorkerAnswer.SILENT,
    TwirpErrorCode.NOT_FOUND: WorkerAnswer.UNLISTED,
}
# The answers to a second stop, and to one for an unknown egress.
_OVER = frozenset({TwirpErrorCode.FAILED_PRECONDITION, TwirpErrorCode.NOT_FOUND})


class LiveKitEgressClient:
    """The `LiveKitEgressApi` port on a real server; `timeout` seconds a call. `LiveKitApi` gives it."""

    def __init__(self, connection: SdkConnection, *, timeout: float = DEADLINE):
        self._connection = connection
        self._deadline = timeout

    async def start_room_composite(self, order: RoomCompositeOrder) -> str:
        async with call("start_room_composite_egress", self._deadline, late=_NO_WORKER):
            info = await self._connection.sdk.egress.start_room_composite_egress(
                room_composite_request(order)
            )
        return str(info.egress_id)

    async def stop_egress(self, egress_id: str) -> None:
        try:
            async with call("stop_egress", self._deadline):
                await self._connection.sdk.egress.stop_egress(
                    egress_protocol.StopEgressRequest(egress_id=egress_id)
                )
        except LiveKitRefused as error:
            if error.reason not in _OVER:
                raise

    async def worker_answers(self, egress_id: str, *, ending: bool) -> WorkerAnswer:
        """Stopping an egress that ends, or changing no stream of one that runs: only its worker can answer.

        A worker refuses the second as meaningless (`invalid_argument`). What LiveKit says instead of a worker
        depends on its record: nothing came in time, nobody is there, or (`failed_precondition`) it has ended.
        """
        try:
            async with call("stop_egress" if ending else "update_stream", _ASKED_FOR):
                await self._ask(egress_id, ending=ending)
        except (NoServerForIt, TimedOut):
            return WorkerAnswer.SILENT
        except LiveKitRefused as error:
            if error.reason not in _MEANINGS:
                raise
            return _MEANINGS[error.reason]
        return WorkerAnswer.ANSWERS

    async def _ask(self, egress_id: str, *, ending: bool) -> None:
        api = self._connection.sdk.egress
        if ending:
            await api.stop_egress(egress_protocol.StopEgressRequest(egress_id=egress_id))
        else:
            await api.update_stream(egress_protocol.UpdateStreamRequest(egress_id=egress_id))

    async def list_egresses(self, room: str) -> list[LiveKitEgress]:
        return await self._list(egress_protocol.ListEgressRequest(room_name=room))

    async def list_active_egresses(self) -> list[LiveKitEgress]:
        return await self._list(egress_protocol.ListEgressRequest(active=True))

    async def _list(self, request: egress_protocol.ListEgressRequest) -> list[LiveKitEgress]:
        items = all_items(self._connection.sdk.egress.list_egress, request, self._deadline)
        return [_egress(info) async for info in items]


def room_composite_request(order: RoomCompositeOrder) -> egress_protocol.RoomCompositeEgressRequest:
    """The order as LiveKit's request."""
    s3: dict[str, Any] = {"s3": _s3(order.s3)} if order.s3 else {}
    request = egress_protocol.RoomCompositeEgressRequest(
        room_name=order.room, layout=layout_name(order.encoding.layout), advanced=_encoding(order)
    )
    if order.segments_prefix is not None:
        request.segment_outputs.append(_segments(order, order.segments_prefix, s3))
        request.image_outputs.append(_preview(order, order.segments_prefix, s3))
    if order.file_path is not None:
        request.file_outputs.append(
            egress_protocol.EncodedFileOutput(
                file_type=egress_protocol.EncodedFileType.MP4,
                filepath=order.file_path,
                disable_manifest=True,
                **s3,
            )
        )
    return request


def layout_name(layout: Layout) -> str:
    """LiveKit's name of it."""
    return layout.value.replace("_", "-")


def _segments(
    order: RoomCompositeOrder, prefix: str, s3: dict[str, Any]
) -> egress_protocol.SegmentedFileOutput:
    """Both playlists must lie in the folder of the segments."""
    return egress_protocol.SegmentedFileOutput(
        protocol=egress_protocol.SegmentedFileProtocol.HLS_PROTOCOL,
        filename_prefix=f"{prefix}/segment",
        playlist_name=f"{prefix}/{order.playlist_name}",
        live_playlist_name=f"{prefix}/{order.live_playlist_name}",
        segment_duration=order.encoding.segment_seconds,
        disable_manifest=True,
        **s3,
    )


def _preview(order: RoomCompositeOrder, prefix: str, s3: dict[str, Any]) -> egress_protocol.ImageOutput:
    """The latest picture, always in the same file."""
    width = min(PREVIEW_WIDTH, order.encoding.width)
    return egress_protocol.ImageOutput(
        capture_interval=PREVIEW_SECONDS,
        width=width,
        height=round(width * order.encoding.height / order.encoding.width / 2) * 2,
        filename_prefix=f"{prefix}/{PREVIEW_NAME}",
        filename_suffix=egress_protocol.ImageFileSuffix.IMAGE_SUFFIX_NONE_OVERWRITE,
        image_codec=models_protocol.ImageCodec.IC_JPEG,
        disable_manifest=True,
        **s3,
    )


def _encoding(order: RoomCompositeOrder) -> egress_protocol.EncodingOptions:
    encoding = order.encoding
    return egress_protocol.EncodingOptions(
        width=encoding.width,
        height=encoding.height,
        framerate=encoding.frame_rate,
        video_codec=models_protocol.VideoCodec.H264_MAIN,
        video_bitrate=encoding.video_kbps,
        audio_codec=models_protocol.AudioCodec.AAC,
        audio_bitrate=encoding.audio_kbps,
        audio_frequency=_AUDIO_HZ,
        key_frame_interval=encoding.segment_seconds,
    )


def _s3(output: S3Output) -> egress_protocol.S3Upload:
    return egress_protocol.S3Upload(
        bucket=output.bucket,
        region=output.region,
        endpoint=output.endpoint,
        access_key=output.access_key,
        secret=output.secret,
        force_path_style=bool(output.endpoint),
    )


def _egress(info: egress_protocol.EgressInfo) -> LiveKitEgress:
    request = info.room_composite
    return LiveKitEgress(
        egress_id=info.egress_id,
        room=info.room_name,
        status=egress_protocol.EgressStatus.Name(info.status).removeprefix("EGRESS_").lower(),
        error=info.error,
        paths=[
            *(output.filename_prefix for output in request.segment_outputs),
            *(output.filepath for output in request.file_outputs),
        ],
        started_at=from_unix_ns(info.started_at),
        ended_at=from_unix_ns(info.ended_at),
    )
