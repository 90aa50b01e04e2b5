"""Many requests in one buffer: runs of ADDs at the price of copying, everything else one by one, all in order.

What an ADD does is done once for each mould (moulds.py) and then for a whole run at once (installs.py): rows, records,
index, timers and answers. A message that fits no mould, an identity that is taken, a value that a rule speaks about, or
a listener who sees everything, sends a message the ordinary way, so that one by one and all at once come to the same.
"""

from __future__ import annotations

from array import array

import numpy as np
import numpy.typing as npt

from ..hotpath import walk
from ..spec.model import HEADER_SIZE, WORD
from ..spec.rfc2367 import MSG
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType as Msg
from .core import Core
from .faults import FaultyPort
from .installs import LENGTH, Batch, One, Run, install, number
from .moulds import Matrix, Mould, cast
from .port import Port
from .store import Slots

CHUNK = 16384
"""Messages that are looked at in one go."""

SHORTEST_RUN = 8
"""ADDs in a row that are worth a matrix."""

MOST_MOULDS = 256
"""Moulds that are remembered; beyond them messages go one by one."""

_TYPE = MSG["type"].offset
_SATYPE = MSG["satype"].offset


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
            size = int.from_bytes(data[position + LENGTH : position + LENGTH + 2], core.framing.codec.byteorder) * WORD
            stop = position + size if HEADER_SIZE <= size <= len(data) - position else len(data)
            one(bytes(data[position:stop]), handled)
            position = stop
            handled += 1
    return handled


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
        install(run, [part for part in parts if len(part.places)], stretch)


def _sorted_out(run: Run, adds: Slots) -> list[Batch]:
    """Requests by mould; those without one are in no batch."""
    begins = run.begins[adds]
    words = run.octets[begins[:, None] + LENGTH + np.arange(2)].view(np.uint16)[:, 0]
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
    spi = number(rows, mould.at[Ext.SA, ""], ">u4")
    good = (spi >= mould.spis[0]) & (spi <= mould.spis[1])
    src = mould.at[Ext.ADDRESS_SRC, ""]
    if mould.version == 4:
        good &= (rows[:, src] & 0xF0 != 0xE0) & (rows[:, src : src + 4] != 0xFF).any(axis=1)
    else:
        good &= rows[:, src] != 0xFF
    if mould.proxy:
        good &= (rows[:, src : src + len(mould.proxy)] != np.frombuffer(mould.proxy, np.uint8)).any(axis=1)
    if core.profile.no_limit:
        for exttype in (Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT):
            at = mould.at.get((exttype, "bytes"))
            if at is not None:
                good &= number(rows, at, "u8") != core.profile.no_limit
    if core.pending:
        good &= ~np.isin(number(rows, 8, "u4"), np.fromiter(core.pending, np.uint32))
    return good
