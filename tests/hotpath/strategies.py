"""Frames, plans and buffers that nobody wrote: well-formed as plans go, and as hostile as bytes can be.

What holds for every plan that the library makes holds for these too: a field that a check or a row reads lies in the
fixed part or in what `minimum` asks for, and parts of a sockaddr are only taken where a check has looked at it.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from hypothesis import strategies as st

from fastpfkey.spec.plan import Check, CheckOp, ColumnOp, ColumnPlan, ColumnRow, Family, Frame, Rule

from .plans import HEADER, plan, row

NUMBERS = 10
"""Extension numbers of a drawn frame, of which some are unknown."""

WIDTHS = {"u1": 1, "u2": 2, "u4": 4, "u8": 8, "16u1": 16}
FACTS = {
    "u8": (ColumnOp.MESSAGE_OFFSET, ColumnOp.PRESENT),
    "u4": (ColumnOp.MESSAGE_LENGTH,),
    "u2": (ColumnOp.OTHERS,),
}
TAILS = {"u8": ColumnOp.TAIL_OFFSET, "u4": ColumnOp.TAIL_LENGTH}
PARTS = {
    "u1": (ColumnOp.PREFIX,),
    "u2": (ColumnOp.FAMILY, ColumnOp.PORT),
    "u4": (ColumnOp.SCOPE,),
    "16u1": (ColumnOp.IP,),
}


class Reading(NamedTuple):
    """A plan, and what a buffer may say to be understood by it."""

    plan: ColumnPlan
    words: list[int]
    """16-bit numbers that mean something: address families, lengths, conditions."""


@st.composite
def families(draw: st.DrawFn) -> tuple[Family, ...]:
    """Up to three; numbers may need one byte or two."""
    numbers = draw(st.lists(st.sampled_from([1, 2, 10, 30, 0x0202, 0x0A00]), max_size=3, unique=True))
    found = []
    for number in numbers:
        version = draw(st.sampled_from([4, 6]))
        address = 4 if version == 4 else 16
        size = draw(st.integers(address + 4, 36))
        scope = draw(st.integers(-1, size - 4))
        found.append(
            Family(number, version, size, draw(st.integers(0, size - address)), draw(st.integers(0, size - 2)), scope)
        )
    return tuple(found)


@st.composite
def checks(draw: st.DrawFn, minimum: int) -> Check:
    """A check of what follows a fixed part of this many bytes."""
    op = draw(st.sampled_from(CheckOp))
    width = 2 if op in (CheckOp.BITS, CheckOp.REQUESTS, CheckOp.COUNTED) else draw(st.sampled_from([1, 2, 4]))
    field = draw(st.integers(4, minimum - width))
    unit, second, count = 0, -1, 0
    if op == CheckOp.SOCKADDRS:
        count = draw(st.integers(1, 3))
    elif op == CheckOp.SIZED:
        unit, second = draw(st.sampled_from([1, 8, 40])), draw(st.just(-1) | st.integers(4, minimum - width))
    elif op == CheckOp.RECORDS:
        unit = draw(st.sampled_from([1, 8, 12, 24, 72]))
    elif op == CheckOp.REQUESTS:
        unit = draw(st.sampled_from([2, 8, 16]))
    elif op == CheckOp.COUNTED:
        unit = draw(st.integers(1, 8))
        second, count = draw(st.integers(0, unit - 1)), draw(st.integers(0, 8))
    condition = (-1, 0, 0)
    if op != CheckOp.SOCKADDRS and draw(st.booleans()):
        size = draw(st.sampled_from([1, 2, 4]))
        condition = (draw(st.integers(4, minimum - size)), size, draw(st.sampled_from([0, 1, 8])))
    return Check(op, minimum, field, width, unit, second, count, *condition)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    """What a dialect of NUMBERS extensions could look like, and one with the largest number."""
    rules: list[Rule] = []
    found: list[Check] = []
    last = draw(st.sampled_from([NUMBERS, 64]))
    for number in range(last):
        if (number >= NUMBERS and number != 63) or draw(st.integers(0, 5)) == 0:
            rules.append(Rule(-1, 4, 1, 0, 0))
            continue
        minimum = draw(st.integers(2, 5)) * 4
        own = draw(st.lists(checks(minimum), max_size=2)) if minimum > 8 else []
        repeats = int(draw(st.integers(0, 3)) == 0)
        rules.append(Rule(draw(st.integers(0, 63)), minimum, repeats, len(found), len(own)))
        found += own
    offset, width = draw(st.sampled_from([(0, 2), (1, 1), (0, 1)]))
    return Frame(draw(st.booleans()), offset, width, tuple(rules), tuple(found), draw(families()))


def _sockaddr_at(frame: Frame, rule: Rule) -> int | None:
    """Where a rule's extension has a sockaddr for certain."""
    own = frame.checks[rule.first_check : rule.first_check + rule.checks]
    return next((check.start for check in own if check.op == CheckOp.SOCKADDRS), None)


