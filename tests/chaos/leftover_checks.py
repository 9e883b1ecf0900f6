"""What must not be left: dead letters, unpublished events, unused rooms."""

from deploy.dead_letters import GROUPS, dead_letters
from deploy.local.stack import Stack
from shared.livekit import LiveKitApi
from shared.persistence.mongo import Mongo
from tests.chaos.ledger import Ledger

OUTBOXES = {
    "session": ("rooms", "libraries", "presets", "sessions", "organizations", "users"),
    "egress": ("webhooks",),
    "attendance": ("leaves", "audiences"),
}
COUNTED_TO = 1000


async def dead(stack: Stack) -> list[str]:
    """A line for each dead letter of any group."""
    found = await dead_letters(stack.amqp_url, GROUPS)
    return [f"dead letter of {group}: {letter}" for group, letter in found]


async def unpublished(stack: Stack) -> list[str]:
    """Documents with events that were not confirmed yet."""
    found: list[str] = []
    for service, collections in OUTBOXES.items():
        mongo = Mongo.from_uri(getattr(stack.mongodb, service))
        try:
            for name in collections:
                waiting = await mongo.collection(name).count(
                    {"outbox_at": {"$exists": True}}, limit=COUNTED_TO
                )
                found += [f"{waiting} documents of {service}'s {name} wait with events"] if waiting else []
        finally:
            mongo.close()
    return found


async def open_rooms(stack: Stack, ledger: Ledger) -> list[str]:
    """LiveKit rooms of sessions that were ended or deleted."""
    over = {
        session.id
        for session in ledger.sessions
        if (session.end and session.end.done) or (session.delete and session.delete.done)
    }
    livekit = LiveKitApi(stack.livekit_url, stack.livekit_api_key, stack.livekit_api_secret)
    try:
        rooms = await livekit.list_rooms()
    finally:
        await livekit.close()
    return [f"the LiveKit room of {room.name} outlived its session" for room in rooms if room.name in over]
