"""Ids and secrets that exist: what was made in this run, to be used instead of invented ones."""

import re
from collections import defaultdict, deque
from random import Random
from typing import Any

_KEPT = 24
# What a body's field or a path's parameter names.
_NOUNS = {
    "organization_id": "organizations",
    "library_id": "libraries",
    "user_id": "users",
    "preset_id": "presets",
    "session_id": "sessions",
    "room_id": "rooms",
    "refresh_token": "refresh_tokens",
    "device_token": "device_tokens",
    "code": "codes",
}
_BEFORE_ID = re.compile(r"([\w-]+)/{id}")


class KnownValues:
    """The newest few of each noun."""

    def __init__(self, random: Random):
        self._random = random
        self._kept: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=_KEPT))

    def add(self, noun: str, *values: str) -> None:
        self._kept[noun].extend(values)

    def pick(self, noun: str) -> str | None:
        kept = self._kept.get(noun)
        return self._random.choice(kept) if kept else None

    def learn(self, path: str, answered: Any) -> None:
        """Remember what a successful POST to `path` (as in the document) created."""
        if not isinstance(answered, dict):
            return
        noun = path.rpartition("/")[2]
        thing = next((value for value in answered.values() if isinstance(value, dict) and "id" in value), {})
        if "id" in answered or path.endswith(("rooms", "sessions")):
            self.add(noun, answered.get("id") or thing["id"])
        for field in ("refresh_token", "device_token", "code"):
            if isinstance(answered.get(field), str):
                self.add(_NOUNS[field], answered[field])

    def for_path(self, path: str, parameter: str) -> str | None:
        """A value for the path's parameter."""
        if parameter != "id":
            return self.pick(_NOUNS.get(parameter, parameter))
        found = _BEFORE_ID.search(path)
        return self.pick(found[1]) if found else None

    def fill(self, body: Any) -> Any:
        """The body, half of its fields that name something naming what exists."""
        if not isinstance(body, dict):
            return body
        filled = dict(body)
        for field, noun in _NOUNS.items():
            value = self.pick(noun)
            if field in filled and value is not None and self._random.random() < 0.5:
                filled[field] = value
        return filled
