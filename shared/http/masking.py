"""Paths as they may be written into logs: without what gives access to whoever reads them."""

from collections.abc import Collection
from typing import Final

from shared.ids import is_id

MASK: Final = "***"
# The end of a parameter that takes the rest of a path, in aiohttp's notation.
REMAINDER: Final = ":.+}"
# Every token and key is longer than this.
_LONGEST_PLAIN: Final = 16


def masked_path(path: str, template: str, secret: Collection[str]) -> str:
    """`path`, which `template` matches, without the values of its `secret` parameters.

    Of one that takes the rest of the path, that is the first segment unless it is an id.
    """
    if not secret:
        return path
    parts = path.split("/")
    for position, segment in enumerate(template.split("/")):
        if _name(segment) in secret and not (segment.endswith(REMAINDER) and is_id(parts[position])):
            parts[position] = MASK
    return "/".join(parts)


def masked_unknown(path: str) -> str:
    """`path`, which nothing matches, without its query and without what could be a token."""
    parts = path.partition("?")[0].split("/")
    return "/".join(part if len(part) <= _LONGEST_PLAIN or is_id(part) else MASK for part in parts)


def _name(segment: str) -> str:
    return segment[1:-1].partition(":")[0] if segment.startswith("{") else ""
