"""Who is on stage, in the order in which they are shown, and who of them is seen."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from livekit import rtc

from services.recorder.media.layout import MAX_TILES, SharedScreen, StageParticipant
from services.recorder.media.video_feed import VideoFeed
from services.recorder.room.tracks import is_what_it_says
from shared.access.encoders import owner_of
from shared.livekit.tokens import ROLE_ATTRIBUTE

_RANKS = {"host": 0, "co_host": 1, "moderator": 2, "stage": 3}
_LAST = datetime.max.replace(tzinfo=UTC)

Feeds = Mapping[str, VideoFeed]
"""By the track's sid, the oldest first."""


def stage_participants(participants: Iterable[rtc.RemoteParticipant], feeds: Feeds) -> list[StageParticipant]:
    """Everybody who publishes video or audio, muted or not: hosts first, then in the order of joining."""
    publishing = [
        one
        for one in participants
        if any(is_what_it_says(publication) for publication in one.track_publications.values())
    ]
    return [_stage_participant(one, feeds) for one in sorted(publishing, key=_order)]


def _order(participant: rtc.RemoteParticipant) -> tuple[int, datetime, str]:
    return (_rank(participant), participant.joined_at or _LAST, participant.identity)


def _is_encoder(participant: rtc.RemoteParticipant) -> bool:
    """Of LiveKit's own ingress, or by an address or a key that we gave."""
    ingress = participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_INGRESS
    return bool(ingress) or owner_of(participant.identity) is not None


def _rank(participant: rtc.RemoteParticipant) -> int:
    """Encoders that join by LiveKit's own ingress have no role: they are the host's."""
    ingress = participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_INGRESS
    return 0 if ingress else _RANKS.get(participant.attributes.get(ROLE_ATTRIBUTE, ""), len(_RANKS))


def _stage_participant(participant: rtc.RemoteParticipant, feeds: Feeds) -> StageParticipant:
    videos = _videos(participant, feeds)
    numbers = {sid: number for number, sid in enumerate(feeds)}
    return StageParticipant(
        identity=participant.identity,
        name=participant.name,
        cameras=tuple(feeds[one.sid] for one in videos if not _is_screen(one)),
        screens=tuple(SharedScreen(feeds[one.sid], numbers[one.sid]) for one in videos if _is_screen(one)),
        is_host=_rank(participant) == 0,
        is_encoder=_is_encoder(participant),
    )


def _videos(participant: rtc.RemoteParticipant, feeds: Feeds) -> list[rtc.RemoteTrackPublication]:
    """What is subscribed to and not muted."""
    return [one for one in participant.track_publications.values() if one.sid in feeds and not one.muted]


def _is_screen(publication: rtc.RemoteTrackPublication) -> bool:
    return bool(publication.source == rtc.TrackSource.SOURCE_SCREENSHARE)


_NEVER = float("-inf")


class SpeakerSelection:
    """Who is seen if more participants are on stage than fit into the picture. Pure.

    Hosts and who shares a screen are seen first, then who spoke last, then who was on stage first.

    So an unseen participant who speaks takes the place of the one who has been silent the longest, and nobody
    else appears or disappears. All are heard.

    `speaker` is the identity of who speaks, or spoke last: of several the loudest, for as long as they speak.
    """

    def __init__(self) -> None:
        self.speaker: str | None = None
        self._spoke: dict[str, float] = {}
        self._seen: frozenset[str] = frozenset()

    def hear(self, speaking: Iterable[str], now: float) -> bool:
        """These identities speak at this moment, the loudest first; true if one of them is not seen."""
        heard = list(speaking)
        self._spoke |= dict.fromkeys(heard, now)
        if heard and self.speaker not in heard:
            self.speaker = heard[0]
        return not self._seen.issuperset(heard)

    def select(self, participants: Sequence[StageParticipant]) -> list[StageParticipant]:
        """Those who are seen, in the order given: hosts first, then in the order of joining the stage."""
        self._spoke = {one.identity: self._spoke.get(one.identity, _NEVER) for one in participants}
        room = MAX_TILES + any(one.screens for one in participants)  # One of the screens is large.
        seen = set()
        for one in sorted(participants, key=self._rank):  # Stable: else they stay in their order.
            if room > 0:
                seen.add(one.identity)
                room -= one.boxes
        self._seen = frozenset(seen)
        return [one for one in participants if one.identity in self._seen]

    def _rank(self, participant: StageParticipant) -> tuple[bool, float]:
        first = participant.is_host or bool(participant.screens)
        return (not first, 0.0 if first else -self._spoke[participant.identity])
