"""SignalWire's Video API: what it answers and how it is called."""

from typing import Final

from services.gateway.compat.operations import ForeignApi
from services.gateway.compat.signalwire import recordings, rooms, sessions, tokens
from services.gateway.compat.signalwire.errors import render_error
from services.gateway.routing.table import CredentialForm

SIGNALWIRE: Final = ForeignApi(
    prefix="/api/video",
    credential=CredentialForm.BASIC,
    operations=(*sessions.operations, *rooms.operations, *tokens.operations, *recordings.operations),
    render_error=render_error,
)
