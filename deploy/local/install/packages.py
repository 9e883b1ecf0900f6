"""The system's packages: apt on Debian and Ubuntu, Homebrew on macOS. Their daemons are never started."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.local.install.progress import InstallFailed, run, say
from deploy.local.programs import Program

POLICY = Path("/usr/sbin/policy-rc.d")
# What invoke-rc.d asks before it starts a daemon; 101 means "not allowed".
REFUSE_ALL = "#!/bin/sh\nexit 101\n"
SERVICES = {"rabbitmq-server": "rabbitmq-server", "redis-server": "redis-server"}


def install(missing: Sequence[Program]) -> None:
    """Install the packages of these programs. Raises InstallFailed naming what is missing and the command."""
    if missing:
        install_packages(sorted({program.package for program in missing if program.package}), missing)


def install_packages(names: Sequence[str], missing: Sequence[Program] = ()) -> None:
    """Install packages by name with whatever package manager is here and may be used."""
    if shutil.which("apt-get") and (prefix := _as_root()) is not None:
        _apt(names, prefix)
    elif shutil.which("brew"):
        run(f"installing {' '.join(names)} with Homebrew", ["brew", "install", *names])
    else:
        wanted = "\n".join(f"{p.name} is missing; install it with: {p.install}" for p in missing)
        raise InstallFailed(wanted or f"install by hand: {' '.join(names)}")


def _as_root() -> list[str] | None:
    """What to put before a command so that root runs it; None where that cannot be."""
    if os.geteuid() == 0:
        return []
    return ["sudo"] if shutil.which("sudo") else None


def _apt(names: Sequence[str], prefix: list[str]) -> None:
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    advice = f"Install by hand: apt-get install {' '.join(names)}"
    with daemons_stay_down(prefix):
        run("reading the package lists", [*apt, "update"], advice=advice)
        run(
            f"installing {' '.join(names)}",
            [*apt, "install", "-y", "--no-install-recommends", *names],
            advice=advice,
        )
    _disable_at_boot(names, prefix)


@contextmanager
def daemons_stay_down(prefix: list[str], policy: Path = POLICY) -> Iterator[None]:
    """While this lasts, installing a package starts no daemon. A policy that is there already is kept."""
    if policy.exists():
        yield
        return
    with tempfile.NamedTemporaryFile("w") as draft:
        draft.write(REFUSE_ALL)
        draft.flush()
        run("keeping daemons down", [*prefix, "install", "-m", "755", draft.name, str(policy)])
    try:
        yield
    finally:
        run("allowing daemons again", [*prefix, "rm", "-f", str(policy)])


def _disable_at_boot(names: Sequence[str], prefix: list[str]) -> None:
    """We asked for the programs, not for daemons that start with the machine."""
    units = [SERVICES[name] for name in names if name in SERVICES]
    if not units or not Path("/run/systemd/system").exists():
        return
    try:
        run("keeping them from starting at boot", [*prefix, "systemctl", "disable", "--quiet", *units])
    except InstallFailed as failed:
        say(str(failed))
