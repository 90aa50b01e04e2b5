"""Validation, normative: what makes the bytes of one message acceptable, and the shape of an acceptable message.

The idea of a shape: the verdict on a message depends on few of its bytes (lengths, types, key bits, address families,
...). `examine` notes which bytes it looked at. A message that has the same bytes in the same places would be examined
in the same way, step by step, so it is just as valid and its extensions lie at the same offsets. Dumps repeat a handful
of shapes; each is examined once, and all later messages are compared, not examined.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..errors import Fault
from ..spec.model import EXTENSION_HEADER_SIZE, HEADER_SIZE, PF_KEY_V2, WORD
from ..spec.plan import Check, CheckOp, Family, Frame

VERSION, TYPE, SATYPE, LENGTH = 0, 1, 3, 4
"""Offsets of the members of the base header that validation looks at."""


class FaultFound(Exception):  # noqa: N818 - a fault is not an error of the examiner
    """Ends the examination of a message; it never leaves the reference twin."""

    def __init__(self, fault: Fault, position: int) -> None:
        super().__init__(fault, position)
        self.fault = fault
        self.position = position


@dataclass
class Shape:
    """What all messages with the same examined bytes have in common. Offsets are from the start of the message."""

    length: int
    satype: int
    seen: dict[int, int] = field(default_factory=dict)
    """Offset -> value of every byte that decided."""
    extents: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Wire number -> offset and length of the first extension of that number."""
    present: int = 0
    others: int = 0

    def guards(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        """Mask and value of every 8-byte word: a message fits the shape where `word & mask == value`."""
        mask = np.zeros(self.length, np.uint8)
        value = np.zeros(self.length, np.uint8)
        for offset, byte in self.seen.items():
            mask[offset], value[offset] = 0xFF, byte
        return mask.view(np.uint64), value.view(np.uint64)


class Examiner:
    """Examines one message after another of a buffer, by one frame."""

    def __init__(self, buffer: memoryview, frame: Frame, strict: bool, byteorder: str) -> None:
        self.buffer = buffer
        self.frame = frame
        self.strict = strict
        self.byteorder = byteorder
        """Byte order of the capture, "little" or "big"."""
        self.families = {item.number: item for item in frame.families}

    def header(self, start: int, stop: int) -> int:
        """Length in bytes of the message at `start`, if its base header holds."""
        if stop - start < HEADER_SIZE:
            raise FaultFound(Fault.HEADER_TRUNCATED, start)
        if self.buffer[start + VERSION] != PF_KEY_V2:
            raise FaultFound(Fault.VERSION, start + VERSION)
        length = int.from_bytes(self.buffer[start + LENGTH : start + LENGTH + 2], self.byteorder) * WORD  # type: ignore[arg-type]
        if length < HEADER_SIZE:
            raise FaultFound(Fault.MESSAGE_SHORT, start + LENGTH)
        if length > stop - start:
            raise FaultFound(Fault.MESSAGE_TRUNCATED, start + LENGTH)
        return length

    def examine(self, start: int, stop: int) -> Shape:
        """The shape of the message at `start`. Raises FaultFound with the absolute position of the first fault."""
        length = self.header(start, stop)
        self.start = start
        self.shape = shape = Shape(length, self.buffer[start + SATYPE])
        for offset in (VERSION, SATYPE):
            self.number(start + offset, 1)
        self.number(start + LENGTH, 2)
        if self.frame.wrapper >= 0 and self.number(start + TYPE, 1) == self.frame.wrapper:
            return shape
        position = start + HEADER_SIZE
        while position < start + length:
            position += self.extension(position, start + length)
        return shape

    def number(self, position: int, width: int) -> int:
        """A host-order number that decides something, noted as seen."""
        raw = bytes(self.buffer[position : position + width])
        for offset, byte in enumerate(raw, position - self.start):
            self.shape.seen[offset] = byte
        return int.from_bytes(raw, self.byteorder)  # type: ignore[arg-type]

    def extension(self, position: int, end: int) -> int:
        """Check the extension at `position` of a message that ends at `end`; its length in bytes."""
        length = self.number(position, 2) * WORD
        kind = self.number(position + 2, 2)
        if length == 0:
            raise FaultFound(Fault.EXTENSION_EMPTY, position)
        if length > end - position:
            raise FaultFound(Fault.EXTENSION_OVERRUN, position)
        rule = self.frame.rules[kind] if kind < len(self.frame.rules) else None
        if rule is None or rule.bit < 0:
            if self.strict:
                raise FaultFound(Fault.EXTENSION_UNKNOWN, position + 2)
            self.shape.others += 1
            return length
        if length < rule.minimum:
            raise FaultFound(Fault.EXTENSION_SHORT, position)
        if kind in self.shape.extents and not rule.repeats:
            raise FaultFound(Fault.EXTENSION_DUPLICATE, position + 2)
        self.shape.extents.setdefault(kind, (position - self.start, length))
        self.shape.present |= 1 << rule.bit
        for check in self.frame.checks[rule.first_check : rule.first_check + rule.checks]:
            if check.condition < 0 or check.condition_value == self.number(
                position + check.condition, check.condition_width
            ):
                self.check(check, position, position + length)
        return length

    def check(self, check: Check, extension: int, end: int) -> None:
        """Apply one check to the extension that reaches from `extension` to `end`."""
        position = extension + check.start
        if check.op == CheckOp.SOCKADDRS:
            self.sockaddrs(position, end, check.count)
        elif check.op == CheckOp.BITS:
            if (self.number(extension + check.field, check.width) + 7) // 8 > end - position:
                raise FaultFound(Fault.KEY_OVERRUN, extension + check.field)
        elif check.op == CheckOp.SIZED:
            for counter in (check.field, check.second):
                if counter >= 0:
                    size = self.number(extension + counter, check.width) * check.unit
                    if size > end - position:
                        raise FaultFound(Fault.DATA_OVERRUN, extension + counter)
                    position += size
        elif check.op == CheckOp.RECORDS:
            if remainder := (end - position) % check.unit:
                raise FaultFound(Fault.RECORD_PARTIAL, end - remainder)
        elif check.op == CheckOp.REQUESTS:
            self.requests(check, position, end)
        elif check.op == CheckOp.COUNTED:
            self.counted(check, extension, position, end)

    def sockaddrs(self, position: int, end: int, count: int) -> None:
        """`count` sockaddrs back to back; behind one of unknown family nothing can be said."""
        for _ in range(count):
            if end - position < EXTENSION_HEADER_SIZE // 2:
                raise FaultFound(Fault.SOCKADDR_OVERRUN, position)
            family = self.family(position)
            if family is None:
                return
            if family.size > end - position:
                raise FaultFound(Fault.SOCKADDR_OVERRUN, position)
            position += family.size

    def family(self, position: int) -> Family | None:
        """The family of the sockaddr at `position`, None if the frame does not know it."""
        return self.families.get(self.number(position + self.frame.family_offset, self.frame.family_width))

    def requests(self, check: Check, position: int, end: int) -> None:
        """Nested requests; less than a fixed part at the end is tolerated, as kernels do."""
        while end - position >= check.unit:
            length = self.number(position, check.width)
            if length < check.unit:
                raise FaultFound(Fault.REQUEST_SHORT, position)
            if length > end - position:
                raise FaultFound(Fault.REQUEST_OVERRUN, position)
            if length > check.unit:
                self.sockaddrs(position + check.unit, position + length, 2)
            position += length

    def counted(self, check: Check, extension: int, position: int, end: int) -> None:
        """Items, each with a count of sub-records of its own."""
        for _ in range(self.number(extension + check.field, check.width)):
            if check.unit > end - position:
                raise FaultFound(Fault.ITEM_OVERRUN, position)
            size = check.unit + self.number(position + check.second, 1) * check.count
            if size > end - position:
                raise FaultFound(Fault.ITEM_OVERRUN, position)
            position += size
