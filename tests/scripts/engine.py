"""The engine's side of scripts."""

from __future__ import annotations

from engine.world import World

from fastpfkey.engine.consumers import Association
from fastpfkey.engine.engine import Engine
from fastpfkey.engine.port import Port
from fastpfkey.spec.terms import SAType

from .script import HERE

PACKET = 64
"""What the kernel counts of a packet in transport mode, which is what is behind its IP header."""


class EngineSockets:
    """Ports of an engine with Linux's profile that shows keys to everybody, as the kernel does."""

    def __init__(self, larval: int = 30) -> None:
        self._world = World("linux", faithful_keys=True, larval_lifetime=float(larval), acquire_lifetime=float(larval))
        self._ports: dict[str, Port] = {}

    @property
    def engine(self) -> Engine:
        """The engine itself."""
        return self._world.engine

    def open(self, name: str, room: int) -> None:
        """Open a port."""
        self._ports[name] = self._world.port(limit=room or 1 << 22)

    def close(self, name: str) -> None:
        """Close one."""
        self._world.engine.disconnect(self._ports.pop(name))

    def send(self, name: str, message: bytes) -> int:
        """Have a port send a message."""
        try:
            self._world.engine.handle(self._ports[name], message)
        except OSError as error:
            return error.errno or 0
        return 0

    def read(self, name: str) -> list[bytes]:
        """Read one message after the other."""
        port = self._ports[name]
        found = []
        while message := port.receive_one():
            found.append(message)
        return found

    def wait(self, seconds: float) -> None:
        """Go from one thing that is due to the next."""
        clock, engine = self._world.clock, self._world.engine
        end = clock.now + seconds
        while (due := engine.next_deadline()) is not None and due <= end:
            clock.now = max(clock.now, due)
            engine.advance()
        clock.now = end

    def packets(self, count: int, satype: str, dst: str) -> None:
        """Use an association, or ask for one."""
        for _ in range(count):
            found = self._world.engine.find_outbound(SAType[satype.upper()], HERE, dst)
            if isinstance(found, Association):
                self._world.engine.account(found, 1, PACKET)
