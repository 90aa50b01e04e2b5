"""Unmodified programs and the engine: a client in C that knows nothing of it, started as a user would start it."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastpfkey.engine.engine import Engine
from fastpfkey.errors import TransportError
from fastpfkey.transport import preloading
from fastpfkey.transport.serving import Server

CLIENT = Path(__file__).with_name("client.c")

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="programs are redirected on Linux only"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
]


def has_library() -> bool:
    try:
        preloading.library()
    except TransportError:
        return False
    return True


needs_library = pytest.mark.skipif(not has_library(), reason="this installation is a pure package")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client, compiled as distributions compile programs."""
    program = tmp_path_factory.mktemp("client") / "client"
    hardened = ["-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"]
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", *hardened, "-o", program, CLIENT], check=True)
    return program


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Path]:
    """The socket of an engine that behaves as Linux."""
    server = Server(Engine("linux"), tmp_path / "engine.sock")
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server.path
    server.stop()
    thread.join()


@pytest.mark.requirement("R-1.3-02", "R-1.3-03")
@needs_library
def test_a_client_in_c(client: Path, engine: Path) -> None:
    done = subprocess.run(
        [client], env=preloading.environment(engine, os.environ), stdout=subprocess.PIPE, text=True, timeout=60
    )
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith("ok ")] == []
    assert len(lines) == 37
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("listened", "connected"),
    [
        ("real/engine.sock", "link/engine.sock"),
        ("link/engine.sock", "real/engine.sock"),
        ("real/engine.sock", "real/../real/engine.sock"),
        ("engine.sock", "real/engine.sock"),
    ],
)
@pytest.mark.parametrize("by_hand", [False, True])
@needs_library
def test_a_path_has_many_spellings(
    client: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listened: str, connected: str, by_hand: bool
) -> None:
    """A socket is the engine's however server and client spell its path, through links or from other directories."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path / "real")
    server = Server(Engine("linux"), tmp_path / listened if "/" in listened else Path(listened))
    thread = threading.Thread(target=server.run)
    thread.start()
    environment = preloading.environment(tmp_path / connected, os.environ)
    if by_hand:
        environment[preloading.ENGINE] = f"{tmp_path}/{connected}"
    try:
        done = subprocess.run([client], env=environment, stdout=subprocess.PIPE, text=True, timeout=60)
        assert [line for line in done.stdout.splitlines() if not line.startswith("ok ")] == []
        assert done.returncode == 0
    finally:
        server.stop()
        thread.join()


@needs_library
def test_other_sockets_are_left_alone(engine: Path) -> None:
    code = """
import socket
one, other = socket.socketpair()
one.send(b"short")
print(other.recv(9), one.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN) == socket.AF_UNIX)
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
print(client.getpeername() == server.getsockname())
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=preloading.environment(engine, os.environ),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout == "b'short' True\nTrue\n"


@needs_library
def test_no_engine(client: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [client], env=preloading.environment(tmp_path / "none", os.environ), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert f"fastpfkey: no engine at {tmp_path}/none: No such file or directory" in done.stderr


@needs_library
def test_without_an_engine_nothing_changes(client: Path) -> None:
    environment = {**preloading.environment(Path("/nowhere"), os.environ)}
    del environment[preloading.ENGINE]
    done = subprocess.run([client], env=environment, capture_output=True, text=True, timeout=60)
    assert "fastpfkey" not in done.stderr


class TestPrograms:
    def test_is_looked_up(self) -> None:
        assert preloading.program("sh") == Path(shutil.which("sh") or "")

    def test_that_there_is_not(self) -> None:
        with pytest.raises(TransportError, match="no such program") as refused:
            preloading.program("no-such-program-anywhere")
        assert refused.value.errno == errno.ENOENT

    def test_with_the_rights_of_its_file(self, client: Path, tmp_path: Path) -> None:
        copy = Path(shutil.copy(client, tmp_path))
        copy.chmod(0o4755)
        with pytest.raises(TransportError, match="rights of its file"):
            preloading.program(str(copy))

    @pytest.mark.parametrize("static", [["-static"], ["-static-pie"]], ids=["static", "static-pie"])
    def test_that_is_linked_statically(self, tmp_path: Path, static: list[str]) -> None:
        source = tmp_path / "main.c"
        source.write_text("int main(void) { return 0; }\n")
        subprocess.run(["cc", *static, "-o", tmp_path / "main", source], check=True)
        with pytest.raises(TransportError, match="linked statically"):
            preloading.program(str(tmp_path / "main"))

    def test_of_another_word_size(self, client: Path, tmp_path: Path) -> None:
        """As a 32-bit program on a 64-bit system; one header of its table is what names the dynamic linker."""
        wide = sys.maxsize > 1 << 32
        where, entry, at, width = (28, 42, 52, 4) if wide else (32, 54, 64, 8)
        head = bytearray(
            b"\x7fELF" + (b"\1" if wide else b"\2") + (b"\1" if sys.byteorder == "little" else b"\2")
        ).ljust(256)
        head[where : where + width] = at.to_bytes(width, sys.byteorder)
        head[entry : entry + 4] = (32).to_bytes(2, sys.byteorder) + (1).to_bytes(2, sys.byteorder)
        head[at : at + 4] = (3).to_bytes(4, sys.byteorder)
        (tmp_path / "program").write_bytes(head)
        (tmp_path / "program").chmod(0o755)
        with pytest.raises(TransportError, match="another word size"):
            preloading.program(str(tmp_path / "program"))

    def test_a_script_is_as_good_as_its_interpreter(self, client: Path, tmp_path: Path) -> None:
        script = tmp_path / "script"
        script.write_text(f"#!{client} -x\n")
        script.chmod(0o755)
        assert preloading.program(str(script)) == script
        client_copy = Path(shutil.copy(client, tmp_path / "privileged"))
        client_copy.chmod(0o4755)
        script.write_text(f"#!{client_copy}\n")
        with pytest.raises(TransportError, match=r"script, run by .*privileged, runs with the rights"):
            preloading.program(str(script))

    def test_bytes_that_end_early(self, tmp_path: Path) -> None:
        """What is no program is refused by the system, which knows why."""
        for size in range(4, 64):
            (tmp_path / "elf").write_bytes((b"\x7fELF\x02\x01" + bytes(32) + b"\xff" * 32)[:size])
            (tmp_path / "elf").chmod(0o755)
            assert preloading.program(str(tmp_path / "elf"))

    @needs_library
    def test_what_was_preloaded_before_stays(self) -> None:
        environment = preloading.environment(Path("/e"), {"LD_PRELOAD": "other.so", "HOME": "/h"})
        assert environment["LD_PRELOAD"] == f"{preloading.library()}:other.so"
        assert environment["HOME"] == "/h"
        assert environment[preloading.ENGINE] == "/e"

    @needs_library
    def test_a_path_that_no_socket_has(self) -> None:
        with pytest.raises(TransportError, match="107 bytes at most"):
            preloading.environment(Path("/" + "x" * 107), {})

    def test_a_pure_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sysconfig.get_config_var", lambda _: ".none")
        with pytest.raises(TransportError, match="pure package"):
            preloading.library()
