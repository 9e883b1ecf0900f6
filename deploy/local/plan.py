"""Everything that is decided before the first process starts: ports, secrets, programs, addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.credentials import Credentials, load_credentials
from deploy.local.given import Given, as_http, with_database
from deploy.local.layout import DataDir
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
)


@dataclass(frozen=True)
class Addresses:
    """Where the parts of one stack find each other; `mail` shows mails, unless they really go out."""

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
class Plan:
    """What the component functions build from."""

    data: DataDir
    ports: Mapping[str, int]
    credentials: Credentials
    programs: Mapping[str, Path]
    given: Given
    addresses: Addresses


def make_plan(
    data: DataDir, environ: Mapping[str, str], book: PortBook, *, gateway_port: int | None = None
) -> Plan:
    """Decide everything for a start on this data directory; ports and secrets are those of the last start.

    The ports are this stack's as long as the book is open. The gateway's is the one asked for; None prefers
    the last one, then 8080; 0 takes any free one.

    Raises MissingPrograms, IncompleteEnvironment, or PortTaken for a gateway port asked for and in use.
    """
    given = Given.from_environment(environ)
    programs = locate(given.needed_programs())
    data.create()
    ports = _take_ports(book, gateway_port)
    credentials = load_credentials(data)
    if given.livekit_api_key and given.livekit_api_secret and given.livekit_url:
        credentials = credentials.with_livekit(given.livekit_api_key, given.livekit_api_secret)
    return Plan(data, ports, credentials, programs, given, addresses_of(given, ports, credentials))


def _take_ports(book: PortBook, gateway_port: int | None) -> dict[str, int]:
    preferred = GATEWAY_PORT if gateway_port is None else None
    ports = {"gateway": book.take("gateway", preferred=preferred, required=gateway_port or None)}
    ports |= {name: book.take(name, UDP if name == MEDIA else TCP) for name in PORT_NAMES}
    book.save()
    return ports


def addresses_of(given: Given, ports: Mapping[str, int], credentials: Credentials) -> Addresses:
    """Where everything is: what is given at its own URL, the rest on loopback ports."""
    livekit = given.livekit_url or f"ws://{LOOPBACK}:{ports['livekit']}"
    login = f"{credentials.rabbitmq_user}:{credentials.rabbitmq_password}"
    return Addresses(
        gateway=f"http://{LOOPBACK}:{ports['gateway']}",
        services={name: f"http://{LOOPBACK}:{ports[name]}" for name in DATA_SERVICES},
        livekit=livekit,
        livekit_api=as_http(livekit),
        rtmp=f"rtmp://{LOOPBACK}:{ports['rtmp']}/live",
        mongodb={name: _mongodb_uri(given, ports, name) for name in DATA_SERVICES},
        amqp=given.amqp_url or f"amqp://{login}@{LOOPBACK}:{ports['rabbitmq']}/",
        redis=given.redis_url or f"redis://{LOOPBACK}:{ports['redis']}/0",
        smtp=given.smtp_url or f"smtp://{LOOPBACK}:{ports['mail-smtp']}",
        mail=None if given.smtp_url else f"http://{LOOPBACK}:{ports['mail']}/",
    )


def _mongodb_uri(given: Given, ports: Mapping[str, int], service: str) -> str:
    """SecantusDB scans half an hour of records on every retryable write, hence retryWrites=false."""
    database = f"greenroom_{service}"
    if given.mongodb_uri:
        return with_database(given.mongodb_uri, database)
    return f"mongodb://{LOOPBACK}:{ports[f'mongodb-{service}']}/{database}?retryWrites=false"
