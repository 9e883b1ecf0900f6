"""Files and folders that the documentation names exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_PATH = re.compile(r"`((?:services|shared|deploy|tests|docs)/[\w./*-]*)`")


def named(document: Path) -> Iterator[tuple[str, Path]]:
    """What is named, and the path that it means: links are relative, paths in backticks start at the top."""
    text = document.read_text()
    for target in _LINK.findall(text):
        if "://" not in target and not target.startswith("mailto:"):
            yield target, document.parent / target
    for path in _PATH.findall(text):
        yield path, ROOT / path


def exists(path: Path) -> bool:
    if "*" in path.name:
        return any(path.parent.glob(path.name))
    return path.exists()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_in_it_exists(document: Path) -> None:
    assert [name for name, path in named(document) if not exists(path)] == []


def test_the_readme_names_files() -> None:
    assert sum(path.suffix == ".py" for _, path in named(ROOT / "README.md")) > 10
