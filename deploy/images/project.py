"""What an image is built from: the project, its version and history, and what this network needs."""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.images.engine import ContainerEngine

PROJECT = Path(__file__).resolve().parents[2]
TARGETS = ("greenroom", "greenroom-recorder")
BASE = "docker.io/library/debian:bookworm-slim"
# What of this machine's environment a build needs to reach the package indexes.
NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
INDEXES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX")
CERTIFICATES = ("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")


def build(
    engine: ContainerEngine,
    target: str,
    names: Sequence[str],
    base: str = BASE,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Build one of TARGETS under these names; the first one's tag is its version. Raises EngineFailed."""
    arguments = {"BASE": base, "VERSION": names[0].rpartition(":")[2], **_history()}
    arguments |= {name: environ[name] for name in (*NETWORK, *INDEXES) if environ.get(name)}
    dockerfile = PROJECT / "deploy" / "Dockerfile"
    secrets = certificates(environ)
    engine.build(PROJECT, dockerfile, names, target=target, arguments=arguments, secrets=secrets)


def version() -> str:
    return str(tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"])


def _history() -> dict[str, str]:
    """The commit and its time; nothing outside a repository."""
    command = ["git", "-C", str(PROJECT), "log", "-1", "--format=%H %cI"]
    try:
        revision, created = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError, ValueError):
        return {}
    return {"REVISION": revision, "CREATED": created}


def certificates(environ: Mapping[str, str]) -> dict[str, Path]:
    """The certificates that this machine trusts: its network may need some beside Debian's."""
    variable, usual = CERTIFICATES
    path = Path(environ.get(variable) or usual)
    return {"ca-certificates": path} if path.is_file() else {}
