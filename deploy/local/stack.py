"""What a stack publishes in files.

`stack.json` says where everything is and how to sign in, for people and programs; `state.json` is what the
supervisor knows of each component, kept current for `greenroom status`.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from deploy.local.data_dir import DEFAULT_DATA_DIR, DataDir, write_atomically
from deploy.local.process import StackComponent


class _StackModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StackLogin(_StackModel):
    email: str
    password: str


class StackApiKey(_StackModel):
    """Sent as `X-API-Key: <id>.<secret>`."""

    id: str
    secret: str


class DatabaseUris(_StackModel):
    session: str
    egress: str
    attendance: str


class ProcessInfo(_StackModel):
    pid: int
    port: int


class Stack(_StackModel):
    """The content of `stack.json`, exactly. The file is there only while the stack is ready.

    `mail_url` shows the mails; null if GREENROOM_SMTP_URL was given.
    """

    base_url: str
    livekit_url: str
    livekit_api_key: str
    livekit_api_secret: str
    mongodb: DatabaseUris
    amqp_url: str
    redis_url: str
    mail_url: str | None
    admin: StackLogin
    host: StackLogin
    organization_id: str
    library_id: str
    api_key: StackApiKey
    processes: dict[str, ProcessInfo]

    @classmethod
    def load(cls, path: Path) -> Stack:
        """Raises FileNotFoundError if no stack is ready."""
        return cls.model_validate_json(path.read_text())

    def save(self, path: Path) -> None:
        write_atomically(path, self.model_dump_json(indent=2) + "\n")


def stack_from_environment() -> Stack | None:
    """The ready stack in GREENROOM_DATA_DIR, by default .local, if there is one."""
    path = DataDir.at(Path(os.environ.get("GREENROOM_DATA_DIR", DEFAULT_DATA_DIR))).stack_file
    return Stack.load(path) if path.is_file() else None


class Phase(StrEnum):
    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    HELD = "held"
    TAKEN = "taken over"  # somebody else started it
    STOPPED = "stopped"


class ComponentState(BaseModel):
    """`since` is the Unix time in seconds of the last change of phase."""

    name: str
    port: int
    phase: Phase = Phase.WAITING
    pid: int | None = None
    restarts: int = 0
    since: float = 0.0


class StackState(BaseModel):
    components: dict[str, ComponentState] = {}

    @classmethod
    def of(cls, components: list[StackComponent]) -> StackState:
        return cls(components={c.name: ComponentState(name=c.name, port=c.port) for c in components})

    @classmethod
    def load(cls, path: Path) -> StackState:
        """The last state written; empty if there is none, or none that this version can read."""
        try:
            return cls.model_validate_json(path.read_text())
        except (FileNotFoundError, ValidationError):
            return cls()

    def save(self, path: Path) -> None:
        write_atomically(path, self.model_dump_json(indent=2) + "\n")
