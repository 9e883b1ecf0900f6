"""Our own names of egresses, and the paths they write to, each of which contains the name.

A key is a UUID without dashes. The recording that an egress makes has the same UUID for its id.
"""

import re
import uuid
from collections.abc import Iterable

# A stream's playlists, in its storage folder and under its address: all of it, and a window that moves on.
FULL_PLAYLIST, LIVE_PLAYLIST = "index.m3u8", "live.m3u8"

_IN_PATH = re.compile(r"(?:^|/)([0-9a-f]{32})(?=[./_]|$)")


def key_of(id: str) -> str:
    """The key for a new id, 36 characters with dashes."""
    return id.replace("-", "").lower()


def id_of(key: str) -> str:
    """The id of the recording that the egress `key` makes."""
    return str(uuid.UUID(hex=key))


def key_in(paths: Iterable[str]) -> str | None:
    """The key that these output paths contain; None if they are none of ours."""
    found = (_IN_PATH.search(path) for path in paths)
    return next((match.group(1) for match in found if match), None)


def segments_prefix(session_id: str, key: str) -> str:
    """The storage folder of a stream."""
    return f"hls/{session_id}/{key}"


# The latest picture of a stream, as LiveKit Egress names it: after a prefix, and how often it is renewed.
PREVIEW_NAME, PREVIEW_SUFFIX = "preview", ".jpeg"
PREVIEW_WIDTH, PREVIEW_SECONDS = 640, 5


def preview_key(segments_prefix: str) -> str:
    """The storage key of the latest picture, beside the segments."""
    return f"{segments_prefix}/{PREVIEW_NAME}{PREVIEW_SUFFIX}"


def private_prefix(session_id: str, key: str) -> str:
    """The storage folder of segments that are not played: a file is made of them."""
    return f"hls-private/{session_id}/{key}"


def file_key(session_id: str, key: str) -> str:
    """The storage key of a recording's file."""
    return f"recordings/{session_id}/{key}.mp4"


def poster_key(file: str) -> str:
    """The storage key of the picture that goes with a file."""
    return f"{file}.jpg"
