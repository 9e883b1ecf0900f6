"""What a webhook means for the reconciler, beside the event that it becomes."""

from services.egress.reconciler.arrivals import Arrivals
from services.egress.reconciler.service import Reconciler
from shared.livekit.webhook import WebhookEvent


class Watch:
    def __init__(self, reconciler: Reconciler, arrivals: Arrivals):
        self._reconciler = reconciler
        self._arrivals = arrivals

    def notice(self, webhook: WebhookEvent) -> None:
        """At once, and without waiting for anything: LiveKit awaits the door's answer."""
        if webhook.num_dropped > 0 or webhook.event == "room_started":
            # Also of a room that a server took over from one that died.
            self._reconciler.suspect(webhook.room_name)
        if webhook.event == "participant_joined":
            self._arrivals.add(webhook)
