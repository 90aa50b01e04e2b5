"""Stretches of ADDs of known moulds, installed and answered at once: rows, records, index, timers and answers.

Who gets here has been found to break no rule; what is taken, or was refused with its mould, is answered with an error.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..spec.delivery import ERROR
from ..spec.model import HEADER_SIZE, WORD
from ..spec.rfc2367 import MSG
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType as Msg
from ..spec.terms import SAState
from .core import Core
from .lifetimes import deadlines
from .moulds import Form, Matrix, Mould
from .port import Block, Port
from .store import LIMITS, Slots

LENGTH = MSG["len"].offset
_MAPPED = np.frombuffer(bytes(10) + b"\xff\xff", np.uint8)

One = Callable[[bytes, int], None]
"""Acts on one message, whose number in the buffer it is told."""


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
            size = int.from_bytes(self.octets[begin + LENGTH : begin + LENGTH + 2].tobytes(), sys.byteorder) * WORD
            self.one(self.octets[begin : begin + size].tobytes(), self.first + place)


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


def number(rows: Matrix, at: int, kind: str) -> npt.NDArray[np.int64]:
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


def install(run: Run, batches: list[Batch], stretch: Slots) -> None:
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
    rows["seq"][slots] = number(batch.rows, 8, "u4")
    rows["pid"][slots] = number(batch.rows, 12, "u4")
    for prefix, exttype in (("hard", Ext.LIFETIME_HARD), ("soft", Ext.LIFETIME_SOFT)):
        for name in LIMITS:
            at = mould.at.get((exttype, name))
            if at is not None:
                kind = "u4" if name == "allocations" else "u8"
                rows[f"{prefix}_{name}"][slots] = number(batch.rows, at, kind)


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
    found[:, LENGTH : LENGTH + 2] = np.frombuffer(np.uint16(HEADER_SIZE // WORD).tobytes(), np.uint8)
    return found
