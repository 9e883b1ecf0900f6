"""Three MongoDB-wire servers, one for each service that owns data: measured, it is the stack's bottleneck."""

from __future__ import annotations

from deploy.local import probes
from deploy.local.component import Component, Tier
from deploy.local.files import write_atomically
from deploy.local.plan import DATA_SERVICES, Plan
from deploy.local.ports import LOOPBACK
from deploy.local.programs import MONGODB


def components(plan: Plan) -> list[Component]:
    if plan.given.mongodb_uri:
        return []
    return [_server(plan, f"mongodb-{service}") for service in DATA_SERVICES]


def _server(plan: Plan, name: str) -> Component:
    program = plan.programs[MONGODB.name]
    arguments = _mongod(plan, name) if program.name == "mongod" else _secantus(plan, name)
    return Component(
        name=name,
        argv=(str(program), *arguments),
        port=plan.ports[name],
        probe=probes.mongodb,
        tier=Tier.INFRASTRUCTURE,
        cwd=plan.data.data_of(name),
    )


def _mongod(plan: Plan, name: str) -> tuple[str, ...]:
    where = ("--bind_ip", LOOPBACK, "--port", str(plan.ports[name]), "--nounixsocket")
    return (*where, "--dbpath", str(plan.data.data_of(name)), "--wiredTigerCacheSizeGB", "0.25", "--quiet")


def _secantus(plan: Plan, name: str) -> tuple[str, ...]:
    """An empty configuration file keeps it from reading one that lies about on this machine."""
    folder = plan.data.data_of(name)
    config = folder / "secantusd.toml"
    write_atomically(config, "")
    where = ("--host", LOOPBACK, "--port", str(plan.ports[name]), "--storage-path", str(folder / "db"))
    # Alone it keeps no log of changes for replicas, which each write would have to write, too.
    return ("--config", str(config), *where, "--standalone", "--cache-size", "256M", "--log-level", "WARNING")
