"""The base image: from its registry, or, where none is reached, made with debootstrap under the same name."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.images.engine import ContainerEngine, EngineFailed

DEBIAN_MIRROR = "http://deb.debian.org/debian"
SUITE = "bookworm"
# What Debian's slim image leaves out, now and of packages that are added to it.
UNNEEDED = tuple(
    f"usr/share/{name}" for name in ("doc", "man", "info", "locale", "groff", "lintian", "linda")
)
LEFT_BEHIND = ("var/cache/apt", "var/lib/apt/lists", "var/log")
_SOURCES = f"""\
deb {DEBIAN_MIRROR} {SUITE} main
deb {DEBIAN_MIRROR} {SUITE}-updates main
deb {DEBIAN_MIRROR}-security {SUITE}-security main
"""


def ensure(engine: ContainerEngine, name: str) -> str | None:
    """Have the image of this name. How, if it had to be made. Raises EngineFailed."""
    if engine.has(name):
        return None
    try:
        engine.pull(name)
    except EngineFailed as failed:
        problem = _cannot_make(name)
        if problem:
            raise EngineFailed(f"{failed}\nand it cannot be made here: {problem}") from None
        make(engine, name)
        return f"{name} was made with debootstrap, since no registry has it: {failed}"
    return None


def _cannot_make(name: str) -> str | None:
    if SUITE not in name:
        return f"only {SUITE} is known"
    if shutil.which("debootstrap") is None:
        return "debootstrap is not installed (apt-get install debootstrap)"
    return None if os.geteuid() == 0 else "debootstrap needs root"


def make(engine: ContainerEngine, name: str) -> None:
    """Make a small Debian under this name. Raises EngineFailed."""
    with tempfile.TemporaryDirectory(prefix="base-") as folder:
        root = Path(folder, "root")
        command = ["debootstrap", "--variant=minbase", SUITE, str(root), DEBIAN_MIRROR]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise EngineFailed("\n".join(["debootstrap failed:", *done.stdout.splitlines()[-10:]]))
        _trim(root)
        subprocess.run(
            ["tar", "--numeric-owner", "-C", str(root), "-cf", f"{folder}/root.tar", "."], check=True
        )
        shutil.rmtree(root)
        dockerfile = Path(folder, "Dockerfile")
        dockerfile.write_text('FROM scratch\nADD root.tar /\nCMD ["bash"]\n')
        engine.build(Path(folder), dockerfile, [name])


def _trim(root: Path) -> None:
    for folder in (root / name for name in (*UNNEEDED, *LEFT_BEHIND)):
        for entry in folder.iterdir() if folder.exists() else ():
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    Path(root, "etc/apt/sources.list").write_text(_SOURCES)
    excludes = "".join(f"path-exclude /{folder}/*\n" for folder in UNNEEDED)
    Path(root, "etc/dpkg/dpkg.cfg.d/slim").write_text(excludes)
    Path(root, "etc/apt/apt.conf.d/slim").write_text('Acquire::Languages "none";\n')
