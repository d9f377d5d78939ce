"""Facts about how the code is laid out, so that it stays easy to find one's way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.shell import ROOT

MOST_NAMES_AT_THE_ROOT = 16
SHAPES = {"Batch", "ArrayBatch", "PlainDecided", "ArrayDecided"}
MOST_FORKING_FILES = 3
# A command and the function of the Python API that calls it share their name.
OF_THE_API = {"run", "check"}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def parsed_modules() -> dict[str, ast.Module]:
    """Parse the package once, when a test asks for it: trees of all of it take a while to make."""
    paths = ROOT.glob("rollsignal/**/*.py")
    return {name_of(path): ast.parse(path.read_text()) for path in paths}


def imported(tree: ast.AST, modules: set[str]) -> Iterator[str]:
    """Yield the modules of these that some code imports, wherever it does so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in modules else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return modules of which each imports one of the others, none if there is no circle."""
    left = dict(graph)
    while True:
        leaves = {name for name, below in left.items() if not below & set(left)}
        if not leaves:
            return sorted(left)
        left = {name: below for name, below in left.items() if name not in leaves}


def test_no_module_imports_itself_by_others_also_not_lazily_or_for_types() -> None:
    names = set(parsed_modules())
    graph = {name: set(imported(tree, names)) - {name} for name, tree in parsed_modules().items()}
    assert circle(graph) == []


def test_a_circle_is_seen() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set[str]()}
    assert circle(graph) == ["a", "b", "c"]


def test_the_root_of_the_package_has_few_names() -> None:
    names = [path.stem for path in (ROOT / "rollsignal").iterdir() if is_of_the_package(path)]
    assert "core" in names
    assert len(names) <= MOST_NAMES_AT_THE_ROOT


def is_of_the_package(path: Path) -> bool:
    is_room = path.is_dir() and path.name != "__pycache__"
    return is_room or (path.suffix == ".py" and path.name not in ("__init__.py", "__main__.py"))


def test_few_files_tell_the_shapes_of_bars_apart() -> None:
    forking = {
        name
        for name, tree in parsed_modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance"
        if SHAPES & {part.id for part in ast.walk(node.args[1]) if isinstance(part, ast.Name)}
    }
    assert "rollsignal.core.ledger" in forking
    assert len(forking) <= MOST_FORKING_FILES


def defined(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module defines itself; variables of types have no meaning."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign) and not ast.unparse(node.value).startswith("TypeVar("):
            yield from (ast.unparse(target) for target in node.targets)
        elif isinstance(node, ast.AnnAssign):
            yield ast.unparse(node.target)


def test_a_name_has_one_meaning() -> None:
    places: dict[str, list[str]] = {}
    for module, tree in parsed_modules().items():
        for name in defined(tree):
            places.setdefault(name, []).append(module)
    several = {name for name, modules in places.items() if len(modules) > 1}
    assert several == OF_THE_API
    assert all("rollsignal.api" in places[name] for name in several)


@cache
def modules_of_tests() -> set[str]:
    return {name_of(other) for other in ROOT.glob("tests/**/test_*.py")}


@pytest.mark.parametrize("path", sorted(ROOT.glob("tests/**/*.py")), ids=name_of)
def test_no_test_imports_another(path: Path) -> None:
    modules = modules_of_tests()
    assert name_of(ROOT / "tests/test_structure.py") in modules
    assert not set(imported(ast.parse(path.read_text()), modules)) & modules


def test_whatever_does_a_part_of_a_sweep_is_done_whole_elsewhere() -> None:
    for path in ROOT.glob("tests/**/test_*.py"):
        if "tests.support.sweeps" not in (text := path.read_text()):
            continue
        for test in ast.parse(text).body:
            if isinstance(test, ast.FunctionDef) and {"examples", "part_of"} & names_in(test):
                marks = set().union(*map(names_in, test.decorator_list))
                assert "sweep" in marks, f"{path} {test.name}"


def names_in(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
