"""How the picture of a session is composed and encoded: as its room and preset ask. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from shared.contracts.states import Quality, SessionState
from shared.egress.engine import EncodingOptions

# Width, height, and kbit/s: those of LiveKit's own presets.
_QUALITIES: Final[Mapping[Quality, tuple[int, int, int]]] = {
    Quality.HD: (1280, 720, 3000),
    Quality.FULL_HD: (1920, 1080, 4500),
}


def encoding_of(session: SessionState, default: EncodingOptions) -> EncodingOptions:
    """Whatever the room leaves open is as in `default`."""
    options = session.options
    encoding = replace(
        default,
        layout=options.layout or default.layout,
        frame_rate=options.fps or default.frame_rate,
        video_fit=session.preset.grid_video_fit,
    )
    if options.quality is None:
        return encoding
    width, height, video_kbps = _QUALITIES[options.quality]
    return replace(encoding, width=width, height=height, video_kbps=video_kbps)
