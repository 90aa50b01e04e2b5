"""Finds which tests name which requirements.

Tests name ids with `@pytest.mark.requirement("R-2.3-01", ...)` on a function or class, in the marks of a parameter, or
in a `pytestmark` of a class or module. The files are parsed, never imported, so the result does not depend on what
happens to be installed. A marker that would show nothing (on a helper, on a test that is skipped, with an id that is
not written out) is an error rather than overlooked.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class MarkerError(ValueError):
    """A requirement marker stands where it cannot show anything."""


@dataclass(frozen=True, order=True)
class Evidence:
    """A test that names a requirement; `path` is relative to tests/, `name` is empty for a whole module."""

    path: str
    name: str

    def __str__(self) -> str:
        return f"{self.path}::{self.name}" if self.name else self.path


def evidence_in_tree(tests: Path) -> dict[str, set[Evidence]]:
    """Maps each id named anywhere below `tests` to the tests that name it."""
    found: dict[str, set[Evidence]] = {}
    for file in sorted(tests.rglob("*.py")):
        path = file.relative_to(tests).as_posix()
        for requirement, evidence in evidence_in_source(file.read_text(encoding="utf-8"), path):
            found.setdefault(requirement, set()).add(evidence)
    return found


def evidence_in_source(source: str, path: str) -> Iterator[tuple[str, Evidence]]:
    """Yields (id, evidence) for each marker in one file; raises MarkerError for one that shows nothing."""
    module = ast.parse(source, path)
    placed: set[ast.AST] = set()
    if Path(path).name.startswith("test_") or path.endswith("_test.py"):
        for name, marker in _markers_in_scope(module, "", path):
            placed.add(marker.func)
            for requirement in _ids(marker, path):
                yield requirement, Evidence(path, name)
    for node in ast.walk(module):
        if _is_mark(node, "requirement") and node not in placed:
            raise _error(path, node, "a requirement marker belongs on a test, a test class or in pytestmark")


def _markers_in_scope(scope: ast.Module | ast.ClassDef, scope_name: str, path: str) -> Iterator[tuple[str, ast.Call]]:
    """Yields (name of the test, marker) for the body of a module or class."""
    for statement in scope.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "pytestmark":
            yield from ((scope_name, marker) for marker in _markers_below(statement.value))
        elif isinstance(statement, Definition) and statement.name.startswith(_collected_prefix(statement)):
            name = f"{scope_name}::{statement.name}" if scope_name else statement.name
            yield from _markers_on(statement, name, path)
            if isinstance(statement, ast.ClassDef):
                yield from _markers_in_scope(statement, name, path)


def _markers_on(definition: Definition, name: str, path: str) -> Iterator[tuple[str, ast.Call]]:
    markers = [marker for decorator in definition.decorator_list for marker in _markers_below(decorator)]
    for decorator in definition.decorator_list:
        mark = decorator.func if isinstance(decorator, ast.Call) else decorator
        if markers and (_is_mark(mark, "skip") or _is_mark(mark, "xfail")):
            raise _error(path, decorator, "a test that is skipped or expected to fail shows no requirement")
    yield from ((name, marker) for marker in markers)


def _collected_prefix(definition: Definition) -> str:
    """How the name of a test of this kind begins, by pytest's default."""
    return "Test" if isinstance(definition, ast.ClassDef) else "test"


def _markers_below(expression: ast.expr) -> Iterator[ast.Call]:
    for node in ast.walk(expression):
        if isinstance(node, ast.Call) and _is_mark(node.func, "requirement"):
            yield node


def _is_mark(node: ast.AST, name: str) -> bool:
    """Is this `pytest.mark.<name>` or `mark.<name>`?"""
    return isinstance(node, ast.Attribute) and ast.unparse(node) in (f"pytest.mark.{name}", f"mark.{name}")


def _ids(marker: ast.Call, path: str) -> Iterator[str]:
    if not marker.args or marker.keywords:
        raise _error(path, marker, "a requirement marker takes one or more ids")
    for argument in marker.args:
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            raise _error(path, argument, "the ids of a requirement marker are written out as strings")
        yield argument.value


def _error(path: str, node: ast.AST, reason: str) -> MarkerError:
    return MarkerError(f"{path}:{getattr(node, 'lineno', 0)}: {reason}")
