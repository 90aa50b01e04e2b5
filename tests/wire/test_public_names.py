"""The public names: one list, said twice, and nothing loaded before it is used."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import fastpfkey as pf

FACADE = Path(pf.__file__)


def for_type_checkers() -> dict[str, str]:
    """Name -> module, from the imports that only a type checker sees."""
    (block,) = [
        node
        for node in ast.parse(FACADE.read_text(encoding="utf-8")).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    found = {}
    for node in block.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                assert alias.asname == alias.name, "only `as` makes a name public to a type checker"
                found[alias.name] = str(node.module)
    return found


def test_type_checkers_and_python_are_told_the_same() -> None:
    assert for_type_checkers() == pf._HOMES
    assert list(pf._HOMES) == sorted(pf._HOMES)
    assert set(pf.__all__) == {"__version__", *pf._HOMES}
    assert set(pf.__all__) <= set(dir(pf))


@pytest.mark.parametrize("name", [item for item in pf.__all__ if item != "__version__"])
def test_every_name_is_where_it_is_said_to_be(name: str) -> None:
    value = getattr(pf, name)
    assert value is getattr(importlib.import_module(f"fastpfkey.{pf._HOMES[name]}"), name)
    assert getattr(value, "__module__", f"fastpfkey.{pf._HOMES[name]}") == f"fastpfkey.{pf._HOMES[name]}"


def test_the_page_that_lists_them_is_current() -> None:
    command = [sys.executable, "-m", "tests.docs.api", "--check"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_version_is_that_of_the_installation() -> None:
    assert pf.__version__ == importlib.import_module("importlib.metadata").version("fastpfkey")


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'fastpfkey' has no attribute 'encode_all'"):
        _ = pf.encode_all  # type: ignore[attr-defined]
    assert not hasattr(pf, "__wrapped__")


def loaded_by(code: str) -> set[str]:
    """The modules of a fresh interpreter after some code."""
    script = f"import sys; {code}; print(*sys.modules)"
    return set(
        subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
    )


def test_importing_loads_nothing_else() -> None:
    assert {name for name in loaded_by("import fastpfkey") if name.startswith("fastpfkey")} == {"fastpfkey"}


def test_terms_and_errors_need_no_numpy() -> None:
    loaded = loaded_by("from fastpfkey import SAType, WireError")
    assert "fastpfkey.spec.terms" in loaded
    assert not {"numpy", "click", "rich", "fastpfkey.wire"} & loaded
