"""`stack.json`: where everything of a running stack is, and how to sign in; for people and programs."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from deploy.local.files import write_atomically


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SignIn(_Part):
    email: str
    password: str


class ApiKey(_Part):
    """Sent as `X-API-Key: <id>.<secret>`."""

    id: str
    secret: str


class DatabaseUris(_Part):
    session: str
    egress: str
    attendance: str


class ProcessInfo(_Part):
    pid: int
    port: int


class Stack(_Part):
    """The content of `stack.json`, exactly. The file is there only while the stack is ready.

    `mail_url` shows the mails; null where GREENROOM_SMTP_URL was given.
    """

    base_url: str
    livekit_url: str
    livekit_api_key: str
    livekit_api_secret: str
    mongodb: DatabaseUris
    amqp_url: str
    redis_url: str
    mail_url: str | None
    admin: SignIn
    host: SignIn
    organization_id: str
    library_id: str
    api_key: ApiKey
    processes: dict[str, ProcessInfo]

    @classmethod
    def load(cls, path: Path) -> Stack:
        """Raises FileNotFoundError where no stack is ready."""
        return cls.model_validate_json(path.read_text())

    def save(self, path: Path) -> None:
        write_atomically(path, self.model_dump_json(indent=2) + "\n")
