"""`greenroom serve PROCESS`: one process of Greenroom, in place of this command."""

from __future__ import annotations

import importlib.util
import os
import runpy
from enum import StrEnum
from typing import Annotated

import typer

from deploy.terminal import fail

MEDIA_LIBRARIES = ("av", "livekit.rtc", "numpy", "PIL")


class ServedProcess(StrEnum):
    GATEWAY = "gateway"
    SESSION = "session"
    EGRESS = "egress"
    ATTENDANCE = "attendance"
    RECORDER = "recorder"
    RELAY = "relay"
    RTMP = "rtmp"


def serve(process: Annotated[ServedProcess, typer.Argument(help="What to run.", metavar="PROCESS")]) -> None:
    """Run one process: gateway, session, egress, attendance, recorder, relay, or rtmp.

    Settings are read from the environment (GREENROOM_…; docs/settings.md has all). SIGTERM ends it in order,
    with exit status 0. `rtmp` is nginx, which receives from encoders and asks a relay beside it.
    """
    if process is ServedProcess.RTMP:
        from deploy.rtmp import RtmpServer

        RtmpServer.of(os.environ).run()
    if process in (ServedProcess.RECORDER, ServedProcess.RELAY):
        _need_media_libraries(process)
    runpy.run_module(f"services.{process}", run_name="__main__", alter_sys=True)


def _need_media_libraries(process: ServedProcess) -> None:
    missing = [name for name in MEDIA_LIBRARIES if not _is_installed(name)]
    if missing:
        fail(f"A {process} needs {', '.join(missing)}: install greenroom[recorder].")


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
