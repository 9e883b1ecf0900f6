"""100ms's server API: what it answers and how it is called."""

from typing import Final

from services.gateway.compat.hundred_ms import (
    active_rooms,
    analytics,
    live_streams,
    not_offered,
    recording_assets,
    recordings,
    room_codes,
    rooms,
    sessions,
)
from services.gateway.compat.hundred_ms.errors import render_error
from services.gateway.compat.operations import ForeignApi
from services.gateway.routing.table import CredentialForm

HUNDRED_MS: Final = ForeignApi(
    prefix="/v2",
    credential=CredentialForm.MANAGEMENT,
    operations=(
        *sessions.operations,
        *active_rooms.operations,
        *rooms.operations,
        *room_codes.operations,
        *recordings.operations,
        *recording_assets.operations,
        *live_streams.operations,
        *analytics.operations,
        *not_offered.operations,
    ),
    render_error=render_error,
)
