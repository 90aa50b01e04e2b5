"""Takes sockets through a script and writes down who heard what in each step, in a form that two runs can share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.wire.message import MessageValue

from .normal import Heard, Names, normal, place
from .script import Close, Packets, Read, Script, Send, Wait, title


class Sockets(Protocol):
    """Several sockets of one key engine."""

    def open(self, name: str, room: int) -> None:
        """Open one, for which `room` bytes may wait; 0 for as many as usual."""
        ...

    def close(self, name: str) -> None:
        """Close one."""
        ...

    def send(self, name: str, message: bytes) -> int:
        """Send a message, and return the errno of that, or 0."""
        ...

    def read(self, name: str) -> list[bytes]:
        """The messages that wait for one, and what follows on their being read."""
        ...

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        ...

    def packets(self, count: int, satype: str, dst: str) -> None:
        """Send packets."""
        ...


class Outcome(NamedTuple):
    """What became of a step."""

    title: str
    errno: int
    """That of send()."""
    heard: dict[str, list[Heard]]
    """What came to each socket."""


def run(script: Script, sockets: Sockets) -> list[Outcome]:
    """Take sockets through a script."""
    names = Names()
    opened = list(script.sockets)
    for name in opened:
        sockets.open(name, script.room.get(name, 0))
    found: list[Outcome] = []
    for step in script.steps:
        errno = 0
        reads = True
        if isinstance(step, Send):
            errno = sockets.send(step.socket, _message(step, names))
            reads = step.reads
        elif isinstance(step, Wait):
            sockets.wait(step.seconds)
        elif isinstance(step, Packets):
            sockets.packets(step.count, step.satype, step.dst)
        elif isinstance(step, Close):
            sockets.close(step.socket)
            opened.remove(step.socket)
        else:
            assert isinstance(step, Read)
        raw = {name: sockets.read(name) for name in opened} if reads else {}
        if isinstance(step, Send) and step.keeps:
            names.keep(step.keeps, raw[step.socket][-1])
        heard = {name: [normal(item, names) for item in messages] for name, messages in raw.items() if messages}
        if isinstance(step, Read):
            heard = {name: sorted(messages, key=_is_no_record) for name, messages in heard.items()}
        found.append(Outcome(title(step), errno, heard))
    for name in opened:
        sockets.close(name)
    return found


def _message(step: Send, names: Names) -> bytes:
    """The bytes of a step's message, with the numbers that it uses."""
    raw = bytearray(step.message.encode() if isinstance(step.message, MessageValue) else step.message)
    if step.acquired:
        raw[8:12] = names.acquired
    if step.uses:
        start, size = place(bytes(raw))
        raw[start : start + size] = names.kept[step.uses]
    return bytes(raw)


def _is_no_record(message: Heard) -> bool:
    return bool(message.errno) or message.type not in (Msg.DUMP, Msg.SPDDUMP)


def types(outcomes: Sequence[Outcome]) -> set[Msg]:
    """The types of all messages that were heard."""
    return {item.type for outcome in outcomes for messages in outcome.heard.values() for item in messages}
