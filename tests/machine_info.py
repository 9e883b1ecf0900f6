"""The machine a figure was measured on, named in every result."""

import asyncio
import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version


def described() -> dict[str, str]:
    """The machine, how busy it was, and the engines of the local stack on it, each in a few words."""
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "load_average": f"{busy} (1, 5 and 15 min)",
        "event_loop": asyncio.get_event_loop_policy().__class__.__module__.partition(".")[0],
        "database": database(),
        "broker": "RabbitMQ",
    }


def database() -> str:
    """What `greenroom up` takes here."""
    if shutil.which("mongod"):
        return "mongod"
    try:
        return f"SecantusDB {version('secantusdb')}"
    except PackageNotFoundError:
        return "SecantusDB"


def in_one_line(described: dict[str, str]) -> str:
    return ", ".join(described[what] for what in ("machine", "event_loop", "database", "broker"))
