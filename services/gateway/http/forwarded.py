"""The Forwarded header (RFC 7239): `for=192.0.2.7;proto=https, for="[2001:db8::1]:443"`."""

import re
from collections.abc import Sequence

_PAIR = re.compile(r"""\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*))\s*""")
_ESCAPED = re.compile(r"\\(.)")


def parse_forwarded(lines: Sequence[str]) -> list[dict[str, str]]:
    """What each proxy said of its client, by parameter in lower case; the nearest proxy is the last.

    What cannot be read is an element without parameters, since it stands for a proxy all the same, and ends
    what can be read from the right: nobody knows where a quoted text was meant to begin.
    """
    elements: list[dict[str, str]] = []
    for line in lines:
        elements.extend(_elements(line))
    return elements


def _elements(line: str) -> list[dict[str, str]]:
    elements: list[dict[str, str]] = [{}]
    position = 0
    while position < len(line):
        if line[position] in ",;" or line[position].isspace():
            if line[position] == "," and elements[-1]:
                elements.append({})
            position += 1
            continue
        pair = _PAIR.match(line, position)
        if pair is None or (pair.end() < len(line) and line[pair.end()] not in ",;"):
            return [*elements, {}]
        name, quoted, plain = pair.groups()
        value = _ESCAPED.sub(r"\1", quoted) if quoted is not None else plain
        elements[-1].setdefault(name.lower(), value)
        position = pair.end()
    return [one for one in elements if one]
