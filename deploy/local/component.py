"""What the supervisor knows of a process before it runs."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from deploy.local.probes import Probe

# A signal and the seconds to wait for its effect, one after the other; SIGKILL follows the last.
GRACEFUL = ((signal.SIGTERM, 10.0),)


class Tier(IntEnum):
    """Stopping goes from the highest tier down, so that nothing loses what it depends on while it drains."""

    INFRASTRUCTURE = 0
    SERVICE = 1
    MEDIA = 2  # before the services, which take its last webhooks
    DOOR = 3


@dataclass(frozen=True)
class Component:
    """One process: how to start it, how to tell that it is ready, how to stop it.

    `needs` names components that must be ready first; names that are not part of this stack are ignored.
    `env` is laid over the supervisor's own environment.
    """

    name: str
    argv: tuple[str, ...]
    port: int
    probe: Probe
    tier: Tier
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    stop: tuple[tuple[signal.Signals, float], ...] = GRACEFUL
