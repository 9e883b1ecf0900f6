"""LiveKit, and RTMP: a private nginx receives from encoders, the relay passes their streams on into rooms."""

from __future__ import annotations

import json
import signal
from urllib.parse import unquote, urlsplit

from deploy.local.components.services import livekit_env, service, url_env
from deploy.local.data_dir import write_atomically
from deploy.local.overrides import EMBEDDED
from deploy.local.plan import StackPlan
from deploy.local.ports import LOOPBACK
from deploy.local.process import StackComponent, Tier
from deploy.local.programs import LIVEKIT, NGINX
from deploy.rtmp import RtmpServer

# LiveKit's own list without video/H265, which most clients and all recorders cannot decode.
_CODECS = (
    *("audio/PCMU", "audio/PCMA", "audio/opus", "audio/red"),
    *("video/VP8", "video/H264", "video/VP9", "video/AV1", "video/rtx"),
)
# Beyond the 60 s for which a session waits for its host: the session ends first, then the room.
ROOM = {
    "auto_create": False,
    "empty_timeout": 300,
    "departure_timeout": 120,
    "enabled_codecs": [{"mime": codec} for codec in _CODECS],
}


def livekit(plan: StackPlan) -> list[StackComponent]:
    """The first SIGTERM waits for every participant to leave, the second stops it immediately."""
    if plan.overrides.livekit_url:
        return []
    folder = plan.data.data_of("livekit")
    config = folder / "livekit.yaml"
    write_atomically(config, json.dumps(_livekit_configuration(plan), indent=2))  # JSON is YAML
    return [
        StackComponent(
            name="livekit",
            argv=(str(plan.programs[LIVEKIT.name]), "--config", str(config)),
            port=plan.ports["livekit"],
            tier=Tier.MEDIA,
            cwd=folder,
            needs=("redis",),
            stop=((signal.SIGTERM, 1.0), (signal.SIGTERM, 5.0)),
        )
    ]


def _livekit_configuration(plan: StackPlan) -> dict[str, object]:
    """Webhooks go directly to the egress service.

    Media over UDP on the loopback address only; ICE over TCP is off, since it would listen everywhere.
    """
    key = plan.credentials.livekit_api_key
    return {
        "port": plan.ports["livekit"],
        "bind_addresses": [LOOPBACK],
        "keys": {key: plan.credentials.livekit_api_secret},
        "redis": livekit_redis(plan.addresses.redis),
        "rtc": {
            "node_ip": LOOPBACK,
            "use_external_ip": False,
            "enable_loopback_candidate": True,
            "ips": {"includes": [f"{LOOPBACK}/32"]},
            "udp_port": plan.ports["livekit-udp"],
            "tcp_port": 0,
        },
        "room": ROOM,
        "webhook": {"api_key": key, "urls": [f"{plan.addresses.services['egress']}/webhooks/livekit"]},
        "ingress": {"rtmp_base_url": plan.addresses.rtmp},
        "logging": {"level": "info", "json": False},
    }


def livekit_redis(url: str) -> dict[str, object]:
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


def rtmp(plan: StackPlan) -> list[StackComponent]:
    """Nothing if LiveKit Ingress does it; the relay alone if the RTMP server is given."""
    if plan.overrides.ingest != EMBEDDED:
        return []
    env = {"GREENROOM_RTMP_URL": plan.addresses.rtmp, "GREENROOM_SPOOL": str(plan.data.data_of("relay"))}
    env |= livekit_env(plan) | url_env(plan, "egress")
    relay = service(plan, "relay", env, tier=Tier.MEDIA)
    return [relay] if plan.overrides.rtmp_url else [_nginx(plan), relay]


def _nginx(plan: StackPlan) -> StackComponent:
    folder = plan.data.data_of("rtmp")
    config = folder / "nginx.conf"
    server = RtmpServer(
        listen=f"{LOOPBACK}:{plan.ports['rtmp']}",
        relay_url=f"http://{LOOPBACK}:{plan.ports['relay']}",
    )
    write_atomically(config, server.configuration())
    return StackComponent(
        name="rtmp",
        argv=(str(plan.programs[NGINX.name]), "-p", str(folder), "-c", str(config), "-e", "stderr"),
        port=plan.ports["rtmp"],
        tier=Tier.MEDIA,
        cwd=folder,
        needs=("relay",),
    )
