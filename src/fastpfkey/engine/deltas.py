"""What has changed in an engine, as bytes, and back: associations and policies as they are now, and which are gone.

A delta says what has become, not what was asked: applying one needs no clock, no random numbers and no rules, and what
it says twice is as good as once. All associations in blocks are a snapshot, and what each turn of a server changed is a
journal. Times are Unix times, so that lifetimes go on in another process.

    counts and counters     _COUNTS
    gone                    serial numbers u64, policy ids u32
    associations            rows (store.ROW), records back to back
    policies                for each _POLICY, and a message with its extensions

What belongs to clients is in none: registrations, what waits for them, dumps under way. Nor are requests of consumers,
or the larval associations that stand for these.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..spec.model import HEADER_SIZE, WORD
from ..spec.rfc2367 import MSG
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType, SAState
from ..wire.extensions import Address, Lifetime
from ..wire.extensions_ipsec import Policy, SecurityContext
from .core import Core
from .entries import Part
from .policy import Stored
from .store import ROW, Rows, Slots

_COUNTS = struct.Struct("=QQQQQQQQQQ")
_POLICY = struct.Struct("=IIddQQ")

LARGEST_MESSAGE = 0xFFFF * WORD


class Counts(NamedTuple):
    """How much of everything is in a delta, and where an engine's counters stand."""

    gone: int
    gone_policies: int
    associations: int
    octets: int
    """Bytes of the records."""
    policies: int
    serial: int
    opened: int
    acquire_seq: int
    policy_counter: int
    reqid: int


