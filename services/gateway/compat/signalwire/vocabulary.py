"""SignalWire's words, and what they are here."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

VideoQuality: TypeAlias = Literal["720p", "1080p"]
VideoLayout: TypeAlias = Literal[
    "grid-responsive",
    "grid-responsive-mobile",
    "highlight-1-responsive",
    "1x1",
    "2x1",
    "2x2",
    "5up",
    "3x3",
    "4x4",
    "5x5",
    "6x6",
    "8x8",
    "10x10",
]
MemberPermission: TypeAlias = Literal[
    "room.member.audio_mute",
    "room.member.audio_unmute",
    "room.member.video_mute",
    "room.member.video_unmute",
    "room.member.deaf",
    "room.member.undeaf",
    "room.member.set_input_volume",
    "room.member.set_output_volume",
    "room.member.set_input_sensitivity",
    "room.member.set_position",
    "room.member.set_meta",
    "room.member.raisehand",
    "room.member.lowerhand",
    "room.member.remove",
    "room.member.promote",
    "room.member.demote",
    "room.hide_video_muted",
    "room.list_available_layouts",
    "room.lock",
    "room.playback",
    "room.playback_seek",
    "room.prioritize_handraise",
    "room.recording",
    "room.set_layout",
    "room.set_position",
    "room.set_meta",
    "room.show_video_muted",
    "room.stream",
    "room.unlock",
    "room.self.audio_mute",
    "room.self.audio_unmute",
    "room.self.video_mute",
    "room.self.video_unmute",
    "room.self.deaf",
    "room.self.undeaf",
    "room.self.set_input_volume",
    "room.self.set_output_volume",
    "room.self.set_input_sensitivity",
    "room.self.set_position",
    "room.self.set_meta",
    "room.self.raisehand",
    "room.self.lowerhand",
    "room.self.screenshare",
    "room.self.additional_source",
]

DEFAULT_LAYOUT: Final[VideoLayout] = "grid-responsive"
# Native layout -> the one that stands for it.
LAYOUTS: Final[Mapping[str | None, VideoLayout]] = {
    None: DEFAULT_LAYOUT,
    "grid": DEFAULT_LAYOUT,
    "speaker": "highlight-1-responsive",
    "single_speaker": "1x1",
}
_NATIVE_LAYOUTS: Final[Mapping[str, str]] = {
    "highlight-1-responsive": "speaker",
    "5up": "speaker",
    "1x1": "single_speaker",
}

# Who has all of these moderates and controls the session, as a co-host does; a member with a part of them
# gets no more than a place on stage.
HOST_PERMISSIONS: Final = frozenset(
    {
        "room.member.audio_mute",
        "room.member.video_mute",
        "room.member.remove",
        "room.recording",
        "room.stream",
    }
)

SESSION_STATUSES: Final[Mapping[str, str]] = {"live": "in-progress", "ended": "completed"}
MEDIA: Final[Mapping[str, str]] = {"all": "all", "audio-only": "audio", "video-only": "video"}


def native_layout(layout: str) -> str:
    return _NATIVE_LAYOUTS.get(layout, "grid")
