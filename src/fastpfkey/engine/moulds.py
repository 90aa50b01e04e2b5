"""What many requests have in common: a mould, judged once, and the fields in which they may differ.

The idea: a batch of ADDs repeats a few messages with other SPIs, addresses, keys and lifetimes. These are the free
fields; all other bytes of a message, its lengths, algorithms, flags, reserved members and padding, are its mould. The
first message of a mould goes through everything that a single one goes through, and what comes out, the stored record
and the answer, is a mould too. For all others the free fields are copied from request to record and answer, and only
those values are looked at that a rule speaks about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..spec.model import HEADER_SIZE
from ..spec.rfc2367 import MSG
from ..spec.terms import EncryptAlgorithm, SAState, SAType
from ..spec.terms import ExtensionType as Ext
from ..wire.extensions import Address, Key, Lifetime
from . import algorithms
from .core import Core
from .framing import Framing
from .judging import judge
from .refusal import RefusedError
from .request import Request
from .store import LIMITS

Matrix = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]

SEQ = MSG["seq"].offset
PID = MSG["pid"].offset

NEUTRAL_SPI = 0x1000
"""An SPI that nobody objects to, for a look at what else is wrong."""

LIFETIME_WIDTHS = dict(zip(LIMITS, (4, 8, 8, 8), strict=True))

CHECKED_KEYS = frozenset({EncryptAlgorithm.DES_CBC, EncryptAlgorithm.TRIPLE_DES_CBC})
"""Algorithms whose keys have rules of their own, so that each is looked at."""

KEY_RULE = "R-3.1.2-05"

PLAIN = frozenset(
    {
        Ext.SA,
        Ext.LIFETIME_HARD,
        Ext.LIFETIME_SOFT,
        Ext.ADDRESS_SRC,
        Ext.ADDRESS_DST,
        Ext.ADDRESS_PROXY,
        Ext.KEY_AUTH,
        Ext.KEY_ENCRYPT,
        Ext.SA2,
        Ext.NATT_TYPE,
        Ext.NATT_SPORT,
        Ext.NATT_DPORT,
    }
)
"""Extensions whose free fields no rule relates to each other. A proxy has none: those of a gateway are mostly alike."""


class Place(NamedTuple):
    """A free field: where in the message it lies."""

    extension: Ext
    start: int
    """Within its extension."""
    size: int


class Move(NamedTuple):
    """A free field on its way from one message to another."""

    source: int
    target: int
    size: int


@dataclass(frozen=True)
class Form:
    """Messages that are made from the requests of a mould."""

    template: Matrix
    moves: tuple[Move, ...]
    """The free fields that they show."""
    current: int
    """Where the numbers of their current lifetime begin; 0 if they show none."""

    def pour(self, rows: Matrix, current: Matrix) -> Matrix:
        """One for each row of a matrix of requests, with these numbers as current lifetime."""
        found = np.empty((len(rows), len(self.template)), np.uint8)
        found[:] = self.template
        for source, target, size in self.moves:
            found[:, target : target + size] = rows[:, source : source + size]
        if self.current:
            found[:, self.current : self.current + len(current)] = current
        return found


@dataclass(frozen=True)
class Mould:
    """Requests that differ in free fields only, and what becomes of them."""

    words: Words
    """The message with zeros in place of free fields."""
    mask: Words
    """Ones where a message has to agree with it."""
    satype: int
    ipcomp: bool
    spis: tuple[int, int]
    """Lowest and highest SPI that an ADD may install."""
    at: dict[tuple[Ext, str], int]
    """Where the fields that are looked at lie in the request."""
    version: int
    """4 or 6."""
    proxy: bytes
    """The source address whose record would be another, because it is the proxy; empty if there is none such."""
    refused: str
    """The error that all of its messages get, if they do; they have no forms then."""
    record: Form | None
    answer: Form | None
    public: Form | None
    """The answer as others than the sender may see it."""

    def fits(self, rows: Words) -> npt.NDArray[np.bool_]:
        """Which messages of its length are cast from it."""
        found: npt.NDArray[np.bool_] = ((rows & self.mask) == self.words).all(axis=1)
        return found


def free_places(framing: Framing, raw: bytes) -> list[tuple[int, Place]]:
    """Position in the message, and place, of each free field of a request."""
    found: list[tuple[int, Place]] = []
    for number, start, _ in framing.spans(raw):
        known = framing.dialect.by_number.get(number)
        if known is None:
            continue
        for begin, size in _free(framing, known.type, raw, start):
            found.append((start + begin, Place(known.type, begin, size)))
    return found


def _free(framing: Framing, exttype: Ext, raw: bytes, start: int) -> list[tuple[int, int]]:
    """Start and size of the free fields of an extension, within it."""
    layout = framing.dialect.by_type[exttype].layout
    if exttype == Ext.SA:
        return [(layout["spi"].offset, 4)]
    if exttype in (Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT):
        return [(layout[name].offset, width) for name, width in LIFETIME_WIDTHS.items()]
    if exttype in (Ext.NATT_SPORT, Ext.NATT_DPORT):
        return [(layout["port"].offset, 2)]
    if exttype == Ext.SA2:
        return [(layout["reqid"].offset, 4)]
    if exttype in (Ext.ADDRESS_SRC, Ext.ADDRESS_DST):
        rules = framing.dialect.sockaddr
        at = start + layout.size
        number = raw[at + 1] if rules.has_length else int.from_bytes(raw[at : at + 2], framing.codec.byteorder)
        family = rules.family(number)
        return [] if family is None else [(layout.size + family.address, family.address_size)]
    if exttype in (Ext.KEY_AUTH, Ext.KEY_ENCRYPT):
        bits = int.from_bytes(raw[start + 4 : start + 6], framing.codec.byteorder)
        return [(layout.size, bits // 8)]
    return []


def cast(core: Core, raw: bytes) -> Mould | None:
    """The mould of an ADD; None if it has none, because messages like it are refused or have to be looked at alone."""
    framing = core.framing
    view = framing.view(raw)
    request = Request(framing, raw, view)
    values = request.values
    header = request.header
    if header.errno or header.reserved or core.profile.own_pid or len(raw) > core.profile.largest_message:
        return None
    if not PLAIN.issuperset(values) or len(values) != len(view.extensions):
        return None
    encrypt = getattr(values.get(Ext.SA), "encrypt", None)
    bits = [item.bits for item in values.values() if isinstance(item, Key)]
    limits = {Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT}
    if core.grammar.soft_above_hard == "error" and limits.issubset(values):
        return None
    soundness = KEY_RULE in core.profile.refuses_warnings
    if (soundness and encrypt in CHECKED_KEYS and request.satype == SAType.ESP) or any(item % 8 for item in bits):
        return None
    try:
        judge(core, view)
        algorithms.check(core, request)
    except RefusedError as refusal:
        return _refused(core, request, refusal.errno)
    return _mould(core, request)


def _refused(core: Core, request: Request, errno: str) -> Mould | None:
    """The mould of requests that are refused whatever stands in their free fields."""
    neutral = bytearray(request.raw)
    for position, place in free_places(core.framing, request.raw):
        if place.extension == Ext.SA:
            neutral[position : position + 4] = NEUTRAL_SPI.to_bytes(4, "big")
        elif place.extension in (Ext.ADDRESS_SRC, Ext.ADDRESS_DST):
            neutral[position : position + place.size] = bytes([10]) * place.size
    try:
        judge(core, core.framing.view(bytes(neutral)))
        algorithms.check(core, Request(core.framing, bytes(neutral), core.framing.view(bytes(neutral))))
    except RefusedError as refusal:
        same = refusal.errno == errno and {Ext.SA, Ext.ADDRESS_SRC, Ext.ADDRESS_DST}.issubset(request.values)
        return _outline(core, request, errno, None, None, None) if same and not core.profile.request_errors else None
    return None


def _mould(core: Core, request: Request) -> Mould | None:
    framing, raw = core.framing, request.raw
    places = free_places(framing, raw)
    normal = core.records.normal(request.values, SAState.MATURE)
    record = core.records.record(request.header.satype, normal)
    answer = request.reply(core.records.shown(record, "ADD"))
    public = answer if core.profile.faithful_keys else framing.without_secrets(answer)
    if _alters(request, normal):
        return None
    record_form = _form(core, places, record)
    answer_form = _form(core, places, answer, SEQ_AND_PID)
    return _outline(core, request, "", record_form, answer_form, _form(core, places, public, SEQ_AND_PID))


def _outline(
    core: Core, request: Request, refused: str, record: Form | None, answer: Form | None, public: Form | None
) -> Mould | None:
    """The mould that a request is cast from."""
    raw = request.raw
    places = free_places(core.framing, raw)
    src, proxy = request.values[Ext.ADDRESS_SRC], request.values.get(Ext.ADDRESS_PROXY)
    if not isinstance(src, Address) or src.ip is None or (isinstance(proxy, Address) and proxy.ip == src.ip):
        return None
    mask = np.full(len(raw), 0xFF, np.uint8)
    mask[SEQ : PID + 4] = 0
    for position, place in places:
        mask[position : position + place.size] = 0
    at = {(place.extension, _name(place)): position for position, place in places}
    template = np.frombuffer(raw, np.uint8) & mask
    return Mould(
        template.view(np.uint64),
        mask.view(np.uint64),
        request.header.satype,
        request.satype == SAType.IPCOMP,
        core.spi_bounds(request.satype),
        at,
        src.ip.version,
        proxy.ip.packed if isinstance(proxy, Address) and proxy.ip and core.profile.source_is_no_proxy else b"",
        refused,
        record,
        answer,
        public,
    )


def _form(core: Core, places: list[tuple[int, Place]], message: bytes, *header: Move) -> Form:
    """What a message made from the first request of a mould is for all of them."""
    current, _ = core.records.counters(message, 0, 0, 0, 0)
    return Form(np.frombuffer(message, np.uint8), (*header, *_moves(core.framing, places, message)), current)


def _alters(request: Request, normal: dict[Ext, Any]) -> bool:
    """Whether storing changes a free field, so that it cannot be copied."""
    for item in (Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT):
        given = request.values.get(item)
        if isinstance(given, Lifetime) and given != normal[item]:
            return True
    return False


def _name(place: Place) -> str:
    """What a free field is called where it is looked at: limits by their name, all else by its extension alone."""
    if place.extension not in (Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT):
        return ""
    return next(name for name, start in zip(LIMITS, _LIFETIME_STARTS, strict=True) if start == place.start)


_LIFETIME_STARTS = (4, 8, 16, 24)


def _moves(framing: Framing, places: list[tuple[int, Place]], target: bytes) -> tuple[Move, ...]:
    """Where the free fields of a request go in another message, as far as this has their extensions."""
    begins = {span.number: span.start for span in framing.spans(target)}
    found = []
    for position, place in places:
        begin = begins.get(framing.number(place.extension))
        if begin is not None and place.size:
            found.append(Move(position, begin + place.start, place.size))
    return tuple(found)


SEQ_AND_PID = Move(SEQ, SEQ, HEADER_SIZE - SEQ)
