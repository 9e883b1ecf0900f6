"""Which command the current task carries out: the events it causes say so."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """An operation (`POST /sessions/{id}/end`) and who called it (`user:<id>`, `key:<id>`, or nobody)."""

    operation: str
    actor: str | None


_command: ContextVar[Command | None] = ContextVar("command", default=None)


def current_command() -> Command | None:
    return _command.get()


def bind_command(command: Command | None) -> None:
    """Set what the current task carries out."""
    _command.set(command)
