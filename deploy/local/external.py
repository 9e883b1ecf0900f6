"""Services that the environment provides by URL: used instead of started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from deploy.local import StackError
from deploy.local.programs import EPMD, LIVEKIT, MEDIA, MONGODB, RABBITMQ, REDIS, Program


class IncompleteEnvironment(StackError):
    """A variable is set without another that it needs."""


@dataclass(frozen=True)
class ExternalServices:
    """URLs from the environment; None if the stack is to start the component itself."""

    mongodb_uri: str | None = None
    amqp_url: str | None = None
    redis_url: str | None = None
    smtp_url: str | None = None
    mail_from: str | None = None
    livekit_url: str | None = None
    livekit_api_key: str | None = None
    livekit_api_secret: str | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> ExternalServices:
        """Read GREENROOM_MONGODB_URI, _AMQP_URL, _REDIS_URL, _SMTP_URL, _MAIL_FROM, _LIVEKIT_URL and its key.

        Raises IncompleteEnvironment if a LiveKit URL comes without its key and secret, or a mail server
        without an address to send from.
        """
        names = cls.__annotations__
        found = cls(**{name: environ.get(f"GREENROOM_{name.upper()}") or None for name in names})
        if found.livekit_url and not (found.livekit_api_key and found.livekit_api_secret):
            raise IncompleteEnvironment(
                "GREENROOM_LIVEKIT_URL needs GREENROOM_LIVEKIT_API_KEY and GREENROOM_LIVEKIT_API_SECRET"
            )
        if found.smtp_url and not found.mail_from:
            raise IncompleteEnvironment("GREENROOM_SMTP_URL needs GREENROOM_MAIL_FROM")
        return found

    def needed_programs(self) -> tuple[Program, ...]:
        """The programs that run everything else."""
        own = (
            (self.mongodb_uri, (MONGODB,)),
            (self.amqp_url, (RABBITMQ, EPMD)),
            (self.redis_url, (REDIS,)),
            (self.livekit_url, (LIVEKIT,)),
        )
        return (*(program for url, programs in own if url is None for program in programs), *MEDIA)


def with_database(uri: str, database: str) -> str:
    """The same MongoDB server, another database: the path of the URI replaced."""
    parts = urlsplit(uri)
    return urlunsplit((parts.scheme, parts.netloc, f"/{database}", parts.query, ""))


def as_http(livekit_url: str) -> str:
    """The address of LiveKit's API for the address its clients use: ws becomes http, wss becomes https."""
    parts = urlsplit(livekit_url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
