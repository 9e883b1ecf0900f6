"""`state.json`: what the supervisor knows of each component, kept current for `greenroom status`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ValidationError

from deploy.local.component import Component
from deploy.local.files import write_atomically


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
    def of(cls, components: list[Component]) -> StackState:
        return cls(components={c.name: ComponentState(name=c.name, port=c.port) for c in components})

    @classmethod
    def load(cls, path: Path) -> StackState:
        """The last state written; empty where there is none, or none that this version can read."""
        try:
            return cls.model_validate_json(path.read_text())
        except (FileNotFoundError, ValidationError):
            return cls()

    def save(self, path: Path) -> None:
        write_atomically(path, self.model_dump_json(indent=2) + "\n")
