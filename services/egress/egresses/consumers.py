"""The engine's webhooks about planned egresses."""

from typing import Final

from services.egress.egresses.service import EgressService
from shared.bus import Group, on
from shared.contracts.livekit_events import EgressEnded, EgressStarted, EgressUpdated

GROUP: Final = "egress.egresses"


def egress_group(egresses: EgressService) -> Group:
    return Group(
        GROUP, dict(on(event, egresses.follow) for event in (EgressStarted, EgressUpdated, EgressEnded))
    )
