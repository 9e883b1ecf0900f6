"""deploy/compose.yaml with stand-ins for others' images, run by podman-compose: started gate by gate.

Podman's own health checks need systemd's timers, and podman-compose waits for them only since Podman 4.6. So
this asks: it starts each service as soon as what compose.yaml says it needs is healthy, or has completed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from deploy.env_file import addresses, filled, values_of
from deploy.images.project import PROJECT
from deploy.local.ports import LOOPBACK
from tests.containers.containers import LIMITS

FILES = (PROJECT / "deploy/compose.yaml", PROJECT / "tests/containers/override.yaml")
HEALTHY, COMPLETED = "service_healthy", "service_completed_successfully"
START_SECONDS, COMMAND_SECONDS, LOOK_SECONDS = 300.0, 120.0, 1.0


class ComposeFailed(Exception):
    """A command of podman-compose failed, or a service did not get ready; the message has what it wrote."""


@dataclass
class ComposeStack:
    """One project. `values` are the variables of its environment file, as written there."""

    project: str
    values: Mapping[str, str]
    env_file: Path
    services: dict[str, Any] = field(init=False)
    _fulfilled: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.env_file.write_text("".join(f"{name}={value}\n" for name, value in self.values.items()))
        active = {name.strip() for name in self.values["COMPOSE_PROFILES"].split(",")}
        services: dict[str, Any] = yaml.safe_load(self.run("config"))["services"]
        self.services = {
            name: service
            for name, service in services.items()
            if not service.get("profiles") or active & set(service["profiles"])
        }

    def run(self, *arguments: str) -> str:
        """What a command of podman-compose printed. Raises ComposeFailed."""
        files = [option for path in FILES for option in ("--file", str(path))]
        command = [sys.executable, "-m", "podman_compose", "--project-name", self.project, *files]
        command += ["--env-file", str(self.env_file), "--in-pod=false", "--podman-run-args", " ".join(LIMITS)]
        return _run([*command, *arguments])

    def up(self, within: float = START_SECONDS) -> None:
        """Start everything, each service after its gates. Raises ComposeFailed."""
        deadline = time.monotonic() + within
        waiting = set(self.services)
        while waiting:
            ready = sorted(name for name in waiting if all(self._passed(*gate) for gate in self._gates(name)))
            if ready:
                self.run("up", "--detach", "--no-deps", *ready)
                waiting -= set(ready)
            else:
                self._wait(waiting, deadline)
        for name in self.services:
            while self._is_checked(name) and not self._passed(name, HEALTHY):
                self._wait({name}, deadline)

    def _wait(self, waiting: set[str], deadline: float) -> None:
        """A check is a process of its own, and takes from what it waits for."""
        if time.monotonic() > deadline:
            raise ComposeFailed(self._why(waiting))
        time.sleep(LOOK_SECONDS)

    def down(self) -> None:
        """Stop and remove all containers, the network and the volumes. Raises ComposeFailed."""
        self.run("down", "--volumes", "--timeout", "5")

    def container(self, service: str) -> str:
        return f"{self.project}_{service}_1"

    def logs(self, service: str) -> str:
        """The last of what a service wrote."""
        done = subprocess.run(
            ["podman", "logs", "--tail", "15", self.container(service)], capture_output=True, text=True
        )
        return done.stdout + done.stderr

    def _gates(self, name: str) -> Iterator[tuple[str, str]]:
        for needed, how in self.services[name].get("depends_on", {}).items():
            yield needed, how["condition"]

    def _passed(self, name: str, condition: str) -> bool:
        """Asked until it holds once. Raises ComposeFailed if a service that must complete has failed."""
        if (name, condition) in self._fulfilled:
            return True
        holds = self._is_healthy(name) if condition == HEALTHY else self._has_completed(name)
        if holds:
            self._fulfilled.add((name, condition))
        return holds

    def _is_checked(self, name: str) -> bool:
        return "healthcheck" in self.services[name]

    def _is_healthy(self, name: str) -> bool:
        """By the check that compose.yaml declares, run in the container."""
        command = ["podman", "healthcheck", "run", self.container(name)]
        return subprocess.run(command, capture_output=True).returncode == 0

    def _has_completed(self, name: str) -> bool:
        command = ["podman", "inspect", "--format", "{{json .State}}", self.container(name)]
        found = subprocess.run(command, capture_output=True, text=True)
        state = json.loads(found.stdout) if found.returncode == 0 else {}
        return state.get("Status") == "exited" and state.get("ExitCode") == 0

    def _why(self, waiting: set[str]) -> str:
        gates = {name for service in waiting for name, _ in self._gates(service)} | waiting
        return "\n".join(f"{name}:\n{self.logs(name)}" for name in sorted(gates))


@contextmanager
def compose_stack(folder: Path, changes: dict[str, str]) -> Iterator[ComposeStack]:
    """A stack whose environment file is the one that `greenroom keys env` makes, with these changes."""
    given = values_of(filled(addresses(LOOPBACK, LOOPBACK, tls=False), datetime.now(UTC)))
    stack = ComposeStack(f"greenroom-{os.getpid()}", given | changes, folder / "env")
    try:
        stack.up()
        yield stack
    finally:
        stack.down()


def _run(command: list[str]) -> str:
    # Without systemd Podman has no timers for health checks, and refuses to start what has one.
    environment = {**os.environ, "DISABLE_HC_SYSTEMD": "true"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, env=environment)
    if done.returncode != 0:
        raise ComposeFailed(f"`{' '.join(command)}` failed ({done.returncode}):\n{done.stderr[-4000:]}")
    return done.stdout
