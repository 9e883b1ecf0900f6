"""The playlists that LiveKit writes, one an egress, read as one of the whole stream."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.egress.streams.domain import Stream
from services.egress.streams.playlists import WINDOW
from shared.contracts.states import StreamStatus
from shared.egress.keys import FULL_PLAYLIST, LIVE_PLAYLIST, segments_prefix
from shared.egress.segments import Segment
from shared.errors import NotFound
from shared.files.storage import Storage, Stored

Entry = tuple[str, ...]
"""The lines of one segment, the last of which is its address."""

_SEQUENCE, _TARGET = "#EXT-X-MEDIA-SEQUENCE:", "#EXT-X-TARGETDURATION:"
_TIME, _LENGTH = "#EXT-X-PROGRAM-DATE-TIME", "#EXTINF"
_BREAK, _BREAKS = "#EXT-X-DISCONTINUITY", "#EXT-X-DISCONTINUITY-SEQUENCE:"
# Tags that a playlist has once; ours are written instead.
_ONCE = (
    "#EXTM3U",
    "#EXT-X-VERSION:",
    "#EXT-X-PLAYLIST-TYPE:",
    "#EXT-X-ALLOW-CACHE:",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    "#EXT-X-ENDLIST",
    _SEQUENCE,
    _TARGET,
    _BREAKS,
)


@dataclass(frozen=True, kw_only=True)
class LiveKitPlaylist:
    """One egress's playlist; `target` is the longest segment in whole seconds.

    `first` and `breaks` are how many segments and discontinuities have left it: none, but for a live one.
    """

    entries: Sequence[Entry] = ()
    first: int = 0
    breaks: int = 0
    target: int = 1


class LiveKitPlaylists:
    """The playlists of an engine that writes them beside its segments, in `storage`."""

    def __init__(self, storage: Storage):
        self._storage = storage

    async def playable(self, session_id: str, key: str) -> bool:
        """Whether the egress has written its live playlist."""
        return await self._storage.head(f"{segments_prefix(session_id, key)}/{LIVE_PLAYLIST}") is not None

    async def output(self, session_id: str, key: str) -> tuple[Sequence[Segment], int]:
        """The segments that its live playlist names, and how many it has made. Raises `Unavailable`."""
        prefix = segments_prefix(session_id, key)
        live = await self._read(session_id, key, LIVE_PLAYLIST)
        names = [entry[-1].rpartition("/")[2] for entry in live.entries]
        files = await asyncio.gather(*(self._storage.head(f"{prefix}/{name}") for name in names))
        found = [
            _segment(entry, file, session_id, key, live.first + n)
            for n, (entry, file) in enumerate(zip(live.entries, files, strict=True))
            if file is not None
        ]
        return found, live.first + len(live.entries)

    async def playlist(self, stream: Stream, name: str) -> str | None:
        """The playlist of this name; a live one needs the full ones of the parts before the last."""
        names = [FULL_PLAYLIST] * (len(stream.parts) - 1) + [name]
        keys = [part.key for part in stream.parts]
        parts = [await self._read(stream.id, key, which) for key, which in zip(keys, names, strict=False)]
        if not any(part.entries for part in parts):
            return None
        ended = stream.status is StreamStatus.ENDED
        if name == FULL_PLAYLIST:
            return whole(parts, ended=ended)
        return window(parts[:-1], parts[-1], ended=ended)

    async def _read(self, session_id: str, key: str, name: str) -> LiveKitPlaylist:
        """An egress that has not started has written none."""
        try:
            text = await self._storage.get(f"{segments_prefix(session_id, key)}/{name}")
        except NotFound:
            return LiveKitPlaylist()
        return read(text.decode(), key)


def read(text: str, folder: str) -> LiveKitPlaylist:
    """A playlist whose files lie in `folder`, as it reads one level up."""
    entries: list[Entry] = []
    tags: list[str] = []
    said: dict[str, int] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        if not line.startswith("#"):
            entries.append((*tags, f"{folder}/{line}"))
            tags = []
        elif not line.startswith(_ONCE):
            tags.append(line)
        else:
            name, _, value = line.partition(":")
            said[name + ":"] = int(value) if value.isdigit() else 0
    return LiveKitPlaylist(
        entries=entries,
        first=said.get(_SEQUENCE, 0),
        breaks=said.get(_BREAKS, 0),
        target=said.get(_TARGET, 1),
    )


def _segment(entry: Entry, file: Stored, session_id: str, key: str, n: int) -> Segment:
    tags = dict(line.partition(":")[::2] for line in entry[:-1])
    return Segment(
        key=key,
        session_id=session_id,
        epoch=0,
        n=n,
        path=file.key,
        starts_at=datetime.fromisoformat(tags[_TIME]) if _TIME in tags else file.modified,
        duration=float(tags.get(_LENGTH, "0").partition(",")[0]),
        size=file.size,
    )


def whole(parts: Sequence[LiveKitPlaylist], *, ended: bool) -> str:
    """All that there is, from full playlists; a discontinuity between the parts."""
    kind = f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}"
    return _text(_joined(parts), target=_target(parts), heads=[f"{_SEQUENCE}0", kind], ended=ended)


def window(before: Sequence[LiveKitPlaylist], current: LiveKitPlaylist, *, ended: bool) -> str:
    """The last segments: of the `current` live playlist, and of the full ones `before` while that is short.

    Numbers go on from part to part, so that players follow from one to the next.
    """
    past = _joined(before)
    begins = current.first == 0
    latest = list(current.entries)
    if past and begins and latest:
        latest[0] = _broken(latest[0])
    missing = WINDOW - len(latest) if begins else 0
    shown = past[-missing:] if missing > 0 else []
    gone = past[: len(past) - len(shown)]
    breaks = sum(_BREAK in entry for entry in gone) + current.breaks + bool(past and not begins)
    heads = [f"{_SEQUENCE}{len(gone) + current.first}", f"{_BREAKS}{breaks}"]
    return _text([*shown, *latest], target=_target([*before, current]), heads=heads, ended=ended)


def _joined(parts: Iterable[LiveKitPlaylist]) -> list[Entry]:
    entries: list[Entry] = []
    for part in parts:
        first, rest = part.entries[:1], part.entries[1:]
        entries += [_broken(entry) if entries else entry for entry in first]
        entries += rest
    return entries


def _broken(entry: Entry) -> Entry:
    return entry if _BREAK in entry else (_BREAK, *entry)


def _target(parts: Iterable[LiveKitPlaylist]) -> int:
    return max((part.target for part in parts), default=1)


def _text(entries: Iterable[Entry], *, target: int, heads: Sequence[str], ended: bool) -> str:
    lines = ["#EXTM3U", "#EXT-X-VERSION:6", f"{_TARGET}{target}", *heads]
    lines += [line for entry in entries for line in entry]
    return "\n".join([*lines, "#EXT-X-ENDLIST"] if ended else lines) + "\n"
