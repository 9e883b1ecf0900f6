"""`python3 -m deploy.scan`: known vulnerabilities in what is shipped; `make scan` runs it.

Asked are, over the network, the package index's advisories for all that the lock installs (pip-audit), and
Debian's security tracker for the system packages of the images that are built here (debsecan).

Exit status: 1 if a vulnerability is known; else 2 if a part could not be checked; else 0.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from deploy.images import engine
from deploy.images.engine import NoEngine
from deploy.images.project import PROJECT, TARGETS, version
from deploy.local.install.environment import find_uv

PIP_AUDIT: Final = "pip-audit>=2.10,<3"
# What the images are made from; tools of development are not shipped.
LOCKED: Final = ("export", "--frozen", "--quiet", "--no-dev", "--all-extras", "--no-emit-project")
SBOM: Final = "greenroom.cdx.json"
_CODENAME: Final = "VERSION_CODENAME="


class NotChecked(Exception):
    """Not all could be checked; the message says why."""


@dataclass(frozen=True)
class KnownVulnerability:
    """`fixed` is the version without it, if there is one."""

    id: str
    package: str
    fixed: str = ""

    def __str__(self) -> str:
        return f"{self.id}: {self.package}" + (f", fixed in {self.fixed}" if self.fixed else "")


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    images = options.image or [f"{target}:{version()}" for target in TARGETS]
    parts: dict[str, Callable[[], Iterator[KnownVulnerability]]] = {"the lock": python_packages}
    parts |= {image: partial(debian_packages, image, options.source) for image in images}
    reports = {name: _report(look, options.accept) for name, look in parts.items()}
    for name, (found, problem) in reports.items():
        known = "\n".join([f"{name}: {len(found)} known vulnerabilities", *map("  {}".format, sorted(found))])
        sys.stdout.write(f"{known}\n{name}: NOT CHECKED: {problem}\n" if problem else f"{known}\n")
    if any(found for found, _ in reports.values()):
        return 1
    return 2 if any(problem for _, problem in reports.values()) else 0


def _report(
    look: Callable[[], Iterator[KnownVulnerability]], accepted: list[str]
) -> tuple[list[str], str | None]:
    """What was found, and why not all could be looked at."""
    found: list[str] = []
    try:
        for one in look():
            found += [str(one)] if one.id not in accepted else []
    except NotChecked as problem:
        return found, str(problem)
    return found, None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("make scan", description="Look for known vulnerabilities.")
    parser.add_argument("--accept", action="append", default=[], metavar="ID", help="leave this one out")
    parser.add_argument("--image", action="append", help="by default those that `make image` builds")
    parser.add_argument("--source", help="where debsecan gets its data, instead of Debian's security tracker")
    return parser


def python_packages() -> Iterator[KnownVulnerability]:
    """Of what the lock installs; also writes the list of it all to dist/ (CycloneDX)."""
    uv = find_uv()
    if uv is None:
        raise NotChecked("uv is missing: make install")
    bill = _output([str(uv), *LOCKED, "--format", "cyclonedx1.5"])
    (PROJECT / "dist").mkdir(exist_ok=True)
    (PROJECT / "dist" / SBOM).write_text(bill)
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text(_output([str(uv), *LOCKED]))
        audit = [
            "tool",
            "run",
            "--from",
            PIP_AUDIT,
            "pip-audit",
            "--format",
            "json",
            "--progress-spinner",
            "off",
        ]
        audit += ["--disable-pip", "--require-hashes", "--requirement", str(requirements)]
        # 1 is also its status when it has found something.
        yield from findings_of(_output([str(uv), *audit], accepted=(0, 1)))


def findings_of(report: str) -> Iterator[KnownVulnerability]:
    """What pip-audit reports as JSON. Raises NotChecked if the index has no advisories for a package."""
    try:
        dependencies: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError):
        raise NotChecked("pip-audit gave no report") from None
    for one in dependencies:
        for known in one.get("vulns", ()):
            fixed = ", ".join(known["fix_versions"])
            yield KnownVulnerability(known["id"], f"{one['name']} {one['version']}", fixed)
    skipped = [one["name"] for one in dependencies if "skip_reason" in one]
    if skipped:
        raise NotChecked(f"the index gives no advisories for {len(skipped)} packages, such as {skipped[0]}")


def debian_packages(image: str, source: str | None = None) -> Iterator[KnownVulnerability]:
    """Of an image that is built here: those that an update mends."""
    if shutil.which("debsecan") is None:
        raise NotChecked("debsecan is missing: apt-get install debsecan")
    with tempfile.TemporaryDirectory() as folder:
        status, release = Path(folder) / "status", Path(folder) / "os-release"
        _copy_out(image, {"/var/lib/dpkg/status": status, "/usr/lib/os-release": release})
        suite = next(
            line.removeprefix(_CODENAME) for line in release.read_text().splitlines() if _CODENAME in line
        )
        command = [
            "debsecan",
            "--suite",
            suite,
            "--status",
            str(status),
            "--only-fixed",
            "--format",
            "simple",
        ]
        listed = _output(command + (["--source", source] if source else []))
    for line in listed.splitlines():
        id, _, package = line.partition(" ")
        yield KnownVulnerability(id, package)


def _copy_out(image: str, files: dict[str, Path]) -> None:
    """Copies files out of the image, which is not started."""
    try:
        name = engine.find().name
    except NoEngine as error:
        raise NotChecked(str(error)) from None
    if name == "buildah":
        raise NotChecked("buildah cannot copy files out of images: install docker or podman")
    try:
        container = _output([name, "create", image, "true"]).strip()
    except NotChecked:
        raise NotChecked(f"there is no image {image} here: make image") from None
    try:
        for inside, outside in files.items():
            _output([name, "cp", f"{container}:{inside}", str(outside)])
    finally:
        _output([name, "rm", container])


def _output(command: list[str], *, accepted: tuple[int, ...] = (0,)) -> str:
    """What a command writes. Raises NotChecked if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, env=os.environ)
    if done.returncode not in accepted:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise NotChecked(f"{Path(command[0]).name}: {last[0]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
