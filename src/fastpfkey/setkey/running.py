"""Doing what a script says: requests sent, answers printed as setkey prints them.

Where requests go is the caller's business (`Engine`), and so is where text goes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .. import spec
from ..errors import ReplyError
from ..spec.model import Dialect
from ..spec.terms import MessageType
from ..wire import requests
from ..wire.decode import decode
from ..wire.message import Message, MessageValue
from .debug import debug_text, hexdump
from .look import Look
from .printing import Associations, Policies, Printer
from .rules import Command

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Engine(Protocol):
    """Where requests go."""

    @property
    def dialect(self) -> Dialect:
        """What it speaks."""
        ...

    @property
    def pid(self) -> int:
        """What requests carry as sadb_msg_pid."""
        ...

    def request(self, message: MessageValue) -> Message:
        """Send a request and return its reply. Raises ReplyError if that is an error."""
        ...

    def dump(self, message: MessageValue) -> Iterator[Buffer]:
        """Send a request for a dump; its messages as they come, back to back in each piece. None for an empty table."""
        ...


EMPTY = {
    MessageType.DELETE: "No entry",
    MessageType.GET: "No entry",
    MessageType.SPDDELETE: "No entry",
    MessageType.DUMP: "No SAD entries",
    MessageType.SPDDUMP: "No SPD entries",
}
"""What is said instead of the system's words where there is nothing of the kind."""


@dataclass(frozen=True)
class Told:
    """Where text goes and what is told beside the answers."""

    out: Callable[[bytes], object]
    complain: Callable[[str], object]
    """Takes a line for standard error."""
    file: str | None = None
    """Name of the script, which ipsec-tools puts before its complaints; None without -f."""
    script: bool = False
    """Whether there are lines to refer to."""
    verbose: bool = False
    hexadecimal: bool = False


class Runner:
    """Runs commands."""

    def __init__(self, engine: Engine, look: Look, told: Told) -> None:
        self.engine = engine
        self.look = look
        self.told = told
        self.refused = 0
        """Requests so far that were refused."""

    def run(self, commands: Iterable[Command]) -> None:
        """Run commands in order. A refusal is told, and the next command runs."""
        for command in commands:
            for warning in command.warnings:
                self.told.complain(self._prefixed(command.line, warning))
            for message in command.messages:
                self.send(message, command)

    def send(self, message: MessageValue, command: Command) -> None:
        """Send one request and print what comes back."""
        self._show(message)
        try:
            if command.between is not None and message.type is MessageType.DUMP:
                self._delete_all(message, command)
            elif message.type is MessageType.DUMP:
                self.dump(message, Associations(self.engine.dialect, self.look), command.line)
            elif message.type is MessageType.SPDDUMP:
                self.dump(message, Policies(self.engine.dialect, self.look), command.line)
            else:
                reply = self.engine.request(message)
                self._show(reply, sent=False)
                if message.type is MessageType.GET:
                    for piece in Associations(self.engine.dialect, self.look).text(reply.encode()):
                        self.told.out(piece)
        except ReplyError as error:
            self._refused(message, error, command.line)

    def dump(self, message: MessageValue, printer: Printer, line: int = 0) -> None:
        """Send a request for a dump and print what comes back."""
        printed = False
        for messages in self.engine.dump(message):
            for piece in printer.text(messages):
                printed = printed or bool(piece)
                self.told.out(piece)
        if not printed and not printer.hidden:
            self._say(EMPTY[message.type], line)
        if isinstance(printer, Policies) and not self.look.sockets:
            noun = "policy" if printer.hidden == 1 else "policies"
            self.told.out(f"{printer.hidden} per-socket {noun} not shown (filtered by -N)\n".encode())

    def _delete_all(self, message: MessageValue, command: Command) -> None:
        for messages in self.engine.dump(message):
            for deletion in deletions(messages, command, self.engine.dialect):
                self.send(deletion, Command("delete", command.line))

    def _show(self, message: Message, sent: bool = True) -> None:
        """-v and -H."""
        if self.told.verbose or (self.told.hexadecimal and sent):
            raw = (message.replace(pid=self.engine.pid) if sent else message).encode()
            if self.told.hexadecimal and sent:
                self.told.out(hexdump(raw).encode())
            if self.told.verbose:
                self.told.out(debug_text(decode(raw, message.dialect)[0], self.look.redact).encode())

    def _refused(self, message: MessageValue, error: ReplyError, line: int) -> None:
        self.refused += 1
        if error.name == "ENOENT" and message.type in EMPTY:
            self._say(EMPTY[message.type], line)
        else:
            here = self.engine.dialect.name == spec.host_dialect()
            self._say(os.strerror(error.errno or 0) if here else error.name, line)

    def _say(self, text: str, line: int) -> None:
        if self.look.variant.freebsd:
            text = f"The result of line {line}: {text}" if self.told.script else text
            self.told.out(f"{text}.\n".encode())
        elif self.told.file is not None:
            self.told.complain(self._prefixed(line, text))
        else:
            self.told.out(f"{text}.\n".encode())

    def _prefixed(self, line: int, text: str) -> str:
        return text if self.told.file is None else f"{self.told.file},{line}: {text}"


def deletions(found: Buffer, command: Command, dialect: Dialect) -> Iterator[MessageValue]:
    """A request for each association of a dump that lies between the ends that a command names."""
    if command.between is None:
        return
    satype, ends = command.between
    pairs = {(one.ip, other.ip) for one, other in ends}
    for message in decode(found, dialect):
        src, dst, sa = message.address_src, message.address_dst, message.sa
        if src is not None and dst is not None and sa is not None and (src.ip, dst.ip) in pairs:
            yield requests.delete(satype, sa.spi, str(src.ip), str(dst.ip), dialect=dialect)
