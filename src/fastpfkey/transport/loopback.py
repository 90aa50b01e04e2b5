"""Engines in this process as sources, for trying out requests and for tests: an empty one, one with a made-up table.

They end with the process.
"""

from __future__ import annotations

import os
from functools import cached_property

from ..engine.adoption import adopt
from ..engine.engine import Engine
from ..errors import TransportError
from ..spec.model import Dialect
from .answering import AnsweringEndpoint
from .endpoint import Endpoint, Role

DEMO = "demo:"

PIECE = 1 << 20
"""Bytes that are taken from the engine at once; a dump waits in it meanwhile."""


class Loopback:
    """An engine of its own. What happens there is told when an endpoint sends something."""

    name = "engine"

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    @cached_property
    def _engine(self) -> Engine:
        return Engine(self.dialect)

    def open_endpoint(self, role: Role) -> Endpoint:
        """A new port of the engine, with room for a dump of engines that do not wait for their reader."""
        engine = self._engine
        port = engine.connect(pid=os.getpid(), limit=engine.profile.queue_limit + engine.octets)

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


class Demo(Loopback):
    """A made-up table of a busy gateway in an engine of its own, which is filled when an endpoint is first opened."""

    def __init__(self, count: int, dialect: Dialect) -> None:
        super().__init__(dialect)
        self.name = f"{DEMO}{count}"
        self._count = count

    @cached_property
    def _engine(self) -> Engine:
        from ..columns.synthetic import NOW, synthetic

        engine = Engine(self.dialect, wall=lambda: NOW)
        adopt(engine, synthetic(self._count, dialect=self.dialect).data, self._count)
        return engine
