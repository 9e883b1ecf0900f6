"""Greenroom's own processes: the services, the recorder, the gateway, and the development mail server."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from deploy.local.overrides import EMBEDDED
from deploy.local.plan import StackPlan
from deploy.local.ports import LOOPBACK
from deploy.local.process import StackComponent, Tier
from deploy.local.programs import MONGODB
from shared.livekit.public_url import as_websocket

PROJECT = Path(__file__).resolve().parents[3]


def components(plan: StackPlan) -> list[StackComponent]:
    """The gateway starts beside the others, and is ready when it finds them."""
    return [
        _data_service(plan, "session", livekit_env(plan) | _session(plan)),
        _data_service(plan, "egress", livekit_env(plan) | _egress(plan)),
        _data_service(plan, "attendance", url_env(plan, "session")),
        *_recorder(plan),
        _gateway(plan),
    ]


def mail(plan: StackPlan) -> list[StackComponent]:
    """The development mail server: its page shows the mails that would be sent."""
    if plan.overrides.smtp_url:
        return []
    ports = ("--smtp-port", str(plan.ports["mail-smtp"]), "--http-port", str(plan.ports["mail"]))
    return [
        StackComponent(
            name="mail",
            argv=(sys.executable, "-m", "deploy.mail", *ports, "--folder", str(plan.data.data_of("mail"))),
            port=plan.ports["mail"],
            tier=Tier.INFRASTRUCTURE,
            cwd=PROJECT,
        )
    ]


def service(
    plan: StackPlan, name: str, env: dict[str, str], *, tier: Tier = Tier.SERVICE, needs: tuple[str, ...] = ()
) -> StackComponent:
    """`python -m services.<name>` with the settings that all services share, and `env`."""
    return StackComponent(
        name=name,
        argv=(sys.executable, "-m", f"services.{name}"),
        port=plan.ports[name],
        tier=tier,
        cwd=PROJECT,
        env=plan.overrides.over(_common_env(plan, name) | env),
        needs=needs,
    )


def _data_service(plan: StackPlan, name: str, env: dict[str, str]) -> StackComponent:
    own = _mongodb_env(plan, name) | {"GREENROOM_AMQP_URL": plan.addresses.amqp}
    return service(plan, name, own | env, needs=(f"mongodb-{name}", "rabbitmq"))


def _recorder(plan: StackPlan) -> list[StackComponent]:
    """Nothing if LiveKit Egress does its work.

    On the egress service's database and storage; files not stored yet are in a folder of its own.
    """
    if plan.overrides.engine != EMBEDDED:
        return []
    env = (
        _mongodb_env(plan, "egress")
        | livekit_env(plan)
        | url_env(plan, "egress")
        | _storage_env(plan)
        | {"GREENROOM_SPOOL": str(plan.data.data_of("recorder"))}
    )
    return [service(plan, "recorder", env, tier=Tier.MEDIA, needs=("mongodb-egress",))]


def _gateway(plan: StackPlan) -> StackComponent:
    env = url_env(plan, "session", "egress", "attendance")
    env |= {"GREENROOM_REDIS_URL": plan.addresses.redis, "GREENROOM_PUBLIC_URL": plan.addresses.gateway}
    return service(plan, "gateway", env, tier=Tier.GATEWAY, needs=("redis",))


def _common_env(plan: StackPlan, name: str) -> dict[str, str]:
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


def _mongodb_env(plan: StackPlan, name: str) -> dict[str, str]:
    """No expiry on SecantusDB: each minute it reads all documents that may expire, and blocks meanwhile."""
    expiry = plan.overrides.mongodb_uri is not None or plan.programs[MONGODB.name].name == "mongod"
    return {
        "GREENROOM_MONGODB_URI": plan.addresses.mongodb[name],
        "GREENROOM_MONGODB_EXPIRY": json.dumps(expiry),
    }


def _storage_env(plan: StackPlan) -> dict[str, str]:
    return {"GREENROOM_STORAGE_URL": plan.addresses.storage}


def livekit_env(plan: StackPlan) -> dict[str, str]:
    return {
        "GREENROOM_LIVEKIT_URL": plan.addresses.livekit,
        "GREENROOM_LIVEKIT_API_URL": plan.addresses.livekit_api,
        "GREENROOM_LIVEKIT_API_KEY": plan.credentials.livekit_api_key,
        "GREENROOM_LIVEKIT_API_SECRET": plan.credentials.livekit_api_secret,
    }


def url_env(plan: StackPlan, *names: str) -> dict[str, str]:
    return {f"GREENROOM_{name.upper()}_URL": plan.addresses.services[name] for name in names}


def _session(plan: StackPlan) -> dict[str, str]:
    credentials = plan.credentials
    return (
        url_env(plan, "egress")
        | _storage_env(plan)
        | {
            "GREENROOM_PUBLIC_URL": plan.addresses.gateway,
            "GREENROOM_LIVEKIT_PUBLIC_URL": as_websocket(plan.addresses.livekit),
            "GREENROOM_SMTP_URL": plan.addresses.smtp,
            "GREENROOM_MAIL_FROM": plan.overrides.mail_from or "Greenroom <reminders@greenroom.example>",
            "GREENROOM_IDENTITY_SIGNING_KID": credentials.identity_kid,
            "GREENROOM_IDENTITY_PRIVATE_KEY": credentials.identity_private_key,
            "GREENROOM_REFRESH_SECRET": credentials.refresh_secret,
            "GREENROOM_KEYRING": json.dumps({credentials.keyring_id: credentials.keyring_key}),
            "GREENROOM_CENTRIFUGO_SECRET": credentials.centrifugo_secret,
            "GREENROOM_BOOTSTRAP_ADMIN_EMAIL": credentials.admin_email,
            "GREENROOM_BOOTSTRAP_ADMIN_PASSWORD": credentials.admin_password,
        }
    )


def _egress(plan: StackPlan) -> dict[str, str]:
    return (
        url_env(plan, "session")
        | _storage_env(plan)
        | {
            "GREENROOM_PUBLIC_URL": plan.addresses.gateway,
            "GREENROOM_ENGINE": plan.overrides.engine,
            "GREENROOM_INGEST": plan.overrides.ingest,
            "GREENROOM_RTMP_URL": plan.addresses.rtmp,
        }
    )
