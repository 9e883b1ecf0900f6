"""The preset of automatic sessions whose host has none: a meeting, in which guests share screens, too."""

from typing import Final

from services.session.access.ownership import Hosted
from shared.contracts.states import PresetSettings, PresetState, PresetType

# One id for all copies: no preset has it, so nothing changes them.
MEETING_ID: Final = "00000000-0000-8000-8000-000000000001"
_SETTINGS: Final = PresetSettings(
    name="Meeting", type=PresetType.WHIP, primary_color="#2563EB", onstage_screen_share=True
)


def meeting_preset(room: Hosted) -> PresetState:
    """A copy for a session of the room."""
    return PresetState(
        id=MEETING_ID,
        version=1,
        organization_id=room.organization_id,
        library_id=room.library_id,
        user_id=room.host_id,
        settings=_SETTINGS,
        is_default=False,
        created_at=room.created_at,
        updated_at=room.created_at,
    )
