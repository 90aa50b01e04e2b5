"""An engine in this process as a source: for trying out requests, and for tests. It ends with the process."""

from __future__ import annotations

import os

from ..engine.engine import Engine
from ..errors import TransportError
from ..spec.model import Dialect
from .answering import AnsweringEndpoint
from .endpoint import Endpoint, Role

PIECE = 1 << 20
"""Bytes that are taken from the engine at once; a dump waits in it meanwhile."""


class Loopback:
    """An engine of its own. What happens there is told when an endpoint sends something."""

    name = "engine"

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._engine = Engine(dialect)

    def open_endpoint(self, role: Role) -> Endpoint:
        """A new port of the engine."""
        port = self._engine.connect(pid=os.getpid())

        def answer(request: memoryview) -> memoryview:
            try:
                self._engine.handle(port, bytes(request))
            except OSError as error:
                number = error.errno or 0
                raise TransportError(number, f"the engine refuses a message: {os.strerror(number)}") from error
            pieces = []
            while piece := port.receive(PIECE):
                pieces.append(piece)
            return memoryview(b"".join(pieces))

        return AnsweringEndpoint(answer)
