"""Programs: packages of apt (Debian, Ubuntu) or Homebrew (macOS), and LiveKit's server built with Go.

The daemons of packages are never started.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from deploy.local.programs import GO_PACKAGE, LIVEKIT, Program, first_existing, private_bin

REPORT_EVERY_SECONDS = 10
POLL_SECONDS = 0.1
LINES_SHOWN = 20


class InstallFailed(Exception):
    """Something could not be installed; the message says what, why and what to do."""


def say(text: str) -> None:
    sys.stderr.write("".join(f"install | {line}\n" for line in text.splitlines()))


def run(
    label: str, command: Sequence[str], *, env: Mapping[str, str] | None = None, advice: str = ""
) -> None:
    """Run a command, reporting every 10 s that it runs. Raises InstallFailed with its last lines."""
    say(f"{label} …")
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        status = _watched(label, command, env, output)
        if status == 0:
            return
        output.seek(0)
        lines = output.read().splitlines()[-LINES_SHOWN:]
    shown = "\n".join(f"    {line}" for line in lines)
    raise InstallFailed(f"{label} failed (`{' '.join(command)}`):\n{shown}\n{advice}".rstrip())


def _watched(label: str, command: Sequence[str], env: Mapping[str, str] | None, output: IO[str]) -> int:
    started = reported = time.monotonic()
    process = subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
    )
    try:
        while process.poll() is None:
            time.sleep(POLL_SECONDS)
            now = time.monotonic()
            if now - reported > REPORT_EVERY_SECONDS:
                reported = now
                say(f"{label} … {now - started:.0f} s")
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    return process.returncode


POLICY = Path("/usr/sbin/policy-rc.d")
# What invoke-rc.d asks before it starts a daemon; 101 means "not allowed".
REFUSE_ALL = "#!/bin/sh\nexit 101\n"
GO_PLACES = ("/usr/local/go/bin/go", "/usr/lib/go/bin/go", "/opt/homebrew/bin/go")
GO_ADVICE = (
    "Get a current Go from https://go.dev/dl/ (a distribution's is often too old), then run this again."
)
SERVICES = {"rabbitmq-server": "rabbitmq-server", "redis-server": "redis-server"}


def install(missing: Sequence[Program]) -> None:
    """Install the packages of these programs. Raises InstallFailed naming what is missing and the command."""
    if missing:
        install_packages(sorted({program.package for program in missing if program.package}), missing)


def install_packages(names: Sequence[str], missing: Sequence[Program] = ()) -> None:
    """Install packages by name with the package manager of this machine."""
    if shutil.which("apt-get") and (prefix := _as_root()) is not None:
        _apt(names, prefix)
    elif shutil.which("brew"):
        run(f"installing {' '.join(names)} with Homebrew", ["brew", "install", *names])
    else:
        wanted = "\n".join(f"{p.name} is missing; install it with: {p.install}" for p in missing)
        raise InstallFailed(wanted or f"install by hand: {' '.join(names)}")


def _as_root() -> list[str] | None:
    """The prefix of a command that root is to run; None if that is impossible."""
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
    """While this lasts, installing a package starts no daemon. An existing policy is kept."""
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
    """The programs are needed, not daemons that start with the machine."""
    units = [SERVICES[name] for name in names if name in SERVICES]
    if not units or not Path("/run/systemd/system").exists():
        return
    try:
        run("keeping them from starting at boot", [*prefix, "systemctl", "disable", "--quiet", *units])
    except InstallFailed as failed:
        say(str(failed))


def install_livekit() -> None:
    """Install livekit-server unless it is there. Raises InstallFailed with what to do."""
    if LIVEKIT.find() is not None:
        return
    go = first_existing(shutil.which("go"), *GO_PLACES)
    if go is not None:
        _build(go)
    elif shutil.which("brew"):
        run("installing livekit with Homebrew", ["brew", "install", "livekit"])
    else:
        raise InstallFailed(
            f"livekit-server is missing and is built with Go, which is missing, too. {GO_ADVICE}"
        )


def _build(go: Path) -> None:
    """The module calls its program `server`."""
    target = private_bin()
    build = target / ".build"
    build.mkdir(parents=True, exist_ok=True)
    run(
        "building livekit-server with Go, about 90 s",
        [str(go), "install", GO_PACKAGE],
        env={**os.environ, "GOBIN": str(build)},
        advice=GO_ADVICE,
    )
    (build / "server").replace(target / "livekit-server")
    build.rmdir()
