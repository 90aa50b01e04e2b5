"""A dialect that no system speaks, made of plan rows by hand, and bytes in either byte order that it reads.

Its numbers and layouts are its own, so a test that passes with it owes nothing to what a real system looks like.
"""

from __future__ import annotations

import struct
import sys
from typing import Literal

from fastpfkey.spec.plan import Check, CheckOp, Family, Frame, Rule

HostOrder = Literal["little", "big"]
ORDERS: tuple[HostOrder, HostOrder] = ("little", "big")

PLAIN, OPTIONAL, ADDRESS, KEY, SIZED, RECORDS, REQUESTS, COUNTED, GAP, REPEATS, TYPED, PAIR = range(1, 13)
"""Extension numbers: no checks, a longer variant, then one for each check; GAP is unknown among known ones."""
LAST = 63
"""The largest number that a frame can describe."""

V4, V6, NO_SCOPE_V6 = 2, 10, 700
"""Address families. Those of version 6 lie differently, and one has no scope."""

UNCONDITIONAL = (-1, 0, 0)
CHECKS = (
    Check(CheckOp.SOCKADDRS, 8, 0, 0, 0, -1, 1, *UNCONDITIONAL),
    Check(CheckOp.BITS, 8, 4, 2, 0, -1, 0, *UNCONDITIONAL),
    Check(CheckOp.SIZED, 16, 4, 2, 8, 6, 0, *UNCONDITIONAL),
    Check(CheckOp.RECORDS, 8, 0, 0, 12, -1, 0, *UNCONDITIONAL),
    Check(CheckOp.REQUESTS, 8, 0, 2, 16, -1, 0, *UNCONDITIONAL),
    Check(CheckOp.COUNTED, 8, 4, 2, 4, 3, 6, *UNCONDITIONAL),
    Check(CheckOp.SOCKADDRS, 8, 0, 0, 0, -1, 1, 4, 2, 0x0107),
    Check(CheckOp.SOCKADDRS, 8, 0, 0, 0, -1, 2, *UNCONDITIONAL),
)
BITS = {
    PLAIN: 0,
    OPTIONAL: 1,
    ADDRESS: 5,
    KEY: 8,
    SIZED: 13,
    RECORDS: 21,
    REQUESTS: 31,
    COUNTED: 32,
    REPEATS: 40,
    TYPED: 47,
    PAIR: 62,
    LAST: 63,
}
"""Bits of `present`."""

MINIMA = {PLAIN: 16, OPTIONAL: 8, SIZED: 16, REPEATS: 8}
FIRST_CHECK = {ADDRESS: 0, KEY: 1, SIZED: 2, RECORDS: 3, REQUESTS: 4, COUNTED: 5, TYPED: 6, PAIR: 7}


def _rule(number: int) -> Rule:
    if number not in BITS:
        return Rule(-1, 4, 1, 0, 0)
    checks = int(number in FIRST_CHECK)
    return Rule(BITS[number], MINIMA.get(number, 8), int(number == REPEATS), FIRST_CHECK.get(number, 0), checks)


def frame(byteorder: HostOrder) -> Frame:
    """How to read captures of the made-up dialect in this byte order."""
    families = (Family(V4, 4, 16, 4, 2, -1), Family(V6, 6, 28, 8, 2, 24), Family(NO_SCOPE_V6, 6, 24, 4, 20, -1))
    rules = tuple(_rule(number) for number in range(LAST + 1))
    return Frame(byteorder != sys.byteorder, 0, 2, rules, CHECKS, families)


class Builder:
    """Bytes of a host of one byte order."""

    def __init__(self, byteorder: HostOrder) -> None:
        self.byteorder: HostOrder = byteorder
        self.frame = frame(byteorder)
        self.prefix = "<" if byteorder == "little" else ">"

    def pack(self, codes: str, *values: int | bytes) -> bytes:
        """Fields one behind the other, without holes."""
        return struct.pack(self.prefix + codes, *values)

    def header(self, words: int, satype: int = 3, version: int = 2, seq: int = 0x01020304) -> bytes:
        """A base header that tells this length."""
        return self.pack("BBBBHHII", version, 10, 0, satype, words, 0x5152, seq, 0x05060708)

    def message(self, *extensions: bytes, satype: int = 3, seq: int = 0x01020304) -> bytes:
        """A message of these extensions."""
        body = b"".join(extensions)
        return self.header(2 + len(body) // 8, satype, seq=seq) + body

    def extension(self, number: int, body: bytes, words: int | None = None) -> bytes:
        """An extension whose length is that of its body, rounded up, or told."""
        body += bytes(-(4 + len(body)) % 8)
        return self.pack("HH", (4 + len(body)) // 8 if words is None else words, number) + body

    def v4(self, address: bytes, port: int = 0) -> bytes:
        """16 bytes: family, port in network order, address."""
        return self.pack("H", V4) + struct.pack(">H", port) + address + bytes(8)

    def v6(self, address: bytes, port: int = 0, scope: int = 0) -> bytes:
        """28 bytes: family, port in network order, a hole, address, scope."""
        return self.pack("H", V6) + struct.pack(">H", port) + bytes(4) + address + self.pack("I", scope)

    def request(self, *sockaddrs: bytes, length: int | None = None) -> bytes:
        """A nested request: 16 bytes, then sockaddrs."""
        tail = b"".join(sockaddrs)
        return self.pack("H", 16 + len(tail) if length is None else length) + bytes(14) + tail
