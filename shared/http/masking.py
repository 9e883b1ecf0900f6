"""Paths as they may be written into logs: without what gives access to whoever reads them."""

from collections.abc import Collection
from typing import Final

from shared.ids import is_id, is_room_code

MASK: Final = "***"
# The end of a parameter that takes the rest of a path, in aiohttp's notation.
REMAINDER: Final = ":.+}"
# Every token and key is longer than this; a room code has a form of its own.
_LONGEST_PLAIN: Final = 16


def masked_path(path: str, template: str, secret: Collection[str]) -> str:
    """`path`, which `template` matches, without the values of its `secret` parameters.

    Of one that takes the rest of the path, that is the first segment unless it is an id. What should be an id
    and is none may be a token in the wrong place.
    """
    parts = path.split("/")
    for position, segment in enumerate(template.split("/")):
        name, part = _name(segment), parts[position]
        if name in secret:
            shown = segment.endswith(REMAINDER) and is_id(part)
        else:
            shown = not name.endswith("id") or _is_plain(part)
        parts[position] = part if shown else MASK
    return "/".join(parts)


def masked_unknown(path: str) -> str:
    """`path`, which nothing matches, without its query and without what could be a token."""
    parts = path.partition("?")[0].split("/")
    return "/".join(part if _is_plain(part) else MASK for part in parts)


def _is_plain(part: str) -> bool:
    return is_id(part) or (len(part) <= _LONGEST_PLAIN and not is_room_code(part.lower()))


def _name(segment: str) -> str:
    return segment[1:-1].partition(":")[0] if segment.startswith("{") else ""
