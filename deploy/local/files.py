"""Small files that other processes read while we write them."""

from __future__ import annotations

import json
import os
from collections import deque
from pathlib import Path
from typing import Any


def write_atomically(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Replace a file in one step: a reader sees either the old or the new text."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def write_json(path: Path, value: object) -> None:
    write_atomically(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, None without such a file. Other content raises TypeError or ValueError."""
    try:
        value = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    if not isinstance(value, dict):
        raise TypeError(f"{path} does not hold a JSON object")
    return value


def last_lines(path: Path, count: int, *, since: int = 0) -> list[str]:
    """The last lines of a log after byte `since`, without their newlines; none if the file is missing."""
    try:
        with path.open(errors="replace") as file:
            file.seek(max(since, path.stat().st_size - 64_000))
            return [line.rstrip() for line in deque(file, maxlen=count)]
    except FileNotFoundError:
        return []
