"""Handing mails to a mail server: the only module that imports aiosmtplib."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
)

from shared.errors import Unavailable

_DEADLINE = 15.0
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class MailRefused(Exception):
    """The server rejects this mail permanently, with a reason."""


class MailDeferred(Exception):
    """The server will not take this mail now."""


class MailConnection(Protocol):
    async def send(self, message: EmailMessage, to: str) -> None:
        """Hand it over.

        Raises `MailRefused`, `MailDeferred`, and `Unavailable` where nobody knows what became of it.
        """
        ...


class Mailer(Protocol):
    def connection(self) -> AbstractAsyncContextManager[MailConnection]:
        """A connection for several mails, one after the other. Raises `Unavailable`."""
        ...


@dataclass(frozen=True)
class Server:
    """A mail server; TLS from the first byte, by STARTTLS, or (None) by STARTTLS if it is offered."""

    host: str
    port: int
    tls: bool
    starttls: bool | None
    user: str | None
    password: str | None = field(repr=False)

    @classmethod
    def of(cls, url: str) -> "Server":
        """From `smtp://`, `smtp+starttls://` or `smtps://user:password@host:port`; raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("is not smtp://, smtp+starttls:// or smtps://user:password@host:port")
        return cls(
            parts.hostname,
            parts.port or _PORTS[parts.scheme],
            tls=parts.scheme == "smtps",
            starttls={"smtps": False, "smtp+starttls": True}.get(parts.scheme),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


class SmtpMailer:
    """Any SMTP server. `sender` is the envelope's."""

    def __init__(self, server: Server, sender: str):
        self._server = server
        self._sender = sender

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["SmtpConnection"]:
        server = self._server
        client = SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls,
            start_tls=server.starttls,
            username=server.user,
            password=server.password,
            timeout=_DEADLINE,
            # Else it would look up its own name, which may take its time.
            local_hostname=self._sender.rpartition("@")[2],
        )
        try:
            await client.connect()
        except (SMTPException, OSError) as error:
            client.close()
            raise Unavailable(f"The mail server is unavailable ({type(error).__name__})") from error
        try:
            yield SmtpConnection(client, self._sender)
        finally:
            await _leave(client)


class SmtpConnection:
    def __init__(self, client: SMTP, sender: str):
        self._client = client
        self._sender = sender

    async def send(self, message: EmailMessage, to: str) -> None:
        try:
            await self._client.send_message(message, sender=self._sender, recipients=[to])
        except SMTPRecipientsRefused as error:
            first = error.recipients[0]
            raise _refusal(first.code, first.message) from error
        except SMTPDataError as error:
            raise _refusal(error.code, error.message) from error
        except SMTPNotSupported as error:
            raise MailRefused("the mail server takes no such address") from error
        except (SMTPException, OSError) as error:
            raise Unavailable(f"The mail server closed the connection ({type(error).__name__})") from error


def _refusal(code: int, message: str) -> Exception:
    """RFC 5321, 4.2.1: 5yz is for good, 4yz for now."""
    answer = f"{code} {' '.join(message.split())[:200]}"
    return MailRefused(answer) if code >= 500 else MailDeferred(answer)


async def _leave(client: SMTP) -> None:
    """Everything is sent: whether QUIT succeeds does not matter."""
    try:
        await client.quit()
    except (SMTPException, OSError):
        client.close()
