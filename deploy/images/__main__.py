"""`python3 -m deploy.images`: builds the images; `make image` runs it, with IMAGE for its options.

Exit status: 0 when all are built, 1 when not, and the reason is the last thing written.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping

from deploy.images import base, engine, project
from deploy.images.engine import ContainerEngine, EngineFailed, NoEngine


def main(arguments: list[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    options = _parser(environ).parse_args(arguments)
    try:
        chosen = engine.find(options.engine)
        made = base.ensure(chosen, options.base)
        if made:
            say(made)
        for target in options.target or project.TARGETS:
            _build(chosen, target, options)
    except (NoEngine, EngineFailed) as error:
        say(str(error))
        return 1
    return 0


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("make image", description="Build Greenroom's container images.")
    parser.add_argument("--engine", choices=engine.NAMES, help="by default the first of them that works")
    parser.add_argument("--target", choices=project.TARGETS, action="append", help="by default both")
    parser.add_argument("--base", default=project.BASE, help="the image that all is built on (%(default)s)")
    parser.add_argument("--tag", default=project.version(), help="their tag, beside latest (%(default)s)")
    parser.add_argument(
        "--registry",
        default=environ.get("IMAGE_REGISTRY", ""),
        help="a prefix of their names, e.g. registry.example/live (IMAGE_REGISTRY)",
    )
    return parser


def _build(chosen: ContainerEngine, target: str, options: argparse.Namespace) -> None:
    repository = "/".join(filter(None, (options.registry.strip("/"), target)))
    names = [f"{repository}:{options.tag}", f"{repository}:latest"]
    project.build(chosen, target, names, options.base)
    size = chosen.size(names[0])
    say(f"built {names[0]}" + (f", {size / 1e6:.0f} MB" if size else "") + f", with {chosen.name}")


def say(text: str) -> None:
    sys.stderr.write("".join(f"image | {line}\n" for line in text.splitlines()))


if __name__ == "__main__":
    sys.exit(main())
