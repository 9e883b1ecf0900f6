"""The gateway's settings, from the environment (`GREENROOM_…`)."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from limits import parse_many
from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_settings import NoDecode
from yarl import URL

from services.gateway.http.client_address import Network
from services.gateway.http.cors import ANY, is_origin
from services.gateway.http.headers import FIXED
from shared.runtime.settings import ServiceSettings


def _rate(text: str) -> str:
    if len(parse_many(text)) != 1:
        raise ValueError("must be one rate, such as 10/minute")
    return text


Rate = Annotated[str, AfterValidator(_rate)]
Seconds = Annotated[float, Field(gt=0, le=300)]


class GatewaySettings(ServiceSettings):
    """`cors_origins` and `trusted_proxies` are comma-separated in the environment."""

    session_url: str = "http://127.0.0.1:8001"
    """Where the session service is."""
    egress_url: str = "http://127.0.0.1:8002"
    """Where the egress service is."""
    attendance_url: str = "http://127.0.0.1:8003"
    """Where the attendance service is."""

    public_url: str = ""
    """The gateway's address for clients. If it is `https://`, every response has `Strict-Transport-Security`;
    else those that came by https through a trusted proxy, cached ones aside."""
    hsts_seconds: Annotated[int, Field(ge=0)] = 365 * 24 * 3600
    """The max-age of `Strict-Transport-Security`; 0 sends none."""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ("*",)
    """Origins whose pages may read responses, comma-separated, such as `https://app.example` or
    `https://*.example` for every subdomain; `*` is any. Never with cookies or other ambient credentials."""
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = ()
    """Addresses or networks whose X-Forwarded-* and Forwarded headers are trusted, comma-separated: the load
    balancers in front of the gateway."""

    log_client_addresses: Literal["network", "full"] = "network"
    """How much of a client's address is in the log: the network (the /24, or /48 of IPv6), or all of it,
    which may say who it was."""

    upstream_deadline_seconds: Seconds = 10.0
    """How long a service may take to start its response, and for each further part."""
    body_read_seconds: Seconds = 15.0
    """How long a client may keep the gateway waiting for its body; each 16 KiB of it give back a second."""
    keepalive_seconds: Seconds = 75.0
    """An idle connection, or one whose request head is not complete, is closed after this."""
    address_connections: Annotated[int, Field(ge=1)] = 4000
    """The maximum number of connections from one address, or one /64 of IPv6, save for trusted proxies."""
    redis_url: str = ""
    """Redis, to count requests together with all other gateways; without it each counts alone."""
    rate_limit_login_email: Rate = "10/minute"
    """Sign-ins for one e-mail address in a window, such as `10/minute` or `6000/10 second`; those that
    succeed do not count."""
    rate_limit_login_address: Rate = "30/minute"
    """Sign-ins from one client address that fail, and as many room codes that do not exist; ten times as many
    may be under way."""
    rate_limit_auth: Rate = "6000/minute"
    """Signing in, refreshing and registering from one client address: an audience may share one. As many API
    keys from one address may be refused."""
    rate_limit_writes: Rate = "6000/10 second"
    """POST, PATCH and DELETE of one organization's hosts and keys, or of one viewer."""
    rate_limit_actions: Rate = "30/10 second"
    """Joining, raising hands, asking to come on stage, polls, votes, reminders and codes of one person; as
    with chat, not of API keys."""
    rate_limit_chat: Rate = "20/10 second"
    """Chat messages of one person; API keys, which act for many people, only have the limit of writes."""
    livekit_webhooks: bool = True
    """Whether LiveKit's webhooks are passed on to the egress service. Turn it off where LiveKit sends them
    there directly, so that nobody else finds that door."""
    amqp_url: str = ""
    """Not used; accepted so that configurations that have it are valid."""
    cache_seconds: Annotated[float, Field(gt=0, le=1)] = 1.0
    """How long the response to a public read may be reused."""
    cache_entries: Annotated[int, Field(ge=1)] = 10_000
    """The maximum number of cached responses."""
    cache_bytes: Annotated[int, Field(ge=1024)] = 32 * 1024 * 1024
    """The maximum size of all cached responses, in bytes."""
    upstream_connections: Annotated[int, Field(ge=1, le=10_000)] = 256
    """The maximum number of connections to each service."""

    @field_validator("cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin != ANY and not is_origin(origin):
                raise ValueError(f"{origin} is not *, https://host, https://host:port or https://*.host")
        return origins

    @model_validator(mode="after")
    def _urls(self) -> Self:
        for name, text in self.upstream_urls.items():
            url = URL(text)
            if url.scheme not in {"http", "https"} or not url.host or url.query_string or url.fragment:
                raise ValueError(f"GREENROOM_{name.upper()}_URL must be an http(s) URL")
        return self

    @property
    def fixed_headers(self) -> Mapping[str, str]:
        """Those of every answer."""
        return {**FIXED, **(self.strict_transport if self.public_url.startswith("https://") else {})}

    @property
    def strict_transport(self) -> Mapping[str, str]:
        """That browsers are to use nothing but https from now on."""
        max_age = f"max-age={self.hsts_seconds}"
        return {"Strict-Transport-Security": max_age} if self.hsts_seconds else {}

    @property
    def upstream_urls(self) -> dict[str, str]:
        """Service -> its URL without a trailing slash."""
        urls = {"session": self.session_url, "egress": self.egress_url, "attendance": self.attendance_url}
        return {name: url.rstrip("/") for name, url in urls.items()}
