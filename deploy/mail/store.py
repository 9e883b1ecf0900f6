"""The received mails, on disk and in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

# The newest are kept.
KEPT = 20_000


@dataclass
class StoredMail:
    """One mail as received; `copies` is how often it was sent under the same Message-ID."""

    id: int
    received_at: datetime
    message: EmailMessage
    copies: int = 1
    to: str = field(init=False)

    def __post_init__(self) -> None:
        # Searched in all mails, and parsed at each read.
        self.to = self.header("To")

    def header(self, name: str) -> str:
        return str(self.message.get(name, ""))

    def content(self, *types: str) -> str | None:
        """The first part of one of these types, as text."""
        for part in self.message.walk():
            if part.get_content_type() in types:
                content = part.get_content()
                return content if isinstance(content, str) else content.decode(errors="replace")
        return None

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "received_at": self.received_at.isoformat(),
            "message_id": self.header("Message-ID"),
            "from": self.header("From"),
            "to": self.to,
            "subject": self.header("Subject"),
            "copies": self.copies,
            "headers": [[name, str(value)] for name, value in self.message.items()],
            "text": self.content("text/plain"),
            "html": self.content("text/html"),
            "calendar": self.content("text/calendar"),
        }


class MailStore:
    """Keeps each mail as a file in `folder`; a second copy of one is counted, as mail servers do."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mails: dict[int, StoredMail] = {}
        self._by_message_id: dict[str, StoredMail] = {}
        for path in sorted(folder.glob("*.eml")):
            received = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            self._keep(StoredMail(int(path.stem), received, _parsed(path.read_bytes())))

    def add(self, content: bytes, now: datetime) -> StoredMail:
        message = _parsed(content)
        known = self._by_message_id.get(str(message.get("Message-ID", "")))
        if known is not None:
            known.copies += 1
            return known
        mail = StoredMail(max(self._mails, default=0) + 1, now, message)
        self._path(mail.id).write_bytes(content)
        self._keep(mail)
        return mail

    def _keep(self, mail: StoredMail) -> None:
        self._mails[mail.id] = mail
        if mail.header("Message-ID"):
            self._by_message_id[mail.header("Message-ID")] = mail
        if len(self._mails) > KEPT:
            self._drop(next(iter(self._mails.values())))

    def _drop(self, mail: StoredMail) -> None:
        self._mails.pop(mail.id)
        self._by_message_id.pop(mail.header("Message-ID"), None)
        self._path(mail.id).unlink(missing_ok=True)

    def _path(self, id: int) -> Path:
        return self._folder / f"{id:08}.eml"

    def find(self, id: int) -> StoredMail | None:
        return self._mails.get(id)

    def list(self, to: str = "") -> list[StoredMail]:
        """The newest first; only those to `to`, if it is given."""
        wanted = to.lower()
        return [mail for mail in reversed(self._mails.values()) if wanted in mail.to.lower()]


def _parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=default)
