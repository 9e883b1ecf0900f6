"""The structure that the import rules in pyproject.toml leave open: folders, class names, constructors."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ("services", "shared", "deploy")
MOST_PARAMETERS = 8
LONGEST_BUILD = 40

Functions = (ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def parsed() -> dict[str, ast.Module]:
    """Every module below `CODE`: its path and its syntax tree."""
    files = [file for top in CODE for file in (ROOT / top).rglob("*.py") if "vendor" not in file.parts]
    return {str(file.relative_to(ROOT)): ast.parse(file.read_text()) for file in files}


def imported(tree: ast.Module) -> Iterator[str]:
    """Dotted names of all imports, those below functions and `if TYPE_CHECKING` included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def folder_of(name: str) -> str | None:
    """The folder of the module that a dotted name is in or is; None if it is not ours."""
    while name:
        path = name.replace(".", "/")
        for file in (f"{path}.py", f"{path}/__init__.py"):
            if file in parsed():
                return str(Path(file).parent)
        name = name.rpartition(".")[0]
    return None


def folder_graph(*tops: str) -> dict[str, set[str]]:
    """For each folder the others whose modules it imports."""
    graph: defaultdict[str, set[str]] = defaultdict(set)
    for file, tree in parsed().items():
        if file.startswith(tops):
            folder = str(Path(file).parent)
            graph[folder] |= {found for name in imported(tree) if (found := folder_of(name))} - {folder}
    return dict(graph)


@pytest.mark.parametrize("top", CODE)
def test_no_two_folders_import_each_other(top: str) -> None:
    graph = folder_graph(f"{top}/")
    assert any(graph.values())
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"folders import each other: {' <- '.join(error.args[1])}")


def test_each_class_name_is_used_once() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for file, tree in parsed().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(file)
    assert len(places) > 100
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_constructors_take_few_parameters() -> None:
    too_many = {
        f"{file}: {node.name}": count
        for file, tree in parsed().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for method in node.body
        if isinstance(method, ast.FunctionDef) and method.name == "__init__"
        if (count := len(method.args.posonlyargs + method.args.args + method.args.kwonlyargs) - 1)
        > MOST_PARAMETERS
    }
    assert too_many == {}


def test_what_builds_a_part_is_short() -> None:
    too_long = {
        f"{file}: {node.name}": length
        for file, tree in parsed().items()
        for node in ast.walk(tree)
        if isinstance(node, Functions) and "build" in node.name
        if (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_BUILD
    }
    assert too_long == {}
