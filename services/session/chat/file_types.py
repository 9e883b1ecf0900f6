"""The file types that may be sent: the declared type must match the content."""

import codecs
import re
from collections.abc import Callable, Mapping
from typing import Final

from shared.errors import UnsupportedMediaType
from shared.text import on_one_line

LONGEST_NAME: Final = 200
# How much of a file's beginning determines its type.
HEAD: Final = 16

_SEPARATORS = re.compile(r"[/\\]")
# What is in no text: control characters but white space, and the zero byte of everything binary.
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def _begins(*beginnings: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(beginnings)


def _is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _anything(_: bytes) -> bool:
    return True


_BEGINNINGS: Mapping[str, Callable[[bytes], bool]] = {
    "image/png": _begins(b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": _begins(b"\xff\xd8\xff"),
    "image/gif": _begins(b"GIF87a", b"GIF89a"),
    "image/webp": _is_webp,
    "application/pdf": _begins(b"%PDF-"),
    # Text is recognized by the whole content.
    "text/plain": _anything,
    "text/csv": _anything,
}
_ENDINGS: Mapping[str, tuple[str, ...]] = {
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "application/pdf": (".pdf",),
    "text/plain": (".txt", ".log", ".md"),
    "text/csv": (".csv",),
}
FILE_TYPES: Final = tuple(_BEGINNINGS)


class Sniffer:
    """Checks a file while it is received. Raises `UnsupportedMediaType` if its content does not match its
    type."""

    def __init__(self, content_type: str):
        if content_type not in _BEGINNINGS:
            raise UnsupportedMediaType(
                f"Files of type {content_type[:100]} are not accepted: {', '.join(FILE_TYPES)}"
            )
        self._kind = content_type
        self._head = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")() if content_type.startswith("text/") else None

    def look(self, piece: bytes) -> None:
        self._head = (self._head + piece[:HEAD])[:HEAD]
        self._read(piece)

    def finish(self) -> None:
        """All of it was there."""
        self._read(b"", final=True)
        if not _BEGINNINGS[self._kind](self._head):
            raise self._mismatch()

    def _read(self, piece: bytes, *, final: bool = False) -> None:
        if self._decoder is None:
            return
        try:
            text = self._decoder.decode(piece, final)
        except UnicodeDecodeError:
            raise self._mismatch() from None
        if _NO_TEXT.search(text):
            raise self._mismatch()

    def _mismatch(self) -> UnsupportedMediaType:
        return UnsupportedMediaType(f"The file is not a {self._kind}", code="file_type_mismatch")


def file_name(sent: str, content_type: str) -> str:
    """The name without folders and control characters, with its type's extension; empty if nothing is
    left."""
    name = on_one_line(on_one_line(_SEPARATORS.split(sent)[-1]).strip(". "))
    if not name:
        return ""
    endings = _ENDINGS[content_type]
    stem, ending = name, endings[0]
    for known in endings:
        if name.lower().endswith(known):
            stem, ending = name[: -len(known)], name[-len(known) :]
    return stem[: LONGEST_NAME - len(ending)] + ending
