"""LiveKit: the media server, configured to post its webhooks directly to the egress service."""

from __future__ import annotations

import json
import signal
from urllib.parse import unquote, urlsplit

from deploy.local.files import write_atomically
from deploy.local.plan import StackPlan
from deploy.local.ports import LOOPBACK
from deploy.local.process import Component, Tier
from deploy.local.programs import LIVEKIT

# Beyond the 60 s for which a session waits for its host: the session ends first, then the room.
EMPTY_TIMEOUT_SECONDS = 300
DEPARTURE_TIMEOUT_SECONDS = 120


def components(plan: StackPlan) -> list[Component]:
    """The first SIGTERM waits for every participant to leave, the second stops it immediately."""
    if plan.external.livekit_url:
        return []
    folder = plan.data.data_of("livekit")
    config = folder / "livekit.yaml"
    write_atomically(config, json.dumps(_configuration(plan), indent=2))  # JSON is YAML
    return [
        Component(
            name="livekit",
            argv=(str(plan.programs[LIVEKIT.name]), "--config", str(config)),
            port=plan.ports["livekit"],
            tier=Tier.MEDIA,
            cwd=folder,
            needs=("redis",),
            stop=((signal.SIGTERM, 1.0), (signal.SIGTERM, 5.0)),
        )
    ]


def _configuration(plan: StackPlan) -> dict[str, object]:
    """Media over UDP on the loopback address only; ICE over TCP is off, since it would listen everywhere."""
    key = plan.credentials.livekit_api_key
    return {
        "port": plan.ports["livekit"],
        "bind_addresses": [LOOPBACK],
        "keys": {key: plan.credentials.livekit_api_secret},
        "redis": _redis(plan.addresses.redis),
        "rtc": {
            "node_ip": LOOPBACK,
            "use_external_ip": False,
            "enable_loopback_candidate": True,
            "ips": {"includes": [f"{LOOPBACK}/32"]},
            "udp_port": plan.ports["livekit-udp"],
            "tcp_port": 0,
        },
        "room": {
            "auto_create": False,
            "empty_timeout": EMPTY_TIMEOUT_SECONDS,
            "departure_timeout": DEPARTURE_TIMEOUT_SECONDS,
        },
        "webhook": {"api_key": key, "urls": [f"{plan.addresses.services['egress']}/webhooks/livekit"]},
        "ingress": {"rtmp_base_url": plan.addresses.rtmp},
        "logging": {"level": "info", "json": False},
    }


def _redis(url: str) -> dict[str, object]:
    """LiveKit's form of a Redis URL."""
    parts = urlsplit(url)
    config: dict[str, object] = {
        "address": f"{parts.hostname}:{parts.port or 6379}",
        "db": int(parts.path.strip("/") or 0),
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }
    if parts.scheme == "rediss":
        config["tls"] = {"enabled": True}
    return config
