"""Dumps: a cursor that survives whatever happens to the table, and a pace that its reader sets.

As Linux does it, a dump fills its port to two thirds, stops, and goes on when a read has left a third or less. One
message is always held back, because the last one has number 0 and nobody knows before the end which it is. The cursor
of associations is a serial number: what is added later lies outside of it, and what is removed before its turn is not
there.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..hotpath import copy_records
from ..spec.terms import ExtensionType as Ext
from ..wire.extensions_ipsec import Filter
from .core import Core
from .identity import ends_of
from .port import Block, Port
from .refusal import RefusedError
from .request import Request

if TYPE_CHECKING:
    from .store import Slots

WINDOW = 1 << 16
"""Slots that are looked at in one go, at most."""

_SEQ = slice(8, 12)


class Rest(Protocol):
    """What a dump has yet to show."""

    def take(self, core: Core, count: int, seq: int, step: int) -> Block:
        """The next messages, `count` at most, numbered from `seq`; an empty block at the end."""
        ...

    def left(self, core: Core) -> int:
        """Messages yet to come."""
        ...


@dataclass
class Associations:
    """The associations that a dump has yet to show."""

    satype: int | None
    pid: int
    cursor: int
    """Serial number before, or with the newest first behind, the next one to show."""
    newest: bool
    last: int
    """Serial number of the newest association when the dump began."""
    dead: bool
    wants: Callable[[bytes], bool] | None = None
    done: bool = False

    def take(self, core: Core, count: int, seq: int, step: int) -> Block:
        """The next messages."""
        slots = self._step(core, count)
        rows = core.store.rows
        out = np.empty(int(rows["length"][slots].sum()), np.uint8)
        ends = array("Q", bytes(8 * len(slots)))
        copy_records(core.store.arena.data, rows["offset"][slots].data, out.data, seq, step, self.pid, ends)
        return Block(out.data, ends)

    def left(self, core: Core) -> int:
        """Associations yet to come."""
        slots = core.store.matching(0, core.store.count, self.satype, self.dead)
        return len(self._wanted(core, slots))

    def _step(self, core: Core, count: int) -> Slots:
        """The next slots, window by window until some are found."""
        found = core.store.matching(0, 0, None)
        while not len(found) and not self.done:
            found = self._wanted(core, self._window(core, count))
        return found

    def _window(self, core: Core, count: int) -> Slots:
        """The slots of the next window, `count` at most, with the cursor set behind them."""
        store = core.store
        window = min(WINDOW, count + count // 8 + 64)
        if self.newest:
            stop = store.slot_of(self.cursor)
            start = max(0, stop - window)
            slots = store.matching(start, stop, self.satype, self.dead)[::-1]
            self.done = start == 0
            edge = start
        else:
            start = store.slot_of(self.cursor + 1)
            end = store.slot_of(self.last + 1)
            stop = min(end, start + window)
            slots = store.matching(start, stop, self.satype, self.dead)
            self.done = stop == end
            edge = stop - 1
        if len(slots) > count:
            slots, self.done = slots[:count], False
            edge = int(slots[-1])
        if not self.done:
            self.cursor = int(store.rows[edge]["serial"])
        return slots

    def _wanted(self, core: Core, slots: Slots) -> Slots:
        wants = self.wants
        if wants is None:
            return slots
        return slots[[wants(core.store.record(slot)) for slot in slots.tolist()]]


@dataclass
class Dump:
    """One dump that is under way."""

    rest: Rest
    held: bytes
    """The message that is held back."""
    seq: int = 1
    """Its number."""


def start(core: Core, port: Port, request: Request) -> None:
    """DUMP (RFC 2367, 3.1.10)."""
    if not core.authorize(port, "read_keys"):
        raise RefusedError("EPERM")
    newest = core.profile.newest_first
    store = core.store
    last = int(store.rows[store.count - 1]["serial"]) if store.count else 0
    rest = Associations(
        request.header.satype or None,
        request.header.pid,
        last + 1 if newest else 0,
        newest,
        last,
        core.profile.dead_in_dumps,
        _filter(core, request),
    )
    begin(core, port, rest)


def begin(core: Core, port: Port, rest: Rest) -> None:
    """Show all of something to a port."""
    if port.number in core.dumps:
        raise RefusedError("EBUSY")
    if core.profile.dump != "paced":
        _all_at_once(core, port, rest)
        return
    first = rest.take(core, 1, 1, 1)
    if not first.data:
        raise RefusedError(core.profile.dump_empty)
    core.dumps[port.number] = dump = Dump(rest, bytes(first.data))
    _fill(core, port, dump)


def _filter(core: Core, request: Request) -> Callable[[bytes], bool] | None:
    """What a filter leaves, from a record's bytes; None where everything is wanted."""
    wanted = request.values.get(Ext.FILTER)
    if not isinstance(wanted, Filter) or not (wanted.family or wanted.splen or wanted.dplen):
        return None

    def wants(record: bytes) -> bool:
        _, src, dst = ends_of(core.records.values(record))
        if wanted.family not in (0, src.version):
            return False
        return _covers(wanted.saddr, wanted.splen, src.packed) and _covers(wanted.daddr, wanted.dplen, dst.packed)

    return wants


def _covers(prefix: bytes, length: int, address: bytes) -> bool:
    """Whether an address lies in a prefix."""
    bits = min(length, len(address) * 8)
    shift = len(address) * 8 - bits
    return int.from_bytes(prefix[: len(address)], "big") >> shift == int.from_bytes(address, "big") >> shift


def resume(core: Core, port: Port) -> None:
    """A port was read: go on with its dump if it has room again."""
    dump = core.dumps.get(port.number)
    if dump is not None and 3 * port.queued <= port.limit:
        _fill(core, port, dump)


def _fill(core: Core, port: Port, dump: Dump) -> None:
    """Queue messages of a dump to about two thirds of what its port holds, or to its end."""
    while 3 * port.queued <= port.limit:
        room = port.limit * 2 // 3 - port.queued
        block = dump.rest.take(core, max(1, room // len(dump.held)), dump.seq + 1, 1)
        if not block.data:
            _show(core, port, Block(dump.held[: _SEQ.start] + bytes(4) + dump.held[_SEQ.stop :], (len(dump.held),)))
            del core.dumps[port.number]
            return
        _show(core, port, Block(dump.held, (len(dump.held),)))
        last = block.ends[-2] if len(block.ends) > 1 else 0
        if last:
            _show(core, port, Block(block.data[:last], block.ends[:-1]))
        dump.held = bytes(block.data[last:])
        dump.seq += len(block.ends)


def _all_at_once(core: Core, port: Port, rest: Rest) -> None:
    """A dump that does not wait for its reader, and counts down to 0."""
    total = rest.left(core)
    if not total:
        raise RefusedError(core.profile.dump_empty)
    blocks = []
    seq = total - 1
    while (block := rest.take(core, WINDOW, seq, -1)).data:
        blocks.append(block)
        seq -= len(block.ends)
    whole = core.profile.dump == "whole"
    if whole and port.queued >= port.limit:
        raise RefusedError("ENOBUFS")
    for block in blocks:
        _show(core, port, block, anyway=whole)


def _show(core: Core, port: Port, block: Block, anyway: bool = False) -> None:
    """Queue messages of a dump, and copies for promiscuous sockets."""
    if any(other.promiscuous for other in core.ports.values()):
        begins = (0, *block.ends)
        for begin, end in zip(begins, block.ends, strict=False):
            core.copy_answer(bytes(block.data[begin:end]), port)
    port.put_block(block, anyway)
