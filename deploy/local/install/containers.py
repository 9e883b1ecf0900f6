"""A container engine for the tests of images: Podman, with what its networks and the base image need."""

from __future__ import annotations

import os
import shutil

from deploy.images import engine
from deploy.local.install import packages
from deploy.local.install.packages import InstallFailed
from deploy.local.programs import first_existing

# Debian's package of each program. Podman alone comes with a runtime that not every kernel takes.
PROGRAMS = {
    "podman": "podman",
    "runc": "runc",
    "iptables": "iptables",
    "debootstrap": "debootstrap",
    "/usr/lib/podman/netavark": "netavark",
    "/usr/lib/podman/aardvark-dns": "aardvark-dns",
}


def install() -> None:
    """Install Podman, unless Docker or it works. Raises InstallFailed with what to do."""
    missing = [package for program, package in PROGRAMS.items() if not _is_there(program)]
    if engine.unusable("docker") is None or (not missing and engine.unusable("podman") is None):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise InstallFailed("No container engine works. As root on Debian or Ubuntu, this installs Podman.")
    packages.install_packages(missing or ["podman"])
    problem = engine.unusable("podman")
    if problem:
        raise InstallFailed(f"Podman is installed and does not work: {problem}")


def _is_there(program: str) -> bool:
    return first_existing(program if program.startswith("/") else shutil.which(program)) is not None
