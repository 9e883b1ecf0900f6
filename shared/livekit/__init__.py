"""LiveKit: rooms, participants and ingress through one port; join tokens; webhooks verified and read.

Services depend on `LiveKit` (the port); `LiveKitApi` is the real one and its module the only one that
imports LiveKit's SDK, `shared.testing.fake_livekit` the one for tests.
"""

from shared.livekit.api import LiveKitApi, LiveKitRefused, NoServerHasIt
from shared.livekit.ports import (
    Ingress,
    LiveKit,
    LiveKitParticipant,
    LiveKitRoom,
    Permissions,
    TrackSource,
)
from shared.livekit.signature import WebhookSigner, WebhookVerifier
from shared.livekit.tokens import ROLE_ATTRIBUTE, JoinGrant, TokenMint, whip_url
from shared.livekit.webhook import WebhookEvent, parse

__all__ = [
    "ROLE_ATTRIBUTE",
    "Ingress",
    "JoinGrant",
    "LiveKit",
    "LiveKitApi",
    "LiveKitParticipant",
    "LiveKitRefused",
    "LiveKitRoom",
    "NoServerHasIt",
    "Permissions",
    "TokenMint",
    "TrackSource",
    "WebhookEvent",
    "WebhookSigner",
    "WebhookVerifier",
    "parse",
    "whip_url",
]
