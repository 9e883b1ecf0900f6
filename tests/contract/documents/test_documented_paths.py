"""Files and folders that the documentation names exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "SECURITY.md", "deploy/helm/greenroom/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]

_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_PATH = re.compile(r"`((?:services|shared|deploy|tests|docs)/[\w./*-]*)`")
_MODULE = re.compile(r"`(?!(?:services|shared|deploy|tests|docs)/)([\w./-]+\.py)`")
_DOTTED = re.compile(r"`((?:services|shared|deploy|tests)(?:\.\w+)+)`")


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


@pytest.fixture(scope="module")
def modules() -> list[str]:
    folders = ("services", "shared", "deploy", "tests")
    return [f"/{path.relative_to(ROOT)}" for folder in folders for path in (ROOT / folder).rglob("*.py")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_in_it_exists(document: Path, modules: list[str]) -> None:
    """`table.py` and `routing/table.py` mean any file that ends so; `shared.errors.Unavailable` is dotted."""
    text = document.read_text()
    wrong = [name for name in _MODULE.findall(text) if not any(path.endswith(f"/{name}") for path in modules)]
    wrong += [name for name in _DOTTED.findall(text) if not is_importable(name)]
    assert wrong == []


def is_importable(name: str) -> bool:
    """Whether it is a module, a package, or a name in one of them."""
    parent, _, last = name.replace(".", "/").rpartition("/")
    if (ROOT / parent / last).exists() or (ROOT / parent / f"{last}.py").exists():
        return True
    homes = (ROOT / f"{parent}.py", ROOT / parent / "__init__.py")
    return any(home.exists() and last in home.read_text() for home in homes)


def test_the_readme_names_files() -> None:
    assert sum(path.suffix == ".py" for _, path in named(ROOT / "README.md")) > 10
