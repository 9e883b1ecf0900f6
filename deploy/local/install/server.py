"""LiveKit's server, built with Go into a folder of our own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from deploy.local.install.progress import InstallFailed, run
from deploy.local.programs import GO_PACKAGE, LIVEKIT, private_bin

GO_PLACES = ("/usr/local/go/bin/go", "/usr/lib/go/bin/go", "/opt/homebrew/bin/go")
ADVICE = "Get a current Go from https://go.dev/dl/ (a distribution's is often too old), then run this again."


def install() -> None:
    """Install livekit-server unless it is there. Raises InstallFailed with what to do."""
    if LIVEKIT.find() is not None:
        return
    go = find_go()
    if go is not None:
        _build(go)
    elif shutil.which("brew"):
        run("installing livekit with Homebrew", ["brew", "install", "livekit"])
    else:
        raise InstallFailed(
            f"livekit-server is missing and is built with Go, which is missing, too. {ADVICE}"
        )


def find_go() -> Path | None:
    places = (shutil.which("go"), *GO_PLACES)
    return next((Path(place) for place in places if place and Path(place).exists()), None)


def _build(go: Path) -> None:
    """The module calls its program `server`."""
    target = private_bin()
    build = target / ".build"
    build.mkdir(parents=True, exist_ok=True)
    run(
        "building livekit-server with Go, about 90 s",
        [str(go), "install", GO_PACKAGE],
        env={**os.environ, "GOBIN": str(build)},
        advice=ADVICE,
    )
    (build / "server").replace(target / "livekit-server")
    build.rmdir()
