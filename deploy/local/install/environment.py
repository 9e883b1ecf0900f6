"""The Python environment: uv, and with it everything in the lock file."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.local.install import packages
from deploy.local.install.packages import InstallFailed, run
from deploy.local.programs import first_existing, private_bin

UV_REQUIREMENT = "uv>=0.13,<1"


def install(project: Path) -> None:
    """Bring `.venv` to the state of the lock file, unless it is there by its stamp. Raises InstallFailed."""
    stamp, wanted = project / ".venv" / ".greenroom-lock", _fingerprint(project)
    if (project / ".venv" / "bin" / "greenroom").exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    command = [str(find_uv() or _install_uv()), "sync", "--frozen", "--all-extras"]
    command += ["--compile-bytecode", "--project", str(project)]
    if not (project / ".venv").exists():
        command += ["--python", sys.executable]
    # The Python that is here is used; uv would otherwise want to fetch one.
    run("making the Python environment", command, env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"})
    stamp.write_text(wanted)


def find_uv() -> Path | None:
    return first_existing(shutil.which("uv"), _private_uv() / "bin" / "uv")


def _install_uv() -> Path:
    """Into a folder of its own: system Pythons refuse packages from outside (PEP 668)."""
    folder = _private_uv()
    if importlib.util.find_spec("ensurepip") is None and not _has_pip():
        packages.install_packages(["python3-venv"])
    if importlib.util.find_spec("ensurepip") is not None or not _has_pip():
        run("making a place for uv", [sys.executable, "-m", "venv", "--clear", str(folder)])
        run("installing uv", [str(folder / "bin" / "python"), "-m", "pip", "install", UV_REQUIREMENT])
    else:
        run(
            "installing uv", [sys.executable, "-m", "pip", "install", "--target", str(folder), UV_REQUIREMENT]
        )
    found = find_uv()
    if found is None:
        raise InstallFailed("uv could not be installed; see https://docs.astral.sh/uv/")
    return found


def _private_uv() -> Path:
    return private_bin().parent / "uv"


def _has_pip() -> bool:
    return subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode == 0


def _fingerprint(project: Path) -> str:
    """Changes with the lock and with what is to be installed."""
    digest = hashlib.sha256()
    for name in ("uv.lock", "pyproject.toml"):
        digest.update((project / name).read_bytes())
    return digest.hexdigest()
