"""The host's own <linux/pfkeyv2.h> makes the same bytes: structures filled by name, sizes and order the compiler's."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def load_source() -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_probe_source", HERE / "source.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> str:
    if COMPILER is None:
        pytest.skip("no C compiler on this system")
    trial = tmp_path_factory.mktemp("trial") / "trial.c"
    trial.write_text('#include "probe.h"\nint main(void) { return sizeof(struct sadb_x_filter) != 40; }\n')
    command = [COMPILER, "-w", "-fsyntax-only", f"-I{HERE}", str(trial)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no <linux/pfkeyv2.h> with every extension up to SADB_X_EXT_FILTER on this system")
    return COMPILER


# The layouts of the RFC are Linux's own, so its header serves for both.
@pytest.mark.parametrize("dialect", ["linux", "rfc2367"])
def test_compiled_structures_give_the_golden_bytes(dialect: str, compiler: str, tmp_path: Path) -> None:
    """R-2.1-01, R-2.2-05, R-2.2-06: no field misplaced and no padding that the table does not know."""
    facts: dict[str, Any] = json.loads((HERE.parent / "dialects" / f"{dialect}.json").read_text(encoding="utf-8"))
    golden = HERE.parent / f"{dialect}-{sys.byteorder}.json"
    messages: list[dict[str, Any]] = json.loads(golden.read_text(encoding="utf-8"))
    source, program = tmp_path / "golden.c", tmp_path / "golden"
    source.write_text(load_source().Source(facts["structs"]).program(messages), encoding="utf-8")
    built = subprocess.run(
        [compiler, "-std=gnu11", "-Wall", "-Werror", f"-I{HERE}", "-o", str(program), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr[:2000]
    lines = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout.splitlines()
    names = [message["name"] for message in messages]
    assert dict(zip(names, lines, strict=True)) == {message["name"]: message["hex"] for message in messages}
