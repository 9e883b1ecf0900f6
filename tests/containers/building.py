"""The images that tests run: built once, also by several test processes.

`python -m tests.containers.building` builds them beforehand.
"""

from __future__ import annotations

import fcntl
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.images import base, engine, project
from deploy.images.engine import ContainerEngine, EngineFailed
from deploy.local.programs import MissingPrograms
from tests.containers import standins

NAMES = {target: f"{target}:{project.version()}" for target in project.TARGETS}
_LOCK = Path(tempfile.gettempdir(), "greenroom-images.lock")


def built(engine: ContainerEngine) -> dict[str, str]:
    """The name of each target's image, as `make image` gives it; skips the test where no base is had.

    What another process has built meanwhile is in the engine's cache.
    """
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            base.ensure(engine, project.BASE)
        except EngineFailed as failed:
            pytest.skip(f"no base image: {failed}")
        for target, name in NAMES.items():
            project.build(engine, target, [name])
    return NAMES


def main() -> None:
    """Whatever fails here fails again, and is told, where a test asks for it."""
    if engine.unusable("podman") is None:
        podman = engine.find("podman")
        with suppress(EngineFailed, MissingPrograms, pytest.skip.Exception):
            built(podman)
            standins.build(podman)


if __name__ == "__main__":
    main()
