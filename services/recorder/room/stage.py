"""Who is on stage, in the order in which they are shown."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from livekit import rtc

from services.recorder.media.scene import StageParticipant
from services.recorder.media.video_feed import VideoFeed
from shared.livekit.tokens import ROLE_ATTRIBUTE

_RANKS = {"host": 0, "co_host": 1, "moderator": 2, "stage": 3}
_LAST = datetime.max.replace(tzinfo=UTC)
_MEDIA = {rtc.TrackKind.KIND_VIDEO, rtc.TrackKind.KIND_AUDIO}

Feeds = Mapping[str, VideoFeed]
"""By the track's sid."""


def stage_participants(participants: Iterable[rtc.RemoteParticipant], feeds: Feeds) -> list[StageParticipant]:
    """Everybody who publishes video or audio, muted or not: hosts first, then in the order of joining."""
    publishing = [
        one
        for one in participants
        if any(publication.kind in _MEDIA for publication in one.track_publications.values())
    ]
    return [_stage_participant(one, feeds) for one in sorted(publishing, key=_order)]


def _order(participant: rtc.RemoteParticipant) -> tuple[int, datetime, str]:
    return (_rank(participant), participant.joined_at or _LAST, participant.identity)


def _rank(participant: rtc.RemoteParticipant) -> int:
    """Encoders that join by LiveKit's own ingress have no role: they are the host's."""
    host = participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_INGRESS
    return 0 if host else _RANKS.get(participant.attributes.get(ROLE_ATTRIBUTE, ""), len(_RANKS))


def _stage_participant(participant: rtc.RemoteParticipant, feeds: Feeds) -> StageParticipant:
    return StageParticipant(
        identity=participant.identity,
        name=participant.name,
        camera=_feed(participant, feeds, screen=False),
        screen=_feed(participant, feeds, screen=True),
        is_host=_rank(participant) == 0,
    )


def _feed(participant: rtc.RemoteParticipant, feeds: Feeds, *, screen: bool) -> VideoFeed | None:
    """The newest subscribed track of the kind that is not muted."""
    for publication in reversed(list(participant.track_publications.values())):
        is_screen = publication.source == rtc.TrackSource.SOURCE_SCREENSHARE
        feed = feeds.get(publication.sid)
        if feed is not None and is_screen is screen and not publication.muted:
            return feed
    return None
