"""Clients that send nonsense, or read nothing, or are too many."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from fastpfkey import requests
from fastpfkey.engine.engine import Engine
from fastpfkey.transport import notices
from fastpfkey.transport.serving import MOST_WAITING

from .support import Start, connected, flood


class TestHostileClients:
    """What one client does costs the others nothing."""

    def test_records_and_copies_longer_than_what_is_taken_at_once(self, start: Start, path: Path) -> None:
        start(Engine("rfc2367"))
        one, other = connected(path), connected(path)
        other.send(bytes([2, 11, 0, 1]) + struct.pack("=HHII", 2, 0, 1, 2))
        assert [len(other.recv(64)), len(other.recv(64)), len(one.recv(64))] == [32, 16, 16]
        unknown = struct.pack("=HH", (65536 - 16) // 8, 200).ljust(65536 - 16, b"x")
        one.send(bytes([2, 9, 0, 3]) + struct.pack("=HHII", 65536 // 8, 0, 7, 1) + unknown)
        assert len(one.recv(1 << 17)) == 16
        assert sorted(len(other.recv(1 << 17)) for _ in range(3)) == [16, 32, 65536 + 16]
        one.close()
        other.close()

    @pytest.mark.requirement("R-1.4-04")
    @pytest.mark.parametrize("packet", [b"x" * 16, notices.HELLO], ids=["bad", "hello"])
    def test_refusals_that_nobody_reads(self, start: Start, path: Path, packet: bytes) -> None:
        server = start()
        client = connected(path)
        flood(client, packet, 3 * MOST_WAITING)
        answered = connected(path)
        answered.send(requests.dump(dialect="linux").encode())
        assert answered.recv(64)
        (waiting, dropped) = max((len(item.outgoing), item.port.dropped) for item in server._connections.values())
        assert waiting <= MOST_WAITING
        assert dropped > 0
        client.close()
        answered.close()

    def test_more_clients_than_there_are_files(self, path: Path) -> None:
        """Those that do not fit are turned away at once; the others go on."""
        code = f"""
import resource
from pathlib import Path
from fastpfkey import Engine
from fastpfkey.transport.serving import Server
server = Server(Engine("linux"), Path({os.fspath(path)!r}))
resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
print("ready", flush=True)
server.run()
"""
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as server:
            assert server.stdout is not None
            server.stdout.readline()
            clients = [connected(path) for _ in range(40)]
            try:
                assert clients[-1].recv(64) == b""
                clients[0].send(requests.dump(dialect="linux").encode())
                assert clients[0].recv(64)
                for client in clients[1:]:
                    client.close()
                late = connected(path)
                late.send(requests.dump(dialect="linux").encode())
                assert late.recv(64)
                late.close()
            finally:
                for client in clients:
                    client.close()
                server.kill()
