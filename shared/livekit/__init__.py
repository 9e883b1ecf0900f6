"""LiveKit: rooms, participants and ingress through one port; join tokens; webhooks verified and read.

Services depend on `LiveKit` and `LiveKitEgressApi` (the ports). `LiveKitApi` and `LiveKitEgressClient` are
the real ones, over LiveKit's SDK, which nobody else imports; `tests.fakes.fake_livekit` is for tests.
"""

from shared.livekit.api import LiveKitApi
from shared.livekit.egress_api import (
    LiveKitEgress,
    LiveKitEgressApi,
    LiveKitEgressClient,
    RoomCompositeOrder,
    S3Output,
    WorkerAnswer,
)
from shared.livekit.ports import (
    Ingress,
    Ingresses,
    LiveKit,
    LiveKitParticipant,
    LiveKitRoom,
    LiveKitTrack,
    Permissions,
    TrackSource,
    fits_source,
)
from shared.livekit.sdk import LiveKitRefused, NoServerForIt
from shared.livekit.signature import WebhookSigner, WebhookVerifier
from shared.livekit.tokens import ROLE_ATTRIBUTE, JoinGrant, TokenMint
from shared.livekit.webhook import WebhookEvent, parse

__all__ = [
    "ROLE_ATTRIBUTE",
    "Ingress",
    "Ingresses",
    "JoinGrant",
    "LiveKit",
    "LiveKitApi",
    "LiveKitEgress",
    "LiveKitEgressApi",
    "LiveKitEgressClient",
    "LiveKitParticipant",
    "LiveKitRefused",
    "LiveKitRoom",
    "LiveKitTrack",
    "NoServerForIt",
    "Permissions",
    "RoomCompositeOrder",
    "S3Output",
    "TokenMint",
    "TrackSource",
    "WebhookEvent",
    "WebhookSigner",
    "WebhookVerifier",
    "WorkerAnswer",
    "fits_source",
    "parse",
]
