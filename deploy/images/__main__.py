"""`python3 -m deploy.images`: builds the images; `make image` runs it, with IMAGE for its options.

Exit status: 0 when all are built, 1 when not, and the reason is the last thing written.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from deploy.images import base, engine
from deploy.images.engine import ContainerEngine, EngineFailed, NoEngine

PROJECT = Path(__file__).resolve().parents[2]
TARGETS = ("greenroom", "greenroom-recorder")
BASE = "docker.io/library/debian:bookworm-slim"
# What of this machine's environment a build needs to reach the package indexes.
NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
INDEXES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX")
CERTIFICATES = ("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")


def main(arguments: list[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    options = _parser(environ).parse_args(arguments)
    try:
        chosen = engine.find(options.engine)
        made = base.ensure(chosen, options.base)
        if made:
            say(made)
        for target in options.target or TARGETS:
            _build(chosen, target, options, environ)
    except (NoEngine, EngineFailed) as error:
        say(str(error))
        return 1
    return 0


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("make image", description="Build Greenroom's container images.")
    parser.add_argument("--engine", choices=engine.NAMES, help="by default the first of them that works")
    parser.add_argument("--target", choices=TARGETS, action="append", help="by default both")
    parser.add_argument("--base", default=BASE, help="the image that all is built on (%(default)s)")
    parser.add_argument("--tag", default=version(), help="the images' tag, beside latest (%(default)s)")
    parser.add_argument(
        "--registry",
        default=environ.get("IMAGE_REGISTRY", ""),
        help="a prefix of their names, e.g. registry.example/live (IMAGE_REGISTRY)",
    )
    return parser


def _build(
    chosen: ContainerEngine, target: str, options: argparse.Namespace, environ: Mapping[str, str]
) -> None:
    repository = "/".join(filter(None, (options.registry.strip("/"), target)))
    names = [f"{repository}:{options.tag}", f"{repository}:latest"]
    arguments = {"BASE": options.base, "VERSION": options.tag, **_history()}
    arguments |= {name: environ[name] for name in (*NETWORK, *INDEXES) if environ.get(name)}
    dockerfile = PROJECT / "deploy" / "Dockerfile"
    chosen.build(
        PROJECT, dockerfile, names, target=target, arguments=arguments, secrets=certificates(environ)
    )
    size = chosen.size(names[0])
    say(f"built {names[0]}" + (f", {size / 1e6:.0f} MB" if size else "") + f", with {chosen.name}")


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


def say(text: str) -> None:
    sys.stderr.write("".join(f"image | {line}\n" for line in text.splitlines()))


if __name__ == "__main__":
    sys.exit(main())