@st.composite
def rows(draw: st.DrawFn, frame: Frame, column: int, dtype: str, lookups: int) -> ColumnRow:
    """One source of a column of this type."""
    known = [number for number, rule in enumerate(frame.rules) if rule.bit >= 0]
    extension = draw(st.sampled_from([HEADER, *known]))
    kinds = ["copy", "copy"]
    if extension == HEADER:
        kinds += ["fact"] * (dtype in FACTS)
    else:
        sockaddr = _sockaddr_at(frame, frame.rules[extension])
        kinds += ["tail"] * (dtype in TAILS) + ["part"] * 3 * (sockaddr is not None and dtype in PARTS)
    kinds += ["map"] * (dtype == "u2")
    kind = draw(st.sampled_from(kinds))
    satype = draw(st.sampled_from([-1, -1, -1, 0, 3, 9]))
    if kind == "fact":
        return row(draw(st.sampled_from(FACTS[dtype])), column=column, satype=satype)
    minimum = draw(st.sampled_from([0, 0, 24, 40]))
    fixed = 16 if extension == HEADER else max(frame.rules[extension].minimum, minimum)
    if kind == "tail":
        return row(TAILS[dtype], extension, draw(st.integers(0, fixed)), column=column, minimum=minimum, satype=satype)
    if kind == "part":
        op, width = draw(st.sampled_from(PARTS[dtype])), WIDTHS[dtype]
        swap = draw(st.booleans())
        return row(op, extension, sockaddr or 0, width, column=column, swap=swap, minimum=minimum, satype=satype)
    widths = [1, 2] if kind == "map" else [width for width in (1, 2, 4, 8, 16) if width <= WIDTHS[dtype]]
    if dtype == "16u1":
        widths, fixed, minimum = [16], max(fixed, 24 if extension != HEADER else 16), minimum or 24
    width = draw(st.sampled_from([width for width in widths if width <= fixed]))
    source = draw(st.integers(0, fixed - width))
    swap = width in (2, 4, 8) and draw(st.booleans())
    if kind == "map":
        lookup = draw(st.integers(0, lookups - 1))
        return row(
            ColumnOp.MAP,
            extension,
            source,
            width,
            column=column,
            swap=swap,
            lookup=lookup,
            minimum=minimum,
            satype=satype,
        )
    shift = 0 if width == 16 else draw(st.sampled_from([0, 0, 0, 3, 8 * (WIDTHS[dtype] - width)]))
    return row(
        ColumnOp.COPY,
        extension,
        source,
        width,
        column=column,
        swap=swap,
        shift=shift,
        minimum=0 if extension == HEADER else minimum,
        satype=satype,
    )


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """A frame, and columns of it."""
    frame = draw(frames())
    dtypes = draw(st.lists(st.sampled_from(list(WIDTHS)), max_size=10))
    made = [
        draw(rows(frame, column, dtype, 2))
        for column, dtype in enumerate(dtypes)
        for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3])))
    ]
    noise = random.Random(draw(st.integers(0, 99)))
    lookups = [[noise.getrandbits(16) for _ in range(256)] for _ in range(2)]
    words = [family.number for family in frame.families] + [check.unit for check in frame.checks]
    words += [check.condition_value for check in frame.checks] + [0, 1, 8, 16, 24, 64, 0x0102, 0xFFFF]
    return Reading(plan(frame, " ".join(dtypes), made, lookups), sorted(set(words)))


@st.composite
def buffers(draw: st.DrawFn, reading: Reading, byteorder: str) -> bytes:
    """Some messages again and again in any order: framed well, most of them, and then damaged, or not."""
    frame = reading.plan.frame
    noise = random.Random(draw(st.integers(0, 1 << 32)))

    def number(value: int) -> bytes:
        return value.to_bytes(2, byteorder)  # type: ignore[arg-type]

    def extension() -> bytes:
        kind = noise.choice([*range(NUMBERS), noise.randrange(len(frame.rules)), 255])
        rule = frame.rules[kind] if kind < len(frame.rules) else None
        size = (rule.minimum if rule else 8) + noise.choice([0, 0, 8, 16, 32, 60, -8 * (noise.random() < 0.1)])
        words = max(1, -(-size // 8))
        body = [number(noise.choice(reading.words)) for _ in range(4 * words - 2)]
        for place in range(len(body)):
            if noise.random() < 0.4:
                body[place] = noise.choice([bytes(2), noise.randbytes(2)])
        told = words if noise.random() < 0.97 else noise.randrange(12)
        return number(told) + number(kind) + b"".join(body)

    def message() -> bytes:
        extensions = [extension() for _ in range(noise.choice([0, 1, 1, 2, 3, 4]))]
        if noise.random() < 0.03:
            extensions.append(number(150) + number(200) + noise.randbytes(150 * 8 - 4))
        body = b"".join(extensions)
        told = 2 + len(body) // 8 + (noise.random() < 0.03)
        head = bytes([2, noise.randrange(25), 0, noise.choice([0, 3, 3, 9])])
        return head + number(told) + noise.randbytes(10) + body

    pool = [message() for _ in range(draw(st.integers(1, 12)))]
    data = bytearray(b"".join(noise.choice(pool) for _ in range(draw(st.sampled_from([1, 3, 20, 200])))))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
        data[noise.randrange(len(data))] = noise.choice([0, 1, 2, 255, noise.getrandbits(8)])
    return bytes(data[: len(data) - draw(st.sampled_from([0, 0, 0, 1, 8, 15]))])
