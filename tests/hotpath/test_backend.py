"""Which twin is live, and that the twins have the same functions, codes and structs.

The choice is made once, when the package is imported, so each case runs in an interpreter of its own.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from enum import IntEnum
from pathlib import Path

import pytest

import fastpfkey
from fastpfkey.errors import BackendError, Fault
from fastpfkey.hotpath import BACKEND, Outcome, load
from fastpfkey.hotpath.contract import HotPath
from fastpfkey.spec import building, model, plan, template, terms

from .twins import COMPILED, TWINS, needs_compiled

PACKAGE = Path(fastpfkey.__file__).parent
NOT_LOADED = "fastpfkey.errors.BackendError: the compiled backend does not load: "
ASK = "import fastpfkey, fastpfkey.hotpath as h; print(fastpfkey.BACKEND, h.walk.__module__, h.REASON, sep='\\n')"


def ask(package: Path, backend: str | None = None) -> subprocess.CompletedProcess[str]:
    """Import the package that lies in a folder, and print which twin is live, where its walk is from, and why."""
    environment = {name: value for name, value in os.environ.items() if name != "FASTPFKEY_BACKEND"}
    if backend is not None:
        environment["FASTPFKEY_BACKEND"] = backend
    start = f"import sys; sys.path.insert(0, {str(package.parent)!r}); {ASK}"
    command = [sys.executable, "-c", start]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def answer(package: Path, backend: str | None = None) -> list[str]:
    """What it prints, if it does."""
    result = ask(package, backend)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def refusal(package: Path, backend: str | None = None) -> str:
    """The last line of the traceback."""
    result = ask(package, backend)
    assert result.returncode == 1
    return result.stderr.strip().splitlines()[-1]


def copy(folder: Path, *without: str) -> Path:
    """A copy of the package that lacks some files."""
    return Path(shutil.copytree(PACKAGE, folder / "fastpfkey", ignore=shutil.ignore_patterns(*without)))


@pytest.fixture
def pure(tmp_path: Path) -> Path:
    """A copy of the package as a wheel without extension modules installs it."""
    return copy(tmp_path, "*.so", "*.pyd", "*.py[xcd]")


@pytest.fixture
def broken(pure: Path) -> Path:
    """A copy whose extension modules are there, but are not machine code."""
    for name in ("walk", "columns", "gather"):
        (pure / "hotpath" / (name + sysconfig.get_config_var("EXT_SUFFIX"))).write_bytes(b"not an extension module")
    return pure


class TestChoice:
    @needs_compiled
    @pytest.mark.parametrize("backend", [None, ""])
    def test_compiled_modules_are_taken_where_they_are(self, backend: str | None) -> None:
        live, module, reason = answer(PACKAGE, backend)
        assert (live, module) == ("compiled", "fastpfkey.hotpath.walk")
        assert reason == "the compiled modules are installed"

    @pytest.mark.parametrize(
        ("backend", "module"),
        [
            pytest.param("compiled", "fastpfkey.hotpath.walk", marks=needs_compiled),
            ("reference", "fastpfkey.hotpath.reference"),
        ],
    )
    def test_the_variable_is_obeyed(self, backend: str, module: str) -> None:
        assert answer(PACKAGE, backend) == [backend, module, "FASTPFKEY_BACKEND asks for it"]

    @needs_compiled
    @pytest.mark.parametrize("backend", TWINS)
    def test_functions_stay_those_of_the_live_twin(self, backend: str) -> None:
        """Several compiled modules are named as what they hold, and whoever imports one later must hide nothing."""
        modules = [f"fastpfkey.hotpath.{path.stem}" for path in sorted((PACKAGE / "hotpath").glob("*.pyx"))]
        names = [name for name in vars(HotPath) if not name.startswith("_")]
        script = f"""
import importlib, sys
from fastpfkey import hotpath
before = {{name: getattr(hotpath, name) for name in {names}}}
for name in {modules}:
    assert importlib.import_module(name) is sys.modules[name], name
