"""Messages of a dump as setkey's text, a block at a time: decoded into columns, rendered, handed on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..columns.policies import PolicyTable
from ..errors import wire_error
from ..hotpath import decode, render
from ..spec.model import Dialect
from ..spec.plan import ByteOrder, column_plan
from ..spec.tables import Table
from ..spec.template import Template
from . import associations, policies, short
from .look import Look
from .words import DEAD

if TYPE_CHECKING:
    from typing_extensions import Buffer

BLOCK = 1024
"""Messages that are decoded and then rendered."""

ROOM = 1 << 20
"""Bytes of text at first; a single row that needs more gets more."""


class Printer(ABC):
    """Prints the messages of any number of buffers of one system."""

    def __init__(self, table: Table, template: Template, dialect: Dialect, byteorder: ByteOrder) -> None:
        self.dialect = dialect
        self.byteorder = byteorder
        self.template = template
        self.plan = column_plan(dialect, table, byteorder=byteorder)
        self.memory = [bytearray(BLOCK * column.width) for column in self.plan.columns]
        self.out = bytearray(ROOM)
        self.messages = 0
        """Messages read so far."""
        self.octets = 0
        """Bytes of the buffers before this one."""
        self.hidden = 0
        """Rows so far that were left out on purpose."""

    def text(self, buffer: Buffer) -> Iterator[bytes]:
        """The text of the messages of a buffer, in pieces.

        Raises WireError behind the text of the good ones; its offset counts from the first buffer.
        """
        view = memoryview(buffer)
        position, stop = 0, len(view)
        while position < stop:
            outcome = decode(view, position, stop, self.plan, False, self.memory, 0, BLOCK)
            yield from self.rendered(view, self.columns(view[position : outcome.next], outcome.count), outcome.count)
            self.messages += outcome.count
            position = outcome.next
            if outcome.fault:
                raise wire_error(outcome.fault, self.octets + outcome.position, self.messages)
        self.octets += stop

    def rendered(self, buffer: memoryview, columns: Sequence[Buffer], count: int) -> Iterator[bytes]:
        """The text of decoded rows."""
        row = 0
        while row < count:
            done = render(self.template, columns, row, count, buffer, self.out)
            if done.rows == 0:
                self.out = bytearray(2 * len(self.out))
            yield bytes(memoryview(self.out)[: done.size])
            row += done.rows

    @abstractmethod
    def columns(self, messages: memoryview, count: int) -> Sequence[Buffer]:
        """The columns that the template wants, of the block that was just decoded from these messages."""


class Associations(Printer):
    """``setkey -D``."""

    def __init__(self, dialect: Dialect, look: Look, byteorder: ByteOrder = "native") -> None:
        super().__init__(associations.TABLE, self.form(dialect, look), dialect, byteorder)
        self.look = look
        self.state = [column.name for column in self.plan.columns].index("state")

    def form(self, dialect: Dialect, look: Look) -> Template:
        """The template."""
        return associations.association(dialect, look)

    def columns(self, messages: memoryview, count: int) -> Sequence[Buffer]:
        """The decoded columns."""
        if not self.look.dead:
            self.hidden += bytes(self.memory[self.state][:count]).count(DEAD)
        return self.memory


class Short(Associations):
    """``setkey -l -D``."""

    def form(self, dialect: Dialect, look: Look) -> Template:
        """The template."""
        return short.line(dialect, look)


class Policies(Printer):
    """``setkey -DP``."""

    def __init__(self, dialect: Dialect, look: Look, byteorder: ByteOrder = "native") -> None:
        super().__init__(policies.TABLE, policies.policy(dialect, look), dialect, byteorder)
        self.places = {column.name: place for place, column in enumerate(self.plan.columns)}
        self.look = look

    def columns(self, messages: memoryview, count: int) -> Sequence[Buffer]:
        """The decoded columns, and the requests."""
        found = PolicyTable.from_buffer(messages, self.dialect, ["spid"], self.byteorder)
        kinds = self._memory("policy").cast("H").tolist()[:count]
        directions = self._memory("dir").tolist()[:count]
        flaws = policies.flaws(kinds, directions, found.requests, found.request_offsets.tolist())
        sockets = policies.owned_by_sockets(self.dialect, self._memory("id").cast("I").tolist()[:count])
        self.hidden += 0 if self.look.sockets else sum(sockets)
        requests = [found.requests[name].data for name in found.requests.columns]
        return [*self.memory, flaws, sockets, found.request_offsets.data, *requests]

    def _memory(self, column: str) -> memoryview:
        return memoryview(self.memory[self.places[column]])
