"""The programs that the stack runs: where they are, and what installs a missing one."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

GO_PACKAGE = "github.com/livekit/livekit-server/cmd/server@v1.13.5"
RABBITMQ_SCRIPTS = (
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server",  # Debian, Ubuntu
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
    "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",
)
RTMP_MODULES = ("/usr/lib/nginx/modules/ngx_rtmp_module.so", "/usr/lib64/nginx/modules/ngx_rtmp_module.so")
NGINX_PLACE = Path("/usr/sbin/nginx")
ERLANG_ROOTS = ("/usr/lib/erlang/bin", "/opt/homebrew/lib/erlang/bin", "/usr/local/lib/erlang/bin")


@dataclass(frozen=True)
class Program:
    """A program that the stack needs. `package` names it for apt and Homebrew; `install` is for people."""

    name: str
    find: Callable[[], Path | None]
    package: str | None = None
    by_hand: str = ""

    @property
    def install(self) -> str:
        """The command that installs it on this system."""
        return self.by_hand or f"make install (runs `{_manager()} install {self.package}`)"


def _manager() -> str:
    return "brew" if sys.platform == "darwin" else "apt-get"


class MissingPrograms(Exception):
    """Programs that the stack needs are not installed; the message names each with its command."""

    def __init__(self, missing: list[Program]) -> None:
        lines = (f"{program.name} is missing; install it with: {program.install}" for program in missing)
        super().__init__("\n".join(lines))
        self.missing = missing


def private_bin(environ: Mapping[str, str] = os.environ) -> Path:
    """Where `make install` puts programs of its own."""
    cache = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "greenroom" / "bin"


def _on_path(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found) if found else None


def _mongodb() -> Path | None:
    secantus = Path(sys.executable).with_name("secantusd-py")
    return _on_path("mongod") or (secantus if secantus.exists() else None)


def _rabbitmq() -> Path | None:
    """The server's own script: Debian's wrapper on PATH would change to another user."""
    for pattern in RABBITMQ_SCRIPTS:
        anchor = Path(pattern).anchor
        found = sorted(Path(anchor).glob(pattern.removeprefix(anchor)))
        if found:
            return found[-1]
    return _on_path("rabbitmq-server")


def _epmd() -> Path | None:
    roots = (Path(root) / "epmd" for root in ERLANG_ROOTS)
    return _on_path("epmd") or next((path for path in roots if path.exists()), None)


def rtmp_module() -> Path | None:
    """nginx's module for RTMP."""
    return next((place for place in map(Path, RTMP_MODULES) if place.exists()), None)


def _nginx() -> Path | None:
    """One without the module for RTMP is of no use."""
    return NGINX_PLACE if NGINX_PLACE.exists() and rtmp_module() else None


def _livekit() -> Path | None:
    own = private_bin() / "livekit-server"
    return _on_path("livekit-server") or (own if own.exists() else None)


_BREW = sys.platform == "darwin"
MONGODB = Program("a MongoDB-wire server", _mongodb, by_hand="make install")
RABBITMQ = Program("rabbitmq-server", _rabbitmq, "rabbitmq" if _BREW else "rabbitmq-server")
EPMD = Program("epmd", _epmd, "erlang" if _BREW else "erlang-base")
REDIS = Program("redis-server", lambda: _on_path("redis-server"), "redis" if _BREW else "redis-server")
LIVEKIT = Program(
    "livekit-server",
    _livekit,
    by_hand=f"make install (runs `go install {GO_PACKAGE}`; Go is at https://go.dev/dl/)",
)
# Homebrew has no module for RTMP.
NGINX = Program("nginx with its RTMP module", _nginx, "libnginx-mod-rtmp")
FFMPEG = Program("ffprobe", lambda: _on_path("ffprobe"), "ffmpeg")
MEDIA = (FFMPEG,) if _BREW else (FFMPEG, NGINX)
PROGRAMS = (MONGODB, RABBITMQ, EPMD, REDIS, LIVEKIT, *MEDIA)


def locate(programs: tuple[Program, ...]) -> dict[str, Path]:
    """The path of each program by name. Raises MissingPrograms, which names all that are missing."""
    found = {program.name: program.find() for program in programs}
    missing = [program for program in programs if found[program.name] is None]
    if missing:
        raise MissingPrograms(missing)
    return {name: path for name, path in found.items() if path is not None}
