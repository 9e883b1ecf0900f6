"""Text that people type, made safe to show to others."""

import re
import unicodedata
from urllib.parse import unquote

# Bidirectional embeddings, overrides and isolates (UAX 9). Marks may stay.
_BIDI = "\u202a-\u202e\u2066-\u2069"
# Of the control characters (all of C0 and C1) a line's end is kept; so is nothing of broken UTF-16.
_GONE = re.compile(f"[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\ud800-\udfff\ufeff\ufff9-\ufffb{_BIDI}]")
_STEERING = re.compile(f"[{_BIDI}]")
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Marks (accents, variation selectors) are visible on another character only.
_INVISIBLE = frozenset({"Cf", "Cc", "Zs", "Zl", "Zp", "Cn", "Co", "Mn", "Me"})
# Invisible letters and symbols: Hangul fillers and the empty Braille pattern.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
# All keys that we give out are base64url.
_KEY = re.compile("[A-Za-z0-9_-]+")


def cleaned(text: str) -> str:
    """The text in NFC, with one kind of line end, without terminal control or bidirectional characters.

    Empty if nothing visible is left.
    """
    text = _LINE_END.sub("\n", text).replace("\t", " ")
    text = unicodedata.normalize("NFC", _GONE.sub("", text)).strip()
    return text if can_be_seen(text) else ""


def strip_bidi(text: str) -> str:
    """The text without bidirectional control characters."""
    return _STEERING.sub("", text)


def can_be_seen(text: str) -> bool:
    """Whether anything of the text is visible."""
    return any(map(_is_seen, text))


def visible(text: str) -> str:
    """The text without blanks, ends of lines, and whatever else cannot be seen."""
    return "".join(filter(_is_seen, text))


def _is_seen(character: str) -> bool:
    return character not in _BLANK and unicodedata.category(character) not in _INVISIBLE


def on_one_line(text: str) -> str:
    """The same for a name: white space is collapsed to single blanks."""
    return " ".join(cleaned(text).split())


def pasted_key(text: str) -> str:
    """The key in what was pasted: alone or at the end of a URL, with slashes, quotes or a query around it.

    What cannot be seen (blanks, marks of a mail program or an editor) is not of it, percent-encoded or not.
    """
    found = _KEY.findall(visible(unquote(re.split("[?#]", text, maxsplit=1)[0])))
    return found[-1] if found else ""
