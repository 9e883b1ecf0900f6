"""What RTMP carries, divided by track: FLV tags, each of one track and one codec. Pure.

FFmpeg's demuxer takes each track by itself then: tracks may begin, end and change their codec at any time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["video", "audio"]

_FILE_HEADER = 13
_TAG_HEADER = 11
_TAG_TRAILER = 4
_KINDS: dict[int, Kind] = {8: "audio", 9: "video"}
_FLAGS: dict[Kind, int] = {"audio": 4, "video": 1}
# Of codecs whose frames follow a decoder's header: FLV's own number, and the least size of a tag of it.
_WITH_HEADER: dict[Kind, tuple[str, int]] = {"video": ("7", 5), "audio": ("10", 2)}
_KEY_PICTURE = 1
# Enhanced RTMP: types of packets that wrap others.
_MULTITRACK: dict[Kind, int] = {"audio": 5, "video": 6}
_MODIFIER_EXTENSION = 7
_CODED_FRAMES = 1
_FOUR_CC = 4
# These have the time of presentation, in three bytes, before each frame.
_REORDERED = {"avc1", "hvc1", "vvc1"}


class NotFlv(Exception):
    """These bytes are not FLV."""


@dataclass(frozen=True)
class FlvTag:
    """`codec` is a FourCC of enhanced RTMP (`hvc1`) or FLV's own number; `data` is the tag with its frame."""

    kind: Kind
    codec: str
    data: bytes

    @property
    def is_header(self) -> bool:
        """Whether it is what a decoder needs to begin, and no frame."""
        first, second = self.data[_TAG_HEADER : _TAG_HEADER + 2]
        if len(self.codec) == _FOUR_CC:
            return first & 0x0F == 0
        return self.codec == _WITH_HEADER[self.kind][0] and second == 0

    @property
    def is_key(self) -> bool:
        """Whether it is a frame that can be decoded without those before: sound, or a key picture."""
        is_key_picture = self.data[_TAG_HEADER] >> 4 & 7 == _KEY_PICTURE
        return not self.is_header and (self.kind == "audio" or is_key_picture)


def header(kind: Kind) -> bytes:
    """The beginning of a file with this track alone."""
    return b"FLV\x01" + bytes((_FLAGS[kind], 0, 0, 0, 9, 0, 0, 0, 0))


class FlvSplitter:
    """Takes bytes as they come."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._begun = False

    def feed(self, data: bytes) -> Iterator[FlvTag]:
        """The tags that these bytes complete: those of first tracks. Raises NotFlv."""
        self._bytes += data
        if not self._begun and len(self._bytes) >= _FILE_HEADER:
            if not self._bytes.startswith(b"FLV"):
                raise NotFlv("the RTMP server sends something else than FLV")
            del self._bytes[:_FILE_HEADER]
            self._begun = True
        while self._begun and (whole := self._take()) is not None:
            if (tag := _tag(whole)) is not None:
                yield tag

    def _take(self) -> bytes | None:
        if len(self._bytes) < _TAG_HEADER:
            return None
        size = _TAG_HEADER + int.from_bytes(self._bytes[1:4], "big") + _TAG_TRAILER
        if len(self._bytes) < size:
            return None
        whole = bytes(self._bytes[:size])
        del self._bytes[:size]
        return whole


def _tag(whole: bytes) -> FlvTag | None:
    """None for one that is neither picture nor sound, or cut off, or of a second track.

    FFmpeg takes what follows a tag that is cut off for its rest.
    """
    kind = _KINDS.get(whole[0] & 0x1F)
    body = whole[_TAG_HEADER:-_TAG_TRAILER]
    if kind is None or not body:
        return None
    enhanced = body[0] & 0x80 if kind == "video" else body[0] >> 4 == 9
    codec = _four_cc(kind, body[0] & 0x0F, body[1:]) if enhanced else _number(kind, body)
    return FlvTag(kind, codec, whole) if codec else None


def _number(kind: Kind, body: bytes) -> str:
    """Empty if it is cut off."""
    number = str(body[0] & 0x0F if kind == "video" else body[0] >> 4)
    with_header, least = _WITH_HEADER[kind]
    return "" if number == with_header and len(body) < least else number


def _four_cc(kind: Kind, packet: int, rest: bytes) -> str:
    """Empty for a second track, or if it is cut off. `packet` is the packet's type, `rest` what follows."""
    if packet == _MODIFIER_EXTENSION:
        size, head = _extension(rest)
        following = rest[head + size :]
        return _four_cc(kind, following[0] & 0x0F, following[1:]) if following else ""
    if packet == _MULTITRACK[kind]:
        # One byte says how many tracks there are and the type, the codec comes next, then the track's number.
        return _four_cc(kind, rest[0] & 0x0F, rest[1:5] + rest[6:]) if rest[5:6] == b"\0" else ""
    codec = rest[:_FOUR_CC].decode("latin-1")
    reordered = kind == "video" and packet == _CODED_FRAMES and codec in _REORDERED
    return codec if len(rest) >= _FOUR_CC + 3 * reordered else ""


def _extension(rest: bytes) -> tuple[int, int]:
    """Its size, and that of its head: one byte, or three if the size does not fit into one."""
    if rest[:1] != b"\xff":
        return int.from_bytes(rest[:1], "big") + 1, 1
    return int.from_bytes(rest[1:3], "big") + 1, 3
