"""What the gateway needs to know, from the environment (`GREENROOM_…`)."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Self

from limits import parse_many
from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_settings import NoDecode
from yarl import URL

from shared.settings import ServiceSettings

Network = IPv4Network | IPv6Network


def _rate(text: str) -> str:
    if len(parse_many(text)) != 1:
        raise ValueError("must be one rate, such as 10/minute")
    return text


Rate = Annotated[str, AfterValidator(_rate)]
Seconds = Annotated[float, Field(gt=0, le=300)]


class GatewaySettings(ServiceSettings):
    """`cors_origins` and `trusted_proxies` are comma-separated in the environment."""

    session_url: str = "http://127.0.0.1:8001"
    egress_url: str = "http://127.0.0.1:8002"
    attendance_url: str = "http://127.0.0.1:8003"

    # Origins whose pages may read answers; "*" is any. Never with cookies or other ambient credentials.
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ("*",)
    # Addresses whose X-Forwarded-* headers are believed: the load balancers before us.
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = ()

    # How long a service may take to begin its answer, and to go on with it.
    upstream_deadline_seconds: Seconds = 10.0
    # How long a client may take to send a small body; a larger one may take longer (inbound.py).
    body_read_seconds: Seconds = 15.0
    # An idle connection, or one whose request head is not complete, is closed after this.
    keepalive_seconds: Seconds = 75.0
    # Counts requests together with all other gateways; without it each counts alone.
    redis_url: str = ""
    # How often in a window: "10/minute", "6000/10 second". Only failures count for the first two.
    rate_limit_login_email: Rate = "10/minute"
    rate_limit_login_address: Rate = "30/minute"
    # Signing in, refreshing and registering, by address: an audience may share one.
    rate_limit_auth: Rate = "6000/minute"
    # POST, PATCH and DELETE of one organization's hosts and keys, or of one viewer.
    rate_limit_writes: Rate = "6000/10 second"
    # Chat messages of one person; an API key speaks for many, and has the limit of writes alone.
    rate_limit_chat: Rate = "20/10 second"
    # Changes are heard of through it; without it nothing is cached.
    amqp_url: str = ""
    # How long a public read may be given again, and how much is kept of them at most.
    cache_seconds: Annotated[float, Field(gt=0, le=1)] = 1.0
    cache_entries: Annotated[int, Field(ge=1)] = 10_000
    cache_bytes: Annotated[int, Field(ge=1024)] = 32 * 1024 * 1024
    upstream_connections: Annotated[int, Field(ge=1, le=10_000)] = 256

    @field_validator("cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @model_validator(mode="after")
    def _urls(self) -> Self:
        for name, text in self.upstream_urls.items():
            url = URL(text)
            if url.scheme not in {"http", "https"} or not url.host or url.query_string or url.fragment:
                raise ValueError(f"GREENROOM_{name.upper()}_URL must be an http(s) URL")
        return self

    @property
    def upstream_urls(self) -> dict[str, str]:
        """Service -> its URL without a trailing slash."""
        urls = {"session": self.session_url, "egress": self.egress_url, "attendance": self.attendance_url}
        return {name: url.rstrip("/") for name, url in urls.items()}
