"""Parts of LiveKit that the user starts: what they need to work with this stack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import yaml

from deploy.local.components.media import livekit_redis
from deploy.local.data_dir import write_atomically
from deploy.local.overrides import LIVEKIT_SERVER
from deploy.local.plan import StackPlan

RTMP_PORT = 1935
_PASSWORDS = re.compile(r"(api_secret:|password:) (?!'').+")


def left_to_user(plan: StackPlan) -> list[str]:
    """What the user does for the parts that are not started here; configurations are written, and shown."""
    return list(_left_to_user(plan))


def _left_to_user(plan: StackPlan) -> Iterator[str]:
    if plan.overrides.livekit_url:
        webhooks = f"{plan.addresses.services['egress']}/webhooks/livekit"
        key = plan.credentials.livekit_api_key
        yield f"have {plan.addresses.livekit} send its webhooks, signed with the key {key}, to {webhooks}"
        return
    if plan.overrides.engine == LIVEKIT_SERVER:
        yield _to_start(plan, "egress", _egress(plan), f"it must reach {_storage(plan)}")
    if plan.overrides.ingest == LIVEKIT_SERVER:
        yield _to_start(plan, "ingress", _ingress(plan), f"encoders send to {plan.addresses.rtmp}")


def _to_start(plan: StackPlan, name: str, config: dict[str, object], note: str) -> str:
    """The configuration is shown without its passwords: this goes to a log, too."""
    path = plan.data.data_of("livekit") / f"{name}.yaml"
    text = yaml.safe_dump(config, sort_keys=False)
    write_atomically(path, text)
    shown = _PASSWORDS.sub(f"\\1 <in {path.name}>", text)
    command = f"{name} --config {path}"
    return f"start LiveKit {name.capitalize()} yourself: {command}\n{note}; {path.name} is:\n{shown}"


def _storage(plan: StackPlan) -> str:
    parts = urlsplit(plan.addresses.storage)
    return f"the folder {parts.path} under this path" if parts.scheme == "file" else plan.addresses.storage


def _common(plan: StackPlan) -> dict[str, object]:
    return {
        "api_key": plan.credentials.livekit_api_key,
        "api_secret": plan.credentials.livekit_api_secret,
        "ws_url": plan.addresses.livekit,
        "redis": livekit_redis(plan.addresses.redis),
    }


def _egress(plan: StackPlan) -> dict[str, object]:
    """Its Chrome otherwise refuses a page that connects to a loopback address without TLS.

    By default it accepts a room only with four free cores.
    """
    return _common(plan) | {
        "insecure": True,
        "template_port": plan.ports["egress-template"],
        "cpu_cost": {"room_composite_cpu_cost": 0.5, "max_cpu_utilization": 1.0},
    }


def _ingress(plan: StackPlan) -> dict[str, object]:
    """WHIP goes to the LiveKit server itself. By default it accepts nothing on a machine with 30 % idle."""
    return _common(plan) | {
        "rtmp_port": urlsplit(plan.addresses.rtmp).port or RTMP_PORT,
        "whip_port": -1,
        "http_relay_port": plan.ports["ingress-relay"],
        "cpu_cost": {"rtmp_cpu_cost": 0.5, "min_idle_ratio": 0.05},
    }