class DeltaError(ValueError):
    """Bytes that cannot be a delta of this engine; `offset` is the place in them that shows it."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason


@dataclass
class Watch:
    """What has changed since it was looked at."""

    core: Core
    serials: set[int] = field(default_factory=set)
    policies: dict[int, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.core.store.watchers.append(self.serials)
        self.core.policies.watchers.append(self.policies)

    def __bool__(self) -> bool:
        return bool(self.serials or self.policies)

    def take(self) -> list[Part]:
        """What has changed, as a delta; nothing has then."""
        store, policies = self.core.store, self.core.policies.by_id
        serials = np.sort(np.fromiter(self.serials, np.uint64, len(self.serials)))
        slots = store.places(serials)
        gone = [number for number in self.policies if number not in policies]
        # What may have another place is gone and comes again, in order.
        moved = [number for number, moves in self.policies.items() if moves and number in policies]
        kept = [number for number, moves in self.policies.items() if not moves and number in policies]
        parts = delta(self.core, slots[slots >= 0], kept + moved, serials[slots < 0], gone + moved)
        self.clear()
        return parts

    def clear(self) -> None:
        """Forget what has changed."""
        self.serials.clear()
        self.policies.clear()

    def close(self) -> None:
        """Watch no longer."""
        self.core.store.watchers = [item for item in self.core.store.watchers if item is not self.serials]
        self.core.policies.watchers = [item for item in self.core.policies.watchers if item is not self.policies]


def delta(
    core: Core,
    slots: Slots,
    policies: Iterable[int],
    gone: npt.NDArray[np.uint64] | None = None,
    gone_policies: Iterable[int] = (),
) -> list[Part]:
    """The parts of a delta of some associations and policies. They hold keys."""
    rows = core.store.rows[slots]
    own = rows["acquire"] == 0
    rows, slots = rows[own], slots[own]
    records = core.store.records(slots)
    for name in ("added", "used"):
        rows[name] += core.epoch
    lost = np.empty(0, np.uint64) if gone is None else gone
    lost_policies = array("I", gone_policies)
    shown = [_policy(core, core.policies.by_id[number]) for number in policies]
    counts = Counts(
        len(lost),
        len(lost_policies),
        len(rows),
        len(records),
        len(shown),
        core.store.serial,
        core.opened,
        core.acquire_seq,
        core.policies.counter,
        core.policies.reqid,
    )
    head = _COUNTS.pack(*counts) + lost.tobytes() + lost_policies.tobytes()
    return [head, rows.view(np.uint8).data, records.data, b"".join(shown)]


def _policy(core: Core, stored: Stored) -> bytes:
    values = [stored.src, stored.dst, stored.hard, stored.soft, stored.policy]
    context = [] if stored.context is None else [stored.context]
    message = core.framing.message(MessageType.SPDADD, 0, core.framing.body([*values, *context], 0))
    times = (stored.added + core.epoch, stored.used + core.epoch)
    return _POLICY.pack(stored.id, len(message), *times, stored.octets, stored.packets) + message


def apply(core: Core, payload: memoryview) -> None:
    """Bring an engine to where a delta says it was. Raises DeltaError, having changed nothing."""
    counts = _counts(payload)
    at = _COUNTS.size
    gone = np.frombuffer(payload, np.uint64, counts.gone, at)
    at += gone.nbytes
    gone_policies = np.frombuffer(payload, np.uint32, counts.gone_policies, at).tolist()
    at += 4 * counts.gone_policies
    rows = np.frombuffer(payload, ROW, counts.associations, at).copy()
    records = np.frombuffer(payload, np.uint8, counts.octets, at + rows.nbytes)
    keys = _judge(core, rows, records, at)
    policies = _policies(core, payload, at + rows.nbytes + records.nbytes, counts.policies)
    known = core.store.places(rows["serial"])
    fresh = known < 0
    _judge_identities(core, rows, keys, gone, known, at)
    for name in ("added", "used"):
        rows[name] -= core.epoch
    _forget(core, gone)
    starts = np.cumsum(rows["length"], dtype=np.int64) - rows["length"]
    for place in np.flatnonzero(~fresh).tolist():
        start = int(starts[place])
        _change(core, rows[place], records[start : start + int(rows["length"][place])].tobytes())
    first = int(np.argmax(fresh)) if fresh.any() else len(rows)
    core.store.fill(keys[first:], records[int(starts[first]) if first < len(rows) else len(records) :], rows[first:])
    for number in gone_policies:
        if number in core.policies.by_id:
            core.policies.remove(core.policies.by_id[number])
    for stored in policies:
        old = core.policies.by_id.get(stored.id)
        if old is not None:
            core.policies.by_selector.pop(old.selector, None)
        core.policies.add(stored)
    core.store.serial = max(core.store.serial, counts.serial)
    core.opened, core.acquire_seq = max(core.opened, counts.opened), counts.acquire_seq
    core.policies.counter, core.policies.reqid = counts.policy_counter, counts.reqid
    core.store.sweep()


def _counts(payload: memoryview) -> Counts:
    if len(payload) < _COUNTS.size:
        raise DeltaError(0, "it is too short")
    counts = Counts(*_COUNTS.unpack_from(payload))
    sizes = (8 * counts.gone, 4 * counts.gone_policies, ROW.itemsize * counts.associations, counts.octets)
    if _COUNTS.size + sum(sizes) + _POLICY.size * counts.policies > len(payload):
        raise DeltaError(0, "it is shorter than what it says to hold")
    if max(counts.acquire_seq, counts.policy_counter, counts.reqid) > 0xFFFFFFFF:
        raise DeltaError(0, "a counter is larger than it can be")
    return counts


def _judge(core: Core, rows: Rows, records: npt.NDArray[np.uint8], at: int) -> list[bytes]:
    """The identities of associations whose rows and records fit together. Raises DeltaError."""
    lengths = rows["length"].astype(np.int64)
    behind = at + rows.nbytes
    if int(lengths.sum()) != len(records):
        raise DeltaError(at, "rows and records of associations differ in length")
    starts = np.cumsum(lengths) - lengths
    short = (lengths < HEADER_SIZE) | (lengths > LARGEST_MESSAGE) | (lengths % WORD > 0)
    if not short.any() and len(rows):
        said = records[(starts + MSG["len"].offset)[:, None] + np.arange(2)].view(np.uint16)[:, 0].astype(np.int64)
        types = records[starts + MSG["type"].offset]
        satypes = records[starts + MSG["satype"].offset]
        dump = core.framing.type_number(MessageType.DUMP)
        short = (said * WORD != lengths) | (types != dump) | (satypes != rows["satype"])
    if short.any():
        raise DeltaError(behind + int(starts[np.argmax(short)]), "a record is not what its row says")
    odd = (rows["state"] > SAState.DEAD) | (rows["acquire"] > 0) | ~np.isfinite(rows["added"]) | np.isnan(rows["used"])
    serials = rows["serial"]
    odd[1:] |= serials[1:] <= serials[:-1]
    if odd.any():
        raise DeltaError(at + ROW.itemsize * int(np.argmax(odd)), "a row of an association cannot be")
    rows["alive"] = True
    keys = core.keys_in(rows["satype"], records)
    if keys is None:
        raise DeltaError(behind, "a record is no association with addresses")
    return keys


def _judge_identities(
    core: Core, rows: Rows, keys: list[bytes], gone: npt.NDArray[np.uint64], known: Slots, at: int
) -> None:
    """New associations come behind all that there are, and nobody else has their identities. Raises DeltaError."""
    fresh = known < 0
    if not fresh.any():
        return
    first = int(np.argmax(fresh))
    store = core.store
    newest = int(store.rows[store.count - 1]["serial"]) if store.count else 0
    if not fresh[first:].all() or int(rows["serial"][first]) <= newest:
        raise DeltaError(at + ROW.itemsize * first, "associations are not in the order of their creation")
    taken = set(keys[first:])
    if len(taken) == len(rows) - first and store.index.keys().isdisjoint(taken):
        return
    leaving = set(gone.tolist())
    for place, key in enumerate(keys[first:], first):
        slot = store.find(key)
        if key not in taken or (slot >= 0 and int(store.rows[slot]["serial"]) not in leaving):
            raise DeltaError(at + ROW.itemsize * place, "two associations have the same identity")
        taken.discard(key)


def _forget(core: Core, gone: npt.NDArray[np.uint64]) -> None:
    slots = core.store.places(gone)
    slots = slots[slots >= 0]
    if len(slots):
        core.store.clear(slots, core.keys_of)


def _change(core: Core, row: np.void, record: bytes) -> None:
    """Set what is known of an association that there is."""
    slot = core.store.place(int(row["serial"]))
    core.store.replace(slot, record)
    for name in ROW.names or ():
        if name not in ("offset", "length", "alive"):
            core.store.rows[slot][name] = row[name]


def _policies(core: Core, payload: memoryview, at: int, count: int) -> list[Stored]:
    found = []
    for _ in range(count):
        if len(payload) - at < _POLICY.size:
            raise DeltaError(at, "it ends within a policy")
        number, size, added, used, octets, packets = _POLICY.unpack_from(payload, at)
        message = bytes(payload[at + _POLICY.size : at + _POLICY.size + size])
        times = (added - core.epoch, used - core.epoch)
        found.append(_stored(core, number, message, times, (octets, packets), at))
        at += _POLICY.size + size
    if at != len(payload):
        raise DeltaError(at, "there is something behind its end")
    return found


def _stored(
    core: Core, number: int, message: bytes, times: tuple[float, float], used: tuple[int, int], at: int
) -> Stored:
    """A policy from the message that its values stand in."""
    if len(message) < HEADER_SIZE or core.framing.fault(message):
        raise DeltaError(at, "a policy cannot be read")
    values = {value.exttype: value for value in core.framing.view(message).extensions}
    src, dst = values.get(Ext.ADDRESS_SRC), values.get(Ext.ADDRESS_DST)
    hard, soft = values.get(Ext.LIFETIME_HARD), values.get(Ext.LIFETIME_SOFT)
    policy, context = values.get(Ext.POLICY), values.get(Ext.SEC_CTX)
    if not (
        isinstance(src, Address)
        and isinstance(dst, Address)
        and isinstance(hard, Lifetime)
        and isinstance(soft, Lifetime)
        and isinstance(policy, Policy)
        and (context is None or isinstance(context, SecurityContext))
    ):
        raise DeltaError(at, "a policy lacks what makes one")
    return Stored(number, policy, src, dst, hard, soft, context, times[0], times[1], *used)
