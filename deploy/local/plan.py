"""Everything that is decided before the first process starts: ports, secrets, programs, addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from deploy.local.credentials import Credentials, load_credentials
from deploy.local.data_dir import DataDir
from deploy.local.ports import LOOPBACK, TCP, UDP, PortBook
from deploy.local.programs import ExternalServices, locate

DATA_SERVICES = ("session", "egress", "attendance")
GATEWAY_PORT = 8080
MEDIA = "livekit-udp"
PORT_NAMES = (
    *(f"mongodb-{service}" for service in DATA_SERVICES),
    *("epmd", "rabbitmq-dist", "rabbitmq", "redis", "livekit", MEDIA, "rtmp"),
    *DATA_SERVICES,
    "recorder",
    "relay",
    *("mail", "mail-smtp"),
)


@dataclass(frozen=True)
class Addresses:
    """Where the parts of one stack find each other; `mail` shows mails, None if they really go out."""

    gateway: str
    services: Mapping[str, str]
    livekit: str
    livekit_api: str
    rtmp: str
    mongodb: Mapping[str, str]
    amqp: str
    redis: str
    smtp: str
    mail: str | None


@dataclass(frozen=True)
class StackPlan:
    """What the components are made from."""

    data: DataDir
    ports: Mapping[str, int]
    credentials: Credentials
    programs: Mapping[str, Path]
    external: ExternalServices
    addresses: Addresses


def make_plan(
    data: DataDir, environ: Mapping[str, str], book: PortBook, *, gateway_port: int | None = None
) -> StackPlan:
    """Decide everything for a start on this data directory; ports and secrets are those of the last start.

    The ports are reserved for this stack as long as the book is open. `gateway_port` None prefers the last
    one, then 8080; 0 takes any free one.

    Raises MissingPrograms, IncompleteEnvironment, or PortTaken if `gateway_port` is in use.
    """
    external = ExternalServices.from_environment(environ)
    programs = locate(external.needed_programs())
    data.create()
    ports = _take_ports(book, gateway_port)
    credentials = load_credentials(data)
    if external.livekit_api_key and external.livekit_api_secret and external.livekit_url:
        credentials = replace(
            credentials,
            livekit_api_key=external.livekit_api_key,
            livekit_api_secret=external.livekit_api_secret,
        )
    return StackPlan(data, ports, credentials, programs, external, addresses_of(external, ports, credentials))


def _take_ports(book: PortBook, gateway_port: int | None) -> dict[str, int]:
    preferred = GATEWAY_PORT if gateway_port is None else None
    ports = {"gateway": book.take("gateway", preferred=preferred, required=gateway_port or None)}
    ports |= {name: book.take(name, UDP if name == MEDIA else TCP) for name in PORT_NAMES}
    book.save()
    return ports


def addresses_of(external: ExternalServices, ports: Mapping[str, int], credentials: Credentials) -> Addresses:
    """Where everything is: external services at their own URLs, the rest on loopback ports."""
    livekit = external.livekit_url or f"ws://{LOOPBACK}:{ports['livekit']}"
    login = f"{credentials.rabbitmq_user}:{credentials.rabbitmq_password}"
    return Addresses(
        gateway=f"http://{LOOPBACK}:{ports['gateway']}",
        services={name: f"http://{LOOPBACK}:{ports[name]}" for name in DATA_SERVICES},
        livekit=livekit,
        livekit_api=as_http(livekit),
        rtmp=f"rtmp://{LOOPBACK}:{ports['rtmp']}/live",
        mongodb={name: _mongodb_uri(external, ports, name) for name in DATA_SERVICES},
        amqp=external.amqp_url or f"amqp://{login}@{LOOPBACK}:{ports['rabbitmq']}/",
        redis=external.redis_url or f"redis://{LOOPBACK}:{ports['redis']}/0",
        smtp=external.smtp_url or f"smtp://{LOOPBACK}:{ports['mail-smtp']}",
        mail=None if external.smtp_url else f"http://{LOOPBACK}:{ports['mail']}/",
    )


def _mongodb_uri(external: ExternalServices, ports: Mapping[str, int], service: str) -> str:
    """SecantusDB scans half an hour of records on every retryable write, hence retryWrites=false."""
    database = f"greenroom_{service}"
    if external.mongodb_uri:
        return with_database(external.mongodb_uri, database)
    return f"mongodb://{LOOPBACK}:{ports[f'mongodb-{service}']}/{database}?retryWrites=false"


def with_database(uri: str, database: str) -> str:
    """The same MongoDB server, another database: the path of the URI replaced."""
    parts = urlsplit(uri)
    return urlunsplit((parts.scheme, parts.netloc, f"/{database}", parts.query, ""))


def as_http(livekit_url: str) -> str:
    """The address of LiveKit's API for the address its clients use: ws becomes http, wss becomes https."""
    parts = urlsplit(livekit_url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
