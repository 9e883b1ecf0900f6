"""The programs that the stack runs on, with the commands that install them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from ctypes.util import find_library
from dataclasses import dataclass
from functools import cache
from glob import glob
from pathlib import Path
from shutil import which

from deploy import rtmp
from deploy.local import StackError

ON_MACOS = sys.platform == "darwin"
GO_PACKAGE = "github.com/livekit/livekit-server/cmd/server@v1.13.5"
RABBITMQ_SCRIPTS = (
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server",  # Debian, Ubuntu
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
    "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",
)
EPMD_PATHS = tuple(f"{root}/lib/erlang/bin/epmd" for root in ("/usr", "/opt/homebrew", "/usr/local"))


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
        manager = "brew" if ON_MACOS else "apt-get"
        return self.by_hand or f"make install (runs `{manager} install {self.package}`)"


class MissingPrograms(StackError):
    """Programs that the stack needs are not installed; the message names each with its command."""

    def __init__(self, missing: list[Program]) -> None:
        lines = (f"{program.name} is missing; install it with: {program.install}" for program in missing)
        super().__init__("\n".join(lines))
        self.missing = missing


def private_bin(environ: Mapping[str, str] = os.environ) -> Path:
    """Where `make install` puts programs of its own."""
    cache = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "greenroom" / "bin"


def first_existing(*paths: str | Path | None) -> Path | None:
    return next((Path(path) for path in paths if path and Path(path).exists()), None)


def _finder(name: str, *elsewhere: str | Path) -> Callable[[], Path | None]:
    """Finds the program on PATH, else at the first of these paths that exists."""
    return lambda: first_existing(which(name), *elsewhere)


def _rabbitmq() -> Path | None:
    """The server's own script: Debian's wrapper on PATH would change to another user."""
    scripts = [path for pattern in RABBITMQ_SCRIPTS for path in sorted(glob(pattern), reverse=True)]
    return first_existing(*scripts, which("rabbitmq-server"))


def _library(name: str) -> Path | None:
    """What the dynamic linker calls the library."""
    found = find_library(name)
    return Path(found) if found else None


@cache
def _font_files() -> dict[str, Path]:
    """A font for each language that this machine has fonts for, by fontconfig."""
    listing = which("fc-list")
    if listing is None:
        return {}
    command = [listing, "--format", "%{file}\t%{lang}\n"]
    fonts = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    return {
        language: Path(file)
        for file, _, languages in (font.partition("\t") for font in fonts)
        for language in languages.split("|")
    }


def _font(*languages: str) -> Callable[[], Path | None]:
    """Finds a font for the first of these languages, if there are fonts for all."""
    return lambda: _font_files()[languages[0]] if set(languages) <= _font_files().keys() else None


SECANTUS = Path(sys.executable).with_name("secantusd-py")
MONGODB = Program("a MongoDB-wire server", _finder("mongod", SECANTUS), by_hand="make install")
RABBITMQ = Program("rabbitmq-server", _rabbitmq, "rabbitmq" if ON_MACOS else "rabbitmq-server")
EPMD = Program("epmd", _finder("epmd", *EPMD_PATHS), "erlang" if ON_MACOS else "erlang-base")
REDIS = Program("redis-server", _finder("redis-server"), "redis" if ON_MACOS else "redis-server")
LIVEKIT = Program(
    "livekit-server",
    _finder("livekit-server", private_bin() / "livekit-server"),
    by_hand=f"make install (runs `go install {GO_PACKAGE}`; Go is at https://go.dev/dl/)",
)
# Of no use without the module, which Homebrew does not have.
NGINX = Program(
    "nginx with its RTMP module",
    lambda: first_existing(rtmp.NGINX) if rtmp.module() else None,
    "libnginx-mod-rtmp",
)
FFMPEG = Program("ffprobe", _finder("ffprobe"), "ffmpeg")
# Draws names into streams and recordings.
PANGO = Program("Pango", lambda: _library("pangocairo-1.0"), "pango" if ON_MACOS else "libpangocairo-1.0-0")
# Without them names are written in boxes, but the stack runs. macOS has fonts of its own for all scripts.
FONTS: tuple[Program, ...] = (
    ()
    if ON_MACOS
    else (
        Program("fonts for most scripts", _font("hi", "bn", "ta", "ar", "he", "th", "am"), "fonts-noto-core"),
        Program("fonts for Chinese, Japanese and Korean", _font("ja", "zh-cn", "ko"), "fonts-noto-cjk"),
        Program("a font for emoji", _font("und-zsye"), "fonts-noto-color-emoji"),
    )
)
PROGRAMS = (MONGODB, RABBITMQ, EPMD, REDIS, LIVEKIT, FFMPEG, PANGO, *(() if ON_MACOS else (NGINX,)))


def locate(programs: tuple[Program, ...]) -> dict[str, Path]:
    """The path of each program by name. Raises MissingPrograms, which names all that are missing."""
    found = {program.name: program.find() for program in programs}
    missing = [program for program in programs if found[program.name] is None]
    if missing:
        raise MissingPrograms(missing)
    return {name: path for name, path in found.items() if path is not None}
