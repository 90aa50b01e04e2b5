"""Many requests in one buffer: runs of ADDs at the price of copying, everything else one by one, all in order.

What an ADD does is done once for each mould (moulds.py) and then for a whole run at once: rows, records, index, timers
and answers. A message that fits no mould, an identity that is taken, a value that a rule speaks about, or a listener
who sees everything, sends a message the ordinary way, so that one by one and all at once come to the same.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..hotpath import walk
from ..spec.delivery import ERROR
from ..spec.model import HEADER_SIZE, WORD
from ..spec.rfc2367 import MSG
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType as Msg
from ..spec.terms import SAState
from .core import Core
from .faults import FaultyPort
from .lifetimes import deadlines
from .moulds import Form, Matrix, Mould, cast
from .port import Block, Port
from .store import LIMITS, Slots

CHUNK = 16384
"""Messages that are looked at in one go."""

SHORTEST_RUN = 8
"""ADDs in a row that are worth a matrix."""

MOST_MOULDS = 256
"""Moulds that are remembered; beyond them messages go one by one."""

_LENGTH = MSG["len"].offset
_TYPE = MSG["type"].offset
_SATYPE = MSG["satype"].offset
_MAPPED = np.frombuffer(bytes(10) + b"\xff\xff", np.uint8)

One = Callable[[bytes, int], None]
"""Acts on one message, whose number in the buffer it is told."""


def handle(core: Core, port: Port, data: memoryview, one: One) -> int:
    """Act on the messages of a buffer, and return their number. `one` acts on a single message."""
    adding = core.framing.type_number(Msg.ADD)
    octets = np.frombuffer(data, np.uint8)
    offsets = array("Q", bytes(8 * CHUNK))
    position, handled = 0, 0
    while position < len(data):
        outcome = walk(data, position, len(data), core.framing.codec.frame, False, offsets)
        begins = np.frombuffer(offsets, np.uint64)[: outcome.count].astype(np.int64)
        adds = (octets[begins + _TYPE] == adding) & ~np.isin(octets[begins + _SATYPE], list(core.by_ends))
        _chunk(Run(core, port, octets, begins, one, handled), adds)
        handled += outcome.count
        position = outcome.next
        if outcome.fault:
            # A message that cannot be read ends where its header says, or takes all that is left.
            size = (
                int.from_bytes(data[position + _LENGTH : position + _LENGTH + 2], core.framing.codec.byteorder) * WORD
            )
            stop = position + size if HEADER_SIZE <= size <= len(data) - position else len(data)
            one(bytes(data[position:stop]), handled)
            position = stop
            handled += 1
    return handled


@dataclass(frozen=True)
class Run:
    """Messages of a buffer that can be read, and who acts on them."""

    core: Core
    port: Port
    octets: Matrix
    begins: Slots
    one: One
    first: int
    """Number of the first of them in the buffer."""

    def singly(self, places: Slots) -> None:
        """Act on some of them one by one."""
        for place in places.tolist():
            begin = int(self.begins[place])
            size = int.from_bytes(self.octets[begin + _LENGTH : begin + _LENGTH + 2].tobytes(), sys.byteorder) * WORD
            self.one(self.octets[begin : begin + size].tobytes(), self.first + place)


def _chunk(run: Run, adds: npt.NDArray[np.bool_]) -> None:
    """Act on messages that can be read, stretches of ADDs at once."""
    if not len(adds):
        return
    edges = np.flatnonzero(np.diff(adds)) + 1
    for stretch in np.split(np.arange(len(adds)), edges):
        if len(stretch) >= SHORTEST_RUN and adds[stretch[0]] and _undisturbed(run.core, run.port):
            _adds(run, stretch)
        else:
            run.singly(stretch)


def _undisturbed(core: Core, port: Port) -> bool:
    """Whether nobody has to see each message on its own."""
    watched = any(item.promiscuous or isinstance(item, FaultyPort) for item in core.ports.values())
    return not watched and core.authorize(port, "modify")


@dataclass(frozen=True)
class Batch:
    """Requests of one mould."""

    mould: Mould
    places: Slots
    """Which of the run they are, in order."""
    rows: Matrix

    def only(self, chosen: npt.NDArray[np.bool_]) -> Batch:
        """Some of them."""
        return Batch(self.mould, self.places[chosen], self.rows[chosen])

    def between(self, first: int, last: int) -> Batch:
        """Those from one place of the run to another."""
        chosen = slice(*np.searchsorted(self.places, (first, last + 1)).tolist())
        return Batch(self.mould, self.places[chosen], self.rows[chosen])


class Refusals(NamedTuple):
    """Requests that get one error."""

    errno: str
    places: Slots
    """Which of the stretch they are."""
    rows: Matrix


def _adds(run: Run, adds: Slots) -> None:
    """Act on ADDs in a row: stretches of those that fit a mould at once, the others one by one."""
    batches = [batch.only(_sound(run.core, batch)) for batch in _sorted_out(run, adds)]
    fit = np.zeros(len(run.begins), np.bool_)
    for batch in batches:
        fit[batch.places] = True
    edges = np.flatnonzero(np.diff(fit[adds])) + 1
    for stretch in np.split(adds, edges):
        if not fit[stretch[0]] or len(stretch) < SHORTEST_RUN:
            run.singly(stretch)
            continue
        first, last = int(stretch[0]), int(stretch[-1])
        parts = [batch.between(first, last) for batch in batches]
        _install(run, [part for part in parts if len(part.places)], stretch)


def _sorted_out(run: Run, adds: Slots) -> list[Batch]:
    """Requests by mould; those without one are in no batch."""
    begins = run.begins[adds]
    words = run.octets[begins[:, None] + _LENGTH + np.arange(2)].view(np.uint16)[:, 0]
    found = []
    for length in np.unique(words).tolist():
        places = adds[words == length]
        rows = run.octets[run.begins[places][:, None] + np.arange(length * WORD)]
        left = np.arange(len(places))
        while len(left):
            mould = _mould_of(run.core, rows[left[0]])
            if mould is None:
                left = left[1:]
                continue
            fit = mould.fits(rows[left].view(np.uint64))
            found.append(Batch(mould, places[left[fit]], rows[left[fit]]))
            left = left[~fit]
    return found


def _mould_of(core: Core, row: Matrix) -> Mould | None:
    """The mould of a message, known or cast now."""
    known = core.moulds.setdefault(len(row), [])
    words = row.view(np.uint64)[None, :]
    for mould in known:
        if mould.fits(words)[0]:
            return mould
    if sum(map(len, core.moulds.values())) >= MOST_MOULDS:
        return None
    made = cast(core, row.tobytes())
    if made is not None:
        known.append(made)
    return made


def _sound(core: Core, batch: Batch) -> npt.NDArray[np.bool_]:
    """Which requests no rule has anything to say about."""
    mould, rows = batch.mould, batch.rows
    spi = _number(rows, mould.at[Ext.SA, ""], ">u4")
    good = (spi >= mould.spis[0]) & (spi <= mould.spis[1])
    src = mould.at[Ext.ADDRESS_SRC, ""]
    if mould.version == 4:
        good &= (rows[:, src] & 0xF0 != 0xE0) & (rows[:, src : src + 4] != 0xFF).any(axis=1)
    else:
        good &= rows[:, src] != 0xFF
    if core.profile.no_limit:
        for exttype in (Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT):
            at = mould.at.get((exttype, "bytes"))
            if at is not None:
                good &= _number(rows, at, "u8") != core.profile.no_limit
    if core.pending:
        good &= ~np.isin(_number(rows, 8, "u4"), np.fromiter(core.pending, np.uint32))
    return good


def _number(rows: Matrix, at: int, kind: str) -> npt.NDArray[np.int64]:
    """One number of each request."""
    dtype = np.dtype(kind)
    return np.ascontiguousarray(rows[:, at : at + dtype.itemsize]).view(dtype)[:, 0]


def _keys(core: Core, batch: Batch) -> list[bytes]:
    """The identities of the requests of a batch, as `Core.key` makes them."""
    mould, rows = batch.mould, batch.rows
    ends = []
    for name in (Ext.ADDRESS_DST, Ext.ADDRESS_SRC):
        at = mould.at[name, ""]
        if mould.version == 6:
            ends.append(rows[:, at : at + 16])
            continue
        mapped = np.empty((len(rows), 16), np.uint8)
        mapped[:, :12], mapped[:, 12:] = _MAPPED, rows[:, at : at + 4]
        ends.append(mapped)
    spis = rows[:, (at := mould.at[Ext.SA, ""]) : at + 4]
    return core.keys(mould.satype, spis, *ends)


def _install(run: Run, batches: list[Batch], stretch: Slots) -> None:
    """Store and answer a stretch of ADDs."""
    core, base, count = run.core, int(stretch[0]), len(stretch)
    if 0 < core.profile.most_associations < core.store.alive + count:
        run.singly(stretch)
        return
    good = [batch for batch in batches if not batch.mould.refused]
    keys = [b""] * count
    for batch in good:
        for place, key in zip((batch.places - base).tolist(), _keys(core, batch), strict=True):
            keys[place] = key
    taken = _taken(core, keys)
    bad = [batch for batch in batches if batch.mould.refused]
    refused = [Refusals(batch.mould.refused, batch.places - base, batch.rows) for batch in bad]
    if taken.any():
        if core.profile.request_errors:
            run.singly(stretch)
            return
        late = [batch.only(taken[batch.places - base]) for batch in good]
        refused += [Refusals("EEXIST", batch.places - base, batch.rows) for batch in late]
        good = [batch.only(~taken[batch.places - base]) for batch in good]
    current = np.frombuffer(core.records.counters(b"", 0, 0, core.wall(core.now), 0)[1], np.uint8)
    stored = np.full(count, -1)
    records, lengths = _interleaved([(batch.places - base, _poured(batch, "record", current)) for batch in good], count)
    kept = lengths > 0
    wanted = [key for key, use in zip(keys, kept.tolist(), strict=True) if use]
    slots = core.store.add_many(wanted, records, lengths[kept])
    stored[kept] = slots
    for batch in good:
        _set_rows(core, run.port, batch, stored[batch.places - base])
    core.wheel.add_many(slots, deadlines(core, slots))
    _answer(run, good, refused, base, count, current)


def _taken(core: Core, keys: list[bytes]) -> npt.NDArray[np.bool_]:
    """Which identities somebody has, or has by then. What has no identity is refused anyway."""
    taken = np.zeros(len(keys), np.bool_)
    index = core.store.index
    named = [key for key in keys if key]
    if index.keys().isdisjoint(named) and len(set(named)) == len(named):
        return taken
    seen: set[bytes] = set()
    for place, key in enumerate(keys):
        if key:
            taken[place] = key in index or key in seen
            seen.add(key)
    return taken


def _poured(batch: Batch, which: str, current: Matrix) -> Matrix:
    """The records or answers of a batch."""
    form: Form = getattr(batch.mould, which)
    return form.pour(batch.rows, current)


def _interleaved(blocks: list[tuple[Slots, Matrix]], count: int) -> tuple[Matrix, Slots]:
    """Messages of several matrices in the order of their places, back to back, and their lengths."""
    lengths = np.zeros(count, np.int64)
    for places, block in blocks:
        lengths[places] = block.shape[1]
    if len(blocks) == 1:
        return blocks[0][1].reshape(-1), lengths
    if not blocks:
        return np.empty(0, np.uint8), lengths
    ends = np.cumsum(lengths)
    words = np.empty(int(ends[-1]) // WORD, np.uint64)
    for places, block in blocks:
        size = block.shape[1]
        first = (ends[places] - size) // WORD
        words[first[:, None] + np.arange(size // WORD)] = np.ascontiguousarray(block).view(np.uint64)
    return words.view(np.uint8), lengths


def _set_rows(core: Core, port: Port, batch: Batch, slots: Slots) -> None:
    """The rows of new associations, apart from place and serial number."""
    rows = core.store.rows
    mould = batch.mould
    rows["added"][slots] = core.now
    rows["satype"][slots] = mould.satype
    rows["state"][slots] = SAState.MATURE
    rows["creator"][slots] = port.number
    rows["seq"][slots] = _number(batch.rows, 8, "u4")
    rows["pid"][slots] = _number(batch.rows, 12, "u4")
    for prefix, exttype in (("hard", Ext.LIFETIME_HARD), ("soft", Ext.LIFETIME_SOFT)):
        for name in LIMITS:
            at = mould.at.get((exttype, name))
            if at is not None:
                kind = "u4" if name == "allocations" else "u8"
                rows[f"{prefix}_{name}"][slots] = _number(batch.rows, at, kind)


def _answer(run: Run, good: list[Batch], refused: list[Refusals], base: int, count: int, current: Matrix) -> None:
    """Answer a stretch."""
    core, port = run.core, run.port
    told = {id(item) for ports in core.audience(core.deliveries.answer(Msg.ADD), port, 0) for item in ports}
    warned = {id(item) for ports in core.audience(core.deliveries.answers[ERROR], port, 0) for item in ports}
    errors = [(item.places, _errors(core, item)) for item in refused]
    made: dict[tuple[str, bool], Block] = {}
    for receiver in list(core.ports.values()):
        which = "answer" if receiver is port else "public"
        kind = (which if id(receiver) in told else "", id(receiver) in warned)
        if kind not in made:
            blocks = [(batch.places - base, _poured(batch, which, current)) for batch in good] if kind[0] else []
            data, lengths = _interleaved([*blocks, *(errors if kind[1] else [])], count)
            ends = np.cumsum(lengths[lengths > 0]).astype(np.uint64)
            made[kind] = Block(data.tobytes(), array("Q", ends.tobytes()))
        receiver.put_block(made[kind])


def _errors(core: Core, refusals: Refusals) -> Matrix:
    """The base headers that report an error to each of some requests."""
    found = refusals.rows[:, :HEADER_SIZE].copy()
    found[:, MSG["errno"].offset] = core.errno(refusals.errno)
    found[:, _LENGTH : _LENGTH + 2] = np.frombuffer(np.uint16(HEADER_SIZE // WORD).tobytes(), np.uint8)
    return found
