"""The composition root of the gateway."""

import secrets
import sys
import time

from aiohttp import web

from services.gateway.builtin.documents import DocumentOperation
from services.gateway.builtin.pages import Pages
from services.gateway.builtin.status import StatusOperations
from services.gateway.cache.cache import ReadCache
from services.gateway.cache.changes import Changes
from services.gateway.cache.reader import Reader
from services.gateway.cache.shelf import Shelf
from services.gateway.http.clients import Clients
from services.gateway.http.cors import Cors
from services.gateway.identity.api_keys import ApiKeys
from services.gateway.identity.callers import Identities
from services.gateway.limiting.counters import Counters
from services.gateway.limiting.sign_ins import SignIns
from services.gateway.limiting.store import Store
from services.gateway.limiting.throttle import Throttle
from services.gateway.recorder import Recorder
from services.gateway.request_ids import RequestIds
from services.gateway.routing.router import Matcher
from services.gateway.routing.table import TABLE
from services.gateway.server.access_log import AccessLog
from services.gateway.server.connections import DoorServer
from services.gateway.server.request_handler import Door, Duties, Own
from services.gateway.settings import GatewaySettings
from services.gateway.upstreams.pools import Upstreams
from services.gateway.upstreams.proxy import Proxy
from shared.access.identity import TokenVerifier
from shared.access.revocations import OwnedSource, Revocations
from shared.bus import Bus
from shared.bus.rabbit import RabbitBus
from shared.clock import SystemClock
from shared.http.internal import InternalCalls
from shared.http.revocations import HttpRevocations
from shared.runtime.health import Health
from shared.runtime.process import Service
from shared.runtime.supervisor import TaskSupervisor


def build(settings: GatewaySettings, bus: Bus | None = None, revoked: OwnedSource | None = None) -> Service:
    """`bus` and `revoked` stand in for those that the settings name."""
    clock = SystemClock()
    health, supervisor = Health(), TaskSupervisor()
    upstreams = Upstreams(settings.upstream_urls, settings.upstream_connections)
    secret = settings.internal_secret.get_secret_value()
    calls = InternalCalls(secret, clock)
    keys = ApiKeys(settings.session_url, calls, clock, time.monotonic)
    store = Store.of(settings.redis_url)
    counters = Counters(store, clock)
    revocations = Revocations(clock)
    proxy = Proxy(upstreams)
    cors = Cors(settings.cors_origins)
    cache = ReadCache(
        Shelf(settings.cache_entries, settings.cache_bytes), settings.cache_seconds, time.monotonic
    )
    access_log = AccessLog(sys.stderr.write, settings.log_format)
    duties = Duties(
        matcher=Matcher(TABLE),
        identities=Identities(TokenVerifier(settings.identity_public_keys, clock, revocations.cover), keys),
        throttle=Throttle(counters, settings),
        sign_ins=SignIns(counters, settings, secret),
        proxy=proxy,
        own=own_operations(upstreams, health),
        cors=cors,
        clients=Clients(settings.trusted_proxies),
        request_ids=RequestIds(secrets.token_hex(8)),
        reader=Reader(cache, proxy, cors, settings),
        recorder=Recorder(access_log),
    )

    bus = bus or (RabbitBus(settings.amqp_url, service="gateway") if settings.amqp_url else None)
    if bus is not None:
        supervisor.spawn("listening", _listen(bus, Changes(cache)), may_end=True)
        supervisor.spawn("bus", bus.run())

    revoked = revoked or HttpRevocations(settings.session_url, calls)
    supervisor.spawn("revocations", revocations.follow(revoked))

    async def close() -> None:
        await supervisor.stop()
        await revoked.close()
        if bus is not None:
            await bus.close()
        await cache.close()
        await keys.close()
        await store.close()
        await upstreams.close()
        access_log.flush()

    server = DoorServer(Door(duties, settings).handle, settings)
    health.started = True
    return Service(
        web.ServerRunner(server, shutdown_timeout=settings.drain_seconds), health, supervisor, close
    )


async def _listen(bus: Bus, changes: Changes) -> None:
    await bus.start()
    await bus.listen(changes.broadcast())


def own_operations(upstreams: Upstreams, health: Health) -> dict[str, Own]:
    """What the gateway answers itself, by path."""
    status = StatusOperations(upstreams, health)
    pages = Pages.from_files()
    return {
        "/": pages.root,
        "/docs": pages.docs,
        "/docs/{asset}": pages.asset,
        "/openapi.json": DocumentOperation(upstreams).openapi,
        "/health": status.health,
        "/healthz": status.healthz,
        "/readyz": status.readyz,
        "/metrics": status.metrics,
    }
