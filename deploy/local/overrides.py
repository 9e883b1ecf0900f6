"""Settings of Greenroom that the user's environment gives to the local stack, in place of its own.

Standard library only: `make install` asks it which programs are needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from deploy.local import StackError
from deploy.local.programs import (
    EPMD,
    FFMPEG,
    FONTS,
    LIVEKIT,
    MONGODB,
    NGINX,
    ON_MACOS,
    PANGO,
    RABBITMQ,
    REDIS,
    Program,
)

PREFIX: Final = "GREENROOM_"
LIVEKIT_SERVER, EMBEDDED = "livekit", "embedded"

# Every setting that the stack sets for its services is in one of these three tables.
URLS: Final = {
    "GREENROOM_MONGODB_URI": ("mongodb", "mongodb+srv"),
    "GREENROOM_AMQP_URL": ("amqp", "amqps"),
    "GREENROOM_REDIS_URL": ("redis", "rediss"),
    "GREENROOM_SMTP_URL": ("smtp", "smtp+starttls", "smtps"),
    "GREENROOM_LIVEKIT_URL": ("ws", "wss", "http", "https"),
    "GREENROOM_LIVEKIT_API_URL": ("http", "https"),
    "GREENROOM_LIVEKIT_PUBLIC_URL": ("ws", "wss"),
    "GREENROOM_RTMP_URL": ("rtmp", "rtmps"),
    "GREENROOM_PUBLIC_URL": ("http", "https"),
    "GREENROOM_STORAGE_URL": ("file", "s3"),
}
OTHERS: Final = (
    *("GREENROOM_ENGINE", "GREENROOM_INGEST", "GREENROOM_MONGODB_EXPIRY", "GREENROOM_MAIL_FROM"),
    *("GREENROOM_LIVEKIT_API_KEY", "GREENROOM_LIVEKIT_API_SECRET"),
    *("GREENROOM_IDENTITY_PUBLIC_KEYS", "GREENROOM_IDENTITY_SIGNING_KID", "GREENROOM_IDENTITY_PRIVATE_KEY"),
    *("GREENROOM_INTERNAL_SECRET", "GREENROOM_REFRESH_SECRET", "GREENROOM_KEYRING"),
    *("GREENROOM_CENTRIFUGO_SECRET", "GREENROOM_BOOTSTRAP_ADMIN_EMAIL", "GREENROOM_BOOTSTRAP_ADMIN_PASSWORD"),
)
_STARTED_HERE = "it names a service that the local stack starts itself"
REFUSED: Final = {
    "GREENROOM_HOST": "the local stack listens on 127.0.0.1 only",
    "GREENROOM_PORT": "each service has a port of its own; choose the gateway's with --port",
    "GREENROOM_SESSION_URL": _STARTED_HERE,
    "GREENROOM_EGRESS_URL": _STARTED_HERE,
    "GREENROOM_ATTENDANCE_URL": _STARTED_HERE,
    "GREENROOM_SPOOL": "recorder and relay have folders of their own in the data directory (--data-dir)",
}
# Setting -> those that it is of no use without.
TOGETHER: Final = {
    "GREENROOM_LIVEKIT_URL": ("GREENROOM_LIVEKIT_API_KEY", "GREENROOM_LIVEKIT_API_SECRET"),
    "GREENROOM_LIVEKIT_API_URL": ("GREENROOM_LIVEKIT_URL",),
    "GREENROOM_LIVEKIT_API_KEY": ("GREENROOM_LIVEKIT_API_SECRET",),
    "GREENROOM_LIVEKIT_API_SECRET": ("GREENROOM_LIVEKIT_API_KEY",),
    "GREENROOM_SMTP_URL": ("GREENROOM_MAIL_FROM",),
    "GREENROOM_IDENTITY_PUBLIC_KEYS": ("GREENROOM_IDENTITY_SIGNING_KID", "GREENROOM_IDENTITY_PRIVATE_KEY"),
    "GREENROOM_IDENTITY_SIGNING_KID": ("GREENROOM_IDENTITY_PUBLIC_KEYS", "GREENROOM_IDENTITY_PRIVATE_KEY"),
    "GREENROOM_IDENTITY_PRIVATE_KEY": ("GREENROOM_IDENTITY_PUBLIC_KEYS", "GREENROOM_IDENTITY_SIGNING_KID"),
    "GREENROOM_BOOTSTRAP_ADMIN_EMAIL": ("GREENROOM_BOOTSTRAP_ADMIN_PASSWORD",),
    "GREENROOM_BOOTSTRAP_ADMIN_PASSWORD": ("GREENROOM_BOOTSTRAP_ADMIN_EMAIL",),
}


class UnusableEnvironment(StackError):
    """Settings in the environment that the local stack cannot use; the message names each and why."""


@dataclass(frozen=True)
class Overrides:
    """What the environment gives; None or empty if the stack is to see to it itself.

    A component whose URL is given is not started. `settings` has everything given by its variable's name.
    """

    mongodb_uri: str | None = None
    amqp_url: str | None = None
    redis_url: str | None = None
    smtp_url: str | None = None
    mail_from: str | None = None
    livekit_url: str | None = None
    livekit_api_key: str | None = None
    livekit_api_secret: str | None = None
    rtmp_url: str | None = None
    storage_url: str | None = None
    bootstrap_admin_email: str | None = None
    bootstrap_admin_password: str | None = None
    engine: str = EMBEDDED
    ingest: str = EMBEDDED
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Overrides:
        """Those in the environment; an empty variable gives nothing. Raises UnusableEnvironment."""
        given = {name: environ[name] for name in (*URLS, *OTHERS, *REFUSED) if environ.get(name)}
        if problems := [*_refused(given), *_unusable_urls(given), *_incomplete(given), *_unknown(given)]:
            raise UnusableEnvironment("\n".join(problems))
        # Homebrew has no nginx with the RTMP module: LiveKit Ingress is then the only way in.
        ingest = LIVEKIT_SERVER if ON_MACOS and "GREENROOM_RTMP_URL" not in given else EMBEDDED
        own = {name: given.get(PREFIX + name.upper()) for name in cls.__annotations__}
        chosen = {"ingest": ingest} | {name: value for name, value in own.items() if value}
        return cls(**chosen, settings=given)

    def over(self, env: Mapping[str, str]) -> dict[str, str]:
        """A service's environment with what is given in place of the stack's own.

        A database is not: each service has another one on the given server.
        """
        given = {name: self.settings[name] for name in env.keys() & self.settings.keys()}
        given.pop("GREENROOM_MONGODB_URI", None)
        return {**env, **given}

    def needed_programs(self) -> tuple[Program, ...]:
        """The programs that run everything else."""
        own = (
            (not self.mongodb_uri, (MONGODB,)),
            (not self.amqp_url, (RABBITMQ, EPMD)),
            (not self.redis_url, (REDIS,)),
            (not self.livekit_url, (LIVEKIT,)),
            (self.ingest == EMBEDDED and not self.rtmp_url, (NGINX,)),
            (self.engine == EMBEDDED, (PANGO,)),
        )
        return (*(program for needed, programs in own if needed for program in programs), FFMPEG)

    def needed_fonts(self) -> tuple[Program, ...]:
        """What recorders draw names with; everything runs without."""
        return FONTS if self.engine == EMBEDDED else ()


def _refused(given: Mapping[str, str]) -> list[str]:
    return [f"{name} cannot be set: {why}" for name, why in REFUSED.items() if name in given]


def _unusable_urls(given: Mapping[str, str]) -> list[str]:
    return [
        f"{name} must be a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}"
        for name, schemes in URLS.items()
        if name in given and not _is_url(given[name], schemes)
    ]


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.path if parts.scheme == "file" else parts.netloc)


def _incomplete(given: Mapping[str, str]) -> list[str]:
    missing = {name: [other for other in others if other not in given] for name, others in TOGETHER.items()}
    return [
        f"{name} needs {' and '.join(others)}" for name, others in missing.items() if name in given and others
    ]


def _unknown(given: Mapping[str, str]) -> list[str]:
    return [
        f"{name} must be {LIVEKIT_SERVER} or {EMBEDDED}"
        for name in ("GREENROOM_ENGINE", "GREENROOM_INGEST")
        if given.get(name, EMBEDDED) not in (LIVEKIT_SERVER, EMBEDDED)
    ]
