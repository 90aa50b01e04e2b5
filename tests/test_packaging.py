"""Wheels and sdists: what is in them, that they build without Git, and that a build that fails fails.

The tree is copied without its history, and a `git` that only fails stands in front of the real one, as on a machine
that unpacked an archive. The build environment is made once, of what pyproject.toml requires.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from source_tree import TREE, source_files

pytestmark = pytest.mark.slow

Build = Callable[..., subprocess.CompletedProcess[str]]
SOURCES = source_files()
EXAMPLE = TREE / "docs/examples/traffic"
PACKAGE = [path.relative_to("src") for path in SOURCES if path.is_relative_to("src/fastpfkey")]
TEXT = {path.as_posix() for path in PACKAGE if path.suffix in (".py", ".pyi", ".pxd", ".h", ".typed")}
COMPILED = {
    path.with_suffix(sysconfig.get_config_var("EXT_SUFFIX")).as_posix() for path in PACKAGE if path.suffix == ".pyx"
} | {f"fastpfkey/preload/library{sysconfig.get_config_var('EXT_SUFFIX')}"}


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """A function that runs ``python -m build`` with `arguments` on a copy of the tree, in the given environment."""
    base = tmp_path_factory.mktemp("packaging")
    tree = base / "tree"
    for path in source_files():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes((TREE / path).read_bytes())
    (base / "bin").mkdir()
    (base / "bin/git").write_text("#!/bin/sh\nexit 127\n")
    (base / "bin/git").chmod(0o755)
    venv.create(base / "venv", with_pip=True)
    python = base / "venv/bin/python"
    requires = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    subprocess.run([python, "-m", "pip", "install", "--quiet", "build", *requires], check=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FASTPFKEY_")}

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, "-m", "build", "--no-isolation", *arguments, tree],
            env=inherited | {"PATH": f"{base / 'bin'}:{os.environ['PATH']}"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return run


@pytest.fixture(scope="module")
def distributions(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("distributions")
    done = build("--outdir", folder)
    assert done.returncode == 0, done.stdout
    return folder


@pytest.fixture(scope="module")
def pure(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built without extension modules."""
    folder = tmp_path_factory.mktemp("pure")
    done = build("--wheel", "--outdir", folder, FASTPFKEY_EXTENSIONS="never")
    assert done.returncode == 0, done.stdout
    (wheel,) = folder.iterdir()
    return wheel


def contents(wheel: Path) -> set[str]:
    """The files of the package in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_sdist_holds_every_source(distributions: Path) -> None:
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {path.as_posix() for path in SOURCES} - names <= {".gitignore"}
    assert not [name for name in names if name.endswith(".so")]


def test_without_git_the_version_is_the_fallback(distributions: Path) -> None:
    assert {path.name.split("-")[1].removesuffix(".tar.gz") for path in distributions.iterdir()} == {"0.1.0.dev0"}


def test_the_wheel_holds_the_package_and_every_extension_module(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    assert contents(wheel) == TEXT | COMPILED


def test_the_pure_wheel_runs_anywhere(pure: Path) -> None:
    assert pure.name.endswith("-py3-none-any.whl")
    assert contents(pure) == TEXT


@pytest.mark.parametrize(
    ("backend", "outcome"), [("", "reference"), ("reference", "reference"), ("compiled", "refused")]
)
def test_the_pure_wheel_has_the_reference_backend_only(pure: Path, tmp_path: Path, backend: str, outcome: str) -> None:
    code = """
try:
    import fastpfkey
    print(fastpfkey.BACKEND)
except ImportError:
    print("refused")
"""
    environment = {name: value for name, value in os.environ.items() if name != "FASTPFKEY_BACKEND"}
    environment |= {"PYTHONPATH": str(pure)} | ({"FASTPFKEY_BACKEND": backend} if backend else {})
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, check=True, stdout=subprocess.PIPE, text=True
    )
    assert done.stdout.strip() == outcome


def test_a_module_that_does_not_compile_fails_the_build(build: Build, tmp_path: Path) -> None:
    assert build("--wheel", "--outdir", tmp_path, CC="false").returncode != 0
    assert not list(tmp_path.iterdir())


def test_an_unknown_choice_of_extensions_fails_the_build(build: Build, tmp_path: Path) -> None:
    done = build("--wheel", "--outdir", tmp_path, FASTPFKEY_EXTENSIONS="maybe")
    assert done.returncode != 0
    assert "FASTPFKEY_EXTENSIONS must be 'require' or 'never', not 'maybe'" in done.stdout


def test_the_example_is_built_against_an_installed_wheel(distributions: Path, tmp_path: Path) -> None:
    """What it counts in C is what the table's column adds up to."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    (wheel,) = distributions.glob("*.whl")
    shutil.copytree(EXAMPLE, tmp_path / "example")
    needed = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    tools = [name for name in needed if name != "fastpfkey"]
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "FASTPFKEY_BACKEND")}

    def run(*arguments: str | Path) -> str:
        done = subprocess.run(
            [python, *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    run("-m", "pip", "install", "--quiet", *tools, wheel)
    run("-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-index", tmp_path / "example")
    dump = TREE / "tests/vectors/corpus/linux-mixed.bin"
    code = f"""
import array, fastpfkey as pf, numpy as np, pfkey_traffic
data = open({str(dump)!r}, "rb").read()
table = pf.SATable.from_buffer(data, "linux", ["satype", "current_bytes"], "little")
sums = {{kind: int(table["current_bytes"][table["satype"] == kind].sum()) for kind in pf.SAType}}
assert pfkey_traffic.traffic(data, "linux", "little") == {{kind: size for kind, size in sums.items() if size}} != {{}}
assert pfkey_traffic.traffic(b"") == {{}}
sizes = np.diff([*pf.decode(data, "linux", "little").offsets, len(data)])
assert pfkey_traffic.longest(data, "linux", "little") == max(sizes)
first = int(pf.SATable.from_buffer(data, "linux", ["current_bytes"], "little")["current_bytes"].argmax())
whole = pf.SATable.from_buffer(data * 20, "linux", ["spi", "current_bytes"], "little")
expected = (int(whole["spi"][first]), int(whole["current_bytes"][first]))
assert pfkey_traffic.busiest(data * 20, "linux", "little") == expected
assert pfkey_traffic.longest(b"") == 0 and pfkey_traffic.busiest(b"") is None
one = pf.requests.delete("esp", 1, "192.0.2.1", "192.0.2.2", dialect="linux")
spis = range(0x1000, 0x1000 + 2000)
batch = pf.decode(pfkey_traffic.repeated(one.encode(), array.array("I", spis)), "linux")
assert [message.sa.spi for message in batch] == list(spis)
assert all(message.extensions[1:] == one.extensions[1:] for message in batch)
for function in (pfkey_traffic.traffic, pfkey_traffic.longest, pfkey_traffic.busiest):
    try:
        function(data[:-8], "linux", "little")
    except pf.TruncatedError as error:
        assert (error.message_index, error.fault) == (52, pf.Fault.MESSAGE_TRUNCATED)
        print("done")
"""
    assert run("-c", code) == "done\n" * 3
