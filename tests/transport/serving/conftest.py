"""A server that runs in a thread for the time of a test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastpfkey.engine.engine import Engine
from fastpfkey.transport.serving import Server

from .support import Start


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.sock"


@pytest.fixture
def start(path: Path) -> Iterator[Start]:
    """Start a server in a thread; it is stopped behind the test."""
    running: list[tuple[Server, threading.Thread]] = []

    def serve(engine: Engine | None = None, **arguments: object) -> Server:
        server = Server(Engine("linux") if engine is None else engine, path, **arguments)  # type: ignore[arg-type]
        thread = threading.Thread(target=server.run)
        thread.start()
        running.append((server, thread))
        return server

    yield serve
    for server, thread in running:
        server.stop()
        thread.join(10)
        assert not thread.is_alive()
