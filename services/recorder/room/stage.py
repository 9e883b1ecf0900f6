"""Who is on stage, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from livekit import rtc

from services.recorder.media.scene import StageParticipant
from services.recorder.media.video_feed import VideoFeed
from shared.livekit.tokens import ROLE_ATTRIBUTE

_RANKS = {"host": 0, "co_host": 1, "moderator": 2, "stage": 3}
_LAST = datetime.max.replace(tzinfo=UTC)
_SEEN_OR_HEARD = {rtc.TrackKind.KIND_VIDEO, rtc.TrackKind.KIND_AUDIO}

Feeds = Mapping[str, VideoFeed]
"""By the track's sid."""


def people(participants: Iterable[rtc.RemoteParticipant], feeds: Feeds) -> list[StageParticipant]:
    """Everybody who sends picture or sound, muted or not: hosts first, then as they came."""
    there = [one for one in participants if _publishes(one)]
    return [_person(one, feeds) for one in sorted(there, key=_order)]


def _publishes(participant: rtc.RemoteParticipant) -> bool:
    return any(publication.kind in _SEEN_OR_HEARD for publication in participant.track_publications.values())


def _order(participant: rtc.RemoteParticipant) -> tuple[int, datetime, str]:
    return (_rank(participant), participant.joined_at or _LAST, participant.identity)


def _rank(participant: rtc.RemoteParticipant) -> int:
    """Encoders that LiveKit lets in by itself have no role: they are the host's."""
    host = participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_INGRESS
    return 0 if host else _RANKS.get(participant.attributes.get(ROLE_ATTRIBUTE, ""), len(_RANKS))


def _person(participant: rtc.RemoteParticipant, feeds: Feeds) -> StageParticipant:
    return StageParticipant(
        identity=participant.identity,
        name=participant.name,
        camera=_feed(participant, feeds, screen=False),
        screen=_feed(participant, feeds, screen=True),
        hosts=_rank(participant) == 0,
    )


def _feed(participant: rtc.RemoteParticipant, feeds: Feeds, *, screen: bool) -> VideoFeed | None:
    """The newest track of the kind that is not muted and has come through."""
    for publication in reversed(list(participant.track_publications.values())):
        shared = publication.source == rtc.TrackSource.SOURCE_SCREENSHARE
        feed = feeds.get(publication.sid)
        if feed is not None and shared is screen and not publication.muted:
            return feed
    return None
