"""Engines in this process as sources: one of its own, one that was there before, one with a made-up table.

They end with the process.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property

from ..engine.adoption import adopt
from ..engine.engine import Engine
from ..spec.model import Dialect
from .endpoint import Endpoint, Role
from .hosting import Host

DEMO = "demo:"


class Loopback:
    """An engine: the one that is given, or a new one that is made when an endpoint is first opened."""

    name = "engine"

    def __init__(self, dialect: Dialect, engine: Engine | None = None) -> None:
        self.dialect = dialect
        self._given = engine

    @cached_property
    def _host(self) -> Host:
        return Host(self._engine)

    @cached_property
    def _engine(self) -> Engine:
        return Engine(self.dialect) if self._given is None else self._given

    def open_endpoint(self, role: Role) -> Endpoint:
        """A new port of the engine."""
        return self._host.open(role)


class Demo(Loopback):
    """A made-up table of a busy gateway in an engine of its own, likewise: always the same one, as of just now."""

    def __init__(self, count: int, dialect: Dialect, wall: Callable[[], float] = time.time) -> None:
        super().__init__(dialect)
        self.name = f"{DEMO}{count}"
        self._count = count
        self._wall = wall
        self._now = int(wall())

    @cached_property
    def _engine(self) -> Engine:
        from ..columns.synthetic import synthetic

        engine = Engine(self.dialect, wall=self._wall)
        adopt(engine, synthetic(self._count, dialect=self.dialect, now=self._now).data, self._count)
        return engine
