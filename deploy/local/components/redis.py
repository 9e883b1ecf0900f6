"""Redis: LiveKit's memory of rooms and ingresses, and the gateway's counters."""

from __future__ import annotations

from deploy.local import probes
from deploy.local.component import Component, Tier
from deploy.local.plan import Plan
from deploy.local.ports import LOOPBACK
from deploy.local.programs import REDIS


def components(plan: Plan) -> list[Component]:
    """Append-only, so that stream keys outlive a restart; no snapshots."""
    if plan.given.redis_url:
        return []
    folder = plan.data.data_of("redis")
    where = ("--bind", LOOPBACK, "--port", str(plan.ports["redis"]), "--dir", str(folder))
    keep = ("--appendonly", "yes", "--save", "", "--loglevel", "warning", "--daemonize", "no")
    return [
        Component(
            name="redis",
            argv=(str(plan.programs[REDIS.name]), *where, *keep),
            port=plan.ports["redis"],
            probe=probes.redis,
            tier=Tier.INFRASTRUCTURE,
            cwd=folder,
        )
    ]
