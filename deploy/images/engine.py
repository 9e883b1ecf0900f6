"""The container engines that can build: found by asking them, since a client alone builds nothing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# By preference: what most people push from comes first.
NAMES = ("docker", "podman", "buildah")
ADVICE = "Install one, e.g. on Debian: apt-get install podman buildah runc netavark aardvark-dns"
_ASKED_SECONDS = 20


class NoEngine(Exception):
    """No engine works here; the message says why of each, and what to install."""


class EngineFailed(Exception):
    """The engine could not do it; the message says what."""


@dataclass(frozen=True)
class ContainerEngine:
    """One of NAMES."""

    name: str

    def build(
        self,
        context: Path,
        dockerfile: Path,
        tags: Sequence[str],
        *,
        target: str | None = None,
        arguments: dict[str, str] | None = None,
        secrets: dict[str, Path] | None = None,
    ) -> None:
        """Build an image under each of the tags, on the host's network. Raises EngineFailed."""
        command = [self.name, "build", "--network", "host", "--file", str(dockerfile)]
        if self.name != "docker":
            # Isolation by chroot works wherever root works; the format is the one that has health checks.
            command += ["--isolation", "chroot", "--layers", "--format", "docker"]
        command += ["--target", target] if target else []
        for tag in tags:
            command += ["--tag", tag]
        for name, value in (arguments or {}).items():
            command += ["--build-arg", f"{name}={value}"]
        for name, path in (secrets or {}).items():
            command += ["--secret", f"id={name},src={path}"]
        self._run([*command, str(context)])

    def has(self, image: str) -> bool:
        command = [self.name, "inspect", *(["--type", "image"] if self.name != "docker" else []), image]
        return subprocess.run(command, capture_output=True).returncode == 0

    def pull(self, image: str) -> None:
        """Fetch an image from its registry. Raises EngineFailed."""
        self._run([self.name, "pull", "--quiet", image], quiet=True)

    def size(self, image: str) -> int | None:
        """Its size in bytes; None from buildah, which does not say."""
        if self.name == "buildah":
            return None
        command = [self.name, "image", "inspect", "--format", "{{.Size}}", image]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    @staticmethod
    def _run(command: list[str], *, quiet: bool = False) -> None:
        done = subprocess.run(command, capture_output=quiet, text=True)
        if done.returncode != 0:
            reason = done.stderr.strip().splitlines()[-1:] if quiet else []
            raise EngineFailed(": ".join([f"`{' '.join(command)}` failed ({done.returncode})", *reason]))


def find(name: str | None = None) -> ContainerEngine:
    """The engine of this name, or the first that works. Raises NoEngine."""
    problems = []
    for candidate in (name,) if name else NAMES:
        problem = unusable(candidate)
        if problem is None:
            return ContainerEngine(candidate)
        problems.append(f"  {candidate}: {problem}")
    raise NoEngine("\n".join(["no container engine works here:", *problems, ADVICE]))


def unusable(name: str) -> str | None:
    """Why this engine cannot be used; None if it can. A client without its daemon is no engine."""
    if shutil.which(name) is None:
        return "not installed"
    question = ["version"] if name == "docker" else ["info"]
    try:
        answer = subprocess.run([name, *question], capture_output=True, text=True, timeout=_ASKED_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = [*answer.stderr.strip().splitlines(), f"`{name} {question[0]}` failed"]
    return None if answer.returncode == 0 else lines[0]
