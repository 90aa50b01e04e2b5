"""Messages of the made-up dialect by the thousand, each with the row that it has to become.

Values come from Python's random numbers, of a seed, and are packed and unpacked by hand.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, field

from fastpfkey.spec.plan import ColumnOp, ColumnPlan

from .made_up import ADDRESS, BITS, GAP, KEY, OPTIONAL, PLAIN, REPEATS, Builder
from .plans import HEADER, plan, row

STREAMED = 16 << 20
"""Bytes from which on a buffer is written past the cache."""

DTYPES = "u8 u4 u2 u4 u1 u2 u4 u8 16u1 u2 u2 u8 u2 u8 u4"
"""Of the columns in `columns_of`."""


def columns_of(build: Builder) -> ColumnPlan:
    """At least one column of each width and operation, in which messages differ and agree."""
    swap = build.frame.swap
    network = sys.byteorder == "little"
    rows = [
        row(ColumnOp.MESSAGE_OFFSET),
        row(ColumnOp.MESSAGE_LENGTH),
        row(ColumnOp.COPY, HEADER, 6, 2, swap=swap),
        row(ColumnOp.COPY, HEADER, 8, 4, swap=swap),
        row(ColumnOp.COPY, PLAIN, 4, 1),
        row(ColumnOp.MAP, PLAIN, 5, 1, lookup=0),
        row(ColumnOp.COPY, PLAIN, 8, 4, swap=swap),
        row(ColumnOp.COPY, PLAIN, 8, 8, swap=swap),
        row(ColumnOp.IP, ADDRESS, 8, 16),
        row(ColumnOp.FAMILY, ADDRESS, 8, 2),
        row(ColumnOp.PORT, ADDRESS, 8, 2, swap=network),
        row(ColumnOp.PRESENT),
        row(ColumnOp.OTHERS),
        row(ColumnOp.TAIL_OFFSET, KEY, 8),
        row(ColumnOp.TAIL_LENGTH, KEY, 8),
    ]
    placed = [item._replace(column=place) for place, item in enumerate(rows)]
    return plan(build.frame, DTYPES, placed, [[number + 256 for number in range(256)]])


@dataclass
class Made:
    """One message and the values that its row has to have, offsets apart."""

    raw: bytes
    seq: int
    plain: bytes = bytes(16)
    ip: bytes = bytes(16)
    family: int = 0
    port: int = 0
    present: int = 0
    others: int = 0
    key: tuple[int, int] | None = None
    """Offset in the message and length of the key's bytes."""
    order: str = field(default=sys.byteorder)

    def row(self, offset: int) -> list[bytes]:
        """The cells of its row if it begins at `offset`."""
        order = self.order
        has_plain = bool(self.present & 1)
        numbers = [
            (offset, 8),
            (len(self.raw), 4),
            (0x5152, 2),
            (self.seq, 4),
            (self.plain[4], 1),
            ((self.plain[5] + 256) * has_plain, 2),
            (int.from_bytes(self.plain[8:12], order), 4),  # type: ignore[arg-type]
            (int.from_bytes(self.plain[8:16], order), 8),  # type: ignore[arg-type]
            (self.ip, 16),
            (self.family, 2),
            (self.port, 2),
            (self.present, 8),
            (self.others, 2),
            (offset + self.key[0] if self.key else 0, 8),
            (self.key[1] if self.key else 0, 4),
        ]
        return [value if isinstance(value, bytes) else value.to_bytes(width, sys.byteorder) for value, width in numbers]


class Mill:
    """Makes messages at random, of a seed."""

    def __init__(self, build: Builder, seed: int) -> None:
        self.build = build
        self.random = random.Random(seed)

    def message(self, key_bytes: int | None = None, kinds: int = 31, spare: int = 0) -> Made:
        """A message with some of the extensions that the bits of `kinds` allow, in any order."""
        build, draw = self.build, self.random
        made = Made(b"", draw.getrandbits(32), order=build.byteorder)
        chosen = [bit for bit in range(5) if kinds >> bit & draw.getrandbits(1)]
        draw.shuffle(chosen)
        extensions: list[bytes] = []
        for bit in chosen:
            if bit == 0:
                body = draw.randbytes(12)
                made.plain, made.present = bytes(4) + body, made.present | 1
                extensions.append(build.extension(PLAIN, body))
            elif bit == 1:
                extensions.append(build.extension(ADDRESS, bytes(4) + self.sockaddr(made)))
                made.present |= 1 << BITS[ADDRESS]
            elif bit == 2:
                extensions += [build.extension(REPEATS, draw.randbytes(4)) for _ in range(draw.randint(1, 3))]
                made.present |= 1 << BITS[REPEATS]
            elif bit == 3:
                made.others = draw.randint(1, 3)
                extensions += [build.extension(GAP, draw.randbytes(4 + 8 * spare)) for _ in range(made.others)]
            else:
                extensions.append(build.extension(OPTIONAL, draw.randbytes(4)))
                made.present |= 1 << BITS[OPTIONAL]
        if key_bytes is not None:
            place = 16 + sum(map(len, extensions)) + 8
            extensions.append(build.extension(KEY, build.pack("HH", 8 * key_bytes, 0) + draw.randbytes(key_bytes)))
            made.key, made.present = (place, len(extensions[-1]) - 8), made.present | 1 << BITS[KEY]
        made.raw = build.message(*extensions, seq=made.seq)
        return made

    def sockaddr(self, made: Made) -> bytes:
        """Of either version."""
        draw = self.random
        made.port = draw.getrandbits(16)
        made.family = draw.choice([4, 6])
        if made.family == 4:
            address = draw.randbytes(4)
            made.ip = bytes(10) + b"\xff\xff" + address
            return self.build.v4(address, made.port)
        made.ip = draw.randbytes(16)
        return self.build.v6(made.ip, made.port)
