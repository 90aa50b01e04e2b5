"""Reads the imports of a source tree and says which of them break the floors.

The idea: every import, wherever it stands and in Python or Cython, becomes an `Import`; a rule is a function from
imports to complaints. Modules are named as Python names them, a package standing for its ``__init__``, so ``fastpfkey``
alone is the facade.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Literal

ROOT = "fastpfkey"
FLOORS = {
    "errors": 0,
    "spec": 0,
    "hotpath": 1,
    "wire": 2,
    "columns": 3,
    "session": 3,
    "engine": 3,
    "transport": 4,
    "setkey": 5,
    "interop": 5,
    "cli": 6,
    "": 7,  # the facade, which every part may be reached from
    "__main__": 8,
}
ONLY_IN = {
    "numpy": ("columns", "engine", "hotpath.reference", "interop"),
    "click": ("cli",),
    "rich": ("cli",),
    "socket": ("transport",),
    "asyncio": ("transport",),
}
"""Who may import it: subpackages, or modules by the start of their name."""
READERS = {"pyarrow": ("columns.arrow", "interop"), "": ("interop", "cli")}
"""Who may import it, but not with the module; the empty name: any other package that is not Python's own."""
CYTHONS_OWN = {"cython", "libc", "cpython"}
TYPES_ONLY = {"typing_extensions", "_typeshed"}
"""Known to every type checker and not needed at run time: fine under ``if TYPE_CHECKING``."""

Place = Literal["module", "function", "types"]
"""When an import happens: with its module, when some function is called, or only for the type checker."""


@dataclass(frozen=True)
class Import:
    """One import: who, what, in which line and when."""

    importer: str
    imported: str
    line: int
    place: Place

    def __str__(self) -> str:
        return f"{self.importer}, line {self.line}, imports {self.imported}"


def part(module: str) -> str:
    """The part of the package that a module belongs to: "wire" for fastpfkey.wire.batch, "" for the facade."""
    return [*module.split("."), ""][1]


def modules(source: Path) -> dict[str, Path]:
    """The modules below the folder `source`, by name; a Cython module's declarations are a file of their own."""
    found = {}
    for path in sorted(source.rglob("*")):
        if path.suffix in (".py", ".pyx", ".pxd"):
            names = list(path.relative_to(source).with_suffix("").parts)
            if names[-1] == "__init__":
                names.pop()
            found[".".join(names) + (".pxd" if path.suffix == ".pxd" else "")] = path
    return found


def imports(source: Path) -> list[Import]:
    """Every import of every module below `source`, names within the package resolved to modules."""
    known = modules(source)
    found = []
    for name, path in known.items():
        name = name.removesuffix(".pxd")
        package = name if path.stem == "__init__" else name.rpartition(".")[0]
        read = _python if path.suffix == ".py" else _cython
        for target, line, place in read(path.read_text(encoding="utf-8"), package):
            while target.startswith(ROOT + ".") and target not in known and f"{target}.pxd" not in known:
                target = target.rpartition(".")[0]
            found.append(Import(name, target, line, place))
    return found


def violations(source: Path) -> list[str]:
    """What is wrong with the imports of the tree below `source`, a sentence each."""
    found = imports(source)
    return [*_without_floor(source), *_upward(found), *_foreign(found), *_cycle(found)]


def _without_floor(source: Path) -> Iterator[str]:
    for module in modules(source):
        if part(module) not in FLOORS:
            yield f"{module} stands on no floor"


def _upward(found: list[Import]) -> Iterator[str]:
    for each in found:
        below, above = part(each.importer), part(each.imported)
        if each.imported.split(".")[0] != ROOT or below == above or not {below, above} <= FLOORS.keys():
            continue
        if FLOORS[above] > FLOORS[below]:
            yield f"{each}, which is upward"
        elif FLOORS[above] == FLOORS[below] and FLOORS[below] > 0:
            yield f"{each}, which is on the same floor"


def _foreign(found: list[Import]) -> Iterator[str]:
    for each in found:
        library = each.imported.split(".")[0]
        importer = each.importer.removeprefix(ROOT + ".")
        if library == ROOT or (library in CYTHONS_OWN and part(each.importer) == "hotpath"):
            continue
        if library in TYPES_ONLY:
            allowed = each.place == "types"
        elif library in ONLY_IN:
            allowed = any(importer.startswith(place) for place in ONLY_IN[library])
        elif library in sys.stdlib_module_names:
            allowed = True
        else:
            places = READERS.get(library, READERS[""])
            allowed = each.place != "module" and any(importer.startswith(place) for place in places)
        if not allowed:
            yield f"{each}, which is not for this part"


def _cycle(found: list[Import]) -> Iterator[str]:
    """Two modules may name each other in annotations, so what only the type checker imports makes no cycle."""
    graph: dict[str, set[str]] = {}
    for each in found:
        if each.imported.split(".")[0] == ROOT and each.imported != each.importer and each.place != "types":
            graph.setdefault(each.importer, set()).add(each.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"a cycle: {' imports '.join(reversed(error.args[1]))}"


def _python(text: str, package: str) -> Iterator[tuple[str, int, Place]]:
    """(imported, line, place) of the imports in Python source, importlib's with a constant name too."""
    pending: list[tuple[ast.AST, Place]] = [(ast.parse(text), "module")]
    while pending:
        node, place = pending.pop()
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, place) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _absolute("." * node.level + (node.module or ""), package)
            yield from ((target, node.lineno, place) for target in _named(origin, [a.name for a in node.names]))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield _absolute(name.value, package), node.lineno, place
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            place = "function"
        elif isinstance(node, ast.If) and ast.unparse(node.test).split(".")[-1] == "TYPE_CHECKING":
            pending.extend((child, "types") for child in node.body)
            pending.extend((child, place) for child in node.orelse)
            continue
        pending.extend((child, place) for child in ast.iter_child_nodes(node))


_CYTHON_FROM = re.compile(r"^([ \t]*)from[ \t]+([\w.]+)[ \t]+c?import[ \t]+(\((?:[^)]*)\)|[^\n#]+)", re.MULTILINE)
_CYTHON_IMPORT = re.compile(r"^([ \t]*)c?import[ \t]+([^\n#]+)", re.MULTILINE)


def _cython(text: str, package: str) -> Iterator[tuple[str, int, Place]]:
    """The same of Cython source, by its lines; an indented import counts as one in a function."""
    for match in _CYTHON_FROM.finditer(text):
        names = [name.split()[0] for name in match[3].strip("()").replace("\\", "").split(",") if name.strip()]
        line = text.count("\n", 0, match.start()) + 1
        place: Place = "function" if match[1] else "module"
        yield from ((target, line, place) for target in _named(_absolute(match[2], package), names))
    for match in _CYTHON_IMPORT.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        place = "function" if match[1] else "module"
        yield from ((name.split()[0], line, place) for name in match[2].split(","))


def _absolute(name: str, package: str) -> str:
    """A relative name as seen from `package`, absolute."""
    level = len(name) - len(name.lstrip("."))
    if level == 0:
        return name
    anchor = package.split(".")
    return ".".join([*anchor[: len(anchor) - level + 1], *filter(None, [name[level:]])])


def _named(origin: str, names: list[str]) -> list[str]:
    """What ``from origin import names`` may reach: submodules where there are such, else `origin` itself."""
    return [f"{origin}.{name}" for name in names] if origin.split(".")[0] == ROOT else [origin]
