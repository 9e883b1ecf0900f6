"""Names and notices as small frames, drawn once each."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from services.recorder.media.frames import I420Frame

_BACKDROP, _TILE, _INK, _FAINT = 24, 48, 235, 150
_CACHED = 256


@lru_cache(maxsize=_CACHED)
def name_tag(name: str, width: int, height: int) -> I420Frame | None:
    """The name for the lower left corner of a box of this size; None for a name without a letter."""
    text = _printable(name)
    if not text:
        return None
    font = ImageFont.load_default(max(10, height // 22))
    text = _shortened(text, font, width * 0.6)
    left, top, right, bottom = font.getbbox(text)
    size = (_even(right - left + 16), _even(bottom - top + 12))
    return _drawn(text, size, (8 - left, 6 - top), font, _INK, _BACKDROP)


@lru_cache(maxsize=_CACHED)
def placeholder(name: str, width: int, height: int) -> I420Frame:
    """Shown for a participant whose camera is off: the initials of the name."""
    initials = "".join(word[0] for word in _printable(name).split()[:2]).upper() or "?"
    return _centred(initials, width, height, height // 4, _INK, _TILE)


@lru_cache(maxsize=_CACHED)
def waiting_screen(width: int, height: int) -> I420Frame:
    """Shown while nobody is on stage."""
    return _centred("Waiting for the host", width, height, height // 18, _FAINT, _BACKDROP)


def _centred(text: str, width: int, height: int, size: int, ink: int, paper: int) -> I420Frame:
    font = ImageFont.load_default(max(10, size))
    left, top, right, bottom = font.getbbox(text)
    at = ((width - right - left) / 2, (height - bottom - top) / 2)
    return _drawn(text, (width, height), at, font, ink, paper)


_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def _drawn(
    text: str, size: tuple[int, int], at: tuple[float, float], font: _Font, ink: int, paper: int
) -> I420Frame:
    image = Image.new("L", size, paper)
    ImageDraw.Draw(image).text(at, text, fill=ink, font=font)
    plain = I420Frame.plain(*size)
    plain.y[:] = np.asarray(image)
    return plain


def _shortened(text: str, font: _Font, width: float) -> str:
    if font.getlength(text) <= width:
        return text
    while len(text) > 1 and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"


def _printable(name: str) -> str:
    """On one line and without control characters: people choose their names themselves."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())[:64]


def _even(value: float) -> int:
    return (int(value) + 1) // 2 * 2
