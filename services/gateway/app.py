"""The composition root of the gateway."""

import secrets
import sys
import time

from aiohttp import web

from services.gateway.builtin.documents import DocumentOperation
from services.gateway.builtin.pages import Pages
from services.gateway.builtin.status import StatusOperations
from services.gateway.cache.read_cache import ReadCache
from services.gateway.compat.apis import ForeignApis
from services.gateway.compat.hundred_ms.api import HUNDRED_MS
from services.gateway.compat.signalwire.api import SIGNALWIRE
from services.gateway.http.client_address import ClientAddressResolver
from services.gateway.http.context import RequestIds
from services.gateway.http.cors import Cors
from services.gateway.identity.authenticator import ApiKeys, Authenticator
from services.gateway.limiting.guesses import CodeThrottle
from services.gateway.limiting.limiter import ApiKeyThrottle, RequestLimiter
from services.gateway.limiting.login import LoginThrottle
from services.gateway.limiting.store import LimitStore
from services.gateway.routing.router import Router
from services.gateway.routing.table import reachable
from services.gateway.server.access_log import RequestLogger
from services.gateway.server.connections import ConnectionCounts, GatewayServer
from services.gateway.server.request_handler import BuiltinOperation, GatewayComponents, RequestHandler
from services.gateway.server.traced import traced
from services.gateway.settings import GatewaySettings
from services.gateway.upstreams.pools import Upstreams
from services.gateway.upstreams.proxy import Proxy
from services.gateway.upstreams.request_builder import UpstreamRequestBuilder
from shared.access.identity import TokenVerifier
from shared.access.revocations import OwnedSource, Revocations
from shared.clock import SystemClock
from shared.http.internal import InternalCalls
from shared.http.session_service import HttpRevocations
from shared.runtime.health import Health
from shared.runtime.process import Service
from shared.runtime.tasks import TaskSupervisor


def build(settings: GatewaySettings, revoked: OwnedSource | None = None) -> Service:
    """`revoked` stands in for the session service that the settings name."""
    clock, health, supervisor = SystemClock(), Health(), TaskSupervisor()
    calls = InternalCalls(settings.internal_signing, clock)
    revoked = revoked or HttpRevocations(settings.session_url, calls)
    revocations = Revocations(clock)
    supervisor.spawn("revocations", revocations.follow(revoked))

    upstreams = Upstreams(settings.upstream_urls, settings.upstream_connections)
    store = LimitStore(settings.redis_url)
    attempts = ApiKeyThrottle(store, by_address=settings.rate_limit_auth)
    keys = ApiKeys(settings.session_url, calls, clock, time.monotonic, attempts)
    verifier = TokenVerifier(settings.identity_public_keys, clock, revocations.cover)
    logger = RequestLogger(
        sys.stderr.write, settings.log_output, full_addresses=settings.log_client_addresses == "full"
    )
    components = _components(settings, upstreams, Authenticator(verifier, keys), store, logger, health)

    async def close() -> None:
        await supervisor.stop()
        await revoked.close()
        await components.cache.close()
        await keys.close()
        await store.close()
        await upstreams.close()
        logger.flush()

    handler = RequestHandler(components, development=settings.development)
    server = GatewayServer(
        traced(handler.handle, components.clients.is_trusted),
        ConnectionCounts(settings.address_connections, components.clients.is_trusted),
        health,
        keepalive_seconds=settings.keepalive_seconds,
        development=settings.development,
    )
    health.started = True
    return Service(
        web.ServerRunner(server, shutdown_timeout=settings.drain_seconds), health, supervisor, close
    )


def _components(
    settings: GatewaySettings,
    upstreams: Upstreams,
    authenticator: Authenticator,
    store: LimitStore,
    logger: RequestLogger,
    health: Health,
) -> GatewayComponents:
    cors = Cors(settings.cors_origins)
    proxy = Proxy(upstreams)
    foreign = ForeignApis(
        (SIGNALWIRE, HUNDRED_MS),
        proxy,
        deadline=settings.upstream_deadline_seconds,
        body_seconds=settings.body_read_seconds,
    )
    return GatewayComponents(
        router=Router((*reachable(livekit_webhooks=settings.livekit_webhooks), *foreign.table)),
        authenticator=authenticator,
        limiter=RequestLimiter(
            store,
            auth=settings.rate_limit_auth,
            writes=settings.rate_limit_writes,
            chat=settings.rate_limit_chat,
            actions=settings.rate_limit_actions,
        ),
        login_throttle=LoginThrottle(
            store,
            settings.internal_secret.get_secret_value(),
            by_email=settings.rate_limit_login_email,
            by_address=settings.rate_limit_login_address,
        ),
        code_throttle=CodeThrottle(store, by_address=settings.rate_limit_login_address),
        requests=UpstreamRequestBuilder(settings.upstream_deadline_seconds, settings.body_read_seconds),
        proxy=proxy,
        foreign=foreign,
        builtin=builtin_operations(upstreams, health),
        cors=cors,
        fixed_headers=settings.fixed_headers,
        strict_transport=settings.strict_transport,
        clients=ClientAddressResolver(settings.trusted_proxies),
        request_ids=RequestIds(secrets.token_hex(8)),
        cache=ReadCache(
            cors,
            settings.fixed_headers,
            settings.cache_seconds,
            settings.cache_entries,
            settings.cache_bytes,
        ),
        logger=logger,
    )


def builtin_operations(upstreams: Upstreams, health: Health) -> dict[str, BuiltinOperation]:
    """The operations that the gateway answers itself, by path."""
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
