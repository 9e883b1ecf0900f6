"""Text that people type, made fit to be shown to others: no control over anybody's screen but words."""

import re
import unicodedata

# What turns the direction of all that follows: embeddings, overrides and isolates (UAX 9). Marks may stay.
_BIDI = "\u202a-\u202e\u2066-\u2069"
# Of the control characters (all of C0 and C1) a line's end is kept; so is nothing of broken UTF-16.
_GONE = re.compile(f"[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\ud800-\udfff\ufeff\ufff9-\ufffb{_BIDI}]")
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE = frozenset({"Cf", "Cc", "Zs", "Zl", "Zp", "Cn", "Co"})


def cleaned(text: str) -> str:
    """The text in NFC, with one kind of line end, without what steers a terminal or the text's direction.

    Empty where nothing is left that can be seen.
    """
    text = _LINE_END.sub("\n", text).replace("\t", " ")
    text = unicodedata.normalize("NFC", _GONE.sub("", text)).strip()
    return "" if all(unicodedata.category(character) in _INVISIBLE for character in text) else text


def on_one_line(text: str) -> str:
    """The same for a name: all white space is one blank."""
    return " ".join(cleaned(text).split())
