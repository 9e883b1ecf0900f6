"""MongoDB-wire servers and Redis."""

from __future__ import annotations

from deploy.local.data_dir import write_atomically
from deploy.local.plan import DATA_SERVICES, StackPlan
from deploy.local.ports import LOOPBACK
from deploy.local.process import StackComponent, Tier
from deploy.local.programs import MONGODB, REDIS


def mongodb(plan: StackPlan) -> list[StackComponent]:
    """One server for each service that owns data: measured, they are the stack's bottleneck."""
    if plan.overrides.mongodb_uri:
        return []
    return [_mongodb_server(plan, f"mongodb-{service}") for service in DATA_SERVICES]


def _mongodb_server(plan: StackPlan, name: str) -> StackComponent:
    program = plan.programs[MONGODB.name]
    arguments = _mongod(plan, name) if program.name == "mongod" else _secantus(plan, name)
    return StackComponent(
        name=name,
        argv=(str(program), *arguments),
        port=plan.ports[name],
        tier=Tier.INFRASTRUCTURE,
        cwd=plan.data.data_of(name),
    )


def _mongod(plan: StackPlan, name: str) -> tuple[str, ...]:
    where = ("--bind_ip", LOOPBACK, "--port", str(plan.ports[name]), "--nounixsocket")
    return (*where, "--dbpath", str(plan.data.data_of(name)), "--wiredTigerCacheSizeGB", "0.25", "--quiet")


def _secantus(plan: StackPlan, name: str) -> tuple[str, ...]:
    """An empty configuration file keeps it from reading another one on this machine."""
    folder = plan.data.data_of(name)
    config = folder / "secantusd.toml"
    write_atomically(config, "")
    where = ("--host", LOOPBACK, "--port", str(plan.ports[name]), "--storage-path", str(folder / "db"))
    # Standalone, it keeps no log of changes for replicas, which would add a write to each write.
    return ("--config", str(config), *where, "--standalone", "--cache-size", "256M", "--log-level", "WARNING")


def redis(plan: StackPlan) -> list[StackComponent]:
    """LiveKit's rooms and ingresses, and the gateway's counters.

    Append-only, so that stream keys outlive a restart; no snapshots.
    """
    if plan.overrides.redis_url:
        return []
    folder = plan.data.data_of("redis")
    where = ("--bind", LOOPBACK, "--port", str(plan.ports["redis"]), "--dir", str(folder))
    keep = ("--appendonly", "yes", "--save", "", "--loglevel", "warning", "--daemonize", "no")
    return [
        StackComponent(
            name="redis",
            argv=(str(plan.programs[REDIS.name]), *where, *keep),
            port=plan.ports["redis"],
            tier=Tier.INFRASTRUCTURE,
            cwd=folder,
        )
    ]
