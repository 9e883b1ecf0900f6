"""`greenroom recorder`."""

from __future__ import annotations

import importlib.util

import typer

_LIBRARIES = ("av", "livekit.rtc", "numpy", "PIL")


def recorder() -> None:
    """Run a recorder: it makes streams and files of sessions.

    Its settings are in the environment: the egress service's GREENROOM_MONGODB_URI, GREENROOM_STORAGE_URL and
    GREENROOM_LIVEKIT_*; GREENROOM_EGRESS_URL; GREENROOM_SPOOL. docs/settings.md has all of them.
    """
    missing = [name for name in _LIBRARIES if not _is_there(name)]
    if missing:
        typer.echo(f"A recorder needs {', '.join(missing)}: install greenroom[recorder].", err=True)
        raise typer.Exit(1)
    from services.recorder.app import build
    from services.recorder.settings import RecorderSettings
    from shared.runtime.process import main

    main("recorder", RecorderSettings, build)


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
