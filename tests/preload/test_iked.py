"""Two OpenIKED daemons as Debian ships them, each with an engine of its own in place of a kernel's.

They find each other over a network made of two namespaces, and what they agree upon has to be in both engines: the same
associations with the same keys.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.engine.engine import Engine
from fastpfkey.errors import TransportError
from fastpfkey.transport import preloading
from fastpfkey.transport.serving import Server

PATIENCE = 60
NETWORKS = {"a": "10.1.0.0/24", "b": "10.2.0.0/24"}
ADDRESSES = {"a": "192.0.2.1", "b": "192.0.2.2"}


def reason() -> str:
    """Why this cannot run here; empty if it can."""
    if shutil.which("iked") is None:
        return "iked is not installed (Debian's openiked)"
    if shutil.which("ip") is None or os.geteuid() != 0:
        return "network namespaces need root and iproute2"
    try:
        preloading.library()
    except TransportError as error:
        return str(error)
    return ""


pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(reason()), reason=reason())]


@contextmanager
def namespaces() -> Iterator[dict[str, str]]:
    """Two hosts on one wire, by name."""
    names = {host: f"fastpfkey-{host}-{os.getpid()}" for host in ADDRESSES}
    ip = lambda *words: subprocess.run(["ip", *words], check=True)  # noqa: E731
    made = []
    try:
        for name in names.values():
            made.append(name)
            ip("netns", "add", name)
        wires = {host: f"fpk{host}{os.getpid()}" for host in names}
        ip("link", "add", wires["a"], "type", "veth", "peer", "name", wires["b"])
        for host, name in names.items():
            ip("link", "set", wires[host], "netns", name)
            ip("-n", name, "addr", "add", f"{ADDRESSES[host]}/24", "dev", wires[host])
            for link in (wires[host], "lo"):
                ip("-n", name, "link", "set", link, "up")
        yield names
    finally:
        for name in made:
            subprocess.run(["ip", "netns", "del", name], check=False)


@contextmanager
def served(path: Path) -> Iterator[Server]:
    """An engine that behaves as Linux."""
    server = Server(Engine("linux"), path)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


@contextmanager
def iked(host: str, other: str, namespace: str, socket: Path, folder: Path) -> Iterator[Path]:
    """A daemon of one host. Gives the path of its log."""
    config = folder / f"{host}.conf"
    config.write_text(
        f'ikev2 "test" {"active" if host == "a" else "passive"} esp from {NETWORKS[host]} to {NETWORKS[other]} '
        f'local {ADDRESSES[host]} peer {ADDRESSES[other]} psk "a secret of nobody"\n'
    )
    config.chmod(0o600)
    log = folder / f"{host}.log"
    command = [
        "ip",
        "netns",
        "exec",
        namespace,
        "iked",
        "-d",
        "-v",
        "-s",
        str(folder / f"{host}.ctl"),
        "-f",
        str(config),
    ]
    with log.open("w") as out:
        daemon = subprocess.Popen(
            command, env=preloading.environment(socket, os.environ), stdout=out, stderr=subprocess.STDOUT
        )
        try:
            yield log
        finally:
            daemon.terminate()
            daemon.wait(20)


def table(server: Server) -> pf.SATable:
    """The associations of an engine, with keys."""
    found: list[bytes] = []
    done = threading.Event()

    def dump() -> None:
        port = server.engine.connect(os.getpid())
        server.engine.handle(port, requests.dump(dialect="linux", pid=os.getpid()).encode())
        while part := port.receive():
            found.append(part)
        server.engine.disconnect(port)
        done.set()

    server.call(dump)
    assert done.wait(10)
    return pf.SATable.from_buffer(b"".join(found), "linux", keys=True).where("errno == 0 and state == 'mature'")


def agreed(server: Server) -> dict[int, tuple[bytes, bytes]]:
    """SPIs and their keys."""
    rows = table(server)
    return dict(
        zip(
            rows["spi"].tolist(),
            zip(rows.key_bytes("auth"), rows.key_bytes("encrypt"), strict=True),
            strict=True,
        )
    )


def test_two_daemons_agree(tmp_path: Path) -> None:
    with ExitStack() as stack:
        names = stack.enter_context(namespaces())
        servers = {host: stack.enter_context(served(tmp_path / f"{host}.sock")) for host in names}
        logs = [
            stack.enter_context(iked(host, other, names[host], servers[host].path, tmp_path))
            for host, other in (("b", "a"), ("a", "b"))
        ]
        end = time.monotonic() + PATIENCE
        while not all(len(agreed(server)) == 2 for server in servers.values()):
            assert time.monotonic() < end, "\n".join(log.read_text() for log in logs)
            time.sleep(0.2)
        here, there = agreed(servers["a"]), agreed(servers["b"])
        assert here == there
        assert all(encrypt and auth for auth, encrypt in here.values())
        rows = table(servers["a"])
        assert sorted(rows._values("src")) == sorted(rows._values("dst")) == sorted(ADDRESSES.values())
        assert set(rows._values("satype")) == {"esp"}
        assert set(rows._values("mode")) == {"tunnel"}
