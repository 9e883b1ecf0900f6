"""100ms's server API: what it answers and how it is called."""

from typing import Final

from services.gateway.compat.hundred_ms import rooms
from services.gateway.compat.hundred_ms.errors import render_error
from services.gateway.compat.operations import ForeignApi
from services.gateway.routing.table import CredentialForm

HUNDRED_MS: Final = ForeignApi(
    prefix="/v2",
    credential=CredentialForm.MANAGEMENT,
    operations=(*rooms.operations,),
    render_error=render_error,
)
