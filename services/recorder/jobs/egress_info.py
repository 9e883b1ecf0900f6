"""A job as LiveKit's `EgressInfo` in protobuf JSON. Pure.

Names are camelCase, 64-bit integers are strings, zero values are left out; times and durations are in
nanoseconds. The fields are those of `livekit.EgressInfo` in LiveKit's protocol (livekit_egress.proto).
"""

from datetime import datetime
from hashlib import sha256
from typing import Any

from shared.clock import to_unix_ns
from shared.egress.engine import EgressStatus
from shared.egress.jobs import Job
from shared.egress.keys import FULL_PLAYLIST, LIVE_PLAYLIST


def webhook(event: str, job: Job, now: datetime) -> dict[str, Any]:
    """The webhook `event` (egress_started …) about the job; its id is the same each time it is sent."""
    return {
        "event": event,
        "id": event_id(event, job),
        "createdAt": str(to_unix_ns(now) // 10**9),
        "egressInfo": _info(job, now),
    }


def event_id(event: str, job: Job) -> str:
    text = f"{job.key}:{event}:{job.status.value}"
    return "EV_" + sha256(text.encode()).hexdigest()[:12]


def _info(job: Job, now: datetime) -> dict[str, Any]:
    info = {
        "egressId": job.egress_id,
        "roomName": job.session_id,
        "status": "" if job.status is EgressStatus.STARTING else f"EGRESS_{job.status.value.upper()}",
        "startedAt": _time(job.started_at),
        "updatedAt": _time(now),
        "endedAt": _time(job.ended_at),
        "error": job.error,
        "details": _details(job),
        "roomComposite": _request(job),
        "fileResults": _file_results(job),
        "segmentResults": _segment_results(job),
    }
    return {name: value for name, value in info.items() if value}


def _details(job: Job) -> str:
    """What is missing from the file, if anything."""
    if not job.gaps:
        return ""
    lost = sum(gap.seconds for gap in job.gaps)
    places = "1 place" if len(job.gaps) == 1 else f"{len(job.gaps)} places"
    return f"{lost:.1f} s are missing in {places}"


def _request(job: Job) -> dict[str, Any]:
    request: dict[str, Any] = {"roomName": job.session_id, "layout": job.encoding.layout}
    if job.file_key:
        request["fileOutputs"] = [{"filepath": job.file_key}]
    if job.segments_prefix:
        request["segmentOutputs"] = [{"filenamePrefix": job.segments_prefix, **_playlists()}]
    return request


def _file_results(job: Job) -> list[dict[str, Any]]:
    if job.result is None or job.result.file_size is None:
        return []
    return [
        {
            "filename": job.file_key,
            "location": job.file_key,
            "size": str(job.result.file_size),
            "duration": _duration(job.result.duration),
            "startedAt": _time(job.started_at),
            "endedAt": _time(job.ended_at),
        }
    ]


def _segment_results(job: Job) -> list[dict[str, Any]]:
    if job.result is None or job.segments_prefix is None:
        return []
    return [
        {
            **_playlists(),
            "segmentCount": str(job.result.segments),
            "size": str(job.result.segments_size),
            "duration": _duration(job.result.duration),
        }
    ]


def _playlists() -> dict[str, str]:
    return {"playlistName": FULL_PLAYLIST, "livePlaylistName": LIVE_PLAYLIST}


def _duration(seconds: float) -> str:
    return str(round(seconds * 10**9))


def _time(moment: datetime | None) -> str:
    return str(to_unix_ns(moment)) if moment else ""
