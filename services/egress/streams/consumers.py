"""What streams follow: what sessions want, what is published, and which libraries are public."""

from typing import Final

from services.egress.streams.service import StreamService
from shared.bus import Group, on
from shared.contracts.livekit_events import TrackPublished
from shared.contracts.session_events import (
    LibraryUpdated,
    SessionDeleted,
    SessionEnded,
    SessionExpired,
    SessionStarted,
    SessionUpdated,
)

GROUP: Final = "egress.streams"

_STATES = (SessionStarted, SessionUpdated, SessionEnded, SessionExpired, SessionDeleted)


def stream_group(streams: StreamService) -> Group:
    return Group(
        GROUP,
        dict(
            [
                *(on(event, streams.follow) for event in _STATES),
                on(TrackPublished, streams.revive),
                on(LibraryUpdated, streams.follow_library),
            ]
        ),
    )
