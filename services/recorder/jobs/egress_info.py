"""A job as LiveKit's `EgressInfo` (livekit_egress.proto), in the webhooks that report it. Pure."""

from datetime import datetime
from hashlib import sha256
from typing import Any

from google.protobuf.json_format import MessageToDict
from livekit.protocol import egress as egress_protocol
from livekit.protocol.webhook import WebhookEvent

from shared.clock import to_unix_ns
from shared.egress.jobs import Job, Result
from shared.egress.keys import FULL_PLAYLIST, LIVE_PLAYLIST
from shared.livekit.egress_api import layout_name

_PLAYLISTS = {"playlist_name": FULL_PLAYLIST, "live_playlist_name": LIVE_PLAYLIST}


def webhook(event: str, job: Job, now: datetime) -> dict[str, Any]:
    """The webhook `event` (egress_started …) about the job, in protobuf JSON; its id is always the same."""
    message = WebhookEvent(
        event=event,
        id=event_id(event, job),
        created_at=int(now.timestamp()),
        egress_info=_egress_info(job, now),
    )
    return MessageToDict(message)


def event_id(event: str, job: Job) -> str:
    return "EV_" + sha256(f"{job.key}:{event}:{job.status.value}".encode()).hexdigest()[:12]


def _egress_info(job: Job, now: datetime) -> egress_protocol.EgressInfo:
    info = egress_protocol.EgressInfo(
        egress_id=job.egress_id,
        room_name=job.session_id,
        status=f"EGRESS_{job.status.value.upper()}",
        started_at=_time(job.started_at),
        updated_at=_time(now),
        ended_at=_time(job.ended_at),
        error=job.error or "",
        details=_details(job),
        room_composite=_request(job),
    )
    if job.result is not None:
        _add_results(info, job, job.result)
    return info


def _details(job: Job) -> str:
    """What is missing from the file, if anything."""
    if not job.gaps:
        return ""
    lost = sum(gap.seconds for gap in job.gaps)
    places = "1 place" if len(job.gaps) == 1 else f"{len(job.gaps)} places"
    return f"{lost:.1f} s are missing in {places}"


def _request(job: Job) -> egress_protocol.RoomCompositeEgressRequest:
    request = egress_protocol.RoomCompositeEgressRequest(
        room_name=job.session_id, layout=layout_name(job.encoding.layout)
    )
    if job.file_key:
        request.file_outputs.add(filepath=job.file_key)
    if job.segments_prefix:
        request.segment_outputs.add(filename_prefix=job.segments_prefix, **_PLAYLISTS)
    return request


def _add_results(info: egress_protocol.EgressInfo, job: Job, result: Result) -> None:
    duration = round(result.duration * 10**9)
    if result.file_size is not None:
        info.file_results.add(
            filename=job.file_key,
            location=job.file_key,
            size=result.file_size,
            duration=duration,
            started_at=_time(job.started_at),
            ended_at=_time(job.ended_at),
        )
    if job.segments_prefix is not None:
        info.segment_results.add(
            segment_count=result.segments, size=result.segments_size, duration=duration, **_PLAYLISTS
        )


def _time(moment: datetime | None) -> int:
    return to_unix_ns(moment) if moment else 0