hotpath.load("compiled"), hotpath.load("reference")
print([name for name in before if getattr(hotpath, name) is not before[name] or not callable(before[name])])
from fastpfkey.hotpath import build, classify, gather, render, walk
print({{getattr(hotpath.load({backend!r}), name) is before[name] for name in before}})
"""
        command = [sys.executable, "-c", script]
        environment = {**os.environ, "FASTPFKEY_BACKEND": backend}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (done.stdout.splitlines(), done.stderr) == (["[]", "{True}"], "")

    @pytest.mark.parametrize("backend", ["Compiled", "fast", "reference ", "walk", "..spec"])
    def test_nonsense_is_refused(self, backend: str) -> None:
        expected = f"fastpfkey.errors.BackendError: FASTPFKEY_BACKEND is compiled or reference, not {backend!r}"
        assert refusal(PACKAGE, backend) == expected

    def test_a_pure_package_falls_back(self, pure: Path) -> None:
        live, module, reason = answer(pure)
        assert (live, module) == ("reference", "fastpfkey.hotpath.reference")
        assert reason == "this installation has no compiled modules"

    def test_a_pure_package_does_not_pretend(self, pure: Path) -> None:
        assert refusal(pure, "compiled").startswith(NOT_LOADED)

    @pytest.mark.parametrize("backend", [None, "compiled"])
    def test_modules_that_do_not_load_are_not_skipped(self, broken: Path, backend: str | None) -> None:
        assert refusal(broken, backend).startswith(NOT_LOADED)

    def test_the_reference_does_not_need_them(self, broken: Path) -> None:
        assert answer(broken, "reference")[0] == "reference"

    @needs_compiled
    @pytest.mark.parametrize("module", ["shapes", "columns", "gather", "pool", "classify", "moves", "build"])
    def test_a_module_that_is_missing_is_not_skipped(self, tmp_path: Path, module: str) -> None:
        assert refusal(copy(tmp_path, f"{module}.*.so", f"{module}.*.pyd")).startswith(NOT_LOADED)

    def test_backend_errors_are_import_errors(self) -> None:
        with pytest.raises(ImportError):
            load("neither")
        assert issubclass(BackendError, fastpfkey.PFKeyError)

    def test_the_public_name_says_what_is_live(self) -> None:
        assert fastpfkey.BACKEND == BACKEND
        wanted = os.environ.get("FASTPFKEY_BACKEND") or ("compiled" if COMPILED else "reference")
        assert wanted == BACKEND


FUNCTIONS = [name for name, value in vars(HotPath).items() if inspect.isfunction(value) and not name.startswith("_")]


class TestContract:
    def test_it_has_these_functions(self) -> None:
        assert sorted(FUNCTIONS) == [
            "build",
            "classify",
            "copy_records",
            "decode",
            "follow",
            "gather",
            "hop",
            "pack",
            "render",
            "slabs",
            "walk",
            "wipe",
        ]

    @pytest.mark.parametrize("backend", TWINS)
    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_parameters_have_the_same_names(self, backend: str, name: str) -> None:
        told = list(inspect.signature(getattr(HotPath, name)).parameters)[1:]
        assert list(inspect.signature(getattr(load(backend), name)).parameters) == told

    @pytest.mark.parametrize("backend", TWINS)
    def test_there_is_nothing_else(self, backend: str) -> None:
        module = load(backend)
        assert sorted(module.__all__) == sorted(FUNCTIONS)  # type: ignore[attr-defined]

    def test_outcomes_are_counted_from_zero_and_have_these_fields(self) -> None:
        assert Outcome._fields == ("count", "fault", "position", "next")


def sources() -> str:
    """All Cython files of the hot path, without their comments."""
    folder = PACKAGE / "hotpath"
    texts = [path.read_text(encoding="utf-8") for path in (*folder.glob("*.pxd"), *folder.glob("*.pyx"))]
    return re.sub(r"\s*#.*", "", "\n".join(texts))


def enum_of(name: str) -> dict[str, int]:
    """The members of a C enum."""
    (body,) = re.findall(rf"cdef enum {name}:\n((?: +\w+ = \w+\n)+)", sources())
    return {member: int(value, 0) for member, value in re.findall(r"(\w+) = (\w+)", body)}


def struct_of(name: str) -> list[str]:
    """The members of a C struct of integers of one width, in order."""
    (body,) = re.findall(rf"cdef struct {name}:\n((?: +\w+ \w+\n)+)", sources())
    members = re.findall(r"(\w+) (\w+)", body)
    assert {kind for kind, _ in members} in ({"int32_t"}, {"int64_t"})
    return [member for _, member in members]


@pytest.mark.skipif(not (PACKAGE / "hotpath" / "columns.pyx").exists(), reason="wheels carry no Cython sources")
class TestNumbersOfTheCompiledTwin:
    """C cannot import them, so they stand there twice."""

    @pytest.mark.parametrize(
        ("name", "members", "renamed"),
        [
            ("Fault", Fault, {"FAULT_NONE": "NONE"}),
            ("CheckOp", plan.CheckOp, {}),
            ("ColumnOp", plan.ColumnOp, {}),
            ("TextOp", template.TextOp, {}),
            ("BuildOp", building.BuildOp, {}),
        ],
    )
    def test_codes(self, name: str, members: type[IntEnum], renamed: dict[str, str]) -> None:
        found = {renamed.get(member, member): value for member, value in enum_of(name).items()}
        assert found == {item.name: item.value for item in members}

    @pytest.mark.parametrize(
        ("name", "fields"),
        [
            ("Rule", plan.Rule._fields),
            ("Check", plan.Check._fields),
            ("Family", plan.Family._fields),
            ("ColumnRow", plan.ColumnRow._fields),
            ("TextStep", template.TextStep._fields),
            ("Word", template.Word._fields),
            ("Zone", template.Zone._fields),
            ("BuildStep", building.BuildStep._fields),
        ],
    )
    def test_structs_are_the_rows_of_a_plan(self, name: str, fields: tuple[str, ...]) -> None:
        assert struct_of(name) == list(fields)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("WORD", model.WORD),
            ("HEADER_SIZE", model.HEADER_SIZE),
            ("MAX_NUMBERS", plan.MAX_NUMBER + 1),
            ("UNKNOWN", terms.UNKNOWN),
        ],
    )
    def test_constants(self, name: str, value: int) -> None:
        found = re.findall(rf"^ +{name} = (\w+)$", sources(), re.MULTILINE)
        assert [int(number, 0) for number in found] == [value]

    @needs_compiled
    def test_every_module_is_built(self) -> None:
        modules = [path.stem for path in (PACKAGE / "hotpath").glob("*.pyx")]
        assert [module for module in modules if not importlib.util.find_spec(f"fastpfkey.hotpath.{module}")] == []
