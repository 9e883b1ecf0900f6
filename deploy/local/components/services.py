"""Greenroom's own processes: the services that own data, and the gateway."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from deploy.local import probes
from deploy.local.component import Component, Tier
from deploy.local.plan import Plan
from deploy.local.ports import LOOPBACK
from deploy.local.programs import MONGODB, NGINX

PROJECT = Path(__file__).resolve().parents[3]


def components(plan: Plan) -> list[Component]:
    """The gateway starts beside the others, and is ready when it finds them."""
    return [
        _service(plan, "session", _data(plan, "session") | livekit_env(plan) | _session(plan)),
        _service(plan, "egress", _data(plan, "egress") | livekit_env(plan) | _egress(plan)),
        _service(plan, "attendance", _data(plan, "attendance") | url_env(plan, "session")),
        _recorder(plan),
        _gateway(plan),
    ]


def _service(plan: Plan, name: str, env: dict[str, str]) -> Component:
    return Component(
        name=name,
        argv=(sys.executable, "-m", f"services.{name}"),
        port=plan.ports[name],
        probe=probes.readyz,
        tier=Tier.SERVICE,
        cwd=PROJECT,
        env=common_env(plan, name) | env,
        needs=(f"mongodb-{name}", "rabbitmq"),
    )


def _recorder(plan: Plan) -> Component:
    """Beside the egress service on its database and its storage; what it could not store yet is its own."""
    spool = {"GREENROOM_SPOOL": str(plan.data.data_of("recorder"))}
    return Component(
        name="recorder",
        argv=(sys.executable, "-m", "services.recorder"),
        port=plan.ports["recorder"],
        probe=probes.readyz,
        tier=Tier.MEDIA,
        cwd=PROJECT,
        env=common_env(plan, "recorder")
        | mongodb_env(plan, "egress")
        | livekit_env(plan)
        | url_env(plan, "egress")
        | _storage(plan)
        | spool,
        needs=("mongodb-egress",),
    )


def _storage(plan: Plan) -> dict[str, str]:
    return {"GREENROOM_STORAGE_URL": plan.data.data_of("storage").as_uri()}


def _gateway(plan: Plan) -> Component:
    shared = {"GREENROOM_REDIS_URL": plan.addresses.redis, "GREENROOM_AMQP_URL": plan.addresses.amqp}
    env = url_env(plan, "session", "egress", "attendance") | shared
    return Component(
        name="gateway",
        argv=(sys.executable, "-m", "services.gateway"),
        port=plan.ports["gateway"],
        probe=probes.readyz,
        tier=Tier.DOOR,
        cwd=PROJECT,
        env=common_env(plan, "gateway") | env,
        needs=("redis",),
    )


def common_env(plan: Plan, name: str) -> dict[str, str]:
    credentials = plan.credentials
    return {
        "PYTHONUNBUFFERED": "1",
        # The C library otherwise keeps a heap for each of the driver's threads.
        "MALLOC_ARENA_MAX": "2",
        "GREENROOM_HOST": LOOPBACK,
        "GREENROOM_PORT": str(plan.ports[name]),
        "GREENROOM_IDENTITY_PUBLIC_KEYS": json.dumps(
            {credentials.identity_kid: credentials.identity_public_key}
        ),
        "GREENROOM_INTERNAL_SECRET": credentials.internal_secret,
    }


def _data(plan: Plan, name: str) -> dict[str, str]:
    return mongodb_env(plan, name) | {"GREENROOM_AMQP_URL": plan.addresses.amqp}


def mongodb_env(plan: Plan, name: str) -> dict[str, str]:
    """SecantusDB reads all documents that may expire each minute, and answers nobody meanwhile."""
    expiry = plan.given.mongodb_uri is not None or plan.programs[MONGODB.name].name == "mongod"
    return {
        "GREENROOM_MONGODB_URI": plan.addresses.mongodb[name],
        "GREENROOM_MONGODB_EXPIRY": json.dumps(expiry),
    }


def livekit_env(plan: Plan) -> dict[str, str]:
    return {
        "GREENROOM_LIVEKIT_URL": plan.addresses.livekit,
        "GREENROOM_LIVEKIT_API_URL": plan.addresses.livekit_api,
        "GREENROOM_LIVEKIT_API_KEY": plan.credentials.livekit_api_key,
        "GREENROOM_LIVEKIT_API_SECRET": plan.credentials.livekit_api_secret,
    }


def url_env(plan: Plan, *names: str) -> dict[str, str]:
    return {f"GREENROOM_{name.upper()}_URL": plan.addresses.services[name] for name in names}


def _session(plan: Plan) -> dict[str, str]:
    credentials = plan.credentials
    return (
        url_env(plan, "egress")
        | _storage(plan)
        | {
            "GREENROOM_PUBLIC_URL": plan.addresses.gateway,
            "GREENROOM_SMTP_URL": plan.addresses.smtp,
            "GREENROOM_MAIL_FROM": plan.given.mail_from or "Greenroom <reminders@greenroom.example>",
            "GREENROOM_IDENTITY_SIGNING_KID": credentials.identity_kid,
            "GREENROOM_IDENTITY_PRIVATE_KEY": credentials.identity_private_key,
            "GREENROOM_REFRESH_SECRET": credentials.refresh_secret,
            "GREENROOM_KEYRING": json.dumps({credentials.keyring_id: credentials.keyring_key}),
            "GREENROOM_CENTRIFUGO_SECRET": credentials.centrifugo_secret,
            "GREENROOM_BOOTSTRAP_ADMIN_EMAIL": credentials.admin_email,
            "GREENROOM_BOOTSTRAP_ADMIN_PASSWORD": credentials.admin_password,
        }
    )


def _egress(plan: Plan) -> dict[str, str]:
    ours = {"GREENROOM_PUBLIC_URL": plan.addresses.gateway, "GREENROOM_ENGINE": "embedded"}
    if NGINX.name in plan.programs:
        ours |= {"GREENROOM_INGEST": "embedded", "GREENROOM_RTMP_URL": plan.addresses.rtmp}
    return url_env(plan, "session") | _storage(plan) | ours
