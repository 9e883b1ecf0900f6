"""Everything that is decided before the first process starts: ports, secrets, programs, addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

from deploy.local.credentials import Credentials, load_credentials
from deploy.local.data_dir import DataDir
from deploy.local.overrides import Overrides
from deploy.local.ports import LOOPBACK, TCP, UDP, PortBook
from deploy.local.programs import locate

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
    *("egress-template", "ingress-relay"),  # of LiveKit Egress and LiveKit Ingress
)


@dataclass(frozen=True)
class Addresses:
    """Where the parts of one stack find each other; `mail` shows mails, None if they really go out."""

    gateway: str
    services: Mapping[str, str]
    livekit: str
    livekit_api: str
    rtmp: str
    storage: str
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
    overrides: Overrides
    addresses: Addresses


def make_plan(
    data: DataDir, environ: Mapping[str, str], book: PortBook, *, gateway_port: int | None = None
) -> StackPlan:
    """Decide everything for a start on this data directory; ports and secrets are those of the last start.

    The ports are reserved for this stack as long as the book is open. `gateway_port` None prefers the last
    one, then 8080; 0 takes any free one.

    Raises MissingPrograms, UnusableEnvironment, or PortTaken if `gateway_port` is in use.
    """
    overrides = Overrides.of(environ)
    programs = locate(overrides.needed_programs())
    data.create()
    ports = _take_ports(book, gateway_port)
    credentials = _credentials(data, overrides)
    addresses = addresses_of(data, overrides, ports, credentials)
    return StackPlan(data, ports, credentials, programs, overrides, addresses)


def _credentials(data: DataDir, overrides: Overrides) -> Credentials:
    """The stored ones, with those of the environment that the stack itself uses; these are not stored."""
    given = {
        "livekit_api_key": overrides.livekit_api_key,
        "livekit_api_secret": overrides.livekit_api_secret,
        "admin_email": overrides.bootstrap_admin_email,
        "admin_password": overrides.bootstrap_admin_password,
    }
    return replace(load_credentials(data), **{name: value for name, value in given.items() if value})


def _take_ports(book: PortBook, gateway_port: int | None) -> dict[str, int]:
    preferred = GATEWAY_PORT if gateway_port is None else None
    ports = {"gateway": book.take("gateway", preferred=preferred, required=gateway_port or None)}
    ports |= {name: book.take(name, UDP if name == MEDIA else TCP) for name in PORT_NAMES}
    book.save()
    return ports


def addresses_of(
    data: DataDir, overrides: Overrides, ports: Mapping[str, int], credentials: Credentials
) -> Addresses:
    """Where everything is: given ones at their own URLs, the rest on loopback ports."""
    livekit = overrides.livekit_url or f"ws://{LOOPBACK}:{ports['livekit']}"
    login = f"{credentials.rabbitmq_user}:{credentials.rabbitmq_password}"
    return Addresses(
        gateway=f"http://{LOOPBACK}:{ports['gateway']}",
        services={name: f"http://{LOOPBACK}:{ports[name]}" for name in DATA_SERVICES},
        livekit=livekit,
        livekit_api=as_http(livekit),
        rtmp=overrides.rtmp_url or f"rtmp://{LOOPBACK}:{ports['rtmp']}/live",
        storage=overrides.storage_url or data.data_of("storage").as_uri(),
        mongodb={name: _mongodb_uri(overrides, ports, name) for name in DATA_SERVICES},
        amqp=overrides.amqp_url or f"amqp://{login}@{LOOPBACK}:{ports['rabbitmq']}/",
        redis=overrides.redis_url or f"redis://{LOOPBACK}:{ports['redis']}/0",
        smtp=overrides.smtp_url or f"smtp://{LOOPBACK}:{ports['mail-smtp']}",
        mail=None if overrides.smtp_url else f"http://{LOOPBACK}:{ports['mail']}/",
    )


def _mongodb_uri(overrides: Overrides, ports: Mapping[str, int], service: str) -> str:
    """SecantusDB scans half an hour of records on every retryable write, hence retryWrites=false."""
    database = f"greenroom_{service}"
    if overrides.mongodb_uri:
        return with_database(overrides.mongodb_uri, database)
    return f"mongodb://{LOOPBACK}:{ports[f'mongodb-{service}']}/{database}?retryWrites=false"


def with_database(uri: str, database: str) -> str:
    """The same MongoDB server, another database: the path of the URI replaced.

    The path also says where the user is known, unless `authSource` does: that stays as it was.
    """
    parts, query = urlsplit(uri), urlsplit(uri).query
    if parts.username and not {"authSource", "authMechanism"} & parse_qs(query).keys():
        query = "&".join(filter(None, (query, f"authSource={parts.path.strip('/') or 'admin'}")))
    return urlunsplit((parts.scheme, parts.netloc, f"/{database}", query, ""))


def as_http(livekit_url: str) -> str:
    """The address of LiveKit's API for the address its clients use: ws becomes http, wss becomes https."""
    parts = urlsplit(livekit_url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
