"""What is written into the picture: names, initials and a note, each drawn once."""

import unicodedata
from functools import lru_cache
from typing import Final

from wcwidth import iter_graphemes

from services.recorder.media.frames import I420Frame
from services.recorder.media.text_rendering import Colours, TextLine
from shared.text import on_one_line

_INK, _FAINT = 1.0, 0.6
_CACHED: Final = 256
# Longer than any box is wide; a name may be of any length.
_MAX_CHARACTERS: Final = 256
_SMALLEST: Final = 10
# Letters, digits and symbols (emoji are symbols): a name may begin with a bracket.
_INITIAL: Final = frozenset("LNS")
# Keeps neighbours apart that would be joined as in a word (Arabic).
_NON_JOINER: Final = "\u200c"

BACKDROP, TILE = 24, 48
"""Lumas behind names and the note, and of a box without video."""


@lru_cache(maxsize=_CACHED)
def name_tag(name: str, width: int, height: int) -> I420Frame | None:
    """The name for the lower left corner of a box of this size; None for a name that cannot be seen."""
    text = on_one_line(name[:_MAX_CHARACTERS])
    if not text:
        return None
    line = TextLine(text, max(_SMALLEST, height // 22), width * 0.6)
    return line.drawn(Colours(_INK, _grey(BACKDROP)), margin=(8, 2))


@lru_cache(maxsize=_CACHED)
def initials_tag(name: str, width: int, height: int) -> I420Frame:
    """The initials for the middle of a box of this size, without video."""
    line = TextLine(initials(name), max(_SMALLEST, height // 4), width * 0.9)
    return line.drawn(Colours(_INK, _grey(TILE)), margin=(0, 0))


@lru_cache(maxsize=_CACHED)
def waiting_note(width: int, height: int) -> I420Frame:
    """For the middle of a picture of this size while nobody is on stage."""
    line = TextLine("Waiting for the host", max(_SMALLEST, height // 18), width * 0.9)
    return line.drawn(Colours(_FAINT, _grey(BACKDROP)), margin=(0, 0))


def initials(name: str) -> str:
    """The first of each of the first two words: what readers take for a character, whatever it is made of."""
    words = on_one_line(name[:_MAX_CHARACTERS]).split()
    found = [first for first in map(_initial, words) if first][:2]
    return _NON_JOINER.join(found) or "?"


def _initial(word: str) -> str:
    for grapheme in iter_graphemes(word):
        if unicodedata.category(grapheme[0])[0] in _INITIAL:
            return _capital(grapheme)
    return ""


def _capital(grapheme: str) -> str:
    """In the case of a title, unless that is more than one character (ß)."""
    titled = grapheme.title()
    return titled if len(titled) == len(grapheme) else grapheme


def _grey(luma: int) -> float:
    """Of white; lumas are between 16 and 235 in video."""
    return (luma - 16) / 219
