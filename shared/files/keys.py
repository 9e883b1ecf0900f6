"""Keys of stored files, and the rules that keep a key inside the storage."""

import re

LONGEST_KEY = 512

# No segment begins with a dot, so that none is `.` or `..`, and none is empty: a key never leads outside.
_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


def is_key(text: str) -> bool:
    """Whether `text` may name a stored file: parts of letters, digits, `._-`, with slashes between them."""
    return len(text) <= LONGEST_KEY and _KEY.fullmatch(text) is not None


def check_key(text: str) -> str:
    """`text` itself; raises ValueError if it is no key. Check user input with `is_key` first."""
    if not is_key(text):
        raise ValueError(f"not the key of a stored file: {text[:LONGEST_KEY]!a}")
    return text
