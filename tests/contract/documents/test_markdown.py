"""Tables and lists in the documentation are whole: a reflow of paragraphs must not run over them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "SECURITY.md", "deploy/helm/greenroom/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]

_CODE = re.compile(r"`[^`]*`")
_ITEM_INSIDE = re.compile(r"[.:;!?)] \d{1,2}\. \S")
_ITEM = re.compile(r"\s*(?:-|\d{1,2}\.) ")


def prose(text: str) -> Iterator[str]:
    """The lines outside of code blocks, with code spans emptied."""
    fenced = False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
            line = ""
        yield "" if fenced else _CODE.sub("``", line)


def broken_rows(text: str) -> list[str]:
    """Table rows that have not as many cells as their header."""
    broken: list[str] = []
    bars: int | None = None
    for line in prose(text):
        if not line.startswith("|"):
            bars = None
            continue
        found = line.replace("\\|", "").count("|")
        bars = bars or found
        if found != bars or not line.rstrip().endswith("|"):
            broken.append(line)
    return broken


def swallowed_items(text: str) -> list[str]:
    """Numbered items that stand inside a line."""
    return [line for line in prose(text) if not line.startswith(("#", "|")) and _ITEM_INSIDE.search(line)]


def unindented_lines(text: str) -> list[str]:
    """Lines at the margin that continue a list item."""
    found: list[str] = []
    in_item = False
    for line in prose(text):
        if _ITEM.match(line):
            in_item = True
        elif not line.startswith(" "):
            if in_item and line and line[0] not in "#|<":
                found.append(line)
            in_item = False
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tables_and_lists_are_whole(document: Path) -> None:
    text = document.read_text()
    assert broken_rows(text) == []
    assert swallowed_items(text) == []
    assert unindented_lines(text) == []


def test_damage_is_found() -> None:
    row = "| a | b |\n|---|---|\n| `x|y` | one\ntwo |\n"
    assert broken_rows(row) == ["| `` | one"]
    assert broken_rows("| a | b |\n|---|---|\n| `x|y` | one |\n") == []
    item = "1. It may be repeated. 2. Take the key out.\nOnce.\n"
    assert len(swallowed_items(item)) == 1
    assert unindented_lines(item) == ["Once."]
