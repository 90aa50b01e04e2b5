"""Dumps: a cursor that survives whatever happens to the table, and a pace that its reader sets.

As Linux does it, a dump fills its port to two thirds, stops, and goes on when a read has left a third or less. One
message is always held back, because the last one has number 0 and nobody knows before the end which it is. A cursor is
a serial number: what is added later lies outside of it, and what is removed before its turn is not there.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..hotpath import copy_records
from ..spec.terms import ExtensionType as Ext
from ..wire.extensions_ipsec import Filter
from .core import Core, ends_of
from .port import Block, Port
from .refusal import RefusedError
from .request import Request

if TYPE_CHECKING:
    from .store import Slots

WINDOW = 8192
"""Slots that are looked at in one go."""

_SEQ = slice(8, 12)


@dataclass
class Dump:
    """One dump of associations that is under way."""

    satype: int | None
    pid: int
    cursor: int
    """Serial number before, or behind, the next one to show."""
    newest: bool
    last: int
    """Serial number of the newest association when the dump began."""
    dead: bool
    wants: Callable[[bytes], bool] | None = None
    seq: int = 0
    held: bytes = b""
    done: bool = False

    def step(self, core: Core, count: int) -> Slots:
        """The next slots to show, `count` at most, and the cursor behind them."""
        store = core.store
        found = store.matching(0, 0, None)
        while not len(found) and not self.done:
            if self.newest:
                stop = store.slot_of(self.cursor)
                start = max(0, stop - WINDOW)
                slots = store.matching(start, stop, self.satype, self.dead)[::-1]
                self.done = start == 0
            else:
                start = store.slot_of(self.cursor + 1)
                stop = min(store.slot_of(self.last + 1), start + WINDOW)
                slots = store.matching(start, stop, self.satype, self.dead)
                self.done = stop == store.slot_of(self.last + 1)
            if len(slots) > count:
                slots, self.done = slots[:count], False
                self.cursor = int(store.rows[slots[-1]]["serial"])
            elif not self.done:
                edge = store.rows[start if self.newest else stop - 1]["serial"]
                self.cursor = int(edge)
            found = slots if self.wants is None else self._filtered(core, slots)
        return found

    def _filtered(self, core: Core, slots: Slots) -> Slots:
        wants = self.wants
        kept = [wants is None or wants(core.store.record(slot)) for slot in slots.tolist()]
        return slots[kept]


def start(core: Core, port: Port, request: Request) -> None:
    """DUMP (RFC 2367, 3.1.10)."""
    if not core.authorize(port, "read_keys"):
        raise RefusedError("EPERM")
    if port.number in core.dumps:
        raise RefusedError("EBUSY")
    satype = request.header.satype
    newest = core.profile.newest_first
    store = core.store
    last = int(store.rows[store.count - 1]["serial"]) if store.count else 0
    dump = Dump(
        satype or None,
        request.header.pid,
        last + 1 if newest else 0,
        newest,
        last,
        core.profile.dead_in_dumps,
        _filter(core, request),
    )
    if core.profile.dump == "paced":
        if not _hold_one(core, dump):
            raise RefusedError(core.profile.dump_empty)
        core.dumps[port.number] = dump
        fill(core, port, dump)
    else:
        _all_at_once(core, port, dump)


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


def _hold_one(core: Core, dump: Dump) -> bool:
    """Hold back the first message; False if there is none."""
    slots = dump.step(core, 1)
    if len(slots):
        dump.held = _copies(core, slots, 1, 1, dump.pid).data
    return bool(len(slots))


def resume(core: Core, port: Port) -> None:
    """A port was read: go on with its dump if it has room again."""
    dump = core.dumps.get(port.number)
    if dump is not None and 3 * port.queued <= port.limit:
        fill(core, port, dump)


def fill(core: Core, port: Port, dump: Dump) -> None:
    """Queue messages of a dump up to two thirds of what its port holds, or to its end."""
    while 3 * port.queued <= 2 * port.limit:
        room = port.limit * 2 // 3 - port.queued
        slots = dump.step(core, max(1, room // len(dump.held)))
        if not len(slots):
            port.put(dump.held[: _SEQ.start] + bytes(4) + dump.held[_SEQ.stop :])
            del core.dumps[port.number]
            return
        block = _copies(core, slots, dump.seq + 2, 1, dump.pid)
        dump.seq += 1
        port.put(dump.held)
        last = block.ends[-2] if len(block.ends) > 1 else 0
        dump.held = block.data[last:]
        dump.seq += len(block.ends) - 1
        if last:
            port.put_block(Block(block.data[:last], block.ends[:-1]))


def _copies(core: Core, slots: Slots, seq: int, step: int, pid: int) -> Block:
    """Dump messages of some slots, numbered from `seq`."""
    rows = core.store.rows[slots]
    sizes = rows["length"]
    out = bytearray(int(sizes.sum()))
    ends = array("Q", bytes(8 * len(slots)))
    copy_records(core.store.arena.data, np.ascontiguousarray(rows["offset"]).data, out, seq, step, pid, ends)
    return Block(bytes(out), ends)


def _all_at_once(core: Core, port: Port, dump: Dump) -> None:
    """A dump that does not wait for its reader, and counts down to 0."""
    blocks = []
    while len(slots := dump.step(core, WINDOW)):
        blocks.append(slots)
    total = sum(map(len, blocks))
    if not total:
        raise RefusedError(core.profile.dump_empty)
    if core.profile.dump == "whole":
        size = sum(int(core.store.rows[slots]["length"].sum()) for slots in blocks)
        if port.queued + size > port.limit and port.queued:
            raise RefusedError("ENOBUFS")
        port.limit, bound = max(port.limit, port.queued + size), port.limit
    seq = total - 1
    for slots in blocks:
        port.put_block(_copies(core, slots, seq, -1, dump.pid))
        seq -= len(slots)
    if core.profile.dump == "whole":
        port.limit = bound
