"""Settings of the session service."""

import re
from email.utils import parseaddr
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field, SecretStr, model_validator

from shared.http.files import LARGEST_FILE
from shared.livekit.public_url import as_websocket
from shared.runtime.settings import DataSettings, Keys, base64url


class SessionSettings(DataSettings):
    secrets: ClassVar[tuple[str, ...]] = (
        "internal_secret",
        "identity_private_key",
        "refresh_secret",
        "keyring",
        "livekit_api_secret",
    )
    needed: ClassVar[tuple[str, ...]] = (
        "identity_public_keys",
        "identity_signing_kid",
        "identity_private_key",
        "refresh_secret",
        "keyring",
    )

    mongodb_uri: str = "mongodb://127.0.0.1:27017/greenroom_session"
    """The service's own database."""
    amqp_url: str = "amqp://guest:guest@127.0.0.1:5672/"
    """RabbitMQ."""

    identity_signing_kid: str = ""
    """The id of the key that signs access tokens, one of `identity_public_keys`."""
    identity_private_key: SecretStr = SecretStr("")
    """The private Ed25519 key that belongs to `identity_signing_kid` (base64url of 32 bytes)."""
    refresh_secret: SecretStr = SecretStr("")
    """Signs refresh tokens."""
    refresh_previous_secrets: tuple[SecretStr, ...] = ()
    """What these signed is accepted, too, while `refresh_secret` is replaced."""
    keyring: Keys = Field(default={}, repr=False)
    """Key id → base64url of 32 bytes; they encrypt the secrets of API keys: the last one encrypts, all of
    them decrypt. `greenroom keys sealing` generates them."""

    livekit_api_url: str = "http://127.0.0.1:7880"
    """LiveKit's server API."""
    livekit_api_key: str = "devkey"
    """The key of LiveKit's API."""
    livekit_api_secret: SecretStr = SecretStr("")
    """The secret of LiveKit's API, which signs the tokens that people join with."""

    livekit_public_url: str = ""
    """LiveKit's address for clients, which they are told as `livekit_url`: `ws://` or `wss://`. By default
    that of `livekit_api_url`."""

    egress_url: str = "http://127.0.0.1:8002"
    """Where the egress service is."""
    public_url: str = "http://127.0.0.1:8080"
    """The gateway's address for clients; links to pages, streams and files begin with it, and `whip_url`."""

    storage_url: str = "file:///var/lib/greenroom/storage"
    """Where chat files are stored: the egress service's storage (`file:///directory` or
    `s3://bucket/prefix`)."""
    storage_options: Keys = Field(default={}, repr=False)
    """The options of `storage_url`: the egress service's `storage_options`."""
    chat_file_limit_bytes: Annotated[int, Field(ge=1024, le=LARGEST_FILE)] = 10 * 1024 * 1024
    """The largest file in the chat."""

    centrifugo_secret: SecretStr = SecretStr("")
    """The secret in Centrifugo's proxy requests; without it nobody may connect or subscribe."""
    centrifugo_previous_secrets: tuple[SecretStr, ...] = ()
    """These are accepted in them, too, while `centrifugo_secret` is replaced."""
    smtp_url: str | None = Field(default=None, repr=False)
    """`smtp://`, `smtp+starttls://` or `smtps://user:password@host:port`; without it no mails are sent."""
    mail_from: str = ""
    """The From header of mails: an address, with or without a name. Needed with `smtp_url`."""

    bootstrap_admin_email: str | None = None
    """The e-mail address of the first administrator, created at the start; needs
    `bootstrap_admin_password`."""
    bootstrap_admin_password: SecretStr | None = None
    """The password of the first administrator."""

    passwords_at_once: Annotated[int, Field(ge=1, le=64)] = 2
    """How many passwords are checked at a time: each takes 64 MiB and up to four threads for a tenth
    of a second."""

    no_host_grace_seconds: Annotated[int, Field(ge=1)] = 60
    """A live session ends when its host has been away for this long; one without a host of its own, an
    automatic session, when nobody is found in it for so long."""
    departure_grace_seconds: Annotated[int, Field(ge=1, le=300)] = 5
    """An automatic session ends when everybody has been away for this long, or whoever ends it by leaving:
    long enough to reload a page."""
    max_duration_seconds: Annotated[int, Field(ge=60)] = 12 * 3600
    """A live session ends after this long."""
    audit_kept_days: Annotated[int, Field(ge=1, le=3650)] = 365
    """How long the audit log keeps what administrators did."""

    expire_after_seconds: Annotated[int, Field(ge=60)] = 24 * 3600
    """A scheduled session that was not started expires this long after its time."""

    @model_validator(mode="after")
    def _usable_mail(self) -> Self:
        if not self.smtp_url:
            return self
        _, address = parseaddr(self.mail_from)
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            raise ValueError("GREENROOM_SMTP_URL needs GREENROOM_MAIL_FROM, an e-mail address")
        parts = urlsplit(self.smtp_url)
        if parts.scheme not in {"smtp", "smtp+starttls", "smtps"} or not parts.hostname:
            raise ValueError(
                "GREENROOM_SMTP_URL is not smtp://, smtp+starttls:// or smtps://user:password@host:port"
            )
        return self

    @model_validator(mode="after")
    def _livekit_for_clients(self) -> Self:
        self.livekit_public_url = self.livekit_public_url or as_websocket(self.livekit_api_url)
        parts = urlsplit(self.livekit_public_url)
        if parts.scheme not in {"ws", "wss"} or not parts.hostname or parts.username or parts.query:
            raise ValueError("GREENROOM_LIVEKIT_PUBLIC_URL is not ws://host:port or wss://host:port")
        return self

    @model_validator(mode="after")
    def _usable_keys(self) -> Self:
        if not self.identity_signing_kid or not self.identity_private_key.get_secret_value():
            raise ValueError("GREENROOM_IDENTITY_SIGNING_KID and GREENROOM_IDENTITY_PRIVATE_KEY are needed")
        if self.identity_signing_kid not in self.identity_public_keys:
            raise ValueError(
                "GREENROOM_IDENTITY_PUBLIC_KEYS must hold the key GREENROOM_IDENTITY_SIGNING_KID"
            )
        if not self._signs_as_published():
            raise ValueError(
                "GREENROOM_IDENTITY_PRIVATE_KEY is not the private key of the one that "
                "GREENROOM_IDENTITY_PUBLIC_KEYS holds under GREENROOM_IDENTITY_SIGNING_KID"
            )
        if not self.keyring:
            raise ValueError("GREENROOM_KEYRING is needed")
        if not self.refresh_secret.get_secret_value():
            raise ValueError("GREENROOM_REFRESH_SECRET is needed")
        return self

    def _signs_as_published(self) -> bool:
        """Else every token would be refused that is signed."""
        try:
            private = base64url(self.identity_private_key.get_secret_value())
            public = base64url(self.identity_public_keys[self.identity_signing_kid])
            return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw() == public
        except ValueError:
            return False
