"""Names of rooms as titles: native ones have three characters at least, of which something can be seen."""

from typing import Final

_SHORTEST: Final = 3


def room_title(shown: str, name: str) -> str:
    """The title of a room that is shown so; its name, if nothing of that can be seen."""
    title = shown.strip() or name
    return title if len(title) >= _SHORTEST else f"Room {title}"
