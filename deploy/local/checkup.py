"""What the stack needs, and whether this machine has it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.files import read_json
from deploy.local.given import Given, IncompleteEnvironment
from deploy.local.layout import DataDir
from deploy.local.lock import supervisor_of
from deploy.local.plan import GATEWAY_PORT
from deploy.local.ports import is_free
from deploy.local.programs import PROGRAMS, Program

FREE_BYTES = 1_000_000_000


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `detail` is where it is, or how to get it."""

    what: str
    ok: bool
    detail: str


def checkup(data: DataDir, environ: Mapping[str, str]) -> list[Finding]:
    return [
        Finding("Python", sys.version_info >= (3, 11), f"{sys.version.split()[0]} at {sys.executable}"),
        *_programs(environ),
        _disk(data),
        _gateway(data),
    ]


def _programs(environ: Mapping[str, str]) -> list[Finding]:
    try:
        needed = Given.from_environment(environ).needed_programs()
    except IncompleteEnvironment as incomplete:
        return [Finding("environment", ok=False, detail=str(incomplete))]
    return [_program(program, needed=program in needed) for program in PROGRAMS]


def _program(program: Program, *, needed: bool) -> Finding:
    if not needed:
        return Finding(program.name, ok=True, detail="given by the environment, not started")
    path = program.find()
    return Finding(program.name, path is not None, str(path or program.install))


def _disk(data: DataDir) -> Finding:
    """RabbitMQ refuses to accept messages on a full disk."""
    existing = next(path for path in (data.root, *data.root.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    writable = os.access(existing, os.W_OK)
    return Finding("data directory", writable and free > FREE_BYTES, f"{data.root}, {free / 1e9:.0f} GB free")


def _gateway(data: DataDir) -> Finding:
    """A busy default port is no fault: another one is taken."""
    running = supervisor_of(data)
    if running is not None:
        return Finding("gateway port", ok=True, detail=f"a stack runs here, supervised by process {running}")
    port = (read_json(data.ports_file) or {}).get("gateway", GATEWAY_PORT)
    detail = f"{port} is free" if is_free(port) else f"{port} is in use: the gateway will take another"
    return Finding("gateway port", ok=True, detail=detail)
