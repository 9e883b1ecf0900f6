"""Containers for tests: one process of an image, run as restricted as it can be."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from deploy.images import engine as engines
from deploy.images.engine import ContainerEngine, NoEngine

# Where the kernel's limits are lower than the ones that runtimes ask for.
LIMITS = ("--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096")
RESTRICTED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--tmpfs=/tmp", *LIMITS)
_COMMAND_SECONDS = 120.0


def running_engine() -> ContainerEngine:
    """An engine that runs containers. Raises NoEngine."""
    problems = {name: engines.unusable(name) for name in ("docker", "podman")}
    for name, problem in problems.items():
        if problem is None:
            return ContainerEngine(name)
    raise NoEngine("; ".join(f"{name}: {problem}" for name, problem in problems.items()))


def run(engine: ContainerEngine, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [engine.name, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=_COMMAND_SECONDS)


def output(engine: ContainerEngine, *arguments: str) -> str:
    """What a command of the engine printed; it must succeed."""
    done = run(engine, *arguments)
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


@dataclass(frozen=True)
class Container:
    engine: ContainerEngine
    id: str

    @classmethod
    def start(
        cls, engine: ContainerEngine, image: str, command: list[str], environment: dict[str, str]
    ) -> Container:
        """Read-only, without capabilities, its port 8080 published on the loopback address."""
        variables = [option for name, value in environment.items() for option in ("-e", f"{name}={value}")]
        options = ["--detach", *RESTRICTED, "--publish", "127.0.0.1::8080", *variables]
        return cls(engine, output(engine, "run", *options, image, *command).splitlines()[-1])

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        return run(self.engine, "exec", self.id, *command)

    def inspect(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(output(self.engine, "inspect", self.id))[0]
        return found

    @property
    def address(self) -> str:
        """Where its port 8080 is on this machine."""
        return output(self.engine, "port", self.id, "8080").splitlines()[0]

    def stop(self, grace_seconds: int) -> int:
        """By SIGTERM: its exit status. After the grace it is killed, which shows in the status."""
        output(self.engine, "stop", "--time", str(grace_seconds), self.id)
        return int(self.inspect()["State"]["ExitCode"])

    def remove(self) -> None:
        run(self.engine, "rm", "--force", "--volumes", self.id)
