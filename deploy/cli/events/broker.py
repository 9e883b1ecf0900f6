"""Which broker a command is about."""

from __future__ import annotations

import json
import os
from pathlib import Path

from deploy.cli.admin.client import fail
from deploy.cli.options import DEFAULT_DATA_DIR


def broker_url() -> str:
    """GREENROOM_AMQP_URL, else that of the local stack (in GREENROOM_DATA_DIR, or .local)."""
    given = os.environ.get("GREENROOM_AMQP_URL")
    if given:
        return given
    path = Path(os.environ.get("GREENROOM_DATA_DIR", DEFAULT_DATA_DIR)) / "stack.json"
    if not path.is_file():
        fail("No broker is known. Start one with `greenroom up`, or set GREENROOM_AMQP_URL.")
    return str(json.loads(path.read_text())["amqp_url"])
