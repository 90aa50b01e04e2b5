"""Imports go down only: the rules of `import_rules` meet the package, and trees that break each of them."""

import subprocess
import sys
from pathlib import Path

import pytest
from import_rules import ROOT, Import, imports, modules, violations

SOURCE = Path(__file__).resolve().parents[1] / "src"


def test_the_package_keeps_to_its_floors() -> None:
    assert violations(SOURCE) == []


def test_the_reader_sees_the_package() -> None:
    assert {"fastpfkey", "fastpfkey.errors", "fastpfkey.spec.model"} <= modules(SOURCE).keys()
    assert any(
        each.importer == "fastpfkey.spec.linux" and each.imported == "fastpfkey.spec.rfc2367"
        for each in imports(SOURCE)
    )


def test_importing_the_package_loads_none_of_its_dependencies() -> None:
    code = "import sys, fastpfkey; print(sorted({'numpy', 'click', 'rich', 'socket', 'asyncio'} & sys.modules.keys()))"
    shown = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert shown.strip() == "[]"


@pytest.fixture
def tree(tmp_path: Path):
    """A function that writes a package of the given files and gives the folder that it is in."""

    def write(files: dict[str, str]) -> Path:
        for name, text in {"__init__.py": "", "errors.py": "", **files}.items():
            path = tmp_path / ROOT / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("path", "text", "complaint"),
    [
        ("wire/batch.py", "from fastpfkey.columns import table", "imports fastpfkey.columns.table, which is upward"),
        ("wire/batch.py", "from ..columns.table import SATable", "imports fastpfkey.columns.table, which is upward"),
        ("wire/batch.py", "def f():\n    import fastpfkey.columns.table", "line 2, imports fastpfkey.columns.table"),
        ("wire/batch.py", "if TYPE_CHECKING:\n    from ..columns import table", "which is upward"),
        ("wire/batch.py", "import_module('fastpfkey.columns.table')", "which is upward"),
        ("wire/batch.py", "importlib.import_module('..columns.table', __package__)", "which is upward"),
        ("wire/batch.py", "from .. import decode", "imports fastpfkey, which is upward"),
        ("spec/linux.py", "from .. import hotpath", "imports fastpfkey.hotpath, which is upward"),
        ("engine/clock.py", "from ..columns import table", "which is on the same floor"),
        ("setkey/text.py", "from ..interop import frames", "which is on the same floor"),
        ("misc.py", "", "fastpfkey.misc stands on no floor"),
        ("errors.py", "import numpy", "imports numpy, which is not for this part"),
        ("wire/batch.py", "from numpy.typing import NDArray", "imports numpy.typing, which is not for this part"),
        ("wire/batch.py", "def f():\n    import numpy as np", "imports numpy, which is not for this part"),
        ("hotpath/contract.py", "import numpy", "imports numpy, which is not for this part"),
        ("hotpath/walk.pyx", "cimport numpy as cnp", "imports numpy, which is not for this part"),
        ("hotpath/walk.pyx", "from ..wire import batch", "imports fastpfkey.wire.batch, which is upward"),
        ("hotpath/walk.pyx", "from fastpfkey.wire.batch cimport (\n    Batch,\n)", "which is upward"),
        ("hotpath/walk.pxd", "    cimport numpy", "imports numpy, which is not for this part"),
        ("columns/table.py", "import cython", "imports cython, which is not for this part"),
        ("session/dump.py", "import socket", "imports socket, which is not for this part"),
        ("columns/table.py", "async def f():\n    import asyncio", "imports asyncio, which is not for this part"),
        ("columns/arrow.py", "import pyarrow", "imports pyarrow, which is not for this part"),
        ("columns/table.py", "def f():\n    import pyarrow", "imports pyarrow, which is not for this part"),
        ("interop/frames.py", "import pandas", "imports pandas, which is not for this part"),
        ("columns/arrow.py", "def f():\n    import pandas", "imports pandas, which is not for this part"),
        ("interop/frames.py", "def f():\n    import click", "imports click, which is not for this part"),
        ("columns/table.py", "from rich.table import Table", "imports rich.table, which is not for this part"),
        ("wire/batch.py", "if TYPE_CHECKING:\n    import pandas", "imports pandas, which is not for this part"),
        ("hotpath/contract.py", "import typing_extensions", "imports typing_extensions, which is not for this part"),
        ("spec/linux.py", "import attrs", "imports attrs, which is not for this part"),
    ],
)
def test_what_breaks_a_rule_is_named(tree, path: str, text: str, complaint: str) -> None:
    others = ["columns/table.py", "hotpath/__init__.py", "interop/frames.py", "wire/batch.py"]
    (found,) = violations(tree(dict.fromkeys(others, "") | {path: text}))
    assert complaint in found


@pytest.mark.parametrize("back", ["from .batch import Batch", "def f():\n    from fastpfkey.wire import batch"])
def test_a_cycle_is_named(tree, back: str) -> None:
    (found,) = violations(tree({"wire/batch.py": "from . import message", "wire/message.py": back}))
    assert found.startswith("a cycle: ")
    assert "fastpfkey.wire.batch imports fastpfkey.wire.message" in found


def test_what_keeps_the_rules_is_let_be(tree) -> None:
    source = tree(
        {
            "__init__.py": "def __getattr__(name):\n    from .columns import table",
            "__main__.py": "from fastpfkey.cli import main",
            "errors.py": "from .spec.terms import Fault",
            "spec/terms.py": "import enum",
            "hotpath/__init__.py": "from . import reference, walk",
            "hotpath/contract.py": "if TYPE_CHECKING:\n    from typing_extensions import Buffer",
            "hotpath/reference.py": "import numpy as np\nfrom ..errors import Fault",
            "hotpath/walk.pyx": "cimport cython\nfrom libc.stdint cimport (\n    uint8_t,\n)\nfrom .shapes cimport cut",
            "hotpath/shapes.pxd": "from libc.string cimport memcpy",
            "hotpath/shapes.pyx": "",
            "wire/batch.py": "from ..hotpath import BACKEND, walk\nfrom .message import Message",
            "wire/message.py": "if TYPE_CHECKING:\n    from .batch import Batch",
            "columns/table.py": "import numpy\nfrom ..wire.batch import Batch",
            "columns/arrow.py": "def arrow():\n    import pyarrow",
            "transport/aio.py": "import asyncio, socket",
            "interop/frames.py": "import numpy\nif TYPE_CHECKING:\n    import polars\ndef frame():\n    import pandas",
            "cli/__init__.py": "import click\n\ndef main():\n    import rich.console\n    from ..interop import frames",
        }
    )
    assert violations(source) == []
    assert Import("fastpfkey.hotpath.walk", "fastpfkey.hotpath.shapes", 5, "module") in imports(source)
